//! One document laid over what is merged so far.

use crate::document::Document;
use crate::keys::{Key, KeyInfo, Untrusted};
use crate::origin::Origin;
use crate::policy::{Limits, Notice, NoticeKind, Policy, Ruled};

/// Lays a document over the policy that may say whatever it wants.
pub(super) fn all(policy: &mut Policy, document: Document) {
    let Document { files, network, environment, limits, mode, isolation, .. } = document;
    for list in [files.read, files.write, files.deny, files.protect] {
        policy.files.extend(list.into_iter().flatten());
    }
    later(&mut policy.search_limit, files.search_limit);
    policy.network.allow.extend(network.allow.into_iter().flatten());
    policy.network.deny.extend(network.deny.into_iter().flatten());
    policy.network.sockets.extend(network.sockets.into_iter().flatten());
    policy.network.credentials.extend(network.credentials.into_iter().flatten());
    if network.offline.is_some() {
        policy.network.allow.clear();
    }
    policy.environment.pass.extend(environment.pass.into_iter().flatten());
    policy.environment.set.extend(environment.set.into_iter().flatten());
    later(&mut policy.limits.time, limits.time);
    later(&mut policy.limits.memory, limits.memory);
    later(&mut policy.limits.processes, limits.processes);
    later(&mut policy.limits.file_size, limits.file_size);
    later(&mut policy.limits.open_files, limits.open_files);
    later(&mut policy.workspace_mode, mode);
    later(&mut policy.isolation.tier, isolation.tier);
    policy.isolation.accept.extend(isolation.accept.into_iter().flatten());
    later(&mut policy.isolation.trace, isolation.trace);
    later(&mut policy.isolation.nested_namespaces, isolation.nested_namespaces);
}

/// Lays the document of a workspace over the policy that the user has vouched for: all of it counts but the credentials.
pub(super) fn trusted(policy: &mut Policy, mut document: Document) {
    if let Some(Written { origin, .. }) = written(&document, Key::Credentials) {
        policy.notices.push(never_read(Key::Credentials.info(), origin));
    }
    document.network.credentials = None;
    all(policy, document);
}

/// Lays the document of a workspace over the policy that nobody has vouched for: what it takes away counts, what it would
/// give does not.
pub(super) fn narrowing(policy: &mut Policy, document: Document) {
    ignore(policy, &document);
    let Document { files, network, limits, .. } = document;
    policy.files.extend(files.deny.into_iter().flatten());
    policy.files.extend(files.protect.into_iter().flatten());
    policy.network.deny.extend(network.deny.into_iter().flatten());
    let Limits { time, memory, processes, file_size, open_files } = limits;
    let Policy { limits, notices, .. } = policy;
    tighter(notices, Key::Time, &mut limits.time, time);
    tighter(notices, Key::Memory, &mut limits.memory, memory);
    tighter(notices, Key::Processes, &mut limits.processes, processes);
    tighter(notices, Key::FileSize, &mut limits.file_size, file_size);
    tighter(notices, Key::OpenFiles, &mut limits.open_files, open_files);
}

fn later<T>(value: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *value = later;
    }
}

fn tighter<T: PartialOrd>(notices: &mut Vec<Notice>, key: Key, value: &mut Option<Ruled<T>>, theirs: Option<Ruled<T>>) {
    let Some(theirs) = theirs else { return };
    match value {
        Some(mine) if theirs.value > mine.value => notices.push(ignored(key.info(), None, theirs.origin)),
        _ => *value = Some(theirs),
    }
}

/// Says which keys of an untrusted document are ignored: one notice for each key, however many rules it holds.
fn ignore(policy: &mut Policy, document: &Document) {
    for info in &crate::keys::KEYS {
        if info.untrusted == Untrusted::Ignored
            && let Some(Written { rules, origin }) = written(document, info.key)
        {
            policy.notices.push(ignored(info, rules, origin));
        }
        if info.untrusted == Untrusted::Never
            && let Some(Written { origin, .. }) = written(document, info.key)
        {
            policy.notices.push(never_read(info, origin));
        }
    }
}

fn ignored(info: &KeyInfo, rules: Option<usize>, origin: Origin) -> Notice {
    let count = match rules {
        None => String::new(),
        Some(1) => " (1 rule)".to_owned(),
        Some(count) => format!(" ({count} rules)"),
    };
    let why = match info.untrusted {
        Untrusted::AppliesIfTighter => "it is looser than what holds already, and",
        Untrusted::Applies | Untrusted::Ignored | Untrusted::Never => "",
    };
    let text = format!(
        "`{}`{count} is ignored:{}{why} nobody has trusted this workspace's own policy; read it and accept it with `bailiwick trust`",
        info.full_name(),
        if why.is_empty() { "" } else { " " },
    );
    Notice { kind: NoticeKind::IgnoredUntrusted, text, origin: Some(origin) }
}

/// What a repository says there never counts: it would choose a program that runs outside, or where a secret goes.
fn never_read(info: &KeyInfo, origin: Origin) -> Notice {
    let text = format!(
        "`{}` is ignored: credentials are never read from a workspace's own policy, trusted or not; write them in your own",
        info.full_name()
    );
    Notice { kind: NoticeKind::IgnoredProject, text, origin: Some(origin) }
}

/// How much a document says under a key that is ignored where it is not trusted.
struct Written {
    /// The length of a list.
    rules: Option<usize>,
    /// The place of its first rule.
    origin: Origin,
}

fn written(document: &Document, key: Key) -> Option<Written> {
    fn list<T>(list: Option<&Vec<T>>, origin: fn(&T) -> &Origin) -> Option<Written> {
        let list = list?;
        Some(Written { rules: Some(list.len()), origin: origin(list.first()?).clone() })
    }
    fn one<T>(value: Option<&Ruled<T>>) -> Option<Written> {
        Some(Written { rules: None, origin: value?.origin.clone() })
    }
    let Document { files, network, environment, isolation, .. } = document;
    match key {
        Key::Extends => list(document.extends.as_ref(), |rule| &rule.origin),
        Key::Read => list(files.read.as_ref(), |rule| &rule.origin),
        Key::Write => list(files.write.as_ref(), |rule| &rule.origin),
        Key::SearchLimit => one(files.search_limit.as_ref()),
        Key::AllowHosts => list(network.allow.as_ref(), |rule| &rule.origin),
        Key::Credentials => list(network.credentials.as_ref(), |rule| &rule.origin),
        Key::Sockets => list(network.sockets.as_ref(), |rule| &rule.origin),
        Key::Pass => list(environment.pass.as_ref(), |rule| &rule.origin),
        Key::Set => list(environment.set.as_ref(), |rule| &rule.origin),
        Key::Mode => one(document.mode.as_ref()),
        Key::Tier => one(isolation.tier.as_ref()),
        Key::Accept => list(isolation.accept.as_ref(), |rule| &rule.origin),
        Key::Trace => one(isolation.trace.as_ref()),
        Key::NestedNamespaces => one(isolation.nested_namespaces.as_ref()),
        // These take effect, the limits if they are tighter.
        Key::Deny | Key::Protect | Key::DenyHosts => None,
        Key::Time | Key::Memory | Key::Processes | Key::FileSize | Key::OpenFiles => None,
    }
}
