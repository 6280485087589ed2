//! The whole host as text, to be compared byte for byte, and the files by path.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac_sha256::Hash;

use super::{Sim, World};
use crate::host::{FileId, Kind};
use crate::path::WindowsPath;

/// A file or directory as it is under one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Which file.
    pub id: FileId,
    /// What it is.
    pub kind: Kind,
    /// Its content.
    pub content: Vec<u8>,
    /// Its streams.
    pub streams: BTreeMap<String, Vec<u8>>,
    /// Its descriptor, self-relative.
    pub descriptor: Vec<u8>,
    /// Its read-only attribute.
    pub read_only: bool,
    /// Where a link leads.
    pub link: Option<WindowsPath>,
}

impl Sim {
    /// Every file under every name.
    pub fn files(&self) -> BTreeMap<WindowsPath, FileState> {
        let world = self.world.borrow();
        let mut files = BTreeMap::new();
        let mut left: Vec<(WindowsPath, u64)> =
            world.roots.iter().map(|(letter, root)| (WindowsPath::root(*letter), *root)).collect();
        while let Some((path, id)) = left.pop() {
            let (Ok(node), Ok(file_id)) = (world.node(id), world.file_id(id)) else { continue };
            for (spelled, child) in node.children.values() {
                if let Ok(path) = path.join(spelled) {
                    left.push((path, *child));
                }
            }
            let state = FileState {
                id: file_id,
                kind: node.shown_kind(),
                content: node.content.clone(),
                streams: node.streams.clone(),
                descriptor: node.descriptor.to_bytes().unwrap_or_default(),
                read_only: node.read_only,
                link: node.link.clone(),
            };
            files.insert(path, state);
        }
        files
    }

    /// Everything that lasts: files, accounts, rights, profiles, containers, registry, filters, objects of the session; and what runs.
    /// Numbers that Windows counts up and never gives back (file ids, relative ids, process ids) are not in it but for
    /// files.
    pub fn snapshot(&self) -> String {
        let mut text = String::new();
        for (path, state) in self.files() {
            let streams: Vec<String> =
                state.streams.iter().map(|(name, bytes)| format!("{name}={}", hex(&Hash::hash(bytes)))).collect();
            let _ = writeln!(
                text,
                "file {} {:?} {} read-only={} link={} content={} streams=[{}] descriptor={}",
                path.shown(),
                state.kind,
                state.id.file,
                state.read_only,
                state.link.as_ref().map(WindowsPath::shown).unwrap_or_default(),
                hex(&Hash::hash(&state.content)),
                streams.join(","),
                hex(&state.descriptor),
            );
        }
        self.world.borrow().write_rest(&mut text);
        text
    }
}

impl World {
    fn write_rest(&self, text: &mut String) {
        for account in self.accounts.values() {
            let members: Vec<String> = account.members.iter().map(ToString::to_string).collect();
            let (name, comment) = (&account.name, &account.comment);
            let _ = writeln!(
                text,
                "account {name} group={} comment={comment} password={} members=[{}]",
                account.group,
                account.password,
                members.join(",")
            );
        }
        for (sid, right) in self.rights.keys() {
            let _ = writeln!(text, "right {} {sid}", right.name());
        }
        for (sid, path) in &self.profiles {
            let _ = writeln!(text, "profile {sid} {}", path.shown());
        }
        for (name, sid) in &self.containers {
            let _ = writeln!(text, "container {name} {sid}");
        }
        for (key, state) in &self.keys {
            let bytes = state.descriptor.to_bytes().unwrap_or_default();
            let _ = writeln!(text, "key {:?} {} {:?} {}", key.hive, key.path, state.values, hex(&bytes));
        }
        for (key, installed) in &self.filters {
            let _ = writeln!(text, "filter {key:032x} {:?}", installed.filter);
        }
        for (object, descriptor) in &self.session {
            let _ = writeln!(text, "session {} {}", object.name(), hex(&descriptor.to_bytes().unwrap_or_default()));
        }
        // Who made the snapshot possible, bailiwick's own shells, comes and goes.
        for process in self.processes.values().filter(|process| process.exit.is_none()) {
            if !process.name.starts_with("bailiwick") {
                let _ = writeln!(text, "process {} as {}", process.name, process.token.user);
            }
        }
        for (name, pipe) in &self.pipes {
            let _ = writeln!(text, "pipe {name} {}", hex(&pipe.descriptor.to_bytes().unwrap_or_default()));
        }
        for (_, name, _) in self.desktops.values() {
            let _ = writeln!(text, "desktop {name}");
        }
    }
}

/// Lower-case digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
