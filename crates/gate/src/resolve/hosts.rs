//! The hosts file (hosts(5)): addresses that the host itself knows.

use std::net::IpAddr;

/// Most addresses of one name.
const MOST_ADDRESSES: usize = 64;

/// The addresses of a name, in the order of the file. `None`: the file does not name it.
///
/// The text is gone through each time: it is short, except for lists of some hundred thousand names to be blocked, and of these
/// a table would take more memory than the gate has.
pub(super) fn listed(text: &str, name: &str) -> Option<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next() else { continue };
        if !words.any(|word| word.strip_suffix('.').unwrap_or(word).eq_ignore_ascii_case(name)) {
            continue;
        }
        // An address with a scope means a neighbour on one link, and is never dialled.
        if let Ok(address) = address.parse()
            && !found.contains(&address)
            && found.len() < MOST_ADDRESSES
        {
            found.push(address);
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: &str = "127.0.0.1 localhost\n192.0.2.1\tDB.Example db # the database\n#192.0.2.9 commented\n\n\
        2001:db8::1 db.example\nfe80::1%eth0 link.example\n192.0.2.1 db.example\n0x7f.1 strange\n192.0.2.2 trailing.example.";

    #[test]
    fn a_name_has_all_its_addresses_once() {
        let found = |name| listed(HOSTS, name).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found("db.example"), Some(vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()]));
        assert_eq!(found("db"), Some(vec!["192.0.2.1".to_owned()]));
        assert_eq!(found("trailing.example"), Some(vec!["192.0.2.2".to_owned()]));
        for none in ["commented", "link.example", "strange", "example", "b.example", "192.0.2.1", "database"] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
