//! The policy's answers as the gate needs them. Nothing is decided here: every answer is `bailiwick_policy`'s.

use std::net::{IpAddr, SocketAddr};

use bailiwick_policy::boundary::{Handling, Network};
use bailiwick_policy::decide::{Decision, Verdict};

use bailiwick_policy::host_pattern::Host;

use crate::address::{Prefix, Special, Translators, WELL_KNOWN_NAME, check, own_among, readings};
use crate::gate::Target;
use crate::refusal::{Refusal, shown};
use crate::synthetic::Synthetic;

/// What may be done, by which rule and how.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// The rule, as `explain` prints it.
    pub(crate) rule: String,
    /// How its connections are handled.
    pub(crate) handling: Handling,
}

/// May the inside connect to this target?
pub(crate) fn target(network: &Network, target: &Target) -> Result<Allowed, Refusal> {
    let host = target.host.to_string();
    if let Host::Address(address) = target.host
        && Synthetic::is_synthetic(address)
    {
        // Names that have such an address were put in their place before; no other host has one.
        let reason = format!("{address} stands for no name that was looked up in this run");
        return Err(Refusal::Denied { reason, rule: None, grant: None });
    }
    let rule = rule_of(network.connect(&host, target.port))?;
    Ok(Allowed { rule, handling: network.handling(&host, target.port) })
}

/// May this request be sent to the target?
pub(crate) fn request(network: &Network, target: &Target, method: &str, path: &str) -> Result<Allowed, Refusal> {
    let host = target.host.to_string();
    let rule = rule_of(network.request(&host, target.port, method, path))?;
    Ok(Allowed { rule, handling: network.handling(&host, target.port) })
}

/// May this name be looked up?
pub(crate) fn name(network: &Network, name: &str) -> Result<String, Refusal> {
    rule_of(network.resolve(name))
}

/// May a name be dialled that an allowed one turned out to stand for?
pub(crate) fn completed(network: &Network, name: &str, port: u16) -> Result<(), Refusal> {
    network.denied(name, port).map_or(Ok(()), |decision| rule_of(decision).map(drop))
}

/// Which of the addresses of a target, which was allowed, may be dialled: each is checked, in its every reading.
pub(crate) fn addresses(network: &Network, target: &Target, found: &[IpAddr]) -> Result<Vec<SocketAddr>, Refusal> {
    let host = target.host.to_string();
    let own = own_among(found.iter().flat_map(|&address| readings(address))).map_err(|error| Refusal::Unreachable {
        target: shown(&target.to_string()),
        kind: error.kind(),
        answers: shown(&format!("the addresses of this machine could not be read: {error}")),
    })?;
    let listed = |address| network.lists_address(&host, target.port, address);
    let denied = |address| network.denies_address(address, target.port);
    let mut checked = Vec::with_capacity(found.len());
    let mut first_refusal = None;
    for &address in found {
        match check(address, &own, listed, denied) {
            Ok(()) => checked.push(SocketAddr::new(address, target.port)),
            Err(refused) => _ = first_refusal.get_or_insert(refused),
        }
    }
    match first_refusal {
        Some((address, special)) if checked.is_empty() => Err(refused_address(target, address, special)),
        _ => Ok(checked),
    }
}

/// Which of the addresses of a target, each of which was checked as it stands, may be dialled on a network with these translators: what one
/// carries to an IPv4 address is checked as that address, too.
pub(crate) fn translated(
    network: &Network,
    target: &Target,
    checked: Vec<SocketAddr>,
    translators: &Translators,
) -> Result<Vec<SocketAddr>, Refusal> {
    let host = target.host.to_string();
    let is_listed = |address: &SocketAddr| network.lists_address(&host, target.port, address.ip());
    let Translators::Known(prefixes) = translators else {
        let unclear = checked.iter().find(|address| Prefix::may_cover(address.ip()) && !is_listed(address)).copied();
        let clear = checked.into_iter().filter(|address| !Prefix::may_cover(address.ip()) || is_listed(address));
        let clear: Vec<SocketAddr> = clear.collect();
        return match unclear {
            Some(address) if clear.is_empty() => Err(unclear_address(target, address.ip())),
            _ => Ok(clear),
        };
    };
    let mut carried = Vec::with_capacity(checked.len());
    let mut first_refusal = None;
    for address in checked {
        let IpAddr::V6(v6) = address.ip() else {
            carried.push(address);
            continue;
        };
        // Each reading counts: which one is the translator's is not known.
        let mut behind = prefixes.iter().filter_map(|prefix| prefix.behind(v6));
        match behind.try_for_each(|v4| addresses(network, target, &[v4.into()]).map(drop)) {
            Ok(()) => carried.push(address),
            Err(refusal) => _ = first_refusal.get_or_insert(refusal),
        }
    }
    match first_refusal {
        Some(refusal) if carried.is_empty() => Err(refusal),
        _ => Ok(carried),
    }
}

/// An address that may lead to a private one, for all that is known.
fn unclear_address(target: &Target, address: IpAddr) -> Refusal {
    let kind = format!(
        "of which it is not known whether a translator of this network (NAT64) leads from it to a private one: its name servers \
         should say so when asked for `{WELL_KNOWN_NAME}`"
    );
    refused(target, address, kind)
}

fn refused_address(target: &Target, address: IpAddr, special: Option<Special>) -> Refusal {
    match special {
        Some(special) => refused(target, address, format!("which is {special} and not listed for it")),
        None => {
            let kind = "an address that a rule of `deny` covers".to_owned();
            Refusal::Address { host: shown(&target.host.to_string()), address, kind, grant: None }
        }
    }
}

/// With the rule that lists the address.
fn refused(target: &Target, address: IpAddr, kind: String) -> Refusal {
    let host = match target.port {
        80 | 443 => target.host.to_string(),
        _ => target.to_string(),
    };
    let line = format!("[network] allow = [{{ host = \"{}\", addresses = [\"{address}\"] }}]", shown(&host));
    Refusal::Address { host: shown(&target.host.to_string()), address, kind, grant: Some(line) }
}

fn rule_of(decision: Decision) -> Result<String, Refusal> {
    let rule = decision.rule.map(|rule| format!("{} ({})", rule.text, rule.origin));
    match decision.verdict {
        Verdict::Allowed => Ok(rule.unwrap_or_default()),
        Verdict::Private | Verdict::Refused => {
            let remedy = decision.remedy.map(|remedy| (remedy.option.or(remedy.policy_line), remedy.note));
            let (grant, note) = remedy.unwrap_or_default();
            // A note is a sentence of its own, not something to write into a policy.
            let reason = match (&grant, note) {
                (None, Some(note)) => format!("{} ({note})", decision.reason),
                _ => decision.reason,
            };
            Err(Refusal::Denied { reason, rule, grant })
        }
    }
}

#[cfg(test)]
mod tests;
