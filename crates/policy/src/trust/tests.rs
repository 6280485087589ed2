use std::fs;

use super::*;

/// A host whose directories are all below a scratch directory of this test.
fn host(name: &str) -> Host {
    let root = std::env::temp_dir().join(format!("bailiwick-trust-{}-{name}", std::process::id()));
    fs::create_dir_all(root.join("workspace")).expect("a workspace");
    let root = root.canonicalize().expect("a path");
    #[cfg(unix)]
    let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&root).expect("metadata"));
    #[cfg(not(unix))]
    let uid = 0;
    Host {
        home: root.clone(),
        user: "me".into(),
        uid,
        config_dir: root.join("config"),
        data_dir: root.join("data"),
        state_dir: root.join("state/bailiwick"),
        admin_file: root.join("etc/policy.toml"),
        current_dir: root.join("workspace"),
        environment: Vec::new(),
    }
}

fn document(host: &Host, text: &str) -> PathBuf {
    let workspace = host.home.join("workspace");
    fs::write(workspace.join(PROJECT_FILE), text).expect("written");
    workspace
}

#[test]
fn digests_are_sha_256() {
    assert_eq!(digest(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn exactly_the_recorded_content_of_this_workspace_is_trusted() {
    let host = host("exact");
    let store = Trust::of(&host);
    let workspace = document(&host, "[files]\nread = ['/a']\n");
    let candidate = Candidate::read(&workspace).expect("a document");
    assert!(!store.holds(&workspace, candidate.digest).expect("no record"));
    assert_eq!(store.record(&candidate).expect("recorded"), TrustOutcome::New);
    assert!(store.holds(&workspace, candidate.digest).expect("a record"));
    assert_eq!(trust(&host, &workspace).expect("recorded"), TrustOutcome::Already);
    assert!(!store.holds(&workspace, digest(b"[files]\nread = ['/b']\n")).expect("a record"));
    assert!(!store.holds(&host.home, candidate.digest).expect("no record of another workspace"));
    document(&host, "[files]\nread = ['/b']\n");
    assert_eq!(trust(&host, &workspace).expect("recorded"), TrustOutcome::Replaced);
    assert!(!store.holds(&workspace, candidate.digest).expect("a record"));
    assert!(store.forget(&workspace).expect("removed"));
    assert!(!store.forget(&workspace).expect("nothing to remove"));
    fs::remove_dir_all(&host.home).expect("removed");
}

#[test]
fn what_is_shown_is_what_is_recorded() {
    let host = host("shown");
    let workspace = document(&host, "# one\n");
    let candidate = Candidate::read(&workspace).expect("a document");
    // The workspace changes its mind while a person reads.
    document(&host, "[files]\nread = ['/']\n");
    Trust::of(&host).record(&candidate).expect("recorded");
    assert_eq!(candidate.text, "# one\n");
    assert!(!Trust::of(&host).holds(&workspace, digest(b"[files]\nread = ['/']\n")).expect("a record"));
    fs::remove_dir_all(&host.home).expect("removed");
}

#[test]
fn what_is_not_there_or_not_understood_cannot_be_trusted() {
    let host = host("refused");
    let workspace = host.home.join("workspace");
    assert!(matches!(Candidate::read(&workspace), Err(TrustError::NoDocument { .. })));
    assert!(matches!(Candidate::read(&workspace.join("no")), Err(TrustError::Workspace { .. })));
    document(&host, "raed = 1");
    assert!(matches!(Candidate::read(&workspace), Err(TrustError::Document(_))));
    fs::remove_dir_all(&host.home).expect("removed");
}

#[test]
fn a_record_that_is_not_one_is_neither_yes_nor_no() {
    let host = host("garbled");
    let workspace = document(&host, "");
    let candidate = Candidate::read(&workspace).expect("a document");
    let store = Trust::of(&host);
    store.record(&candidate).expect("recorded");
    let record = fs::read_dir(&store.directory).expect("records").next().expect("one").expect("an entry").path();
    for text in ["", "sha256 \n", "sha256 00\n", "md5 1\n", "\u{0}"] {
        fs::write(&record, text).expect("written");
        assert!(matches!(store.holds(&workspace, candidate.digest), Err(TrustError::Garbled { .. })), "{text:?}");
    }
    fs::remove_dir_all(&host.home).expect("removed");
}

#[cfg(unix)]
#[test]
fn records_are_for_the_user_alone_and_nothing_is_left_beside_them() {
    use std::os::unix::fs::PermissionsExt;
    let host = host("modes");
    let workspace = document(&host, "");
    trust(&host, &workspace).expect("recorded");
    let store = Trust::of(&host);
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&store.directory), 0o700);
    let records: Vec<_> =
        fs::read_dir(&store.directory).expect("records").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(records.len(), 1);
    assert_eq!(mode(&records[0]), 0o600);
    fs::set_permissions(&records[0], fs::Permissions::from_mode(0o666)).expect("mode");
    assert!(matches!(store.holds(&workspace, digest(b"")), Err(TrustError::File(_))), "others could have written it");
    fs::remove_dir_all(&host.home).expect("removed");
}
