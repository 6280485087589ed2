//! Hosts, host patterns and host rules; the second line is a host that the pattern is asked about.

#![no_main]

use bailiwick_fuzz::{printable, two};
use bailiwick_policy::host_pattern::{AddressRange, Host, HostPattern, Hosts};
use bailiwick_policy::host_rule::HostRule;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, second)) = two(bytes) else { return };
    host(first);
    host(second);
    range(first);
    match HostRule::parse(first) {
        Ok(rule) => assert_eq!(HostRule::parse(&rule.to_string()).as_ref(), Ok(&rule), "`{rule}` is another rule"),
        Err(error) => printable(error),
    }
    match HostPattern::parse(first) {
        Ok(read) => pattern(&read, second),
        Err(error) => printable(error),
    }
});

fn host(text: &str) {
    match Host::parse(text) {
        Err(error) => printable(error),
        Ok(host) => {
            let shown = host.to_string();
            assert_eq!(Host::parse(&shown).as_ref(), Ok(&host), "`{shown}` is another host");
            let Host::Name(name) = host else { return };
            assert!(name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len())));
            assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')));
            // What the C library would take for an address: a last part that is a number (WHATWG URL, "ends in a number").
            let last = name.rsplit('.').next().unwrap_or_default();
            let hex = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(!hex && !last.bytes().all(|byte| byte.is_ascii_digit()), "`{name}` is an address to others");
        }
    }
}

fn range(text: &str) {
    match AddressRange::parse(text) {
        Err(error) => printable(error),
        Ok(range) => {
            let shown = range.to_string();
            assert_eq!(AddressRange::parse(&shown), Ok(range), "`{shown}` is another range");
            assert!(range.covers(&range) && range.overlaps(&range));
        }
    }
}

fn pattern(pattern: &HostPattern, asked: &str) {
    let shown = pattern.to_string();
    assert_eq!(HostPattern::parse(&shown).as_ref(), Ok(pattern), "`{shown}` is another pattern");
    assert!(pattern.covers(pattern) && pattern.overlaps(pattern));
    for port in pattern.ports() {
        let covers = pattern.matches(asked, port);
        let Ok(host) = Host::parse(asked) else {
            assert!(
                !covers || pattern.hosts == Hosts::Any,
                "`{shown}` covers `{}`, which is no host",
                asked.escape_debug()
            );
            continue;
        };
        assert_eq!(pattern.matches(&asked.to_ascii_uppercase(), port), covers, "case matters");
        assert_eq!(pattern.matches(&host.to_string(), port), covers, "spelling matters");
        if covers {
            assert!(pattern.denies(asked, port), "`{shown}` covers `{asked}` and as a deny rule does not");
        }
    }
}
