use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> HostPattern {
    HostPattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    match HostPattern::parse(text) {
        Ok(pattern) => panic!("{text} was taken for {pattern:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn plain_names_cover_the_web_ports_of_exactly_one_host() {
    let github = pattern("GitHub.com.");
    assert_eq!(github.to_string(), "github.com");
    assert!(github.matches("github.com", 443) && github.matches("GITHUB.com.", 80));
    assert!(!github.matches("github.com", 22));
    for other in ["api.github.com", "github.com.evil.org", "evilgithub.com", "github.co", "github.com..", ""] {
        assert!(!github.matches(other, 443), "{other}");
    }
}

#[test]
fn one_star_is_below_and_two_stars_are_at_and_below() {
    let below = pattern("*.example.org");
    let at = pattern("**.example.org");
    for host in ["a.example.org", "a.b.example.org", "A.Example.Org."] {
        assert!(below.matches(host, 443) && at.matches(host, 443), "{host}");
    }
    assert!(!below.matches("example.org", 443));
    assert!(at.matches("example.org", 443));
    for host in ["notexample.org", ".example.org", "example.org.evil.net", "org", "a..example.org"] {
        assert!(!below.matches(host, 443) && !at.matches(host, 443), "{host}");
    }
}

#[test]
fn ports_are_exact() {
    let database = pattern("db.internal:5432");
    assert!(database.matches("db.internal", 5432));
    assert!(!database.matches("db.internal", 443) && !database.matches("db.internal", 5433));
    assert!(pattern("*:8080").matches("anything.test", 8080));
    assert!(!pattern("*").matches("anything.test", 8080));
}

#[test]
fn addresses_are_compared_as_addresses() {
    assert!(pattern("192.0.2.1").matches("192.0.2.1", 80));
    assert!(pattern("192.0.2.1").matches("::ffff:192.0.2.1", 80));
    assert!(pattern("[2001:DB8::1]:443").matches("2001:db8:0:0:0:0:0:1", 443));
    assert!(pattern("::1").matches("[::1]", 80));
    assert!(!pattern("**.example.org").matches("192.0.2.1", 80));
    assert_eq!(pattern("[::1]:8443").to_string(), "[::1]:8443");
}

#[test]
fn doubtful_hosts_are_covered_by_nothing() {
    // A deny rule that misses such a host must not let a bare `*` allow it.
    for host in [
        "gist.github.com\0.example.org",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "0177.0.0.1",
        "1.2.3.4.",
        "fe80::1%eth0",
        "a b",
        "münchen.de",
        "*.a.org",
    ] {
        assert!(!pattern("*").matches(host, 443), "{host:?}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let texts = [
        "",
        ":443",
        ".",
        "https://example.org",
        "example.org/path",
        "user@example.org",
        "münchen.de",
        "a..b",
        "*example.org",
        "api.*.org",
        "***.org",
        "*.",
        "*.192.0.2.1",
        "127.1",
        "0x7f000001",
        "1.2.3.4.",
        "192.0.2.01",
        "1.2.3.256",
        "[::1",
        "[1.2.3.4]",
        "[::1]443",
        "2001:db8::1:443:x",
        "a.org:0",
        "a.org:65536",
        "a.org:http",
        "a.org:*",
        "a.org:",
        "a.org:+80",
        "a.org:080",
        "fe80::1%eth0",
        "a b.org",
        "a\r\n.org",
        "a\0b",
        "-a.org",
        "a_b.org!",
        "a.org\\b",
    ];
    let said: Vec<String> = texts.iter().map(|text| format!("{text:?}: {}", refused(text))).collect();
    insta::assert_snapshot!(said.join("\n"));
    assert!(refused(&format!("{}.org", "a".repeat(64))).contains("63 letters"));
    assert!(refused(&["a"; 128].join(".")).contains("253 letters"));
    assert_eq!(pattern(&"a".repeat(63)).ports, Ports::Web);
    assert_eq!(pattern("_dmarc.example.org").to_string(), "_dmarc.example.org");
    assert_eq!(pattern("xn--mnchen-3ya.de").to_string(), "xn--mnchen-3ya.de");
}

fn label() -> impl Strategy<Value = String> {
    "[a-c]([a-c_-]{0,2}[a-c])?"
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(label(), 1..4).prop_map(|labels| labels.join("."))
}

fn any_pattern() -> impl Strategy<Value = HostPattern> {
    let hosts = prop_oneof![
        name().prop_map(Hosts::Name),
        name().prop_map(Hosts::Below),
        name().prop_map(Hosts::AtAndBelow),
        any::<[u8; 4]>().prop_map(|octets| Hosts::Address(octets.into())),
        any::<[u16; 8]>().prop_map(|parts| Hosts::Address(parts.into())),
        Just(Hosts::Any),
    ];
    let ports = prop_oneof![Just(Ports::Web), Just(Ports::One(443)), (1..=u16::MAX).prop_map(Ports::One)];
    (hosts, ports).prop_map(|(hosts, ports)| HostPattern { hosts, ports })
}

/// The meaning of a pattern on labels, written as naively as possible.
fn naive(pattern: &HostPattern, host: &str, port: u16) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let ends_with = |domain: &str| labels.ends_with(&domain.split('.').collect::<Vec<_>>());
    let on_port = match pattern.ports {
        Ports::Web => [80, 443].contains(&port),
        Ports::One(one) => one == port,
    };
    on_port
        && match &pattern.hosts {
            Hosts::Name(name) => name == host,
            Hosts::Below(domain) => ends_with(domain) && domain != host,
            Hosts::AtAndBelow(domain) => ends_with(domain),
            Hosts::Address(_) => false,
            Hosts::Any => true,
        }
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(pattern in any_pattern()) {
        prop_assert_eq!(HostPattern::parse(&pattern.to_string()), Ok(pattern));
    }

    #[test]
    fn matching_agrees_with_the_naive_reading(pattern in any_pattern(), host in name(), port in prop::sample::select(vec![80u16, 443, 22])) {
        prop_assert_eq!(pattern.matches(&host, port), naive(&pattern, &host, port));
        prop_assert_eq!(pattern.matches(&format!("{}.", host.to_uppercase()), port), naive(&pattern, &host, port));
    }

    #[test]
    fn covering_means_matching_all_that_the_other_matches(a in any_pattern(), b in any_pattern(), host in name(), port in prop::sample::select(vec![80u16, 443, 22])) {
        if a.covers(&b) && b.matches(&host, port) {
            prop_assert!(a.matches(&host, port));
        }
        if a.matches(&host, port) && b.matches(&host, port) {
            prop_assert!(a.overlaps(&b));
        }
    }

    #[test]
    fn hostile_text_never_panics_and_never_reaches_the_terminal_raw(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}|[*.:\\[\\]0-9a-fx%]{0,20}", host in "[\\x00-\\x7f]{0,20}") {
        match HostPattern::parse(&text) {
            Ok(pattern) => { pattern.matches(&host, 443); }
            Err(error) => prop_assert!(!error.to_string().contains(|c: char| c.is_control())),
        }
    }
}
