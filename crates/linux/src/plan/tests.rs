//! The plan held against the boundary, and one plan to read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bailiwick_policy::boundary::{Alias, Backing, Boundary, FileRule, Present, PrivateRoot};
use bailiwick_policy::decide::Grant;
use bailiwick_policy::origin::{Layer, Origin, Source};
use bailiwick_policy::policy::FileRuleKind;
use proptest::prelude::*;

use super::*;

fn origin() -> Origin {
    Origin { layer: Layer::User, source: Source::Profile("test".into()), line: None }
}

fn rule(kind: FileRuleKind, path: &str, present: Present) -> FileRule {
    FileRule { kind, path: path.into(), present, written: path.to_owned(), origin: origin() }
}

fn boundary(mut rules: Vec<FileRule>, private: Vec<(&str, Backing)>) -> Boundary {
    rules.sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    let private = private
        .into_iter()
        .map(|(path, backing)| PrivateRoot { path: path.into(), backing, origin: origin() })
        .collect();
    Boundary { rules, private, ..Boundary::closed("/work/project".into(), "/home/ada".into()) }
}

#[test]
fn a_plan_reads_like_what_happens() {
    use FileRuleKind::{Deny, Protect, Read, Write};
    let mut boundary = boundary(
        vec![
            rule(Read, "/usr", Present::Directory),
            rule(Read, "/etc", Present::Directory),
            rule(Deny, "/etc/shadow", Present::File),
            rule(Deny, "/etc/keys", Present::Directory),
            rule(Read, "/etc/keys/public", Present::Directory),
            rule(Write, "/work/project", Present::Directory),
            rule(Protect, "/work/project/.git/hooks", Present::Directory),
            rule(Protect, "/work/project/.vscode", Present::Absent),
            rule(Deny, "/work/project/.env", Present::File),
            rule(Read, "/work/project/vendor", Present::Directory),
            rule(Read, "/home/ada/.cargo/bin", Present::Directory),
            rule(Protect, "/home/ada/.bashrc", Present::Absent),
        ],
        vec![("/home/ada", Backing::Directory("/state/home".into())), ("/tmp", Backing::Memory)],
    );
    boundary.aliases.push(Alias { at: "/bin".into(), target: "usr/bin".into(), leads_to: "/usr/bin".into() });
    insta::assert_snapshot!(Plan::new(&boundary).unwrap(), @r"
    link /bin -> usr/bin
    make directory /etc (0755)
    tree read-only /etc
    mask around m0 /etc/keys
    make directory m0/public
    tree read-only /etc/keys/public
    mask file /etc/shadow
    make directory /home (0755)
    make directory /home/ada (0755)
    tree writable /home/ada from /state/home
    make file /home/ada/.bashrc in the private home
    protect /home/ada/.bashrc
    make directory /home/ada/.cargo in the private home
    make directory /home/ada/.cargo/bin in the private home
    tree read-only /home/ada/.cargo/bin
    make directory /tmp (1777)
    memory /tmp
    make directory /usr (0755)
    tree read-only /usr
    make directory /work (0755)
    make directory /work/project (0755)
    tree writable /work/project
    mask file /work/project/.env
    pin /work/project/.git
    protect /work/project/.git/hooks
    protect /work/project/vendor
    watch /work/project/.vscode
    ");
}

#[test]
fn proc_and_dev_are_not_to_be_had_from_the_host() {
    for path in ["/proc", "/proc/sys", "/dev/sda"] {
        let boundary = boundary(vec![rule(FileRuleKind::Read, path, Present::Directory)], Vec::new());
        assert_eq!(Plan::new(&boundary), Err(PlanError::Reserved { path: path.into() }));
    }
}

#[test]
fn the_whole_root_is_refused() {
    let boundary = boundary(vec![rule(FileRuleKind::Read, "/", Present::Directory)], Vec::new());
    assert_eq!(Plan::new(&boundary), Err(PlanError::WholeRoot));
}

/// What the inside has at a path, found by walking the plan's mounts as the kernel would.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Covered,
    Host { read_only: bool },
    Private { read_only: bool },
}

fn seen(plan: &Plan, path: &Path) -> Seen {
    let mut seen = Seen::Nothing;
    let mut depth = 0;
    for step in &plan.steps {
        let at = step.at();
        if !path.starts_with(at) || at.components().count() < depth {
            continue;
        }
        let next = match step {
            Step::Tree { host, mode, .. } if host == at => Seen::Host { read_only: *mode == Mode::ReadOnly },
            Step::Tree { .. } | Step::Memory { .. } => Seen::Private { read_only: false },
            Step::Protect { .. } => match seen {
                Seen::Host { .. } => Seen::Host { read_only: true },
                Seen::Private { .. } => Seen::Private { read_only: true },
                other => panic!("{step} stands on {other:?}\n{plan}"),
            },
            Step::Mask { .. } | Step::MaskAround { .. } => Seen::Covered,
            _ => continue,
        };
        depth = at.components().count();
        seen = next;
    }
    seen
}

#[test]
fn own_files_come_last_and_stand_on_what_is_there() {
    let mut boundary = boundary(vec![rule(FileRuleKind::Read, "/etc", Present::Directory)], Vec::new());
    boundary.aliases.push(Alias { at: "/run/link".into(), target: "there".into(), leads_to: "/run/there".into() });
    let own = |at: &str| OwnFile { at: at.into(), content: "text".to_owned(), optional: false };
    let plan = Plan::with_files(&boundary, &[own("/etc/resolv.conf"), own("/run/bw/ca.pem"), own("/run/link")]);
    insta::assert_snapshot!(plan.unwrap(), @r"
    make directory /etc (0755)
    tree read-only /etc
    make directory /run (0755)
    link /run/link -> there
    own file /etc/resolv.conf
    make directory /run/bw (0755)
    make file /run/bw/ca.pem (0644)
    own file /run/bw/ca.pem
    own file /run/link
    ");
}

fn path() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "bc", "c"]), 1..5).prop_map(|parts| {
        let mut path = PathBuf::from("/");
        path.extend(parts);
        path
    })
}

fn kind() -> impl Strategy<Value = FileRuleKind> {
    use FileRuleKind::{Deny, Protect, Read, Write};
    prop::sample::select(vec![Deny, Protect, Write, Write, Read, Read])
}

fn random_boundary() -> impl Strategy<Value = Boundary> {
    let rules = prop::collection::vec((kind(), path()), 0..10);
    let private = prop::collection::btree_set(path(), 0..3);
    (rules, private).prop_map(|(rules, private): (Vec<(FileRuleKind, PathBuf)>, BTreeSet<PathBuf>)| {
        let rules =
            rules.into_iter().map(|(kind, path)| FileRule { path, ..rule(kind, "x", Present::Directory) }).collect();
        let mut result = boundary(rules, Vec::new());
        result.private = private
            .into_iter()
            .enumerate()
            .map(|(index, path)| {
                let backing = if index == 0 { Backing::Directory("/state/home".into()) } else { Backing::Memory };
                PrivateRoot { path, backing, origin: origin() }
            })
            .collect();
        result
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_inside_has_what_the_boundary_grants(boundary in random_boundary(), places in prop::collection::vec(path(), 1..20)) {
        let plan = Plan::new(&boundary).unwrap();
        for place in places {
            let seen = seen(&plan, &place);
            match boundary.grant(&place) {
                Grant::Hidden => prop_assert_eq!(seen, Seen::Nothing, "{}", place.display()),
                // Where nothing visible is around it, a denied place need not be covered; and a cover shows nothing. In a
                // private place that is read-only, nothing of the host's is there and nothing can come into being.
                Grant::Denied => prop_assert!(
                    matches!(seen, Seen::Nothing | Seen::Covered | Seen::Private { read_only: true }),
                    "{} is {:?}\n{}", place.display(), seen, plan
                ),
                Grant::Read => prop_assert_eq!(seen, Seen::Host { read_only: true }, "{}\n{}", place.display(), plan),
                Grant::Write => prop_assert_eq!(seen, Seen::Host { read_only: false }, "{}\n{}", place.display(), plan),
                Grant::Private(_) => {
                    prop_assert_eq!(seen, Seen::Private { read_only: false }, "{}\n{}", place.display(), plan);
                }
                Grant::PrivateProtected(_) => {
                    prop_assert_eq!(seen, Seen::Private { read_only: true }, "{}\n{}", place.display(), plan);
                }
            }
        }
    }

    #[test]
    fn a_mount_point_exists_before_it_is_mounted_on(boundary in random_boundary(), own in path()) {
        let own = OwnFile { at: own, content: String::new(), optional: false };
        let plan = Plan::with_files(&boundary, &[own]).unwrap();
        let mut made: BTreeSet<&Path> = BTreeSet::from([Path::new("/")]);
        for step in &plan.steps {
            let at = step.at();
            let on_host = at.parent().is_some_and(|parent| matches!(seen_before(&plan, step, parent), Seen::Host { .. }));
            match step {
                Step::Make { .. } | Step::MakeBeneath { .. } | Step::Link { .. } => {
                    let parent = at.parent().unwrap();
                    prop_assert!(on_host || made.contains(parent), "{} has no parent\n{}", step, plan);
                    made.insert(at);
                }
                Step::MakeInMask { .. } | Step::LinkBeneath { .. } => {}
                Step::Tree { .. } | Step::Memory { .. } | Step::File { .. } => {
                    let in_cover = matches!(seen_before(&plan, step, at), Seen::Covered);
                    prop_assert!(on_host || in_cover || made.contains(at), "{} has no mount point\n{}", step, plan);
                    made.insert(at);
                }
                Step::Protect { .. } | Step::Pin { .. } | Step::Mask { .. } | Step::MaskAround { .. } => {}
            }
        }
    }

    #[test]
    fn every_ancestor_of_a_guarded_name_is_pinned(boundary in random_boundary()) {
        let plan = Plan::new(&boundary).unwrap();
        for name in boundary.guarded() {
            if boundary.grant(name.root) != Grant::Write {
                continue;
            }
            for ancestor in name.path.ancestors().skip(1).take_while(|ancestor| *ancestor != name.root) {
                let is_mount = plan.steps.iter().any(|step| {
                    step.at() == ancestor && matches!(step, Step::Pin { .. } | Step::Protect { .. } | Step::Tree { .. })
                });
                prop_assert!(is_mount, "{} can be renamed\n{}", ancestor.display(), plan);
            }
        }
    }
}

fn seen_before(plan: &Plan, step: &Step, path: &Path) -> Seen {
    let until = plan.steps.iter().position(|other| std::ptr::eq(other, step)).unwrap();
    let part = Plan { steps: plan.steps.iter().take(until).cloned().collect(), ..plan.clone() };
    seen(&part, path)
}
