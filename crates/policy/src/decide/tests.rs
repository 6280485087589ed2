//! `decide` against a naive reference, and its texts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::boundary::{Backing, FileRule, Present, PrivateRoot};
use crate::glob::os_string;
use crate::host_pattern::{HostPattern, Hosts, Ports};
use crate::host_rule::HostRule;
use crate::origin::{Layer, Source};
use crate::policy::Ruled;

/// An origin of the user's own.
pub(crate) fn origin() -> Origin {
    Origin { layer: Layer::User, source: Source::File("/home/u/.config/bailiwick/policy.toml".into()), line: Some(7) }
}

pub(crate) fn rule(kind: FileRuleKind, path: &str) -> FileRule {
    FileRule { kind, path: path.into(), present: Present::Directory, written: path.to_owned(), origin: origin() }
}

/// A boundary with these rules and nothing else.
pub(crate) fn boundary(rules: Vec<FileRule>) -> Boundary {
    Boundary { rules, ..Boundary::closed("/w".into(), "/home/u".into()) }
}

pub(crate) fn private(path: &str) -> PrivateRoot {
    PrivateRoot { path: path.into(), backing: Backing::Memory, origin: origin() }
}

/// The reference: lists scanned from end to end, paths compared component by component, nothing shared with the real one.
mod naive {
    use super::*;

    pub(super) fn below(root: &Path, path: &Path) -> bool {
        let root: Vec<_> = root.components().collect();
        let path: Vec<_> = path.components().collect();
        root.len() <= path.len() && root.iter().zip(&path).all(|(a, b)| a == b)
    }

    fn depth(path: &Path) -> usize {
        path.components().count()
    }

    /// What holds where no rule does: depth, order at that depth, verdict.
    fn without_rules(b: &Boundary, path: &Path) -> Vec<(usize, u8, Verdict)> {
        let private = b.private.iter().filter(|root| below(&root.path, path));
        let private = private.map(|root| (depth(&root.path), 1, Verdict::Private));
        std::iter::once((0, 0, Verdict::Refused)).chain(private).collect()
    }

    pub(super) fn read(b: &Boundary, path: &Path) -> Verdict {
        if b.ceiling_rules.iter().any(|r| r.kind == FileRuleKind::Deny && below(&r.path, path)) {
            return Verdict::Refused;
        }
        let mut candidates = without_rules(b, path);
        for r in &b.rules {
            let (order, verdict) = match r.kind {
                FileRuleKind::Deny => (4, Verdict::Refused),
                FileRuleKind::Write => (3, Verdict::Allowed),
                FileRuleKind::Read => (2, Verdict::Allowed),
                FileRuleKind::Protect => continue,
            };
            if below(&r.path, path) {
                candidates.push((depth(&r.path), order, verdict));
            }
        }
        candidates.sort_by_key(|c| (c.0, c.1));
        let verdict = candidates.last().unwrap().2;
        match &b.ceiling_read {
            Some(list) if verdict == Verdict::Allowed && !list.iter().any(|r| below(&r.path, path)) => Verdict::Refused,
            _ => verdict,
        }
    }

    pub(super) fn write(b: &Boundary, path: &Path) -> Verdict {
        if b.ceiling_rules.iter().any(|r| below(&r.path, path)) {
            return Verdict::Refused;
        }
        let mut candidates = without_rules(b, path);
        for r in &b.rules {
            let (order, verdict) = match r.kind {
                FileRuleKind::Deny => (5, Verdict::Refused),
                FileRuleKind::Protect => (4, Verdict::Refused),
                FileRuleKind::Write => (3, Verdict::Allowed),
                FileRuleKind::Read => (2, Verdict::Refused),
            };
            if below(&r.path, path) {
                candidates.push((depth(&r.path), order, verdict));
            }
        }
        candidates.sort_by_key(|c| (c.0, c.1));
        let verdict = candidates.last().unwrap().2;
        let capped =
            |list: &Option<Vec<FileRule>>| list.as_ref().is_some_and(|list| !list.iter().any(|r| below(&r.path, path)));
        if verdict == Verdict::Allowed && (capped(&b.ceiling_write) || capped(&b.ceiling_read)) {
            return Verdict::Refused;
        }
        verdict
    }

    pub(super) fn grant(b: &Boundary, path: &Path) -> Grant {
        let index = || {
            let mut best: Option<(usize, usize)> = None;
            for (i, root) in b.private.iter().enumerate() {
                if below(&root.path, path) && best.is_none_or(|(d, _)| depth(&root.path) >= d) {
                    best = Some((depth(&root.path), i));
                }
            }
            best.unwrap().1
        };
        match (read(b, path), write(b, path)) {
            (Verdict::Private, Verdict::Refused) => Grant::PrivateProtected(index()),
            (Verdict::Private, _) => Grant::Private(index()),
            (Verdict::Allowed, Verdict::Allowed) => Grant::Write,
            (Verdict::Allowed, _) => Grant::Read,
            (Verdict::Refused, _) => {
                let mut above = path.to_path_buf();
                while above.pop() {
                    if read(b, &above) != Verdict::Refused {
                        return Grant::Denied;
                    }
                }
                Grant::Hidden
            }
        }
    }

    pub(super) fn all_paths(b: &Boundary) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = b.rules.iter().chain(&b.ceiling_rules).map(|r| r.path.clone()).collect();
        paths.extend(b.private.iter().map(|r| r.path.clone()));
        paths.extend(b.ceiling_read.iter().flatten().map(|r| r.path.clone()));
        paths.extend(b.ceiling_write.iter().flatten().map(|r| r.path.clone()));
        paths
    }

    pub(super) fn is_guarded(b: &Boundary, path: &Path) -> bool {
        let Some(parent) = path.parent() else { return false };
        matches!(grant(b, parent), Grant::Write | Grant::Private(_))
            && matches!(grant(b, path), Grant::Read | Grant::Denied | Grant::PrivateProtected(_))
    }

    pub(super) fn remove(b: &Boundary, path: &Path) -> Verdict {
        let Some(parent) = path.parent() else { return Verdict::Refused };
        if write(b, path) == Verdict::Refused || write(b, parent) == Verdict::Refused || path == b.workspace {
            return Verdict::Refused;
        }
        if grant(b, path) != grant(b, parent) {
            return Verdict::Refused;
        }
        for name in all_paths(b) {
            let strictly_above = below(path, &name) && path != name;
            if !strictly_above || !is_guarded(b, &name) {
                continue;
            }
            // Between the object and the name everything is one writable place.
            let holder = grant(b, name.parent().unwrap());
            let between = name.ancestors().skip(1).take_while(|above| below(path, above));
            if between.chain([parent]).all(|above| grant(b, above) == holder) {
                return Verdict::Refused;
            }
        }
        write(b, path)
    }
}

fn path_strategy() -> impl Strategy<Value = PathBuf> {
    // Prefix confusion (`a`, `ab`, `a.b`, `a-b`), case, blanks, bytes that are not UTF-8, line ends.
    let often: [&[u8]; 6] = [b"a", b"b", b"ab", b"A", b"a-b", b"a.b"];
    let seldom: [&[u8]; 4] = [b"a\nb", b" ", b"\xff", b"'\\"];
    let names = prop_oneof![9 => prop::sample::select(often.to_vec()), 1 => prop::sample::select(seldom.to_vec())]
        .prop_map(|name: &[u8]| os_string(name.to_vec()));
    prop::collection::vec(names, 0..5).prop_map(|names| {
        let mut path = PathBuf::from("/");
        path.extend(names);
        path
    })
}

fn kind_strategy() -> impl Strategy<Value = FileRuleKind> {
    prop_oneof![
        Just(FileRuleKind::Deny),
        Just(FileRuleKind::Protect),
        Just(FileRuleKind::Write),
        Just(FileRuleKind::Write),
        Just(FileRuleKind::Read)
    ]
}

fn rules_strategy(most: usize) -> impl Strategy<Value = Vec<FileRule>> {
    let one = (kind_strategy(), path_strategy()).prop_map(|(kind, path)| FileRule { path, ..rule(kind, "x") });
    prop::collection::vec(one, 0..most)
}

fn boundary_strategy() -> impl Strategy<Value = Boundary> {
    let roots = prop::collection::vec(path_strategy(), 0..3);
    let list = || prop_oneof![3 => Just(None), 1 => rules_strategy(4).prop_map(Some)];
    let ceiling = prop_oneof![2 => Just(Vec::new()), 1 => rules_strategy(3)];
    (rules_strategy(10), roots, ceiling, list(), list(), path_strategy()).prop_map(
        |(rules, roots, ceiling, read, write, workspace)| {
            let mut b = boundary(rules);
            b.private = roots.into_iter().map(|path| PrivateRoot { path, ..private("x") }).collect();
            b.ceiling_rules = ceiling
                .into_iter()
                .filter(|rule| matches!(rule.kind, FileRuleKind::Deny | FileRuleKind::Protect))
                .collect();
            b.ceiling_read = read;
            b.ceiling_write = write;
            b.workspace = workspace;
            b
        },
    )
}

/// Random paths, and those where something changes: every rule's path, its parent and a child.
fn targets(b: &Boundary, random: &[PathBuf]) -> Vec<PathBuf> {
    let mut targets = random.to_vec();
    for path in naive::all_paths(b) {
        targets.extend(path.parent().map(Path::to_path_buf));
        targets.push(path.join("a"));
        targets.push(path);
    }
    targets
}

fn accesses(path: &Path) -> [Access; 3] {
    [Access::Read(path.to_path_buf()), Access::Write(path.to_path_buf()), Access::Remove(path.to_path_buf())]
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decides_as_the_naive_reference(b in boundary_strategy(), random in prop::collection::vec(path_strategy(), 8)) {
        for path in targets(&b, &random) {
            prop_assert_eq!(b.decide(&Access::Read(path.clone())).verdict, naive::read(&b, &path), "read {:?}", path);
            prop_assert_eq!(b.decide(&Access::Write(path.clone())).verdict, naive::write(&b, &path), "write {:?}", path);
            prop_assert_eq!(b.decide(&Access::Remove(path.clone())).verdict, naive::remove(&b, &path), "remove {:?}", path);
            prop_assert_eq!(b.grant(&path), naive::grant(&b, &path), "grant {:?}", path);
        }
    }

    #[test]
    fn points_are_where_grants_change(b in boundary_strategy(), random in prop::collection::vec(path_strategy(), 8)) {
        let points = b.points();
        let one_by_one: Vec<_> = points.iter().map(|path| (*path, b.grant(path))).collect();
        prop_assert_eq!(b.point_grants(), one_by_one.clone());
        let (surveyed, _) = b.survey();
        prop_assert_eq!(surveyed.iter().map(|point| (point.path, point.grant)).collect::<Vec<_>>(), one_by_one);
        for point in surveyed {
            let above = point.path.parent().map_or(Grant::Hidden, |parent| b.grant(parent));
            prop_assert_eq!(point.parent_grant, above, "above {:?}", point.path);
            let ceilings = [&b.ceiling_read, &b.ceiling_write].into_iter().flatten().flatten();
            let mut rules = b.rules.iter().chain(&b.ceiling_rules).chain(ceilings).filter(|rule| rule.path == point.path);
            prop_assert_eq!(point.present, rules.next_back().map(|rule| rule.present), "{:?}", point.path);
        }
        for (index, path) in points.iter().enumerate() {
            prop_assert!(!points[index + 1..].iter().any(|later| naive::below(later, path)), "{:?} comes late", path);
        }
        for path in targets(&b, &random) {
            if let Some(parent) = path.parent() && b.grant(&path) != b.grant(parent) {
                prop_assert!(points.contains(&path.as_path()), "{:?} is no point", path);
            }
        }
    }

    #[test]
    fn guarded_names_are_what_decide_refuses(b in boundary_strategy()) {
        let guarded = b.guarded();
        for path in naive::all_paths(&b) {
            prop_assert_eq!(guarded.iter().filter(|name| name.path == path).count(), usize::from(naive::is_guarded(&b, &path)), "{:?}", path);
        }
        for name in &guarded {
            let refused = |access: &Access| b.decide(access).verdict == Verdict::Refused;
            prop_assert!(refused(&Access::Write(name.path.to_path_buf())));
            prop_assert!(refused(&Access::Remove(name.path.to_path_buf())));
            prop_assert_eq!(name.kind == FileRuleKind::Deny, refused(&Access::Read(name.path.to_path_buf())));
            prop_assert!(naive::below(name.root, name.path) && name.root != name.path);
            prop_assert_eq!(name.in_private, b.grant(name.root) != Grant::Write);
            for between in name.path.ancestors().skip(1).take_while(|above| *above != name.root) {
                prop_assert!(refused(&Access::Remove(between.to_path_buf())), "{:?} may be moved", between);
                prop_assert!(!refused(&Access::Write(between.to_path_buf())), "{:?} is not writable", between);
            }
        }
    }

    #[test]
    fn what_narrows_never_widens(
        b in boundary_strategy(),
        more in rules_strategy(6),
        random in prop::collection::vec(path_strategy(), 8),
    ) {
        let mut narrowed = b.clone();
        narrowed.rules.extend(more.iter().filter(|rule| rule.kind <= FileRuleKind::Protect).cloned());
        let mut protected = b.clone();
        protected.rules.extend(more.iter().filter(|rule| rule.kind == FileRuleKind::Protect).cloned());
        for path in targets(&narrowed, &random) {
            for access in accesses(&path) {
                let before = b.decide(&access).verdict;
                if before == Verdict::Refused {
                    prop_assert_eq!(narrowed.decide(&access).verdict, before, "{:?}", access);
                }
            }
            let read = Access::Read(path.clone());
            prop_assert_eq!(protected.decide(&read), b.decide(&read), "protect took part in reading {:?}", path);
        }
    }

    #[test]
    fn an_offered_option_changes_the_verdict(b in boundary_strategy(), random in prop::collection::vec(path_strategy(), 8)) {
        for path in targets(&b, &random) {
            for access in accesses(&path) {
                let decision = b.decide(&access);
                let is_private = decision.verdict == Verdict::Private;
                let is_expected = decision.verdict == Verdict::Refused || is_private && !matches!(access, Access::Remove(_));
                prop_assert_eq!(decision.remedy.is_some(), is_expected);
                let Some(remedy) = decision.remedy else { continue };
                let Some(option) = remedy.option else {
                    prop_assert!(remedy.note.is_some());
                    continue;
                };
                let (kind, word) = match option.strip_prefix("--read ") {
                    Some(word) => (FileRuleKind::Read, word),
                    None => (FileRuleKind::Write, option.strip_prefix("--write ").unwrap()),
                };
                let granted = shell_unquote(word);
                let mut wider = b.clone();
                wider.rules.push(FileRule { path: granted.into(), ..rule(kind, "x") });
                let after = wider.decide(&access).verdict;
                prop_assert_ne!(after, Verdict::Refused, "{} for {:?}", option, access);
                if is_private {
                    prop_assert_eq!(after, Verdict::Allowed, "{} for {:?}", option, access);
                }
            }
        }
    }
}

/// Undoes the quoting of an option, as a shell would.
fn shell_unquote(word: &str) -> OsString {
    let Some(rest) = word.strip_prefix("$'") else {
        return word.trim_matches('\'').replace(r"'\''", "'").into();
    };
    let mut bytes = Vec::new();
    let mut rest = rest.strip_suffix('\'').unwrap().bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        match (byte, byte == b'\\') {
            (_, true) => match rest.next().unwrap() {
                b'x' => bytes.push(hex(rest.next().unwrap()) * 16 + hex(rest.next().unwrap())),
                other => bytes.push(other),
            },
            (other, false) => bytes.push(other),
        }
    }
    os_string(bytes)
}

#[test]
fn separators_at_the_end_and_doubled_change_nothing() {
    let b = boundary(vec![rule(FileRuleKind::Write, "/w"), rule(FileRuleKind::Deny, "/w/.env")]);
    for path in ["/w/.env", "/w/.env/", "/w//.env", "/w/./.env", "//w/.env"] {
        assert_eq!(b.decide(&Access::Read(path.into())).verdict, Verdict::Refused, "{path}");
        assert_eq!(b.grant(Path::new(path)), Grant::Denied, "{path}");
    }
    for path in ["/w/.envx", "/w/.ENV", "/w/.en"] {
        assert_eq!(b.decide(&Access::Read(path.into())).verdict, Verdict::Allowed, "{path}");
    }
}

#[test]
fn what_is_not_canonical_is_refused() {
    let b = boundary(vec![rule(FileRuleKind::Write, "/")]);
    for path in ["a", "", "/w/../etc", ".."] {
        let decision = b.decide(&Access::Read(path.into()));
        assert_eq!(decision.verdict, Verdict::Refused, "{path}");
        assert_eq!(b.grant(Path::new(path)), Grant::Hidden, "{path}");
    }
}

#[test]
fn moving_an_ancestor_of_a_protected_name_says_why() {
    let b = boundary(vec![rule(FileRuleKind::Write, "/w"), rule(FileRuleKind::Protect, "/w/.git/config")]);
    assert_eq!(b.decide(&Access::Write("/w/.git".into())).verdict, Verdict::Allowed);
    let decision = b.decide(&Access::Remove("/w/.git".into()));
    insta::assert_snapshot!(decision.reason, @"`.git` cannot be moved, replaced or removed: it contains the protected name `.git/config`");
    let root = b.decide(&Access::Remove("/w".into()));
    assert_eq!(root.verdict, Verdict::Refused);
    assert_eq!(b.decide(&Access::Remove("/w/src".into())).verdict, Verdict::Allowed);
}

#[test]
fn remedies_name_the_rule_where_no_option_helps() {
    let mut b = boundary(vec![rule(FileRuleKind::Write, "/w"), rule(FileRuleKind::Deny, "/w/.env")]);
    let denied = b.decide(&Access::Read("/w/.env".into())).remedy.unwrap();
    assert_eq!(denied.option, None);
    insta::assert_snapshot!(denied.note.unwrap(), @r#"remove the rule `deny = "/w/.env"` (/home/u/.config/bailiwick/policy.toml:7); a name below `.env` can be granted by itself (`--read`)"#);
    let outside = b.decide(&Access::Read("/opt/my sdk".into())).remedy.unwrap();
    assert_eq!(outside.option.unwrap(), "--read '/opt/my sdk'");
    assert_eq!(outside.policy_line.unwrap(), r#"[files] read = ["/opt/my sdk"]"#);
    b.ceiling_read = Some(vec![rule(FileRuleKind::Read, "/w")]);
    let capped = b.decide(&Access::Read("/opt/my sdk".into())).remedy.unwrap();
    assert_eq!((capped.option, capped.policy_line), (None, None));
    assert!(capped.note.unwrap().contains("administrator"));
}

#[test]
fn what_is_the_insides_own_names_the_grant_of_the_hosts() {
    let mut b = boundary(vec![rule(FileRuleKind::Protect, "/home/u/.bashrc")]);
    b.private = vec![private("/home/u")];
    let key = || PathBuf::from("/home/u/.ssh/id_rsa");
    let read = b.decide(&Access::Read(key()));
    insta::assert_snapshot!(read.reason, @"`/home/u/.ssh/id_rsa` is the inside's own: below `/home/u` it has a private directory; the real one, on the host, is neither read nor changed");
    assert_eq!(
        (read.verdict, read.remedy.unwrap().option.unwrap()),
        (Verdict::Private, "--read /home/u/.ssh/id_rsa".to_owned())
    );
    let write = b.decide(&Access::Write(key())).remedy.unwrap();
    assert_eq!(write.policy_line.unwrap(), r#"[files] write = ["/home/u/.ssh/id_rsa"]"#);
    assert_eq!(b.decide(&Access::Remove(key())).remedy, None);
    let home = b.decide(&Access::Read("/home/u".into())).remedy.unwrap();
    assert_eq!(home.option, None);
    insta::assert_snapshot!(home.note.unwrap(), @"grant what is needed below `/home/u`, not the whole of it");
    b.ceiling_read = Some(Vec::new());
    let capped = b.decide(&Access::Read(key()));
    assert_eq!(capped.verdict, Verdict::Private);
    insta::assert_snapshot!(capped.remedy.unwrap().note.unwrap(), @"no option changes this: ask the administrator");
}

#[test]
fn hostile_names_reach_no_terminal() {
    let b = boundary(vec![]);
    let decision = b.decide(&Access::Read("/w/\u{1b}]0;x\u{7}\u{202e}\n".into()));
    let json = serde_json::to_string(&decision).unwrap();
    let remedy = decision.remedy.unwrap();
    for text in [decision.reason, remedy.option.unwrap(), remedy.policy_line.unwrap(), json] {
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
}

fn pattern(hosts: Hosts, ports: Ports) -> Ruled<HostPattern> {
    Ruled { value: HostPattern { hosts, ports }, origin: origin() }
}

fn allow(hosts: Hosts, ports: Ports) -> Ruled<HostRule> {
    Ruled { value: HostRule::plain(HostPattern { hosts, ports }), origin: origin() }
}

fn connect(b: &Boundary, host: &str, port: u16) -> Decision {
    b.decide(&Access::Connect { host: host.to_owned(), port })
}

#[test]
fn hosts_need_an_allow_and_no_deny_and_the_ceiling() {
    let mut b = boundary(vec![]);
    let off = connect(&b, "example.org", 443);
    insta::assert_snapshot!(off.reason, @"the network is off, so `example.org` port 443 cannot be reached");
    assert_eq!(off.remedy.unwrap().option.unwrap(), "--allow-host example.org");

    b.network.allow = vec![allow(Hosts::AtAndBelow("example.org".into()), Ports::Web)];
    assert_eq!(connect(&b, "a.example.org", 80).verdict, Verdict::Allowed);
    let port = connect(&b, "a.example.org", 22);
    assert_eq!(port.remedy.unwrap().option.unwrap(), "--allow-host a.example.org:22");
    assert_eq!(connect(&b, "192.0.2.1", 443).verdict, Verdict::Refused);

    b.network.deny = vec![pattern(Hosts::Name("bad.example.org".into()), Ports::Web)];
    b.network.allow.push(allow(Hosts::Name("bad.example.org".into()), Ports::One(22)));
    assert_eq!(connect(&b, "bad.example.org", 22).verdict, Verdict::Refused, "no port in `deny` is every port");
    let denied = connect(&b, "bad.example.org", 443);
    assert_eq!(denied.verdict, Verdict::Refused);
    assert_eq!(denied.remedy.unwrap().option, None);

    b.network.ceiling = Some(vec![allow(Hosts::Name("a.example.org".into()), Ports::Web)]);
    assert_eq!(connect(&b, "a.example.org", 443).verdict, Verdict::Allowed);
    let capped = connect(&b, "b.example.org", 443);
    assert_eq!(capped.verdict, Verdict::Refused);
    assert_eq!(capped.remedy.unwrap().option, None);
}

#[test]
fn addresses_are_offered_in_brackets_and_non_names_not_at_all() {
    let b = boundary(vec![]);
    assert_eq!(connect(&b, "::1", 8080).remedy.unwrap().option.unwrap(), "--allow-host '[::1]:8080'");
    for host in ["", "-x", "a b", "a;b", "A", "a\0b"] {
        assert_eq!(connect(&b, host, 443).remedy.unwrap().option, None, "{host:?}");
    }
}

#[test]
fn a_socket_is_reached_only_by_its_listed_path() {
    let mut b = boundary(vec![rule(FileRuleKind::Write, "/w")]);
    b.network.sockets = vec![Ruled { value: "/run/db.sock".into(), origin: origin() }];
    let socket = |b: &Boundary, path: &str| b.decide(&Access::Socket(path.into())).verdict;
    assert_eq!(socket(&b, "/run/db.sock"), Verdict::Allowed);
    assert_eq!(socket(&b, "/run/db.sock2"), Verdict::Refused);
    assert_eq!(socket(&b, "/run"), Verdict::Refused);
    b.rules.push(rule(FileRuleKind::Deny, "/run/db.sock"));
    assert_eq!(socket(&b, "/run/db.sock"), Verdict::Refused);
    b.rules.pop();
    b.ceiling_rules.push(rule(FileRuleKind::Deny, "/run"));
    assert_eq!(socket(&b, "/run/db.sock"), Verdict::Refused);
}
