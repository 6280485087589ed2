//! Reading the layers from files.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::trust::trust;

/// A machine below a scratch directory; removed when dropped.
struct Machine {
    host: Host,
    root: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Machine {
        let root = std::env::temp_dir().join(format!("bailiwick-merge-{}-{name}", std::process::id()));
        for folder in ["workspace", "config/profiles", "etc"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        let root = root.canonicalize().expect("a path");
        #[cfg(unix)]
        let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&root).expect("metadata"));
        #[cfg(not(unix))]
        let uid = 0;
        let host = Host {
            home: root.clone(),
            user: "me".into(),
            uid,
            config_dir: root.join("config"),
            data_dir: root.join("data"),
            state_dir: root.join("state"),
            admin_file: root.join("etc/policy.toml"),
            current_dir: root.join("workspace"),
            environment: Vec::new(),
        };
        Machine { host, root }
    }

    fn write(&self, file: &str, text: &str) -> &Machine {
        let path = self.root.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("written");
        // The mask of whoever runs the tests may let the group write.
        #[cfg(unix)]
        for path in [path.as_path(), path.parent().expect("a parent")] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).expect("metadata").permissions().mode() & !0o022;
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
        }
        self
    }

    fn request(&self, profile: Option<&str>) -> Request {
        let workspace = self.root.join("workspace");
        Request { profile: profile.map(str::to_owned), workspace, options: Document::options() }
    }

    fn load_with(&self, profile: Option<&str>) -> Result<Policy, PolicyError> {
        // The tests need not run as root: here the administrator is whoever runs them.
        Layers::read_kept_by(&self.host, &self.request(profile), self.host.uid).map(Layers::merge)
    }

    fn load(&self) -> Policy {
        self.load_with(None).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(&self, profile: Option<&str>) -> String {
        let error = self.load_with(profile).expect_err("refused");
        error.to_string().replace(&self.root.display().to_string(), "")
    }

    fn profiles(&self, profile: Option<&str>) -> Vec<String> {
        let layers = Layers::read_kept_by(&self.host, &self.request(profile), self.host.uid);
        let name = |document: Document| match document.source {
            Source::Profile(name) => name.into_owned(),
            Source::File(path) => path.file_name().expect("a name").to_string_lossy().into_owned(),
            other => panic!("{other:?}"),
        };
        layers.unwrap_or_else(|error| panic!("{error}")).base.into_iter().map(name).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn with_no_file_at_all_the_base_is_the_workspace_profile() {
    let machine = Machine::new("none");
    assert_eq!(machine.profiles(None), ["system", "toolchains", "workspace"]);
    let policy = machine.load();
    assert_eq!((policy.ceiling, policy.notices), (None, vec![]));
}

#[test]
fn every_place_of_a_document_is_known_whether_or_not_there_is_one() {
    let machine = Machine::new("documents");
    machine.write("config/profiles/mine.toml", "extends = ['workspace']");
    let policy = machine.load_with(Some("mine")).expect("a policy");
    let places: Vec<_> = policy.documents.iter().map(|path| path.strip_prefix(&machine.root).expect("below")).collect();
    assert_eq!(
        places,
        ["config", "config/policy.toml", "workspace/bailiwick.toml", "config/profiles/mine.toml"].map(Path::new)
    );
}

#[test]
fn the_base_is_the_option_else_what_the_documents_extend() {
    let machine = Machine::new("base");
    machine
        .write("config/policy.toml", "extends = ['mine']")
        .write("config/profiles/mine.toml", "extends = ['system']");
    machine.write("workspace/bailiwick.toml", "extends = ['toolchains', 'system']");
    assert_eq!(machine.profiles(None), ["system", "mine.toml"], "the workspace's own document is not trusted");
    trust(&machine.host, &machine.root.join("workspace")).expect("trusted");
    assert_eq!(machine.profiles(None), ["system", "mine.toml", "toolchains"], "each profile once");
    assert_eq!(machine.profiles(Some("read-only")), ["system", "toolchains", "read-only"]);
    machine.write("config/policy.toml", "extends = []").write("workspace/bailiwick.toml", "");
    assert_eq!(machine.profiles(None), Vec::<String>::new());
}

#[test]
fn a_workspace_widens_only_with_exactly_the_content_that_was_trusted() {
    let machine = Machine::new("trust");
    let granted = |policy: &Policy| policy.files.iter().any(|entry| entry.text == "/opt/special");
    machine.write("workspace/bailiwick.toml", "[files]\nread = ['/opt/special']\n");
    assert!(!granted(&machine.load()));
    trust(&machine.host, &machine.root.join("workspace")).expect("trusted");
    assert!(granted(&machine.load()));
    machine.write("workspace/bailiwick.toml", "[files]\nread = ['/opt/special'] \n");
    let policy = machine.load();
    assert!(!granted(&policy));
    assert_eq!(policy.notices.len(), 1);
}

#[test]
fn refusals_name_the_document_and_the_way_out() {
    let machine = Machine::new("refusals");
    let mut said =
        vec![machine.refusal(Some("worksapce")), machine.refusal(Some("zzz")), machine.refusal(Some("../x"))];
    machine.write("config/profiles/a.toml", "extends = ['b']").write("config/profiles/b.toml", "\nextends = ['a']");
    said.push(machine.refusal(Some("a")));
    for depth in 0..20 {
        machine.write(&format!("config/profiles/d{depth}.toml"), &format!("extends = ['d{}']", depth + 1));
    }
    said.push(machine.refusal(Some("d0")));
    machine.write("config/profiles/workspace.toml", "");
    said.push(machine.refusal(None));
    fs::remove_file(machine.root.join("config/profiles/workspace.toml")).expect("removed");
    machine.write("workspace/bailiwick.toml", "raed = 1");
    said.push(machine.refusal(None));
    machine.write("workspace/bailiwick.toml", "").write("config/policy.toml", "[file]\n");
    said.push(machine.refusal(None));
    machine.write("config/policy.toml", "").write("etc/policy.toml", "[files]\nread = [1]\n");
    said.push(machine.refusal(None));
    machine.write("etc/policy.toml", "extends = ['workspace']");
    said.push(machine.refusal(None));
    machine.write("etc/policy.toml", "[environment]\nset = { A = '1' }");
    said.push(machine.refusal(None));
    insta::assert_snapshot!(said.join("\n"));
}

#[cfg(unix)]
#[test]
fn files_that_others_may_write_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new("modes");
    let open = |file: &str| {
        machine.write(file, "");
        fs::set_permissions(machine.root.join(file), fs::Permissions::from_mode(0o666)).expect("mode");
        let said = machine.refusal(None);
        fs::remove_file(machine.root.join(file)).expect("removed");
        said
    };
    insta::assert_snapshot!(open("config/policy.toml"), @"believing /config/policy.toml: others may write it; take that away with `chmod go-w`");
    insta::assert_snapshot!(open("etc/policy.toml"), @"believing /etc/policy.toml: others may write it; take that away with `chmod go-w`");
    machine.write("etc/policy.toml", "");
    assert!(Layers::read_kept_by(&machine.host, &machine.request(None), machine.host.uid + 1).is_err());
}

#[cfg(unix)]
#[test]
fn a_workspace_document_that_is_a_link_is_refused() {
    let machine = Machine::new("link");
    machine.write("elsewhere.toml", "");
    std::os::unix::fs::symlink(machine.root.join("elsewhere.toml"), machine.root.join("workspace/bailiwick.toml"))
        .expect("a link");
    insta::assert_snapshot!(machine.refusal(None), @"reading /workspace/bailiwick.toml: it is a symbolic link; put a regular file in its place, or remove it");
}

#[test]
fn the_administrator_is_the_ceiling_of_what_is_read_from_disk() {
    let machine = Machine::new("ceiling");
    machine.write("etc/policy.toml", "[network]\nallow = []\n[files]\ndeny = ['/srv']");
    machine.write("config/policy.toml", "[network]\nallow = ['a.test']\n");
    let policy = machine.load();
    assert!(policy.network.allow.is_empty());
    assert_eq!(policy.ceiling.map(|ceiling| ceiling.files.len()), Some(1));
    assert_eq!(
        policy.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(),
        [crate::policy::NoticeKind::IgnoredCeiling]
    );
}
