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
        ("a b", None),
    ];
    for (text, wanted) in cases {
        let wanted = wanted.map(|(host, port)| network::Target { host: host.to_owned(), port, request: None });
        assert_eq!(network::read(text), wanted, "{text}");
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

#[test]
fn requests_are_read_as_addresses_and_with_a_method() {
    let request = |method: &str, host: &str, port, path: &str| {
        Some(network::Target { host: host.to_owned(), port, request: Some((method.to_owned(), path.to_owned())) })
    };
    let cases = [
        ("https://a/", request("GET", "a", 443, "/")),
        ("HTTPS://A.org", request("GET", "a.org", 443, "/")),
        ("http://a.org:8080/x?y=1#z", request("GET", "a.org", 8080, "/x?y=1")),
        ("http://a.org", request("GET", "a.org", 80, "/")),
        ("https://a.org?x", request("GET", "a.org", 443, "/?x")),
        ("POST a.org/b", request("POST", "a.org", 443, "/b")),
        ("POST a.org:80", request("POST", "a.org", 80, "/")),
        ("PUT https://[::1]/b", request("PUT", "::1", 443, "/b")),
        ("https://user@a.org/", None),
        ("ftp://a.org/", None),
        ("post a.org/", None),
        ("https:///x", None),
        ("GET  a.org", None),
        ("10.0.0.0/8", None),
        // As the gate reads them.
        ("https://a.org:+443/", None),
        ("GET a.org:0443/", None),
        ("GET a.org:0/", None),
        ("https://[a.org]/", None),
        ("https://A.org./", request("GET", "a.org", 443, "/")),
        ("https://a.org../", request("GET", "a.org..", 443, "/")),
    ];
    for (text, wanted) in cases {
        assert_eq!(network::read(text), wanted, "{text}");
    }
}

#[test]
fn requests_are_explained_by_the_rule_that_decides() {
    use crate::host_rule::HostRule;
    use crate::policy::Ruled;
    let t = Tree::new();
    let mut b = Policy::default().resolve(&t.host(), &t.workspace()).unwrap();
    let rule = HostRule { inspect: true, ..HostRule::read("GET example.org/v1/**").unwrap() };
    b.network.allow = vec![Ruled { value: rule, origin: crate::testing::user() }];
    let said = |target: &str| ask(&t, &b, Verb::Connect, target).to_text();
    let asked =
        ["https://example.org/v1/a?b", "POST example.org/v1/a", "https://example.org/v1/%2e%2e/a", "example.org"];
    insta::assert_snapshot!(asked.map(said).concat());
}

#[test]
fn an_address_that_no_rule_names_is_said_to_depend_on_what_it_is() {
    use crate::host_rule::HostRule;
    use crate::policy::Ruled;
    let t = Tree::new();
    let mut b = Policy::default().resolve(&t.host(), &t.workspace()).unwrap();
    let rule = |text| Ruled { value: HostRule::parse(text).unwrap(), origin: crate::testing::user() };
    b.network.allow = vec![rule("*"), rule("10.0.0.0/8")];
    let said = |target: &str| {
        let explanation = ask(&t, &b, Verb::Connect, target);
        (explanation.decision.verdict == crate::decide::Verdict::Allowed, explanation.notes.len())
    };
    assert_eq!((said("8.8.8.8"), said("10.1.1.1"), said("a.org")), ((true, 1), (true, 0), (true, 0)));
    // The gate refuses these, and so does the explanation.
    for special in ["127.0.0.1", "[::ffff:127.0.0.1]:80", "169.254.169.254", "192.168.1.1", "198.18.0.9"] {
        assert_eq!(said(special), (false, 0), "{special}");
    }
}
