//! Explanations.

use std::ffi::OsStr;

use super::*;
use crate::policy::Policy;
use crate::testing::{Tree, deny, protect, read, write};

fn ask(t: &Tree, b: &Boundary, verb: Verb, target: &str) -> Explanation {
    explain(b, &t.host(), verb, OsStr::new(target)).unwrap()
}

#[test]
fn a_path_is_followed_from_where_the_caller_stands() {
    let t = Tree::new();
    t.file("home/w/secret", "");
    t.link("home/w/l", "./secret");
    let b = t.resolve(vec![write("."), deny("secret")]).unwrap();
    for target in ["secret", "./x/../secret", "~/w/secret", "l"] {
        let explanation = ask(&t, &b, Verb::Read, target);
        assert_eq!(explanation.decision.verdict, Verdict::Refused, "{target}");
        assert!(explanation.canonical.ends_with("/w/secret"));
    }
    assert_eq!(ask(&t, &b, Verb::Remove, "l").decision.verdict, Verdict::Allowed);
    assert!(ask(&t, &b, Verb::Read, "l").notes[0].contains("leads to"));
}

#[test]
fn a_link_that_the_inside_has_not_is_no_way() {
    let t = Tree::new();
    t.dir("sdk/bin");
    t.link("home/sdk", "../sdk");
    let b = t.resolve(vec![read(t.root.join("sdk"))]).unwrap();
    let explanation = ask(&t, &b, Verb::Read, "~/sdk/bin");
    assert_eq!(explanation.decision.verdict, Verdict::Private);
    assert!(explanation.notes[0].contains("which the inside cannot follow"), "{:?}", explanation.notes);
    // Written as a rule, the link is recreated.
    let b = t.resolve(vec![read("~/sdk")]).unwrap();
    assert_eq!(ask(&t, &b, Verb::Read, "~/sdk/bin").decision.verdict, Verdict::Allowed);
}

#[test]
fn a_writable_directory_that_cannot_be_moved_says_so() {
    let t = Tree::new();
    t.dir("home/w/.git");
    let b = t.resolve(vec![write("."), protect(".git/config")]).unwrap();
    let explanation = ask(&t, &b, Verb::Write, ".git");
    assert_eq!(explanation.decision.verdict, Verdict::Allowed);
    insta::assert_snapshot!(explanation.notes.join("|"), @"`.git` cannot be moved, replaced or removed: it contains the protected name `.git/commondir`");
    assert!(ask(&t, &b, Verb::Write, "src").notes.is_empty());
}

#[test]
fn a_missing_target_needs_its_directory() {
    let t = Tree::new();
    let b = t.resolve(vec![read("/usr")]).unwrap();
    let explanation = ask(&t, &b, Verb::Write, "/usr/none/x");
    assert!(explanation.notes[0].contains("or grant `/usr`"), "{:?}", explanation.notes);
}

#[test]
fn hosts_are_read_in_every_spelling() {
    let cases = [
        ("Example.ORG.", Some(("example.org", 443))),
        ("example.org:80", Some(("example.org", 80))),
        ("192.0.2.1:22", Some(("192.0.2.1", 22))),
        ("[::1]:8080", Some(("::1", 8080))),
        ("[::1]", Some(("::1", 443))),
        ("::1", Some(("::1", 443))),
        ("", None),
        (":80", None),
        ("a:b", None),
        ("a:70000", None),
        ("https://a/", None),
        ("a b", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(host_and_port(text), wanted.map(|(host, port)| (host.to_owned(), port)), "{text}");
    }
    let t = Tree::new();
    let b = Policy::default().resolve(&t.host(), &t.workspace()).unwrap();
    assert!(explain(&b, &t.host(), Verb::Connect, OsStr::new("a/b")).is_err());
    let text = ask(&t, &b, Verb::Connect, "example.org").to_text();
    insta::assert_snapshot!(text, @r#"
    refused: the network is off, so `example.org` port 443 cannot be reached
      allow   --allow-host example.org
      or      [network] allow = ["example.org"]
    "#);
}

#[test]
fn an_explanation_is_plain_text_and_json() {
    let t = Tree::new();
    t.file("home/w/.env", "");
    let b = t.resolve(vec![write("."), deny(".env")]).unwrap();
    let explanation = ask(&t, &b, Verb::Read, ".env");
    insta::assert_snapshot!(explanation.to_text(), @r#"
    refused: `.env` may not be read: it is denied
      rule    deny = ".env" (/home/u/policy.toml:3)
      way out remove the rule `deny = ".env"` (/home/u/policy.toml:3)
    "#);
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["decision"]["verdict"], "refused");
    assert_eq!(json["verb"], "read");
}
