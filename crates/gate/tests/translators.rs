//! Addresses that a translator of the host's network (NAT64) carries to IPv4. What the network's name servers would say stands in the hosts
//! file of the test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use bailiwick_policy::host_pattern::AddressRange;
use support::{Running, is_reset, rule};

/// Of the network: a prefix of its own, of the range for documentation.
const TRANSLATOR: &str = "2001:db8:64::192.0.0.170 ipv4only.arpa\n";

const NAMES: &str = "2001:db8:64::10.0.0.1 private.test\n2001:db8:64::169.254.169.254 metadata.test\n\
    2001:db8:64::127.0.0.1 own.test\n2001:db8:65::10.0.0.1 beside.test\n";

const PORT: u16 = 7777;

/// A gate on a host that knows these names beside its own.
fn gate(names: &[&str], listed: Option<&str>) -> Running {
    let rules = ["private.test", "metadata.test", "own.test", "beside.test"].map(|name| {
        let mut rule = rule(&format!("{name}:{PORT}"));
        rule.addresses = listed.map(|range| AddressRange::parse(range).unwrap()).into_iter().collect();
        rule
    });
    Running::with(rules.to_vec(), &[PORT], |config| {
        let known = std::fs::read_to_string(&config.hosts).unwrap();
        std::fs::write(&config.hosts, [&[known.as_str()], names].concat().concat()).unwrap();
        config.limits.connect = std::time::Duration::from_millis(100);
    })
}

#[test]
fn what_a_translator_carries_to_a_special_address_is_refused_as_that_address() {
    let gate = gate(&[TRANSLATOR, NAMES], None);
    for (name, address) in
        [("private.test", "10.0.0.1"), ("metadata.test", "169.254.169.254"), ("own.test", "127.0.0.1")]
    {
        assert!(is_reset(&mut gate.connect(name, PORT)));
        let (reason, grant) = gate.refused();
        assert!(reason.contains(&format!("leads to {address}, which is ")), "{reason}");
        let line = format!("[network] allow = [{{ host = \"{name}:{PORT}\", addresses = [\"{address}\"] }}]");
        assert_eq!(grant, Some(line));
    }
}

#[test]
fn what_no_translator_carries_and_what_is_listed_is_dialled() {
    // Nobody is at these addresses: that it was tried is what shows.
    let dialled = |gate: &Running, name: &str| {
        assert!(is_reset(&mut gate.connect(name, PORT)));
        let reason = gate.failed();
        assert!(reason.contains("2001:db8:6") && reason.contains("answered"), "{reason}");
    };
    dialled(&gate(&[TRANSLATOR, NAMES], None), "beside.test");
    dialled(&gate(&[TRANSLATOR, NAMES], Some("10.0.0.0/8")), "private.test");
    dialled(&gate(&["192.0.0.170 ipv4only.arpa\n", NAMES], None), "private.test");
}
