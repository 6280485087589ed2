//! Keys of the test network: an authority for TLS, one certificate for all of its servers, and keys for SSH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::scene::BUNDLE;
use super::support::Done;

const NAMES: &str = "subjectAltName=DNS:*.test-host.example,DNS:*.registry.example,DNS:*.trap.example,IP:203.0.113.11,IP:2001:db8:1::13";

/// Makes an authority, `server.pem` with a key and a certificate by it, and `ca-bundle.pem`: the system's and this one.
pub(crate) fn make(directory: &Path) {
    let settings =
        "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
    fs::write(directory.join("openssl.cnf"), settings).expect("openssl.cnf");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256";
    openssl(
        directory,
        &format!(
            "req -x509 {key} -days 2 -config openssl.cnf -extensions ca -subj /CN=test -keyout ca.key -out ca.pem"
        ),
    );
    openssl(
        directory,
        &format!("req -new {key} -config openssl.cnf -subj /CN=server -keyout server.key -out server.csr"),
    );
    fs::write(directory.join("names"), NAMES).expect("names");
    openssl(
        directory,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
    );
    let read = |file: &str| fs::read_to_string(directory.join(file)).expect("a file of openssl");
    fs::write(directory.join("server.pem"), read("server.key") + &read("server.crt")).expect("server.pem");
    let system = fs::read_to_string(BUNDLE).unwrap_or_default();
    fs::write(directory.join("ca-bundle.pem"), system + &read("ca.pem")).expect("ca-bundle.pem");
}

/// Makes keys and settings for `sshd`, which lets the user of the tests in with the key `user_key`.
pub(crate) fn ssh(directory: &Path) {
    for key in ["host_key", "user_key"] {
        let path = directory.join(key);
        Done::of({
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path);
            command
        })
        .ok();
    }
    fs::copy(directory.join("user_key.pub"), directory.join("authorized_keys")).expect("authorized_keys");
    fs::set_permissions(directory.join("authorized_keys"), PermissionsExt::from_mode(0o600)).expect("its mode");
    let path = directory.display();
    let settings = format!(
        "HostKey {path}/host_key\nAuthorizedKeysFile {path}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nPermitRootLogin prohibit-password\nListenAddress 0.0.0.0\nPort 22\n"
    );
    fs::write(directory.join("sshd_config"), settings).expect("sshd_config");
}

fn openssl(directory: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(directory);
    Done::of(command).ok();
}
