use bailiwick_policy::host_pattern::AddressRange;
use bailiwick_policy::host_rule::HostRule;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::Ruled;

use super::*;

fn network(listed: &str) -> Network {
    let origin = Origin { layer: Layer::CommandLine, source: Source::Option("--allow-host".to_owned()), line: None };
    let addresses = vec![AddressRange::parse(listed).unwrap()];
    let rule = HostRule { addresses, ..HostRule::parse("host.example").unwrap() };
    Network { allow: vec![Ruled { value: rule, origin }], ..Network::default() }
}

/// What is left of these addresses, or why nothing is.
fn left(listed: &str, translators: &Translators, found: &[&str]) -> Result<Vec<String>, String> {
    let target = Target { host: Host::parse("host.example").unwrap(), port: 443 };
    let checked = found.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 443)).collect();
    match translated(&network(listed), &target, checked, translators) {
        Ok(left) => Ok(left.iter().map(|address| address.ip().to_string()).collect()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn prefixes(answer: &[&str]) -> Translators {
    Translators::Known(Prefix::all_of(&answer.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>()))
}

#[test]
fn what_a_translator_carries_is_checked_as_the_address_that_it_leads_to() {
    let translators = prefixes(&["2001:db8:64::192.0.0.170"]);
    let left = |found: &[&str]| left("192.168.7.0/24", &translators, found);
    assert_eq!(
        left(&["2001:db8:64::10.0.0.1"]).unwrap_err(),
        "`host.example` leads to 10.0.0.1, which is a private address and not listed for it"
    );
    assert_eq!(left(&["2001:db8:64::10.0.0.1", "8.8.8.8"]).unwrap(), ["8.8.8.8"]);
    for fine in ["2001:db8:64::808:808", "2001:db8:64::c0a8:705", "2001:db8:65::a00:1", "::1"] {
        assert_eq!(left(&[fine]).unwrap(), [fine]);
    }
}

#[test]
fn an_address_that_could_be_read_in_two_ways_must_be_right_in_both() {
    let translators = prefixes(&["2001:db8:64::192.0.0.170", "2001:db8:c000:aa::"]);
    assert!(
        left("192.168.7.0/24", &translators, &["2001:db8:64::8.8.8.8"]).unwrap_err().contains("leads to 0.100.0.0")
    );
}

#[test]
fn where_the_name_servers_do_not_say_only_what_cannot_be_carried_is_dialled() {
    let left = |found: &[&str]| left("2001:db8:7::/48", &Translators::Unknown, found);
    assert!(left(&["2001:db8:64::1"]).unwrap_err().contains("ipv4only.arpa"));
    assert_eq!(left(&["2001:db8:64::1", "8.8.8.8", "::1"]).unwrap(), ["8.8.8.8", "::1"]);
    assert_eq!(left(&["2001:db8:7::1"]).unwrap(), ["2001:db8:7::1"]);
}
