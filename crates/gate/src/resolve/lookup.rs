//! One name: the names that it may stand for, both families, every server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bailiwick_policy::host_pattern::Host;
use tokio::time::timeout;

use super::client;
use super::response::Reading;
use super::settings::Settings;
use super::{ResolveError, ServerError};
use crate::dns::message::{Name, kind};

/// Longest that one name may take, whatever the settings say.
const LONGEST: Duration = Duration::from_secs(20);
/// How long to wait for the second family where the first has addresses already: some servers never answer about IPv6.
const GRACE: Duration = Duration::from_millis(200);

/// The addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The full name that has them: the one that was asked for, or a completion of it.
    pub(super) name: String,
    /// Each once, at least one.
    pub(super) addresses: Vec<IpAddr>,
    /// How long they hold.
    pub(super) keep: Duration,
}

/// Looks up a name. `port`: that of servers for which the settings name none.
pub(super) async fn lookup(settings: &Settings, name: &str, port: u16) -> Result<Found, ResolveError> {
    match timeout(LONGEST, search(settings, name, port)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ResolveError::Late(LONGEST.as_secs())),
    }
}

/// Tries the names that it may stand for. A failure ends the search: an attacker who makes one server fail must not choose which of
/// two hosts a short name means.
async fn search(settings: &Settings, name: &str, port: u16) -> Result<Found, ResolveError> {
    let mut outcome = ResolveError::NoSuchName;
    for name in candidates(settings, name) {
        match both(settings, &name, port).await {
            Err(ResolveError::NoSuchName) => {}
            Err(ResolveError::NoAddress) => outcome = ResolveError::NoAddress,
            Err(error) => return Err(error),
            Ok((addresses, keep)) => return Ok(Found { name: name.to_string(), addresses, keep }),
        }
    }
    Err(outcome)
}

/// The full names to try, in order: a name without a dot within the search list first, any other one as it stands first.
///
/// The C library also completes names *with* dots first if there are fewer than `ndots`. Here the name that the policy allowed comes
/// first, because it is the one that was decided about.
fn candidates(settings: &Settings, name: &str) -> Vec<Name> {
    let dots = name.bytes().filter(|&byte| byte == b'.').count();
    let completed = settings.search.iter().map(|domain| format!("{name}.{domain}"));
    let names: Vec<String> = match (dots, dots < settings.dots) {
        (0, true) => completed.chain([name.to_owned()]).collect(),
        (_, true) => std::iter::once(name.to_owned()).chain(completed).collect(),
        (_, false) => vec![name.to_owned()],
    };
    names
        .iter()
        .filter(|name| matches!(Host::parse(name), Ok(Host::Name(_))))
        .filter_map(|name| Name::from_host(name).ok())
        .collect()
}

/// Addresses, and how long they hold.
type Holding = (Vec<IpAddr>, Duration);

/// Asks for both families at the same time.
async fn both(settings: &Settings, name: &Name, port: u16) -> Result<Holding, ResolveError> {
    let mut four = std::pin::pin!(servers(settings, name, kind::A, port));
    let mut six = std::pin::pin!(servers(settings, name, kind::AAAA, port));
    let (first, second) = tokio::select! {
        first = &mut four => match has_addresses(&first) {
            true => (first, timeout(GRACE, six).await.unwrap_or(Ok(Reading::NoAddress))),
            false => (first, six.await),
        },
        first = &mut six => match has_addresses(&first) {
            true => (first, timeout(GRACE, four).await.unwrap_or(Ok(Reading::NoAddress))),
            false => (first, four.await),
        },
    };
    join(first, second)
}

fn has_addresses(outcome: &Result<Reading, ResolveError>) -> bool {
    matches!(outcome, Ok(Reading::Addresses(..)))
}

/// One outcome from those of both families: addresses first; then that there is no such name; then a failure, since addresses may be
/// behind it.
fn join(first: Result<Reading, ResolveError>, second: Result<Reading, ResolveError>) -> Result<Holding, ResolveError> {
    let mut addresses = Vec::new();
    let mut keep = Duration::MAX;
    let mut failure = None;
    let mut no_name = false;
    for outcome in [first, second] {
        match outcome {
            Ok(Reading::Addresses(found, holds)) => {
                addresses.extend(found);
                keep = keep.min(holds);
            }
            Ok(Reading::NoName) => no_name = true,
            Ok(Reading::NoAddress | Reading::Truncated) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match (addresses.is_empty(), no_name, failure) {
        (false, _, _) => Ok((addresses, keep)),
        (true, true, _) => Err(ResolveError::NoSuchName),
        (true, false, Some(failure)) => Err(failure),
        (true, false, None) => Err(ResolveError::NoAddress),
    }
}

/// Goes round the servers until one answers.
async fn servers(settings: &Settings, name: &Name, kind: u16, port: u16) -> Result<Reading, ResolveError> {
    let mut failures: Vec<(SocketAddr, ServerError)> = Vec::new();
    for round in 0..settings.attempts {
        for &server in &settings.servers {
            let mut address = server;
            if address.port() == 0 {
                address.set_port(port);
            }
            // Another id and another source port each time.
            let query = client::question(name, kind).ok_or(ResolveError::Random)?;
            match client::ask(address, &query, settings.patience, settings.tcp).await {
                Ok(reading) => return Ok(reading),
                Err(error) if round == 0 => failures.push((address, error)),
                Err(error) => {
                    if let Some(last) = failures.iter_mut().find(|(failed, _)| *failed == address) {
                        last.1 = error;
                    }
                }
            }
        }
    }
    Err(ResolveError::Servers(failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(conf: &str, name: &str) -> Vec<String> {
        candidates(&Settings::read(conf), name).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_short_names_are_completed_and_the_name_that_was_allowed_comes_first() {
        let conf = "search corp.example lab.example";
        assert_eq!(tried(conf, "db"), ["db.corp.example", "db.lab.example", "db"]);
        assert_eq!(tried(conf, "github.com"), ["github.com"]);
        let kubernetes = "search svc.cluster.local\noptions ndots:5";
        assert_eq!(tried(kubernetes, "github.com"), ["github.com", "github.com.svc.cluster.local"]);
        assert_eq!(tried(kubernetes, "db"), ["db.svc.cluster.local", "db"]);
        assert_eq!(tried("search x.example\noptions ndots:0", "db"), ["db"]);
        let long = format!("{}.example", ["a"; 120].join("."));
        assert_eq!(tried("search corp.example\noptions ndots:15", &long), [long], "too long with a domain");
    }

    #[test]
    fn addresses_win_then_absence_then_failure() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let some = || Ok(Reading::Addresses(vec![address], Duration::from_secs(9)));
        let failed = || Err(ResolveError::Servers(Vec::new()));
        let found = Ok((vec![address], Duration::from_secs(9)));
        assert_eq!(join(failed(), some()), found);
        assert_eq!(join(some(), Ok(Reading::NoName)), found);
        assert_eq!(join(failed(), Ok(Reading::NoName)), Err(ResolveError::NoSuchName));
        assert_eq!(join(Ok(Reading::NoAddress), failed()), Err(ResolveError::Servers(Vec::new())));
        assert_eq!(join(Ok(Reading::NoAddress), Ok(Reading::NoAddress)), Err(ResolveError::NoAddress));
    }
}
