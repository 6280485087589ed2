//! The tools of everyday work, unmodified, with no proxy variable set.

use super::scene::{BUNDLE, Equipment, Scene, scene};
use super::support::{Done, need, rust, skip};

const REGISTRIES: Equipment = Equipment { registries: true, ssh: false };
const CODE: [&str; 2] = ["--allow-host", "code.test-host.example"];
const CODE_SSH: [&str; 2] = ["--allow-host", "code.test-host.example:22"];

/// The key lies in the project; the host's key is not looked up anywhere.
pub(crate) const SSH: &str =
    "ssh -F none -i key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";

/// An ssh command line that reaches the test server.
pub(crate) fn ssh(scene: &Scene, command: &str) -> String {
    lay_key(scene);
    format!("{SSH} -- $(id -un)@code.test-host.example '{command}'")
}

fn lay_key(scene: &Scene) {
    std::fs::copy(scene.directory.join("user_key"), scene.world.project.join("key")).expect("the key");
}

#[test]
fn git_clones_and_pushes_over_https() {
    need!("git");
    let scene = scene!(with REGISTRIES);
    let script = "git clone -q https://code.test-host.example/git/project.git work && cd work && wc -l < second
        git config user.email x@y && git config user.name x
        echo third > third && git add third && git commit -q -m third && git push -q origin HEAD:pushed && git ls-remote origin pushed";
    scene.inside(&CODE, script).ok().says("5001").says("refs/heads/pushed");
    let other = "GIT_TERMINAL_PROMPT=0 git clone -q https://other.test-host.example/git/project.git elsewhere";
    scene.inside(&CODE, other).fails().says("other.test-host.example");
    scene.refused("other.test-host.example", "--allow-host other.test-host.example");
}

#[test]
fn git_clones_over_ssh() {
    need!("git", "ssh", "sshd");
    let scene = scene!(with Equipment { registries: true, ssh: true });
    lay_key(&scene);
    let repository = scene.directory.join("fixtures/git/project.git").display().to_string();
    let script = format!(
        "GIT_SSH_COMMAND='{SSH}' git clone -q $(id -un)@code.test-host.example:{repository} work && wc -l < work/second"
    );
    scene.outside(&format!("{script} && rm -rf work")).ok().says("5001");
    scene.inside(&CODE_SSH, &script).ok().says("5001");
}

#[test]
fn ssh_runs_a_command() {
    need!("ssh", "sshd");
    let scene = scene!(with Equipment { registries: false, ssh: true });
    let script = ssh(&scene, "echo over-there");
    scene.inside(&CODE_SSH, &script).ok().says("over-there");
    // The host alone is not the port.
    let done = scene.inside(&CODE, &script).fails();
    assert!(!done.both().contains("over-there\n"), "{done}");
}

#[test]
fn cargo_fetches_and_builds_from_a_registry() {
    need!("gcc");
    let Some(sysroot) = rust::sysroot() else { skip!("no Rust toolchain") };
    let scene = scene!(with REGISTRIES).path_first(&sysroot.join("bin"));
    let world = &scene.world;
    world.write(
        "Cargo.toml",
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\ntiny-thing = \"1\"\n[workspace]\n",
    );
    world.write("src/main.rs", "fn main() { println!(\"thing {}\", tiny_thing::thing()) }\n");
    world.write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"replica\"\n[source.replica]\nregistry = \"sparse+https://cargo.registry.example/index/\"\n",
    );
    let grant = sysroot.display().to_string();
    let options = ["--read", &grant, "--allow-host", "cargo.registry.example"];
    scene.inside(&options, "cargo fetch 2>&1; cargo run -q --offline").ok().says("thing 42");
    let done = scene
        .inside(
            &["--read", &grant, "--allow-host", "web.test-host.example"],
            "rm -rf ~/.cargo/registry Cargo.lock; CARGO_NET_RETRY=0 cargo fetch",
        )
        .fails();
    assert!(done.both().contains("cargo.registry.example"), "{done}");
    scene.refused("cargo.registry.example", "--allow-host cargo.registry.example");
}

#[test]
fn npm_installs() {
    need!("npm", "node");
    let scene = scene!(with REGISTRIES);
    scene.world.write("package.json", r#"{"name":"demo","version":"1.0.0","dependencies":{"tiny-thing":"1"}}"#);
    let bundle = format!("NODE_EXTRA_CA_CERTS={BUNDLE}");
    let options = ["--env", &bundle, "--allow-host", "npm.registry.example"];
    let script = "npm install --silent --no-audit --no-fund --registry https://npm.registry.example/ && node -e 'console.log(\"thing\", require(\"tiny-thing\"))'";
    scene.inside(&options, script).ok().says("thing 42");
}

#[test]
fn pip_installs() {
    need!("python3");
    let scene = scene!(with REGISTRIES);
    if scene.outside("python3 -m pip --version").code() != 0 {
        skip!("python3 has no pip");
    }
    let bundle = format!("PIP_CERT={BUNDLE}");
    let options = ["--env", &bundle, "--allow-host", "pip.registry.example"];
    let script = "python3 -m pip install -q --disable-pip-version-check --no-cache-dir --target lib --index-url https://pip.registry.example/simple/ tiny-thing
        PYTHONPATH=lib python3 -c 'import tiny_thing; print(\"thing\", tiny_thing.THING)'";
    scene.inside(&options, script).ok().says("thing 42");
}

#[test]
fn node_fetches() {
    need!("node");
    let scene = scene!();
    let bundle = format!("NODE_EXTRA_CA_CERTS={BUNDLE}");
    let options = ["--env", &bundle, "--allow-host", "web.test-host.example"];
    let script = r#"node -e '(async () => {
        for (const s of ["http", "https"]) console.log(await (await fetch(s + "://web.test-host.example/hello")).text());
        await fetch("https://other.test-host.example/").then(() => process.exit(1), e => console.log("refused", e.cause.code));
    })()'"#;
    let done = scene.inside(&options, script).ok().says("refused ENOTFOUND");
    assert_eq!(done.out().matches("REACHED").count(), 2, "{done}");
}

#[test]
fn java_reads_a_url() {
    need!("java", "javac");
    let scene = scene!();
    scene.world.write(
        "Fetch.java",
        "class Fetch { public static void main(String[] a) throws Exception {\n\
         System.out.write(new java.net.URL(\"http://web.test-host.example/hello\").openStream().readAllBytes());\n\
         System.out.flush(); } }",
    );
    scene.inside(&["--allow-host", "web.test-host.example"], "java Fetch.java").ok().says("REACHED");
}

#[test]
fn python_verifies_tls_as_ever() {
    let scene = scene!();
    let program = "
import urllib.request
print(urllib.request.urlopen('https://web.test-host.example/hello', timeout=60).read())
";
    Done::of(scene.running(&["--allow-host", "web.test-host.example"], &["python3", "-c", program]))
        .ok()
        .says("REACHED");
}
