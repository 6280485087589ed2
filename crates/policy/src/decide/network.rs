//! Decisions about hosts and requests.
//!
//! `deny` wins. Of `allow`, what one rule or another allows is allowed, and the administrator's list has to allow it too.
//! How a connection is carried errs to the other side: one rule that says `inspect` is enough, above or below the ceiling.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::IpAddr;

use super::{DecidingRule, Decision, Remedy, Verdict, words};
use crate::address::{self, Special};
use crate::boundary::{Handling, Network};
use crate::credential::Credential;
use crate::host_pattern::{Host, HostPattern, Hosts};
use crate::host_rule::HostRule;
use crate::origin::Layer;
use crate::policy::Ruled;
use crate::request_pattern::Asked;
use crate::text::escape;

const ASK: &str = "no option changes this: ask the administrator";

impl Network {
    /// May the inside connect to this name or address on this TCP port?
    ///
    /// A host of which only some requests are allowed may be connected to; each request is decided by
    /// [`request`](Self::request). Whether a host's address may be dialled is another question:
    /// see [`lists_address`](Self::lists_address) and [`denies_address`](Self::denies_address).
    pub fn connect(&self, host: &str, port: u16) -> Decision {
        self.connect_to(host, port, &format!("`{}` port {port}", escape(OsStr::new(host))))
    }

    /// [`connect`](Self::connect) with the words for the target.
    fn connect_to(&self, host: &str, port: u16, target: &str) -> Decision {
        if let Some(denied) = self.denied_as(host, port, target) {
            return denied;
        }
        let capped = self.ceiling.as_deref().is_some_and(|most| covering(most, host, port).next().is_none());
        // A rule for all of the host, where there is one, says more than one for some requests.
        let whole = covering(&self.allow, host, port).find(|rule| rule.value.requests.is_none());
        let allow = whole.or_else(|| covering(&self.allow, host, port).next());
        if capped {
            let reason = format!("{target} is outside what the administrator lets be reached");
            return refuse(reason, allow.map(allow_rule), only_note(ASK.to_owned()));
        }
        if let (Some(rule), Some(special)) = (allow, self.special(host, port)) {
            let way_out = format!("`addresses = [...]` on a rule, or a rule about the address itself, lists {special}");
            let reason = format!("{target} is {special}, which has to be listed as such");
            return refuse(reason, Some(allow_rule(rule)), only_note(way_out));
        }
        match allow {
            Some(rule) => Decision {
                verdict: Verdict::Allowed,
                reason: match whole {
                    Some(_) => format!("{target} may be reached"),
                    None => format!(
                        "{target} may be reached, for the requests that its rules name; each is decided by itself"
                    ),
                },
                rule: Some(allow_rule(rule)),
                remedy: None,
            },
            None if self.allow.is_empty() => {
                refuse(format!("the network is off, so {target} cannot be reached"), None, grant(host, port))
            }
            None => refuse(format!("{target} is not among the allowed hosts"), None, grant(host, port)),
        }
    }

    /// What keeps an address that was asked for as such from being dialled, though a rule covers it: it is of a special kind, and
    /// no rule lists it. That an address is this machine's own is found out when it is dialled.
    fn special(&self, host: &str, port: u16) -> Option<Special> {
        let Ok(Host::Address(address)) = Host::parse(host) else { return None };
        let listed = |reading| self.lists_address(host, port, reading);
        address::check(address, &[], listed, |_| false).err().and_then(|(_, special)| special)
    }

    /// Does a rule of `deny` speak about this name and port? To be asked about a name that an allowed one turned out to stand for: a
    /// short name that the host's search list completes. Then it must not be dialled.
    pub fn denied(&self, host: &str, port: u16) -> Option<Decision> {
        self.denied_as(host, port, &format!("`{}` port {port}", escape(OsStr::new(host))))
    }

    fn denied_as(&self, host: &str, port: u16, target: &str) -> Option<Decision> {
        let rule = self.deny.iter().find(|rule| rule.value.denies(host, port))?;
        Some(denied(format!("{target} is denied"), rule))
    }

    /// May this name be looked up: may it be connected to on some port?
    pub fn resolve(&self, host: &str) -> Decision {
        let target = format!("`{}`", escape(OsStr::new(host)));
        let about = |rule: &Ruled<HostRule>| {
            rule.value.pattern.ports().filter(|port| rule.value.matches(host, *port)).collect::<Vec<_>>()
        };
        let ports: BTreeSet<u16> = self.allow.iter().flat_map(about).collect();
        let mut refused = None;
        for port in ports {
            let decision = self.connect_to(host, port, &target);
            if decision.verdict == Verdict::Allowed {
                return decision;
            }
            refused.get_or_insert(decision);
        }
        refused.unwrap_or_else(|| self.connect_to(host, 443, &target))
    }

    /// May the inside make this request? The decision about the connection is part of it.
    ///
    /// `path` is the request target as sent: it starts with `/`, and a query takes no part.
    pub fn request(&self, host: &str, port: u16, method: &str, path: &str) -> Decision {
        let reached = self.connect(host, port);
        if reached.verdict != Verdict::Allowed {
            return reached;
        }
        let asked = Asked::new(method, path);
        let shown = path.split_once('?').map_or(path, |(path, _)| path);
        let [shown_method, shown, shown_host] = [method, shown, host].map(brief);
        let target = format!("`{shown_method} {shown}` at `{shown_host}` port {port}");
        let fitting = |list| covering(list, host, port).find(|rule| rule.value.allows(&asked));
        let in_doubt = |list: &[Ruled<HostRule>]| {
            covering(list, host, port)
                .any(|rule| rule.value.requests.as_ref().is_some_and(|requests| requests.is_in_doubt(&asked)))
        };
        let doubt = |why: &crate::request_pattern::PathDoubt| {
            let note = format!("{why}; only a rule for every path of the host (`/**`) allows such a path");
            refuse(format!("the path of {target} could be read in two ways"), None, only_note(note))
        };
        let Some(rule) = fitting(&self.allow) else {
            if let Err(why) = &asked.path
                && in_doubt(&self.allow)
            {
                return doubt(why);
            }
            return refuse(
                format!("{target} is not among the allowed requests"),
                None,
                grant_request(host, port, &asked),
            );
        };
        if let Some(most) = self.ceiling.as_deref()
            && fitting(most).is_none()
        {
            if let Err(why) = &asked.path
                && in_doubt(most)
            {
                return doubt(why);
            }
            let reason = format!("{target} is outside what the administrator lets be asked");
            return refuse(reason, Some(allow_rule(rule)), only_note(ASK.to_owned()));
        }
        let reason = format!("{target} is allowed");
        Decision { verdict: Verdict::Allowed, reason, rule: Some(allow_rule(rule)), remedy: None }
    }

    /// Does the method or the path of a request to this host and port decide: is there no rule for every request, here or in
    /// the administrator's list?
    pub fn limits_requests(&self, host: &str, port: u16) -> bool {
        let has_whole = |list: &[Ruled<HostRule>]| covering(list, host, port).any(|rule| rule.value.requests.is_none());
        !has_whole(&self.allow) || self.ceiling.as_deref().is_some_and(|most| !has_whole(most))
    }

    /// How a connection to this host and port is carried, if [`connect`](Self::connect) allows it.
    ///
    /// It is inspected as soon as one rule about it says so, and opaque only if a rule says so, none says `inspect`, and the
    /// administrator's list, where there is one, says `opaque` as well.
    pub fn handling(&self, host: &str, port: u16) -> Handling {
        let says = |list: &[Ruled<HostRule>], what: fn(&HostRule) -> bool| {
            covering(list, host, port).any(|rule| what(&rule.value))
        };
        let most = self.ceiling.as_deref();
        let inspect =
            says(&self.allow, |rule| rule.inspect) || most.is_some_and(|most| says(most, |rule| rule.inspect));
        let opaque = says(&self.allow, |rule| rule.opaque) && most.is_none_or(|most| says(most, |rule| rule.opaque));
        Handling { opaque: opaque && !inspect, inspect }
    }

    /// May this host have an address of a private or other special network? Only if the policy lists the address: in
    /// `addresses` of a rule for the host, or by a rule about the address itself. A bare `*` lists none.
    pub fn lists_address(&self, host: &str, port: u16, address: IpAddr) -> bool {
        let listed = |list: &[Ruled<HostRule>]| {
            let of_host =
                covering(list, host, port).any(|rule| rule.value.addresses.iter().any(|range| range.contains(address)));
            of_host || list.iter().any(|rule| names_address(&rule.value.pattern, address, port))
        };
        listed(&self.allow) && self.ceiling.as_deref().is_none_or(listed) && !self.denies_address(address, port)
    }

    /// Does a `deny` rule by address or range hold for an address that is about to be dialled, whatever name led to it?
    pub fn denies_address(&self, address: IpAddr, port: u16) -> bool {
        self.deny.iter().any(|rule| rule.value.denies_address(address, port))
    }

    /// Every port that some rule of `allow` names.
    pub fn ports(&self) -> BTreeSet<u16> {
        self.allow.iter().flat_map(|rule| rule.value.pattern.ports()).collect()
    }

    /// The credentials for this host and port, at most one for each header: the last one written. Never any for port 80.
    ///
    /// They belong into allowed requests of inspected TLS connections only.
    pub fn credentials_for(&self, host: &str, port: u16) -> impl Iterator<Item = &Ruled<Credential>> {
        let mut found: Vec<&Ruled<Credential>> = Vec::new();
        for credential in self.credentials.iter().filter(|credential| credential.value.is_for(host, port)) {
            found.retain(|earlier| earlier.value.header != credential.value.header);
            found.push(credential);
        }
        found.into_iter()
    }
}

/// The longest text of a request in a sentence, in bytes. The inside chooses it, and every refusal is written into the report.
const LONGEST_SHOWN: usize = 300;

/// The text escaped, or the start of it.
fn brief(text: &str) -> String {
    match text.char_indices().find(|(at, _)| *at > LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", escape(OsStr::new(text.get(..end).unwrap_or_default()))),
        None => escape(OsStr::new(text)),
    }
}

/// The rules of the list about this host and port.
fn covering<'a>(list: &'a [Ruled<HostRule>], host: &str, port: u16) -> impl Iterator<Item = &'a Ruled<HostRule>> {
    list.iter().filter(move |rule| rule.value.matches(host, port))
}

/// Whether the pattern itself is about this address.
fn names_address(pattern: &HostPattern, address: IpAddr, port: u16) -> bool {
    let is_address = matches!(pattern.hosts, Hosts::Address(_) | Hosts::Range(_));
    is_address && pattern.matches(&address.to_string(), port)
}

fn denied(reason: String, rule: &Ruled<HostPattern>) -> Decision {
    let deciding = host_rule("deny", &words::toml_string(&rule.value.to_string()), rule);
    let note = match rule.origin.layer {
        Layer::Administrator => ASK.to_owned(),
        _ => format!("remove the rule `{}` ({})", deciding.text, rule.origin),
    };
    refuse(reason, Some(deciding), only_note(note))
}

pub(super) fn refuse(reason: String, rule: Option<DecidingRule>, remedy: Option<Remedy>) -> Decision {
    Decision { verdict: Verdict::Refused, rule, reason, remedy }
}

pub(super) fn only_note(note: String) -> Option<Remedy> {
    Some(Remedy { option: None, policy_line: None, note: Some(note) })
}

/// The host and port as a pattern; `None` where the text is no host, and so can never match.
fn pattern_for(host: &str, port: u16) -> Option<HostPattern> {
    let bare = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    // 80 and 443 are what a pattern without a port means.
    let text = if port == 80 || port == 443 { bare } else { format!("{bare}:{port}") };
    let pattern = HostPattern::parse(&text).ok()?;
    // Canonical already, as `Access` says: another spelling is not what would be asked for again.
    (pattern.to_string() == text && matches!(pattern.hosts, Hosts::Name(_) | Hosts::Address(_))).then_some(pattern)
}

/// The option and the policy line that allow a host.
fn grant(host: &str, port: u16) -> Option<Remedy> {
    let Some(pattern) = pattern_for(host, port) else {
        return only_note("this is not a host name, so no rule can allow it".to_owned());
    };
    let text = pattern.to_string();
    Some(Remedy {
        option: Some(format!("--allow-host {}", words::shell_word(OsStr::new(&text)))),
        policy_line: Some(format!("[network] allow = [{}]", words::toml_string(&text))),
        note: None,
    })
}

/// What allows one request of a host that is allowed for others. An option can say it only where nothing has to be opened.
fn grant_request(host: &str, port: u16, asked: &Asked<'_>) -> Option<Remedy> {
    let Some(pattern) = pattern_for(host, port) else {
        return only_note("this is not a host name, so no rule can allow it".to_owned());
    };
    let pattern =
        if port == 80 { HostPattern { ports: crate::host_pattern::Ports::One(80), ..pattern } } else { pattern };
    let path = match &asked.path {
        Ok(path) => path.to_string(),
        Err(_) => String::new(),
    };
    let rule = HostRule::read(&format!("{} {pattern}{path}", asked.method));
    let Ok(rule) = rule.and_then(|rule| HostRule { inspect: port != 80, ..rule }.check()) else {
        return only_note("this is not a request that a rule could name".to_owned());
    };
    let text = rule.to_string();
    let option = (!rule.inspect).then(|| format!("--allow-host {}", words::shell_word(OsStr::new(&text))));
    Some(Remedy { option, policy_line: Some(format!("[network] allow = [{}]", rule_value(&rule))), note: None })
}

fn allow_rule(rule: &Ruled<HostRule>) -> DecidingRule {
    host_rule("allow", &rule_value(&rule.value), rule)
}

/// The rule as a TOML value.
fn rule_value(rule: &HostRule) -> String {
    let text = rule.to_string();
    // A table holds nothing but what was read strictly, so it needs no escapes.
    if text.starts_with('{') { text } else { words::toml_string(&text) }
}

fn host_rule<T>(key: &str, value: &str, rule: &Ruled<T>) -> DecidingRule {
    DecidingRule { text: format!("{key} = {value}"), origin: rule.origin.clone() }
}

#[cfg(test)]
mod tests;
