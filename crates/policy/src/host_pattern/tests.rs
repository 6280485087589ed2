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
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/8:0",
        "10.0.0.0:80/8",
        "10.0.0.0/",
        "10.0.0.0/x",
        "10.0.0.0/999999999999",
        "2001:db8::1/32",
        "[2001:db8::]/129",
        "[2001:db8::/32]:443",
        "::ffff:10.0.0.0/104",
        "::ffff:0.0.0.0/90",
        "a.org/8",
        "10.0/8",
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
        range().prop_map(Hosts::Range),
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
            Hosts::Address(_) | Hosts::Range(_) => false,
            Hosts::Any => true,
        }
}

/// Addresses near one another, so that ranges meet.
fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        prop::sample::select(vec!["10.0.0.0", "10.1.2.3", "10.255.255.255", "11.0.0.0", "0.0.0.0", "255.255.255.255"])
            .prop_map(|text| text.parse().unwrap()),
        prop::sample::select(vec!["::", "::1", "2001:db8::", "2001:db8:ffff::1", "2001:db9::", "::ffff:10.1.2.3"])
            .prop_map(|text| text.parse().unwrap()),
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u16; 8]>().prop_map(IpAddr::from),
    ]
}

/// The bits of an address, first one first, IPv4-mapped ones as IPv4.
fn bits(address: IpAddr) -> Vec<bool> {
    let octets = match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect()
}

/// A range that holds the address, with any number of leading bits.
fn range() -> impl Strategy<Value = AddressRange> {
    (address(), 0..=128u8).prop_map(|(address, prefix)| {
        let address = address.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        match AddressRange::parse(&format!("{address}/{}", prefix % (most + 1))) {
            Ok(range) | Err(HostPatternError::HostBits(range)) => range,
            Err(error) => panic!("{error}"),
        }
    })
}

/// Range membership bit by bit, from the range's own text.
fn naive_range(range: &AddressRange, address: IpAddr) -> bool {
    let text = range.to_string();
    let (first, prefix) = text.split_once('/').unwrap_or((&text, "128"));
    let (first, address) = (bits(first.parse().unwrap()), bits(address));
    first.len() == address.len() && first.iter().zip(&address).take(prefix.parse().unwrap()).all(|(a, b)| a == b)
}

#[test]
fn ranges_cover_address_literals_and_no_names() {
    let range = pattern("10.0.0.0/8:5432");
    assert!(range.matches("10.1.2.3", 5432) && range.matches("::ffff:10.1.2.3", 5432));
    assert!(!range.matches("10.1.2.3", 443) && !range.matches("11.0.0.0", 5432) && !range.matches("a.internal", 5432));
    let wide = pattern("[2001:DB8::]/32");
    assert_eq!(wide.to_string(), "[2001:db8::]/32");
    assert_eq!(pattern("2001:db8::/32"), wide);
    assert!(wide.matches("2001:db8:1::1", 443) && !wide.matches("2001:db9::", 443));
    assert!(!pattern("0.0.0.0/0").matches("::1", 80) && !pattern("::/0").matches("192.0.2.1", 80));
    assert!(pattern("::/0").matches("::1", 80));
    let parse = |text: &str| AddressRange::parse(text).unwrap();
    assert_eq!(parse("192.0.2.1"), AddressRange::of("::ffff:192.0.2.1".parse().unwrap()));
    assert_eq!(parse("[2001:db8::]/32").to_string(), "2001:db8::/32");
    for wrong in ["", "a.org", "10.0.0.0/8:80", "10.0.0.0 /8", "*", "10.0.0.0/-1", "fe80::1%eth0", "10.0.0.0/8/8"] {
        assert!(AddressRange::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_denied_by_address_is_denied_in_every_disguise() {
    let denied = pattern("10.0.0.0/8");
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1"] {
        assert!(denied.denies_address(address.parse().unwrap(), 22), "{address}");
        assert!(denied.denies(address, 22), "{address}");
    }
    for address in ["11.1.2.3", "64:ff9b::b01:203", "2001:a01:203::1"] {
        assert!(!denied.denies_address(address.parse().unwrap(), 22), "{address}");
    }
    assert!(!pattern("10.0.0.0/8:80").denies_address("10.1.2.3".parse().unwrap(), 22));
    assert!(pattern("*").denies_address("10.1.2.3".parse().unwrap(), 22));
    assert!(!pattern("a.org").denies_address("10.1.2.3".parse().unwrap(), 22));
}

#[test]
fn a_host_is_a_name_or_an_address_and_nothing_in_between() {
    let host = |text: &str| Host::parse(text).map(|host| host.to_string());
    assert_eq!(host("Example.ORG.").unwrap(), "example.org");
    assert_eq!(host("[2001:DB8::1]").unwrap(), "2001:db8::1");
    assert_eq!(host("::ffff:10.0.0.1").unwrap(), "::ffff:10.0.0.1");
    for wrong in
        ["", ".", "a..b", "127.1", "0x7f.1", "1.2.3.4.", "fe80::1%eth0", "a\0b", "a b", "*.a", "a:80", "m\u{fc}n.de"]
    {
        assert!(host(wrong).is_err(), "{wrong:?}");
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
    fn ranges_agree_with_the_naive_reading(a in range(), b in range(), address in address()) {
        prop_assert_eq!(a.contains(address), naive_range(&a, address));
        if a.covers(&b) && b.contains(address) {
            prop_assert!(a.contains(address) && a.overlaps(&b));
        }
        if a.contains(address) && b.contains(address) {
            // Two ranges that meet lie one within the other.
            prop_assert!(a.overlaps(&b) && (a.covers(&b) || b.covers(&a)));
        }
        prop_assert_eq!(AddressRange::parse(&a.to_string()), Ok(a));
    }

    #[test]
    fn covering_holds_for_addresses_too(a in any_pattern(), b in any_pattern(), address in address()) {
        let host = address.to_string();
        if a.covers(&b) && b.matches(&host, 443) {
            prop_assert!(a.matches(&host, 443));
        }
        if a.matches(&host, 443) {
            prop_assert!(a.denies(&host, 443) && a.denies_address(address, 443));
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
