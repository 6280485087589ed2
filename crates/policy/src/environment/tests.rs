//! The environment.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::*;
use crate::testing::{Tree, user};

fn run(pass: &[&str], set: &[(&str, &str)], outside: &[(&str, &str)]) -> (Vec<(String, String)>, Vec<Notice>) {
    with_ceiling(pass, set, outside, None)
}

fn with_ceiling(
    pass: &[&str],
    set: &[(&str, &str)],
    outside: &[(&str, &str)],
    ceiling: Option<&[&str]>,
) -> (Vec<(String, String)>, Vec<Notice>) {
    let ruled = |text: &&str| Ruled { value: (*text).to_owned(), origin: user() };
    let rules = EnvironmentRules {
        pass: pass.iter().map(ruled).collect(),
        set: set.iter().map(|(n, v)| Ruled { value: (n.into(), v.into()), origin: user() }).collect(),
    };
    let t = Tree::new();
    let mut host = t.host();
    host.environment = outside.iter().map(|(n, v)| (OsString::from(n), OsString::from(v))).collect();
    let ceiling: Option<Vec<_>> = ceiling.map(|list| list.iter().map(ruled).collect());
    let mut notices = Vec::new();
    let environment = resolve(&rules, ceiling.as_deref(), &["TICKET"], &host, Path::new("/home/u"), &mut notices);
    let texts = environment.into_iter().map(|(n, v)| (n.into_string().unwrap(), v.into_string().unwrap()));
    (texts.collect(), notices)
}

fn names(environment: &[(String, String)]) -> Vec<&str> {
    environment.iter().map(|(name, _)| name.as_str()).collect()
}

const ALWAYS: [&str; 5] = ["BAILIWICK", "HOME", "LOGNAME", "TMPDIR", "USER"];

#[test]
fn nothing_passes_that_is_not_named() {
    let (environment, notices) = run(&[], &[], &[("PATH", "/bin"), ("LANG", "C"), ("HOME", "/x"), ("TMPDIR", "/y")]);
    assert_eq!(names(&environment), ALWAYS);
    assert!(environment.contains(&("HOME".into(), "/home/u".into())));
    assert!(environment.contains(&("TMPDIR".into(), "/tmp".into())));
    assert!(notices.is_empty());
}

#[test]
fn patterns_match_at_either_end() {
    let outside = [("LC_ALL", "C"), ("LC", "x"), ("MY_HOME", "1"), ("HOMER", "2"), ("A", "")];
    let (environment, _) = run(&["LC_*", "*_HOME", "A"], &[], &outside);
    let mut wanted = vec!["A", "BAILIWICK", "HOME", "LC_ALL", "LOGNAME", "MY_HOME", "TMPDIR", "USER"];
    wanted.sort_unstable();
    assert_eq!(names(&environment), wanted);
}

#[test]
fn no_pattern_passes_a_secret_or_a_way_out() {
    let outside = [
        ("GITHUB_TOKEN", "x"),
        ("githubtoken", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("MYSQL_PWD", "x"),
        ("GH_PAT", "x"),
        ("OPENAI_API_KEY", "x"),
        ("NPM_AUTH", "x"),
        ("SESSION_COOKIE", "x"),
        ("DATABASE_URL", "postgres://u:p@h/d"),
        ("LD_PRELOAD", "x"),
        ("WSL_INTEROP", "x"),
        ("DBUS_SESSION_BUS_ADDRESS", "x"),
        ("SSH_AUTH_SOCK", "x"),
        ("DISPLAY", ":0"),
        ("BASH_FUNC_x%%", "x"),
        ("BASH_ENV", "x"),
        ("XDG_RUNTIME_DIR", "x"),
        ("DOCKER_HOST", "x"),
    ];
    assert_eq!(names(&run(&["*_*", "*N*", "*en*", "D*"], &[], &outside).0), ALWAYS);
    for (name, value) in outside {
        let (environment, _) = run(&[name], &[], &outside);
        assert!(environment.contains(&(name.into(), value.into())), "{name} was named");
    }
    let plain = [("PWD", "/w"), ("KEYBOARD", "us"), ("PATTERN", "x"), ("PROXY", "http://h:80/"), ("AUTHOR", "me")];
    // `PATH`, which `*` asks for as well, is there with its default.
    assert_eq!(names(&run(&["*"], &[], &plain).0).len(), ALWAYS.len() + plain.len() + 1);
}

#[test]
fn a_secret_passed_by_name_is_said() {
    let (_, notices) = run(&["GITHUB_TOKEN", "LANG"], &[], &[("GITHUB_TOKEN", "x"), ("LANG", "C")]);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, NoticeKind::SecretPassed);
    assert!(!notices[0].text.contains('x') || notices[0].text.contains("GITHUB_TOKEN"));
    assert!(run(&["GITHUB_TOKEN"], &[], &[]).1.is_empty());
}

#[test]
fn set_wins_over_passed_and_the_last_over_the_first() {
    let (environment, _) =
        run(&["CI"], &[("CI", "1"), ("CI", "2"), ("TMPDIR", "/w/t"), ("BAILIWICK", "0")], &[("CI", "0")]);
    for pair in [("CI", "2"), ("TMPDIR", "/w/t"), ("BAILIWICK", "1")] {
        assert!(environment.contains(&(pair.0.into(), pair.1.into())), "{pair:?}");
    }
    let (environment, notices) = run(&[], &[("A=B", "x"), ("", "x"), ("N", "a\0b")], &[]);
    assert_eq!(names(&environment), ALWAYS);
    assert_eq!(notices.len(), 3);
}

#[test]
fn path_keeps_absolute_entries_in_order() {
    let path = |text: &str| {
        let (environment, notices) = run(&["PATH"], &[], &[("PATH", text)]);
        let value = environment.into_iter().find(|(name, _)| name == "PATH").unwrap().1;
        (value, notices.len())
    };
    assert_eq!(path("/b:/a:/b"), ("/b:/a:/b".into(), 0));
    assert_eq!(path(".:/a::node_modules/.bin:/b:"), ("/a:/b".into(), 1));
    assert_eq!(path("."), (DEFAULT_PATH.into(), 1));
    assert_eq!(run(&["PATH"], &[], &[]).0.iter().find(|(n, _)| n == "PATH").unwrap().1, DEFAULT_PATH);
}

#[test]
fn the_administrators_list_cuts() {
    let (environment, notices) =
        with_ceiling(&["LC_*", "FOO"], &[], &[("LC_ALL", "C"), ("FOO", "x")], Some(&["LC_ALL"]));
    assert!(names(&environment).contains(&"LC_ALL") && !names(&environment).contains(&"FOO"));
    assert_eq!(notices[0].kind, NoticeKind::IgnoredCeiling);
    assert!(!looks_secret(OsStr::new("LC_ALL"), OsStr::new("C")));
}

#[test]
fn what_a_credential_comes_from_stays_outside_whatever_passes_it() {
    let outside = [("TICKET", "secret"), ("TICKETS", "1")];
    let (environment, notices) = run(&["TICKET*", "TICKET"], &[], &outside);
    let mut wanted = vec!["BAILIWICK", "HOME", "LOGNAME", "TICKETS", "TMPDIR", "USER"];
    wanted.sort_unstable();
    assert_eq!(names(&environment), wanted);
    assert!(notices[0].text.contains("a credential comes from it"), "{notices:?}");
    let (environment, _) = run(&["*"], &[("TICKET", "placeholder")], &outside);
    assert!(environment.contains(&("TICKET".into(), "placeholder".into())));
}
