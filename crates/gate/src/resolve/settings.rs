//! resolv.conf: whom to ask, and how (resolv.conf(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use bailiwick_policy::host_pattern::Host;

/// Most name servers that are asked; the C library's `MAXNS`.
const MOST_SERVERS: usize = 3;
/// Most domains that are tried; the C library had 6 for long.
const MOST_DOMAINS: usize = 16;

/// Whom to ask, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Name servers in the order in which they are asked: never none. Port 0 stands for the usual one.
    pub(super) servers: Vec<SocketAddr>,
    /// Domains to try behind a short name.
    pub(super) search: Vec<String>,
    /// From so many dots on a name is not short.
    pub(super) dots: usize,
    /// How long to wait for one server, each time.
    pub(super) patience: Duration,
    /// How many times to go round the servers.
    pub(super) attempts: usize,
    /// Ask over TCP only.
    pub(super) tcp: bool,
}

impl Settings {
    /// Reads resolv.conf. What is not understood is passed over, as the C library does: it is the host's file, and it works for the host.
    pub(super) fn read(text: &str) -> Settings {
        let mut settings = Settings {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
            patience: Duration::from_secs(5),
            attempts: 2,
            tcp: false,
        };
        for line in text.lines() {
            // A comment starts a line, or stands behind the values.
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if settings.servers.len() < MOST_SERVERS => {
                    settings.servers.extend(words.next().and_then(server));
                }
                // The last of them counts.
                Some("search") => settings.search = words.filter_map(domain).take(MOST_DOMAINS).collect(),
                Some("domain") => settings.search = words.take(1).filter_map(domain).collect(),
                Some("options") => words.for_each(|option| settings.option(option)),
                _ => {}
            }
        }
        if settings.servers.is_empty() {
            settings.servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0));
        }
        settings
    }

    fn option(&mut self, option: &str) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        let value = value.parse::<u8>();
        match (name, value) {
            ("ndots", Ok(dots)) => self.dots = usize::from(dots.min(15)),
            ("timeout", Ok(seconds)) => self.patience = Duration::from_secs(u64::from(seconds.clamp(1, 30))),
            ("attempts", Ok(attempts)) => self.attempts = usize::from(attempts.clamp(1, 5)),
            ("use-vc", _) => self.tcp = true,
            _ => {}
        }
    }
}

/// A server's address, perhaps with the interface of a link-local one: `fe80::1%eth0`.
fn server(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, 0));
    }
    let (address, scope) = text.split_once('%')?;
    let address = address.parse::<Ipv6Addr>().ok()?;
    let scope = scope.parse().ok().or_else(|| interface(scope))?;
    Some(SocketAddrV6::new(address, 0, 0, scope).into())
}

/// The number of a network interface.
#[cfg(target_os = "linux")]
fn interface(name: &str) -> Option<u32> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    netdevice::name_to_index(socket, name).ok()
}

/// Elsewhere resolv.conf has no names of interfaces.
#[cfg(not(target_os = "linux"))]
fn interface(_: &str) -> Option<u32> {
    None
}

/// A domain of the search list, if it is one; `.` and nonsense are not.
fn domain(text: &str) -> Option<String> {
    match Host::parse(text) {
        Ok(Host::Name(domain)) => Some(domain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(text: &str) -> Vec<String> {
        Settings::read(text).servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_said_is_what_the_manual_says() {
        let settings = Settings::read("");
        assert_eq!(servers(""), ["127.0.0.1:0"]);
        assert_eq!((settings.dots, settings.attempts, settings.patience.as_secs(), settings.tcp), (1, 2, 5, false));
        assert!(settings.search.is_empty());
    }

    #[test]
    fn servers_of_both_families_and_with_scope() {
        assert_eq!(
            servers(
                "nameserver 192.0.2.1 # first\n nameserver\t2001:db8::1;x\nnameserver fe80::1%7\nnameserver 192.0.2.4"
            ),
            ["192.0.2.1:0", "[2001:db8::1]:0", "[fe80::1%7]:0"]
        );
        assert_eq!(
            servers("nameserver fe80::1%no-such-link0\nnameserver nonsense\n#nameserver 192.0.2.9"),
            ["127.0.0.1:0"]
        );
        assert_eq!(servers("nameservers 192.0.2.1\nnameserver\nnameserver 0x7f.1"), ["127.0.0.1:0"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_interface_has_a_number() {
        assert_eq!(interface("lo"), Some(1));
        assert_eq!(servers("nameserver fe80::1%lo"), ["[fe80::1%1]:0"]);
    }

    #[test]
    fn the_last_search_list_counts_and_options_are_bounded() {
        let settings = Settings::read(
            "domain old.example\nsearch Corp.Example. b.example a..b .\noptions ndots:200 timeout:0 attempts:99 use-vc rotate x:1 ndots:x\n",
        );
        assert_eq!(settings.search, ["corp.example", "b.example"]);
        assert_eq!((settings.dots, settings.attempts, settings.patience.as_secs(), settings.tcp), (15, 5, 1, true));
        assert_eq!(Settings::read("search a.example\ndomain b.example c.example").search, ["b.example"]);
    }
}
