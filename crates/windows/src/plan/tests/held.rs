//! Plans held against `decide`: the planned entries, inherited as Windows does it and judged by the access check, allow nothing
//! that the boundary does not allow.

use std::collections::BTreeSet;

use bailiwick_policy::decide::Verdict;
use bailiwick_policy::document::Document;
use bailiwick_policy::origin::{Layer, Source};
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::token::Token;
use bailiwick_winsec::{AccessMask, Ace, AceFlags, Acl, AclField, Request, SecurityDescriptor, check};
use proptest::prelude::*;

use super::*;
use crate::facts::{Object, ObjectKind};
use crate::target::{Asked, Verb};

/// Every directory of two letters, three deep, below these.
const ROOTS: [&str; 2] = [r"D:\w", r"D:\out"];

fn tree() -> Vec<WindowsPath> {
    let mut paths = Vec::new();
    for root in ROOTS {
        let mut level = vec![WindowsPath::parse(root).unwrap()];
        for _ in 0..3 {
            paths.extend(level.iter().cloned());
            level = level.iter().flat_map(|path| ["a", "b"].map(|name| path.join(name).unwrap())).collect();
        }
    }
    paths
}

/// The machine with two drives, with the tree on the second one.
fn facts() -> Facts {
    let (mut facts, _) = machine("several-drives");
    let user = facts.user.sid;
    let text = format!(
        "O:{user}G:{user}D:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;{user})(A;OICIID;0x1200a9;;;BU)(A;OICIID;0x1301bf;;;AU)"
    );
    let descriptor = sddl::parse(&text, &Domains::NONE).unwrap();
    for path in tree() {
        let descriptor = descriptor.clone();
        facts.objects.push(Object { path, kind: ObjectKind::Directory, owner: user, descriptor, links: 1 });
    }
    facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    facts
}

fn target(facts: &Facts, tier: Tier, rules: &[(usize, WindowsPath)]) -> Target {
    let mut lists: [Vec<String>; 4] = Default::default();
    for (kind, path) in rules {
        lists[*kind].push(format!("\"{}\"", path.to_string().replace('\\', "/")));
    }
    let [read, write, deny, protect] = lists.map(|list| list.join(", "));
    let text = format!("[files]\nread = [{read}]\nwrite = [{write}]\ndeny = [{deny}]\nprotect = [{protect}]");
    let user = Document::parse(&text, Source::File("policy.toml".into()), Layer::User).unwrap();
    let policy = crate::profile::policy("workspace", tier, Some(user), None).unwrap().unwrap();
    let workspace = WindowsPath::parse(r"D:\w").unwrap();
    Target::resolve(&policy, facts, &Asked { current_dir: workspace.clone(), workspace, tier }).unwrap()
}

/// The descriptor that a place has once every stamp is written and inherited.
fn descriptor(plan: &Plan, facts: &Facts, path: &WindowsPath) -> SecurityDescriptor {
    let mut ways: Vec<WindowsPath> = path.ancestors().collect();
    ways.reverse();
    ways.push(path.clone());
    let ours: BTreeSet<String> = plan
        .stamps
        .iter()
        .filter(|stamp| stamp.purpose != Purpose::TakeAway)
        .flat_map(|stamp| &stamp.entries)
        .map(|ace| ace.sid.to_string())
        .collect();
    let mut inherited: Vec<KnownAce> = Vec::new();
    let mut here = Vec::new();
    for way in ways {
        let own: Vec<&Stamp> = plan.stamps.iter().filter(|stamp| stamp.path == way).collect();
        if own.iter().any(|stamp| stamp.inheritance == Inheritance::BreakWithoutOurs) {
            inherited.retain(|ace| !ours.contains(&ace.sid.to_string()));
        }
        let mut explicit: Vec<KnownAce> = own.iter().flat_map(|stamp| stamp.entries.clone()).collect();
        if way.is_root() {
            let root = facts.object(&way).unwrap().descriptor.dacl.acl().unwrap();
            explicit.extend(root.aces.iter().filter_map(Ace::as_known).copied());
            // As in a profile: the user has full control of everything below, deleting children included.
            explicit.push(rights::allow(facts.user.sid, rights::ALL, rights::Reach::Below));
        }
        // Refusals of an object's own come first, then what it allows, then what it inherits, the nearest first.
        explicit.sort_by_key(|ace| ace.kind != bailiwick_winsec::AceKind::Deny);
        here = explicit.iter().chain(&inherited).copied().collect();
        let below = here.iter().filter(|ace| ace.flags.intersects(AceFlags::INHERIT_ALL));
        inherited = below.map(|ace| KnownAce { flags: ace.flags.without(AceFlags::INHERIT_ONLY), ..*ace }).collect();
    }
    let aces = here.into_iter().map(Ace::Known).collect();
    let mut descriptor = SecurityDescriptor::new(facts.user.sid, facts.user.sid, Acl::new(aces));
    // The inside is not the owner of what was there before.
    descriptor.owner = Some(Sid::SYSTEM);
    assert!(matches!(descriptor.dacl, AclField::Present(_)));
    descriptor
}

fn rules() -> impl Strategy<Value = Vec<(usize, WindowsPath)>> {
    let tree = tree();
    let places = tree.len();
    prop::collection::vec((0..4usize, 0..places), 0..7)
        .prop_map(move |rules| rules.into_iter().map(|(kind, place)| (kind, tree[place].clone())).collect())
}

fn granted(token: &Token, descriptor: &SecurityDescriptor, desired: AccessMask) -> bool {
    check(token, descriptor, Request::file(desired)).is_granted()
}

/// Single rights that change something.
const CHANGES: [AccessMask; 7] = [
    AccessMask::FILE_WRITE_DATA,
    AccessMask::FILE_APPEND_DATA,
    AccessMask::FILE_WRITE_EA,
    AccessMask::FILE_WRITE_ATTRIBUTES,
    AccessMask::DELETE,
    AccessMask::WRITE_DAC,
    AccessMask::WRITE_OWNER,
];

fn holds(tier: Tier, facts: &Facts, rules: &[(usize, WindowsPath)]) -> Result<(), TestCaseError> {
    let target = target(facts, tier, rules);
    let plan = Plan::new(&target, facts).unwrap();
    judge(&plan, &target, facts)
}

/// Holds a plan against the boundary at every place.
fn judge(plan: &Plan, target: &Target, facts: &Facts) -> Result<(), TestCaseError> {
    let tier = plan.tier;
    let token = plan.access_token(facts);
    let stamps: String = plan.stamps.iter().map(Stamp::to_string).collect();
    let mut places = tree();
    places.push(WindowsPath::root('D'));
    places.extend([r"D:\other", r"D:\w\new", r"D:\projects\game\src"].map(|text| WindowsPath::parse(text).unwrap()));
    for path in places {
        let descriptor = descriptor(plan, facts, &path);
        let may = |verb| target.decide(verb, &path).verdict == Verdict::Allowed;
        for change in CHANGES {
            if granted(&token, &descriptor, change) {
                prop_assert!(may(Verb::Write), "{tier}: {change:?} on {} is granted\n{stamps}", path.shown());
            }
        }
        if tier != Tier::Guard {
            let reading = granted(&token, &descriptor, AccessMask::FILE_READ_DATA);
            prop_assert!(!reading || may(Verb::Read), "{tier}: {} can be read\n{stamps}", path.shown());
            let deletes = granted(&token, &descriptor, AccessMask::FILE_DELETE_CHILD);
            prop_assert!(!deletes, "{tier}: children of {} can be deleted\n{stamps}", path.shown());
        }
        let pinned = plan.pins.iter().any(|pin| pin.path == path);
        if granted(&token, &descriptor, AccessMask::DELETE) {
            prop_assert!(may(Verb::Remove) || pinned, "{tier}: {} can be removed\n{stamps}", path.shown());
        }
        if may(Verb::Write) {
            let removing = if may(Verb::Remove) { AccessMask::DELETE } else { AccessMask::NONE };
            let writing = rights::WRITE.without(AccessMask::DELETE).union(removing);
            prop_assert!(granted(&token, &descriptor, writing), "{tier}: {} cannot be written\n{stamps}", path.shown());
        }
        if may(Verb::Read) {
            prop_assert!(
                granted(&token, &descriptor, rights::READ),
                "{tier}: {} cannot be read\n{stamps}",
                path.shown()
            );
        }
    }
    Ok(())
}

/// Random rules on one machine.
fn run(tier: Tier) {
    let facts = facts();
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    if let Err(error) = runner.run(&rules(), |rules| holds(tier, &facts, &rules)) {
        panic!("{error}");
    }
}

#[test]
fn the_guard_lets_write_what_may_be_written() {
    run(Tier::Guard);
}

#[test]
fn the_account_has_what_it_may_have() {
    run(Tier::Account);
}

#[test]
fn the_container_has_what_it_may_have() {
    run(Tier::Container);
}

/// Whether a plan that was made worse is found out.
fn is_found(tier: Tier, weaken: impl Fn(&mut Plan)) -> bool {
    let facts = facts();
    let place = |text: &str| WindowsPath::parse(text).unwrap();
    let rules = [(3, place(r"D:\w\a")), (2, place(r"D:\w\b")), (1, place(r"D:\out\a"))];
    let target = target(&facts, tier, &rules);
    let mut plan = Plan::new(&target, &facts).unwrap();
    assert!(judge(&plan, &target, &facts).is_ok(), "{tier}");
    weaken(&mut plan);
    judge(&plan, &target, &facts).is_err()
}

#[test]
fn a_weakened_plan_is_found_out() {
    use bailiwick_winsec::AceKind;
    let grant_delete_child = |plan: &mut Plan| {
        for entry in plan.stamps.iter_mut().flat_map(|stamp| &mut stamp.entries) {
            if entry.kind == AceKind::Allow {
                entry.mask |= AccessMask::FILE_DELETE_CHILD;
            }
        }
    };
    let without = |purpose: Purpose| move |plan: &mut Plan| plan.stamps.retain(|stamp| stamp.purpose != purpose);
    let keep_inheritance = |plan: &mut Plan| {
        plan.stamps.iter_mut().for_each(|stamp| stamp.inheritance = Inheritance::Keep);
    };
    for tier in [Tier::Account, Tier::Container] {
        assert!(is_found(tier, grant_delete_child), "{tier}");
    }
    for tier in Tier::ALL {
        assert!(is_found(tier, without(Purpose::Protect)), "{tier}");
        assert!(is_found(tier, without(Purpose::Write)), "{tier}");
    }
    assert!(is_found(Tier::Account, without(Purpose::Ambient)));
    let let_list = |plan: &mut Plan| {
        let listed = plan.stamps.iter_mut().flat_map(|stamp| &mut stamp.entries);
        listed.filter(|entry| entry.mask == rights::LIST_OR_CHANGE).for_each(|entry| entry.mask = rights::CHANGE);
    };
    assert!(is_found(Tier::Account, let_list));
    assert!(is_found(Tier::Account, without(Purpose::Deny)));
    assert!(is_found(Tier::Container, keep_inheritance));
    let user_in_list =
        |plan: &mut Plan| plan.token.restricting.iter_mut().for_each(|list| list.push(Sid::AUTHENTICATED_USERS));
    assert!(is_found(Tier::Guard, user_in_list));
}

#[test]
fn the_leaks_that_the_guard_declares_are_there() {
    let facts = facts();
    let target = target(&facts, Tier::Guard, &[]);
    let plan = Plan::new(&target, &facts).unwrap();
    let outside = descriptor(&plan, &facts, &WindowsPath::parse(r"D:\other").unwrap());
    let has = |mask| granted(&plan.access_token(&facts), &outside, mask);
    assert_eq!(has(AccessMask::FILE_READ_DATA), plan.leaks.contains(&Leak::UserFilesReadable));
    assert_eq!(has(AccessMask::FILE_DELETE_CHILD), plan.leaks.contains(&Leak::DeletedThroughParent));
    assert!(has(AccessMask::FILE_DELETE_CHILD) && !has(AccessMask::DELETE) && !has(AccessMask::FILE_WRITE_DATA));
    let mut everyone = outside.clone();
    everyone.dacl = Acl::new(vec![Ace::allow(Sid::EVERYONE, rights::WRITE)]).into();
    let declared = plan.leaks.iter().any(|leak| matches!(leak, Leak::EveryoneWritable { .. }));
    assert_eq!(granted(&plan.access_token(&facts), &everyone, AccessMask::FILE_WRITE_DATA), declared);
}
