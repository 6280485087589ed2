use proptest::prelude::*;

use super::*;

fn what(address: &str) -> Option<Special> {
    special(address.parse().unwrap(), &[])
}

#[test]
fn every_range_has_its_edges() {
    use Special::*;
    for (inside, kind) in [
        ("0.0.0.0", Unspecified),
        ("0.0.0.1", ThisNetwork),
        ("0.255.255.255", ThisNetwork),
        ("10.0.0.0", Private),
        ("10.255.255.255", Private),
        ("100.64.0.0", Shared),
        ("100.127.255.255", Shared),
        ("100.100.100.200", Metadata),
        ("127.0.0.1", Loopback),
        ("127.255.255.255", Loopback),
        ("168.63.129.16", Metadata),
        ("169.254.0.0", LinkLocal),
        ("169.254.255.255", LinkLocal),
        ("169.254.169.254", Metadata),
        ("169.254.170.2", Metadata),
        ("172.16.0.0", Private),
        ("172.31.255.255", Private),
        ("192.0.0.0", Protocol),
        ("192.0.0.192", Metadata),
        ("192.0.0.255", Protocol),
        ("192.88.99.1", SixToFour),
        ("192.168.0.0", Private),
        ("192.168.255.255", Private),
        ("198.18.0.0", Benchmarking),
        ("198.19.255.255", Benchmarking),
        ("224.0.0.0", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.0", Reserved),
        ("255.255.255.254", Reserved),
        ("255.255.255.255", Broadcast),
        ("::", Unspecified),
        ("::1", Loopback),
        ("::2", Compatible),
        ("::8.8.8.8", Compatible),
        ("::ffff:8.8.8.8", Mapped),
        ("::ffff:0:8.8.8.8", Mapped),
        ("64:ff9b::8.8.8.8", Nat64),
        ("64:ff9b:1::", Nat64),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Nat64),
        ("64:ff9b:2::1", Reserved),
        ("100::1", Reserved),
        ("100:0:0:1::1", Reserved),
        ("2001::1", Teredo),
        ("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Teredo),
        ("2001:2::1", Benchmarking),
        ("2001:2:1::1", Protocol),
        ("2001:20::1", Protocol),
        ("2001:1ff:ffff::1", Protocol),
        ("2002::1", SixToFour),
        ("2002:808:808::1", SixToFour),
        ("4000::1", Reserved),
        ("5f00::1", Reserved),
        ("fc00::1", UniqueLocal),
        ("fdff:ffff::1", UniqueLocal),
        ("fd00:ec2::254", Metadata),
        ("fd20:ce::254", Metadata),
        ("fe00::1", Reserved),
        ("fe80::1", LinkLocal),
        ("febf:ffff::1", LinkLocal),
        ("fec0::1", SiteLocal),
        ("feff:ffff::1", SiteLocal),
        ("ff00::1", Multicast),
        ("ff02::1", Multicast),
    ] {
        assert_eq!(what(inside), Some(kind), "{inside}");
    }
}

#[test]
fn hosts_of_the_internet_are_not_special() {
    for address in [
        "1.0.0.0",
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        // Documentation and AS112, on purpose.
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "192.31.196.1",
        "2001:db8::1",
        "3fff::1",
        "2000::1",
        "2001:200::1",
        "2003::1",
        "2606:4700:4700::1111",
    ] {
        assert_eq!(what(address), None, "{address}");
    }
}

#[test]
fn an_own_address_is_own_in_every_clothing() {
    let own = ["203.0.113.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
    let special = |text: &str| special(text.parse().unwrap(), &own);
    assert_eq!(special("203.0.113.7"), Some(Special::Own));
    assert_eq!(special("2001:db8::7"), Some(Special::Own));
    assert_eq!(special("203.0.113.8"), None);
    assert_eq!(special("::ffff:203.0.113.7"), Some(Special::Mapped));
    assert_eq!(special("2001:db8::5efe:203.0.113.7"), Some(Special::Isatap));
    assert_eq!(special("2001:db8::5efe:203.0.113.8"), None);
    assert_eq!(special("2001:db8::200:5efe:10.0.0.1"), Some(Special::Isatap));
}

#[test]
fn what_an_address_leads_to_is_read_out_of_it() {
    let reads = |text: &str| readings(text.parse().unwrap()).map(|address| address.to_string()).collect::<Vec<_>>();
    assert_eq!(reads("8.8.8.8"), ["8.8.8.8"]);
    assert_eq!(reads("2606:4700::1"), ["2606:4700::1"]);
    for (address, leads_to) in [
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::ffff:0:10.1.2.3", "10.1.2.3"),
        ("::10.1.2.3", "10.1.2.3"),
        ("64:ff9b::10.1.2.3", "10.1.2.3"),
        ("2002:a01:203::1", "10.1.2.3"),
        // The example of RFC 4380, 5.2: the client behind 192.0.2.45.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ("2001:db8::5efe:a01:203", "10.1.2.3"),
    ] {
        assert_eq!(reads(address).last().unwrap(), leads_to, "{address}");
    }
    assert_eq!(reads("::1").len(), 1);
    assert_eq!(reads("::").len(), 1);
}

/// `check` with addresses that are listed and denied.
fn checked(address: &str, listed: &[&str], denied: &[&str]) -> Result<(), (String, Option<Special>)> {
    let among = |list: &[&str], address: IpAddr| list.iter().any(|text| text.parse() == Ok(address));
    check(address.parse().unwrap(), &[], |address| among(listed, address), |address| among(denied, address))
        .map_err(|(address, special)| (address.to_string(), special))
}

#[test]
fn every_reading_must_be_ordinary_or_listed_and_none_denied() {
    assert_eq!(checked("8.8.8.8", &[], &[]), Ok(()));
    assert_eq!(checked("10.0.0.1", &[], &[]), Err(("10.0.0.1".to_owned(), Some(Special::Private))));
    assert_eq!(checked("10.0.0.1", &["10.0.0.1"], &[]), Ok(()));
    assert_eq!(checked("10.0.0.1", &["10.0.0.1"], &["10.0.0.1"]), Err(("10.0.0.1".to_owned(), None)));
    // A translator that is listed does not let what is behind it through.
    let translated = "64:ff9b::10.0.0.1";
    assert_eq!(checked(translated, &[translated], &[]), Err(("10.0.0.1".to_owned(), Some(Special::Private))));
    assert_eq!(checked(translated, &[translated, "10.0.0.1"], &[]), Ok(()));
    assert_eq!(checked("64:ff9b::8.8.8.8", &["64:ff9b::8.8.8.8"], &[]), Ok(()));
    assert_eq!(checked("64:ff9b::8.8.8.8", &["64:ff9b::8.8.8.8"], &["8.8.8.8"]), Err(("8.8.8.8".to_owned(), None)));
    assert_eq!(
        checked("2001:db8::5efe:10.0.0.1", &[], &[]),
        Err(("2001:db8::5efe:a00:1".to_owned(), Some(Special::Isatap)))
    );
}

proptest! {
    /// Whatever stands in a range that is translated to IPv4 is refused, and refused twice if what it leads to is special.
    #[test]
    fn no_clothing_makes_an_address_ordinary(address: u32, shape in 0..5_usize) {
        let v4 = Ipv4Addr::from(address);
        let [a, b] = [(address >> 16) as u16, address as u16];
        let dressed = Ipv6Addr::from(match shape {
            0 => [0, 0, 0, 0, 0, 0xffff, a, b],
            1 => [0x64, 0xff9b, 0, 0, 0, 0, a, b],
            2 => [0x2002, a, b, 0, 0, 0, 0, 1],
            3 => [0x2001, 0, 0, 0, 0, 0, !a, !b],
            _ => [0, 0, 0, 0, 0xffff, 0, a, b],
        });
        let dressed = IpAddr::V6(dressed);
        prop_assert!(special(dressed, &[]).is_some());
        prop_assert_eq!(readings(dressed).last(), Some(IpAddr::V4(v4)));
        let only_clothing = check(dressed, &[], |address| address == dressed, |_| false);
        prop_assert_eq!(only_clothing.is_ok(), special(v4.into(), &[]).is_none());
    }

    /// What the standard library takes for special, this does, too.
    #[test]
    fn not_laxer_than_the_standard_library(four: u32, six: u128) {
        let four = Ipv4Addr::from(four);
        if four.is_private() || four.is_loopback() || four.is_link_local() || four.is_broadcast()
            || four.is_multicast() || four.is_unspecified()
        {
            prop_assert!(special(four.into(), &[]).is_some());
        }
        let six = Ipv6Addr::from(six);
        if six.is_loopback() || six.is_multicast() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local() {
            prop_assert!(special(six.into(), &[]).is_some());
        }
    }
}
