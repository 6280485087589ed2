use std::path::PathBuf;

use bailiwick_policy::host_pattern::HostPattern;
use bailiwick_policy::origin::{Layer, Origin, Source};

use super::*;

fn credential(from: CredentialSource) -> Credential {
    Credential {
        host: HostPattern::parse("api.example.org").unwrap(),
        header: "Authorization".to_owned(),
        from,
        prefix: Some("Bearer ".to_owned()),
    }
}

fn variables(value: &str) -> Vec<(OsString, OsString)> {
    vec![("TOKEN".into(), value.into()), ("PATH".into(), "/usr/bin:/bin".into())]
}

fn hold_from(from: CredentialSource, environment: &[(OsString, OsString)]) -> Result<String, String> {
    let held = hold(&credential(from), environment, Path::new("/")).map_err(|error| error.to_string())?;
    Ok(held.value.0.clone())
}

fn from_variable(value: &str) -> Result<String, String> {
    hold_from(CredentialSource::Env("TOKEN".to_owned()), &variables(value))
}

/// A file of this test's own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Scratch {
        let path = std::env::temp_dir().join(format!("bailiwick-{name}-{}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_credential_comes_from_a_variable_with_its_prefix() {
    assert_eq!(from_variable("s3cret").as_deref(), Ok("Bearer s3cret"));
    assert_eq!(from_variable("two words\r\n").as_deref(), Ok("Bearer two words"));
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_without_being_said() {
    for bad in ["a\nb", "a\r\nX-Evil: 1", "a\n\n", " a", "a ", "a\tb", "a\u{7f}", "\u{e4}", "a\0"] {
        let error = from_variable(bad).unwrap_err();
        assert_eq!(error, CredentialError::Character.to_string(), "{bad:?}");
    }
    assert_eq!(from_variable("").unwrap_err(), "it is empty");
    assert_eq!(from_variable("\n").unwrap_err(), "it is empty");
    assert!(from_variable(&"x".repeat(LONGEST)).is_ok());
    assert_eq!(from_variable(&"x".repeat(LONGEST + 1)).unwrap_err(), "it is longer than 8192 bytes");
}

#[test]
fn a_missing_variable_or_file_is_named() {
    let rules = [Ruled {
        value: credential(CredentialSource::Env("NOWHERE".to_owned())),
        origin: Origin { layer: Layer::User, source: Source::Option("test".to_owned()), line: None },
    }];
    let error = Credentials::read(&rules, &variables("x"), Path::new("/")).unwrap_err();
    insta::assert_snapshot!(error, @"the credential for api.example.org (header Authorization) cannot be used: the environment variable NOWHERE is not set; set it where bailiwick is started");
    let error = hold_from(CredentialSource::File("/nowhere/token".into()), &[]).unwrap_err();
    assert!(error.starts_with("the file /nowhere/token cannot be read: "), "{error}");
}

#[test]
fn a_file_is_read_without_its_line_end_and_only_so_far() {
    let file = Scratch::new("token", b"from-file\n");
    assert_eq!(hold_from(CredentialSource::File(file.0.clone()), &[]).as_deref(), Ok("Bearer from-file"));
    let endless = CredentialSource::File("/dev/zero".into());
    if cfg!(unix) {
        assert_eq!(hold_from(endless, &[]).unwrap_err(), CredentialError::Long(LONGEST).to_string());
    }
}

#[cfg(unix)]
#[test]
fn a_command_has_the_callers_environment_and_the_home_and_must_succeed() {
    let run = |script: &str| {
        let words = ["sh", "-c", script].map(OsString::from).to_vec();
        hold_from(CredentialSource::Command(words), &variables("from-command"))
    };
    assert_eq!(run("echo $TOKEN").as_deref(), Ok("Bearer from-command"));
    assert_eq!(run("pwd").as_deref(), Ok("Bearer /"));
    let bad = run("echo s3cret; exit 3").unwrap_err();
    assert_eq!(bad, "the command sh failed (exit status: 3); run it yourself to see why");
    assert_eq!(run("exit 0").unwrap_err(), "it is empty");
    assert_eq!(run("while :; do echo xxxxxxxxxxxxxxxxxxxxxx; done").unwrap_err(), "it is longer than 8192 bytes");
    let none = hold_from(CredentialSource::Command(vec!["/nowhere/tool".into()]), &[]).unwrap_err();
    assert!(none.starts_with("the command /nowhere/tool cannot be run: "), "{none}");
}

#[test]
fn headers_of_the_connection_take_no_credential() {
    for bad in
        ["", "Host", "content-length", "Transfer-Encoding", "proxy-authorization", "a b", "a:b", "a\r\nb", "\u{e4}"]
    {
        assert!(header_name(bad).is_err(), "{bad:?}");
    }
    assert_eq!(header_name("X-Api-Key").unwrap(), "x-api-key");
}

#[test]
fn a_credential_is_for_its_hosts_and_the_last_of_a_header_is_it() {
    let held = |host: &str, header: &str, value: &str| Held {
        rule: Credential {
            host: HostPattern::parse(host).unwrap(),
            ..credential(CredentialSource::Env(String::new()))
        },
        header: header.to_owned(),
        value: Cleared(value.to_owned()),
    };
    let credentials = Credentials(vec![
        held("*.example.org", "authorization", "first"),
        held("*.example.org", "x-team", "third"),
        held("api.example.org", "authorization", "last"),
    ]);
    let of = |host, port| credentials.of(host, port).collect::<Vec<_>>();
    assert_eq!(of("api.example.org", 443), [("x-team", "third"), ("authorization", "last")]);
    assert_eq!(of("www.example.org", 443), [("authorization", "first"), ("x-team", "third")]);
    assert_eq!(of("example.org", 443), []);
    assert_eq!(of("api.example.org", 80), []);
    assert_eq!(of("api.example.org", 8443), []);
    assert_eq!(format!("{credentials:?}"), "Credentials(3)");
}
