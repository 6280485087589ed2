use std::net::IpAddr;

use super::own_among;

#[test]
fn the_machine_knows_its_own_addresses() {
    let own = |text: &str| own_among([text.parse().unwrap()]).unwrap();
    assert_eq!(own("127.0.0.1"), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    for other in ["192.0.2.77", "8.8.8.8", "2001:db8:77::1", "64:ff9b::8.8.8.8"] {
        assert!(own(other).is_empty(), "{other}");
    }
    let all = ["192.0.2.77", "127.0.0.1", "8.8.8.8"].map(|text| text.parse().unwrap());
    assert_eq!(own_among(all).unwrap(), [all[1]]);
}
