//! Resolving on real trees.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::boundary::{Backing, Boundary, Present};
use crate::decide::{Access, Grant, Verdict};
use crate::origin::Source;
use crate::policy::{Base, Ceiling, FileRuleKind, NoticeKind, Policy, Ruled, TierChoice};
use crate::testing::{Tree, deny, entry, profile, protect, read, socket, user, write};

use super::ResolveError;

fn verdict(b: &Boundary, access: fn(std::path::PathBuf) -> Access, path: impl AsRef<Path>) -> Verdict {
    b.decide(&access(path.as_ref().to_path_buf())).verdict
}

fn grant(b: &Boundary, path: impl AsRef<Path>) -> Grant {
    b.grant(path.as_ref())
}

fn notices(b: &Boundary, kind: NoticeKind) -> Vec<&str> {
    b.notices.iter().filter(|n| n.kind == kind).map(|n| n.text.as_str()).collect()
}

#[test]
fn paths_start_where_they_should() {
    let t = Tree::new();
    t.dir("home/sdk");
    t.dir("home/w/sub/out");
    let mut from_here = write("out");
    from_here.base = Base::CurrentDirectory;
    let mut host = t.host();
    host.current_dir = t.workspace().join("sub");
    let policy = Policy { files: vec![read("~/sdk"), write("."), from_here, deny("x/../y")], ..Policy::default() };
    let b = policy.resolve(&host, Path::new("..")).unwrap();
    assert_eq!(b.workspace, t.workspace());
    let kinds: Vec<_> =
        b.rules.iter().map(|r| (r.kind, r.path.strip_prefix(&t.root).unwrap().to_str().unwrap())).collect();
    assert_eq!(
        kinds,
        [
            (FileRuleKind::Read, "home/sdk"),
            (FileRuleKind::Write, "home/w"),
            (FileRuleKind::Write, "home/w/sub/out"),
            (FileRuleKind::Deny, "home/w/y"),
        ]
    );
}

#[test]
fn a_missing_grant_is_said_and_never_made_but_a_missing_denial_counts() {
    let t = Tree::new();
    let mut quiet = read("~/.nvm");
    quiet.origin = profile();
    let b = t.resolve(vec![write("."), read("~/gone"), quiet, deny(".env"), protect(".vscode/tasks.json")]).unwrap();
    assert_eq!(
        notices(&b, NoticeKind::MissingPath),
        ["`~/gone` is not granted: there is nothing, and it is not created"]
    );
    assert!(!t.home().join("gone").exists());
    assert_eq!(grant(&b, t.workspace().join(".env")), Grant::Denied);
    assert_eq!(grant(&b, t.workspace().join(".vscode/tasks.json")), Grant::Read);
    let absent = b.rules.iter().find(|r| r.path.ends_with(".env")).unwrap();
    assert_eq!(absent.present, Present::Absent);
}

#[test]
fn links_on_a_grants_path_are_followed_and_remembered() {
    let t = Tree::new();
    t.dir("disk/cargo/bin");
    t.link("home/.cargo", "../disk/cargo");
    let b = t.resolve(vec![read("~/.cargo/bin")]).unwrap();
    assert_eq!(b.rules[0].path, t.root.join("disk/cargo/bin"));
    let alias = b.aliases.iter().find(|a| a.at == t.home().join(".cargo")).unwrap();
    assert_eq!(alias.target, Path::new("../disk/cargo"));
    assert_eq!(alias.leads_to, t.root.join("disk/cargo"));
}

#[test]
fn a_grant_does_not_leave_the_workspace_through_a_link_in_it() {
    let t = Tree::new();
    t.file("home/.ssh/id_rsa", "key");
    t.link("home/w/out", "../.ssh");
    t.link("home/w/deep", "out");
    for grant in [write("./out"), read("out"), read("out/id_rsa"), read("deep")] {
        let error = t.resolve(vec![write("."), grant]).unwrap_err();
        assert!(matches!(&error, ResolveError::LeavesThroughLink { .. }), "{error}");
        assert!(error.to_string().contains("grant it by its own path"), "{error}");
    }
    let mut policy = Policy { files: vec![write(".")], ..Policy::default() };
    policy.network.sockets = vec![socket("out/id_rsa")];
    assert!(matches!(policy.resolve(&t.host(), &t.workspace()), Err(ResolveError::LeavesThroughLink { .. })));

    // A profile's grant is left out instead, and the rest of the policy stands.
    let mut of_profile = read("out");
    of_profile.origin = profile();
    let b = t.resolve(vec![write("."), of_profile]).unwrap();
    assert_eq!(grant(&b, t.home().join(".ssh")), Grant::Private(0));
    assert_eq!(notices(&b, NoticeKind::Remark).len(), 1);

    // Inside the workspace a link may lead where it likes.
    t.dir("home/w/real");
    t.link("home/w/alias", "real");
    assert!(t.resolve(vec![write("."), read("alias")]).is_ok());
}

#[test]
fn a_grant_does_not_leave_another_writable_directory_through_a_link_either() {
    let t = Tree::new();
    t.dir("home/.ssh");
    t.dir("shared");
    t.link("shared/out", t.home().join(".ssh"));
    let shared = t.root.join("shared");
    assert!(t.resolve(vec![read(shared.join("out"))]).is_ok());
    let error = t.resolve(vec![write(&shared), read(shared.join("out"))]).unwrap_err();
    assert!(matches!(error, ResolveError::LeavesThroughLink { .. }));
}

#[test]
fn a_denial_covers_the_link_and_what_it_leads_to() {
    let t = Tree::new();
    t.file("home/w/secrets/env", "x");
    t.link("home/w/.env", "secrets/env");
    t.dir("home/w/hooks-real");
    t.dir("home/w/.git");
    t.link("home/w/.git/hooks", "../hooks-real");
    let b = t.resolve(vec![write("."), deny(".env"), protect(".git/hooks/pre-commit")]).unwrap();
    let w = t.workspace();
    for path in [".env", "secrets/env"] {
        assert_eq!(verdict(&b, Access::Read, w.join(path)), Verdict::Refused, "{path}");
        assert_eq!(verdict(&b, Access::Remove, w.join(path)), Verdict::Refused, "{path}");
    }
    assert_eq!(verdict(&b, Access::Write, w.join("hooks-real/pre-commit")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Remove, w.join(".git/hooks")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Remove, w.join(".git")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Remove, w.join("hooks-real")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Write, w.join("hooks-real/other")), Verdict::Allowed);
}

#[test]
fn a_denial_that_a_link_carries_out_of_the_workspace_is_said() {
    let t = Tree::new();
    t.file("elsewhere", "x");
    t.link("home/w/.env", "../../elsewhere");
    let b = t.resolve(vec![write("."), deny(".env")]).unwrap();
    assert_eq!(verdict(&b, Access::Read, t.root.join("elsewhere")), Verdict::Refused);
    assert!(notices(&b, NoticeKind::Remark)[0].contains("`.env` is a symbolic link in the workspace"));
}

#[test]
fn loops_are_an_error_for_what_was_written_and_nothing_for_a_profiles_grant() {
    let t = Tree::new();
    t.link("home/a", "b");
    t.link("home/b", "a");
    for rule in [read("~/a"), deny("~/a/x")] {
        let error = t.resolve(vec![rule]).unwrap_err().to_string();
        assert!(error.contains("more than 40 symbolic links"), "{error}");
    }
    let mut of_profile = read("~/a");
    of_profile.origin = profile();
    assert!(t.resolve(vec![of_profile]).unwrap().rules.is_empty());
}

#[test]
fn workspaces_that_hold_too_much_are_refused() {
    let t = Tree::new();
    let host = t.host();
    t.file("home/file", "");
    let state = t.dir("home/.local/state/bailiwick/x");
    let config = t.dir("home/.config/bailiwick");
    let link = t.link("home/w/up", "..");
    let of = |path: &Path| Policy::default().resolve(&host, path);
    let home = t.home();
    for path in [
        Path::new("/"),
        &home,
        &t.root,
        &home.join("w/.."),
        &link,
        &state,
        &config,
        &home.join("file"),
        &home.join("gone"),
    ] {
        let error = of(path).unwrap_err();
        assert!(matches!(error, ResolveError::Workspace { .. }), "{}: {error}", path.display());
    }
    for path in ["/usr", "/etc", "/proc", "/proc/self/fd", "/sys", "/dev", "/bin", "/usr/bin", "/tmp", "/home", "/var"]
    {
        assert!(matches!(of(Path::new(path)), Err(ResolveError::Workspace { .. })), "{path}");
    }
    assert!(of(&t.workspace()).is_ok());
}

#[test]
fn a_home_must_be_one() {
    let t = Tree::new();
    for home in ["/", "relative", "/nonexistent/home", "/dev/null"] {
        let mut host = t.host();
        host.home = home.into();
        let error = Policy::default().resolve(&host, &t.workspace()).unwrap_err();
        assert!(matches!(error, ResolveError::Home { .. }), "{home}: {error}");
    }
}

#[test]
fn bailiwicks_own_files_are_out_of_reach_however_specific_the_grant() {
    let t = Tree::new();
    let document = t.file("home/.config/bailiwick/policy.toml", "");
    let state = t.dir("home/.local/state/bailiwick/trust");
    let homes = t.dir("home/.local/share/bailiwick/homes/other");
    let files = vec![write("."), write("~"), write(&document), write(&state), read(&homes)];
    let policy = Policy { files, documents: vec![document.clone()], ..Policy::default() };
    let b = policy.resolve(&t.host(), &t.workspace()).unwrap();
    assert_eq!(grant(&b, &document), Grant::Read);
    assert_eq!(verdict(&b, Access::Remove, t.home().join(".config/bailiwick")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Remove, t.home().join(".config")), Verdict::Refused);
    assert_eq!(grant(&b, &state), Grant::Denied);
    assert_eq!(grant(&b, &homes), Grant::Denied);
    assert_eq!(grant(&b, t.home().join(".bashrc")), Grant::Write);
    let project = b.decide(&Access::Write(t.workspace().join("bailiwick.toml")));
    assert_eq!(project.verdict, Verdict::Refused);
    assert!(matches!(project.rule.unwrap().origin.source, Source::Inherent(_)));
    assert_eq!(project.remedy.unwrap().option, None);

    // Where no grant comes near them they cost nothing.
    let plain = t.resolve(vec![write(".")]).unwrap();
    assert_eq!(plain.ceiling_rules.len(), 1);
}

#[test]
fn private_roots_are_under_everything() {
    let t = Tree::new();
    let b = t.resolve(vec![write(".")]).unwrap();
    assert_eq!(b.private[0].path, t.home());
    let Backing::Directory(backing) = &b.private[0].backing else { panic!("{:?}", b.private[0]) };
    let name = backing.strip_prefix(t.home().join(".local/share/bailiwick/homes")).unwrap().to_str().unwrap();
    assert!(name.starts_with("w-") && name.len() == 18, "{name}");
    assert_eq!(verdict(&b, Access::Read, t.home().join(".ssh/id_rsa")), Verdict::Private);
    assert_eq!(verdict(&b, Access::Write, "/tmp/x"), Verdict::Private);
    assert_eq!(grant(&b, t.workspace().join("src")), Grant::Write);
    assert_eq!(grant(&b, "/etc/shadow"), Grant::Hidden);
    t.dir("home/other");
    let other = Policy::default().resolve(&t.host(), &t.home().join("other")).unwrap();
    assert_ne!(other.private[0].backing, b.private[0].backing);
}

#[test]
fn the_ceiling_is_kept_apart() {
    let t = Tree::new();
    t.dir("home/sdk/secret");
    let ceiling = Ceiling {
        files: vec![deny("~/sdk/secret")],
        read: Some(vec![read("."), read("~/sdk")]),
        write: Some(vec![]),
        sockets: Some(vec![]),
        tier: Some(Ruled { value: TierChoice::Namespaces, origin: user() }),
        ..Ceiling::default()
    };
    let files = vec![write("."), read("~/sdk"), read("~/sdk/secret"), read("/usr")];
    let mut policy = Policy { files, ceiling: Some(ceiling), ..Policy::default() };
    t.file("sock", "");
    policy.network.sockets = vec![socket(t.root.join("sock"))];
    let b = policy.resolve(&t.host(), &t.workspace()).unwrap();
    assert_eq!(grant(&b, t.workspace()), Grant::Read);
    assert_eq!(grant(&b, t.home().join("sdk")), Grant::Read);
    assert_eq!(grant(&b, t.home().join("sdk/secret")), Grant::Denied);
    assert_eq!(grant(&b, "/usr"), Grant::Hidden);
    assert!(b.network.sockets.is_empty());
    assert_eq!(b.isolation.tier, TierChoice::Namespaces);
    assert_eq!(notices(&b, NoticeKind::IgnoredCeiling).len(), 1);
}

#[test]
fn globs_become_rules_for_what_is_there() {
    let t = Tree::new();
    t.file("home/w/.env", "");
    t.file("home/w/a/b/.env", "");
    t.file("home/w/a/.envrc", "");
    t.link("home/w/a/c", "../..");
    let b = t.resolve(vec![write("."), deny("**/.env"), protect(r"\*")]).unwrap();
    let w = t.workspace();
    for path in [".env", "a/b/.env"] {
        assert_eq!(grant(&b, w.join(path)), Grant::Denied, "{path}");
    }
    for path in ["a/.envrc", "a/.env"] {
        assert_eq!(grant(&b, w.join(path)), Grant::Write, "{path}");
    }
    assert_eq!(grant(&b, w.join("*")), Grant::Read);
    let decision = b.decide(&Access::Read(w.join("a/b/.env")));
    assert_eq!(decision.rule.unwrap().text, r#"deny = "**/.env""#);
}

#[test]
fn a_tree_too_large_to_search_is_refused_with_the_ways_out() {
    let t = Tree::new();
    for n in 0..30 {
        t.file(&format!("home/w/d/{n}"), "");
    }
    let mut policy = Policy { files: vec![write("."), deny("**/.env")], ..Policy::default() };
    policy.search_limit = Some(Ruled { value: 20, origin: user() });
    let error = policy.resolve(&t.host(), &t.workspace()).unwrap_err().to_string();
    for part in ["`**/.env`", "20 names", "search_limit", t.workspace().to_str().unwrap()] {
        assert!(error.contains(part), "{error}");
    }
    policy.search_limit = Some(Ruled { value: 31, origin: user() });
    assert!(policy.resolve(&t.host(), &t.workspace()).is_ok());
}

#[test]
fn names_may_be_any_bytes() {
    let t = Tree::new();
    let name = OsString::from_vec(b"a\n\xff[1]".to_vec());
    fs::create_dir(t.workspace().join(&name)).unwrap();
    let mut rule = entry(FileRuleKind::Deny, &name);
    rule.glob = false;
    let b = t.resolve(vec![write("."), rule]).unwrap();
    assert_eq!(grant(&b, t.workspace().join(&name)), Grant::Denied);
    assert!(b.rules.iter().all(|r| !r.written.contains('\n')));
}

#[test]
fn rules_are_sorted_and_exact_duplicates_gone() {
    let t = Tree::new();
    t.dir("home/w/a-b");
    t.dir("home/w/a/b");
    let b = t.resolve(vec![read("a-b"), read("a/b"), read("a"), read("a"), protect("a"), write(".")]).unwrap();
    let paths: Vec<_> = b.rules.iter().map(|r| r.path.strip_prefix(t.workspace()).unwrap().to_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["", ".git", "a", "a", "a/b", "a-b"].iter().filter(|p| **p != ".git").copied().collect::<Vec<_>>()
    );
}

#[test]
fn what_a_credential_comes_from_is_out_of_reach() {
    use crate::credential::{Credential, CredentialSource};
    let t = Tree::new();
    t.file("home/w/token", "secret");
    t.file("home/bin/tell", "");
    t.link("home/bin/alias", "tell");
    let mut policy = Policy { files: vec![write("."), write("~/bin"), read("~/w/token")], ..Policy::default() };
    let sources = [
        CredentialSource::File("~/w/token".into()),
        CredentialSource::File("~/gone".into()),
        CredentialSource::Command(vec!["~/bin/alias".into(), "x".into()]),
        CredentialSource::Command(vec!["gh".into()]),
    ];
    for from in sources {
        let host = crate::host_pattern::HostPattern::parse("example.org").unwrap();
        let credential = Credential { host, header: "authorization".to_owned(), from, prefix: None };
        policy.network.credentials.push(Ruled { value: credential, origin: user() });
    }
    let b = policy.resolve(&t.host(), &t.workspace()).unwrap();
    assert_eq!(verdict(&b, Access::Read, t.root.join("home/w/token")), Verdict::Refused);
    assert_eq!(verdict(&b, Access::Write, t.root.join("home/w/other")), Verdict::Allowed);
    for program in ["home/bin/tell", "home/bin/alias"] {
        assert_eq!(verdict(&b, Access::Write, t.root.join(program)), Verdict::Refused, "{program}");
        assert_eq!(verdict(&b, Access::Remove, t.root.join(program)), Verdict::Refused, "{program}");
    }
    assert_eq!(verdict(&b, Access::Write, t.root.join("home/bin/other")), Verdict::Allowed);
}
