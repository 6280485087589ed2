use proptest::prelude::*;

use super::super::{Access, Verdict};
use super::*;
use crate::boundary::Boundary;
use crate::credential::CredentialSource;
use crate::host_pattern::{AddressRange, Ports};
use crate::origin::{Origin, Source};

fn at<T>(layer: Layer, line: u32, value: T) -> Ruled<T> {
    Ruled { value, origin: Origin { layer, source: Source::File(format!("/{layer:?}.toml").into()), line: Some(line) } }
}

/// Rules as in a list: `inspect ` or `opaque ` in front sets the option, `+10.0.0.0/8` behind adds an address range.
fn rules(layer: Layer, texts: &[&str]) -> Vec<Ruled<HostRule>> {
    let rule = |text: &str| {
        let (text, range) = text.split_once('+').map_or((text, None), |(text, range)| (text, Some(range)));
        let (inspect, text) = text.strip_prefix("inspect ").map_or((false, text), |rest| (true, rest));
        let (opaque, text) = text.strip_prefix("opaque ").map_or((false, text), |rest| (true, rest));
        let addresses = range.map(|range| AddressRange::parse(range).unwrap()).into_iter().collect();
        HostRule { inspect, opaque, addresses, ..HostRule::read(text).unwrap() }.check().unwrap()
    };
    texts.iter().zip(1..).map(|(text, line)| at(layer, line, rule(text))).collect()
}

fn network(allow: &[&str]) -> Network {
    Network { allow: rules(Layer::User, allow), ..Network::default() }
}

fn under(administrator: &[&str], allow: &[&str]) -> Network {
    Network { ceiling: Some(rules(Layer::Administrator, administrator)), ..network(allow) }
}

fn deny(mut network: Network, patterns: &[&str]) -> Network {
    network.deny =
        patterns.iter().zip(1..).map(|(text, line)| at(Layer::User, line, HostPattern::parse(text).unwrap())).collect();
    network
}

fn may(network: &Network, method: &str, host: &str, port: u16, path: &str) -> bool {
    network.request(host, port, method, path).verdict == Verdict::Allowed
}

fn reaches(network: &Network, host: &str, port: u16) -> bool {
    network.connect(host, port).verdict == Verdict::Allowed
}

#[test]
fn a_completed_name_can_be_asked_about_by_itself() {
    let n = deny(network(&["*"]), &["secret.corp", "db.corp:5432"]);
    assert!(n.connect("secret", 443).verdict == Verdict::Allowed && n.denied("secret", 443).is_none());
    let refused = n.denied("secret.corp", 443).unwrap();
    assert_eq!((refused.verdict, refused.reason.as_str()), (Verdict::Refused, "`secret.corp` port 443 is denied"));
    assert!(n.denied("db.corp", 443).is_none() && n.denied("db.corp", 5432).is_some());
}

#[test]
fn requests_are_limited_where_no_rule_is_for_all_of_the_host() {
    let limited = |network: &Network, host: &str| network.limits_requests(host, 443);
    let n = network(&["inspect GET a.org/x", "inspect GET b.org/x", "**.b.org"]);
    assert!(limited(&n, "a.org") && !limited(&n, "b.org") && limited(&n, "c.org"));
    assert!(limited(&under(&["inspect GET b.org/**"], &["b.org"]), "b.org"));
    assert!(!limited(&under(&["*"], &["b.org"]), "b.org"));
}

#[test]
fn a_refusal_is_short_however_long_the_request() {
    let n = network(&["inspect GET example.org/a"]);
    let (long, wide) = (format!("/{}", "x".repeat(60_000)), format!("/{}", "\u{e9}".repeat(30_000)));
    for (method, path) in [("GET", long.as_str()), ("GET", wide.as_str()), (&long[1..], "/")] {
        let refused = n.request("example.org", 443, method, path);
        assert!(refused.verdict == Verdict::Refused && refused.reason.len() < 2_500, "{}", refused.reason.len());
        assert!(refused.reason.contains('…'));
    }
}

#[test]
fn a_host_of_some_requests_is_connected_to_and_each_request_decided() {
    let n = network(&["inspect GET,HEAD example.org/v1/**", "GET example.org:80/a"]);
    let connect = n.connect("example.org", 443);
    assert_eq!(connect.verdict, Verdict::Allowed);
    insta::assert_snapshot!(connect.reason, @"`example.org` port 443 may be reached, for the requests that its rules name; each is decided by itself");
    assert!(may(&n, "GET", "example.org", 443, "/v1/a?b=..") && may(&n, "GET", "example.org", 80, "/a"));
    assert!(!may(&n, "POST", "example.org", 443, "/v1/a") && !may(&n, "GET", "example.org", 443, "/a"));
    assert!(!may(&n, "GET", "other.org", 443, "/v1/a") && !may(&n, "GET", "example.org", 8080, "/v1/a"));
    let whole = network(&["inspect GET example.org/v1/**", "example.org:443"]);
    assert!(may(&whole, "POST", "example.org", 443, "/%2e%2e") && !may(&whole, "POST", "example.org", 80, "/"));
}

#[test]
fn a_refused_request_names_the_grant() {
    let n = network(&["inspect GET example.org/v1/**", "GET example.org:80/a"]);
    let said = |n: &Network, method: &str, port, path: &str| {
        let decision = n.request("example.org", port, method, path);
        assert_eq!(decision.verdict, Verdict::Refused);
        let Remedy { option, policy_line, note } = decision.remedy.unwrap();
        let line = [option, policy_line, note].into_iter().flatten().collect::<Vec<_>>().join(" | ");
        format!("{} => {line}", decision.reason)
    };
    let capped = under(&["inspect GET example.org/v1/a"], &["example.org"]);
    let denied = deny(network(&["example.org"]), &["example.org"]);
    let all = [
        said(&n, "POST", 443, "/v2/a?secret"),
        said(&n, "POST", 80, "/v2/a"),
        said(&n, "GET", 443, "/v1/a%2fb"),
        said(&n, "G\u{1b}", 443, "/\u{1b}]0;x\u{7}"),
        said(&capped, "GET", 443, "/v1/b"),
        said(&capped, "GET", 443, "/v1//b"),
        said(&denied, "GET", 443, "/"),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn one_rule_that_inspects_is_enough_and_opaque_needs_both() {
    let how = |n: &Network, port| n.handling("example.org", port);
    assert_eq!(how(&network(&["example.org"]), 443), Handling::default());
    assert_eq!(how(&network(&["opaque example.org:9418"]), 9418), Handling { opaque: true, inspect: false });
    assert_eq!(how(&network(&["opaque example.org:9418"]), 443), Handling::default());
    let both = network(&["opaque example.org", "inspect *.org"]);
    assert_eq!(how(&both, 443), Handling { opaque: false, inspect: true });
    assert_eq!(how(&under(&["example.org"], &["opaque example.org"]), 443), Handling::default());
    assert!(how(&under(&["example.org", "opaque *"], &["opaque example.org"]), 443).opaque);
    assert!(how(&under(&["inspect *.org", "opaque *"], &["opaque example.org"]), 443).inspect);
    assert!(how(&under(&["inspect GET example.org/a"], &["example.org"]), 443).inspect);
}

#[test]
fn the_ceiling_decides_requests_too() {
    let n = under(&["inspect GET **.example.org/v1/**"], &["example.org", "inspect GET,POST a.example.org"]);
    assert!(may(&n, "GET", "example.org", 443, "/v1/a") && !may(&n, "GET", "example.org", 443, "/v2/a"));
    assert!(!may(&n, "POST", "a.example.org", 443, "/v1/a") && !may(&n, "GET", "example.org", 443, "/v1/../v2"));
    assert!(!may(&n, "GET", "b.example.org", 443, "/v1/a"), "a ceiling grants nothing");
}

#[test]
fn special_addresses_are_listed_by_host_or_by_address() {
    let lists = |n: &Network, host: &str, port, address: &str| n.lists_address(host, port, address.parse().unwrap());
    let by_host = network(&["db.internal:5432+10.0.0.0/8", "other.internal:5432"]);
    assert!(
        lists(&by_host, "db.internal", 5432, "10.1.2.3") && lists(&by_host, "db.internal", 5432, "::ffff:10.1.2.3")
    );
    assert!(!lists(&by_host, "db.internal", 443, "10.1.2.3") && !lists(&by_host, "db.internal", 5432, "192.168.0.1"));
    assert!(!lists(&by_host, "other.internal", 5432, "10.1.2.3"));
    let by_address = network(&["a.internal:5432", "10.0.0.0/8:5432", "127.0.0.1"]);
    assert!(lists(&by_address, "a.internal", 5432, "10.1.2.3") && lists(&by_address, "127.0.0.1", 80, "127.0.0.1"));
    assert!(!lists(&by_address, "a.internal", 80, "10.1.2.3"));
    assert!(!lists(&network(&["*", "a.internal"]), "a.internal", 80, "10.1.2.3"), "a bare star lists none");
    assert!(!lists(&deny(by_address, &["10.1.0.0/16"]), "a.internal", 5432, "10.1.2.3"));
    let listed = &["db.internal:5432+10.0.0.0/8"];
    assert!(!lists(&under(&["*.internal:5432"], listed), "db.internal", 5432, "10.1.2.3"));
    assert!(lists(&under(&["*.internal:5432+10.1.0.0/16"], listed), "db.internal", 5432, "10.1.2.3"));
    assert!(!lists(&under(&["*.internal:5432+10.1.0.0/16"], listed), "db.internal", 5432, "10.2.2.3"));
    assert!(lists(&under(&["*.internal:5432", "10.0.0.0/8:5432"], listed), "db.internal", 5432, "10.2.2.3"));
}

#[test]
fn what_is_denied_by_address_holds_for_names() {
    let n = deny(network(&["a.org"]), &["192.0.2.0/24", "198.51.100.1:443", "b.org"]);
    let denies = |address: &str, port| n.denies_address(address.parse().unwrap(), port);
    assert!(denies("192.0.2.7", 22) && denies("::ffff:192.0.2.7", 443) && denies("198.51.100.1", 443));
    assert!(!denies("198.51.100.1", 80) && !denies("192.0.3.1", 443));
    assert!(!reaches(&deny(network(&["*"]), &["192.0.2.0/24"]), "192.0.2.7", 443));
}

#[test]
fn a_name_is_looked_up_if_some_port_of_it_is_allowed() {
    let n = deny(
        network(&["a.org:22", "inspect GET b.org/x", "*.c.org", "d.org:22", "d.org:80"]),
        &["d.org:22", "x.c.org"],
    );
    for host in ["a.org", "b.org", "a.c.org", "d.org"] {
        assert_eq!(n.resolve(host).verdict, Verdict::Allowed, "{host}");
    }
    let refused = |host: &str| {
        let decision = n.resolve(host);
        assert_eq!(decision.verdict, Verdict::Refused, "{host}");
        let remedy = decision.remedy.unwrap();
        format!("{} | {}", decision.reason, [remedy.option, remedy.note].into_iter().flatten().collect::<String>())
    };
    insta::assert_snapshot!(["x.c.org", "e.org", "a\u{1b}.org"].map(refused).join("\n"));
    assert_eq!(network(&[]).resolve("a.org").verdict, Verdict::Refused);
    assert_eq!(under(&["a.org:443"], &["a.org:22"]).resolve("a.org").verdict, Verdict::Refused);
    assert_eq!(n.ports(), [22, 80, 443].into());
}

#[test]
fn credentials_go_to_their_host_on_tls_ports_once_for_each_header() {
    let credential = |host: &str, header: &str, from: &str| Credential {
        host: HostPattern::parse(host).unwrap(),
        header: header.to_owned(),
        from: CredentialSource::Env(from.to_owned()),
        prefix: None,
    };
    let n = Network {
        credentials: vec![
            at(Layer::User, 1, credential("**.a.org", "authorization", "A")),
            at(Layer::User, 2, credential("x.a.org", "authorization", "B")),
            at(Layer::User, 3, credential("x.a.org:8443", "x-key", "C")),
        ],
        ..network(&["inspect **.a.org"])
    };
    let lines =
        |host: &str, port| n.credentials_for(host, port).map(|one| one.origin.line.unwrap()).collect::<Vec<_>>();
    assert_eq!(lines("a.org", 443), [1]);
    assert_eq!(lines("x.a.org", 443), [2]);
    assert_eq!(lines("x.a.org", 8443), [3]);
    assert_eq!((lines("x.a.org", 80), lines("b.org", 443)), (vec![], vec![]));
    assert_eq!(serde_json::to_value(&n.credentials[0].value).unwrap()["from"], serde_json::json!({ "env": "A" }));
}

fn host() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a.test", "b.a.test", "b.test", "10.1.2.3", "192.0.2.1", "10.9.9.9", "::1"])
}

fn rule() -> impl Strategy<Value = HostRule> {
    let pattern = prop::sample::select(vec![
        "a.test",
        "b.a.test",
        "*.a.test",
        "**.a.test",
        "*",
        "b.test:22",
        "a.test:80",
        "10.0.0.0/8",
        "10.1.2.3:22",
        "::/0",
        "0.0.0.0/0:443",
    ]);
    let requests = prop_oneof![
        3 => Just(None),
        2 => (prop::sample::select(vec![None, Some("GET"), Some("GET,PUT")]), prop::sample::select(vec![None, Some("/v1/**"), Some("/v1/a"), Some("/**")]))
            .prop_map(|(methods, path)| Some(crate::request_pattern::RequestPattern::parse(methods, path).unwrap())),
    ];
    let ranges =
        prop::collection::vec(prop::sample::select(vec!["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "::/0"]), 0..2);
    (pattern, requests, 0..3u8, ranges).prop_map(|(pattern, requests, option, ranges)| HostRule {
        pattern: HostPattern::parse(pattern).unwrap(),
        inspect: option == 1 || requests.is_some(),
        opaque: option == 2 && requests.is_none(),
        requests,
        addresses: ranges.iter().map(|range| AddressRange::parse(range).unwrap()).collect(),
    })
}

fn list(layer: Layer) -> impl Strategy<Value = Vec<Ruled<HostRule>>> {
    prop::collection::vec(rule(), 0..4)
        .prop_map(move |rules| rules.into_iter().zip(1..).map(|(rule, line)| at(layer, line, rule)).collect())
}

fn denials() -> impl Strategy<Value = Vec<Ruled<HostPattern>>> {
    let one = prop::sample::select(vec!["a.test", "*.a.test:443", "10.1.0.0/16", "192.0.2.1:80", "::/0"]);
    prop::collection::vec(one, 0..2)
        .prop_map(|list| list.into_iter().map(|text| at(Layer::User, 1, HostPattern::parse(text).unwrap())).collect())
}

fn any_network() -> impl Strategy<Value = Network> {
    (list(Layer::User), denials(), prop::option::of(list(Layer::Administrator)))
        .prop_map(|(allow, deny, ceiling)| Network { allow, deny, ceiling, ..Network::default() })
}

/// What a list of rules alone says, as naively as can be.
fn naive_list(list: &[Ruled<HostRule>], host: &str, port: u16, request: Option<(&str, &str)>) -> bool {
    list.iter().map(|rule| &rule.value).filter(|rule| rule.pattern.matches(host, port)).any(|rule| {
        match (&rule.requests, request) {
            (None, _) | (_, None) => true,
            (Some(requests), Some((method, path))) => requests.allows(&Asked::new(method, path)),
        }
    })
}

fn naive(n: &Network, host: &str, port: u16, request: Option<(&str, &str)>) -> bool {
    !n.deny.iter().any(|rule| rule.value.denies(host, port))
        && naive_list(&n.allow, host, port, request)
        && n.ceiling.as_deref().is_none_or(|most| naive_list(most, host, port, request))
        && host.parse().is_ok_and(|address| crate::address::special(address, &[]).is_some()) <= is_listed(n, host, port)
}

/// A special address needs more than a `*`.
fn is_listed(n: &Network, host: &str, port: u16) -> bool {
    host.parse().is_ok_and(|address| n.lists_address(host, port, address))
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() }
}

const REQUESTS: [(&str, &str); 6] =
    [("GET", "/v1/a"), ("PUT", "/v1/a"), ("GET", "/v1/b"), ("GET", "/"), ("GET", "/v1/../x"), ("POST", "/v1/a%2fb")];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decides_as_the_naive_reference(n in any_network(), host in host(), port in prop::sample::select(vec![80u16, 443, 22])) {
        prop_assert_eq!(reaches(&n, host, port), naive(&n, host, port, None));
        for (method, path) in REQUESTS {
            prop_assert_eq!(may(&n, method, host, port, path), naive(&n, host, port, Some((method, path))), "{} {}", method, path);
            prop_assert!(!may(&n, method, host, port, path) || reaches(&n, host, port));
        }
        // Addresses are not looked up.
        if host.parse::<std::net::IpAddr>().is_err() {
            let some_port = [22, 80, 443].into_iter().any(|port| reaches(&n, host, port));
            prop_assert_eq!(n.resolve(host).verdict == Verdict::Allowed, some_port);
        }
        let boundary = Boundary { network: n.clone(), ..Boundary::closed("/w".into(), "/h".into()) };
        prop_assert_eq!(boundary.decide(&Access::Connect { host: host.into(), port }), n.connect(host, port));
        let request = Access::Request { host: host.into(), port, method: "GET".into(), path: "/v1/a".into() };
        prop_assert_eq!(boundary.decide(&request), n.request(host, port, "GET", "/v1/a"));
    }

    #[test]
    fn a_ceiling_is_never_widened(
        most in list(Layer::Administrator), allow in list(Layer::User), more in list(Layer::User),
        host in host(), port in prop::sample::select(vec![80u16, 443, 22]), address in host(),
    ) {
        // What the administrator's list would allow by itself is the most that any user's list makes of it.
        let alone = Network { allow: most.clone(), ..Network::default() };
        let mut n = Network { allow, ceiling: Some(most), ..Network::default() };
        for _ in 0..2 {
            prop_assert!(!reaches(&n, host, port) || reaches(&alone, host, port));
            for (method, path) in REQUESTS {
                prop_assert!(!may(&n, method, host, port, path) || may(&alone, method, host, port, path), "{} {}", method, path);
            }
            let (how, most) = (n.handling(host, port), alone.handling(host, port));
            prop_assert!(!how.opaque || most.opaque, "opaque");
            prop_assert!(how.inspect || !most.inspect, "inspect");
            prop_assert!(!(how.opaque && how.inspect));
            if let Ok(address) = address.parse() {
                prop_assert!(!n.lists_address(host, port, address) || alone.lists_address(host, port, address), "{}", address);
            }
            n.allow.extend(more.iter().cloned());
        }
    }

    #[test]
    fn a_denial_never_widens_and_holds_for_addresses(
        n in any_network(), more in denials(), host in host(), port in prop::sample::select(vec![80u16, 443, 22]), address in host(),
    ) {
        let mut narrowed = n.clone();
        narrowed.deny.extend(more.iter().cloned());
        prop_assert!(!reaches(&narrowed, host, port) || reaches(&n, host, port));
        if let Ok(address) = address.parse::<IpAddr>() {
            prop_assert!(!narrowed.lists_address(host, port, address) || n.lists_address(host, port, address));
            prop_assert!(!(narrowed.lists_address(host, port, address) && narrowed.denies_address(address, port)));
            let named = narrowed.deny.iter().any(|rule| rule.value.matches(&address.to_string(), port));
            prop_assert!(!named || narrowed.denies_address(address, port));
        }
    }

    #[test]
    fn an_offered_grant_changes_the_verdict(n in any_network(), host in host(), port in prop::sample::select(vec![80u16, 443, 22, 8080])) {
        for request in [None, Some(("GET", "/v1/a")), Some(("POST", "/v2/a"))] {
            let decide = |n: &Network| match request {
                None => n.connect(host, port),
                Some((method, path)) => n.request(host, port, method, path),
            };
            let decision = decide(&n);
            prop_assert_eq!(decision.remedy.is_some(), decision.verdict == Verdict::Refused);
            let Some(remedy) = decision.remedy else { continue };
            prop_assert!(remedy.policy_line.is_some() || remedy.note.is_some());
            if n.ceiling.is_some() {
                continue;
            }
            let grants = [
                remedy.option.map(|option| option.strip_prefix("--allow-host ").unwrap().trim_matches('\'').to_owned()),
                remedy.policy_line.map(|line| line.strip_prefix("[network] allow = [").unwrap().strip_suffix(']').unwrap().to_owned()),
            ];
            for grant in grants.into_iter().flatten() {
                let value = if grant.starts_with(['{', '"']) { grant } else { format!("\"{grant}\"") };
                let text = format!("[network]\nallow = [{value}]");
                let document = crate::document::Document::parse(&text, Source::Profile("x".into()), Layer::User);
                let mut wider = n.clone();
                wider.allow.extend(document.unwrap_or_else(|error| panic!("{error}")).network.allow.unwrap());
                let after = decide(&wider);
                // A connection first, then its request: the grant of the first need not be that of the second.
                prop_assert!(after.verdict == Verdict::Allowed, "{} for {:?}", text, request);
            }
        }
    }

    #[test]
    fn hostile_questions_never_panic_and_never_reach_the_terminal_raw(
        n in any_network(), host in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", method in "[\\x00-\\x7f]{0,8}", path in "\\PC{0,20}|[\\x00-\\x7f]{0,20}", port in any::<u16>(),
    ) {
        for decision in [n.connect(&host, port), n.resolve(&host), n.request(&host, port, &method, &path), n.request("a.test", 443, &method, &path)] {
            let texts = serde_json::to_string(&decision).unwrap();
            prop_assert!(!texts.contains(char::is_control), "{texts:?}");
            prop_assert!(!decision.reason.contains(char::is_control));
        }
        n.handling(&host, port);
        n.lists_address(&host, port, IpAddr::from([10, 0, 0, 1]));
    }
}

#[test]
fn ports_of_a_pattern_are_what_it_matches() {
    for ports in [Ports::Web, Ports::One(22)] {
        let pattern = HostPattern { hosts: Hosts::Name("a.test".into()), ports };
        let listed: BTreeSet<u16> = pattern.ports().collect();
        assert!((1..=u16::MAX).all(|port| listed.contains(&port) == pattern.matches("a.test", port)));
    }
}
