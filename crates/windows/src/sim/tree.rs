//! The file tree: nodes, names, and the way from a path to a node.

use std::collections::BTreeMap;

use bailiwick_winsec::inherit::{self, AutoInherit, CreatorDefaults, NewObject};
use bailiwick_winsec::ntfs::{self, NodeKind};
use bailiwick_winsec::token::{Integrity, Token};
use bailiwick_winsec::{AclField, ObjectType, SecurityDescriptor};

use super::World;
use crate::host::{Code, FileId, Kind, Links};
use crate::path::{Volume, WindowsPath, fold};

/// As many links as Windows follows on one path.
const MOST_LINKS: usize = 63;

/// A file or directory.
pub(super) struct Node {
    pub(super) volume: char,
    pub(super) kind: NodeKind,
    pub(super) descriptor: SecurityDescriptor,
    /// Folded name to spelled name and node.
    pub(super) children: BTreeMap<String, (String, u64)>,
    pub(super) names: u32,
    pub(super) content: Vec<u8>,
    pub(super) streams: BTreeMap<String, Vec<u8>>,
    pub(super) read_only: bool,
    pub(super) link: Option<WindowsPath>,
}

/// The name by which something was reached.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    pub(super) node: u64,
    /// The directory and the folded name in it; `None` for a root.
    pub(super) name: Option<(u64, String)>,
}

/// An open handle.
pub(super) struct Opened {
    pub(super) process: u32,
    pub(super) reached: Reached,
    pub(super) rights: ntfs::Opened,
}

/// Records that the buffer of a watched directory holds here: few, so that tests see it overflow.
const MOST_TOLD: usize = 16;

/// What a handle is to be told of its directory.
#[derive(Debug, Default)]
pub(super) struct Telling {
    pub(super) names: Vec<String>,
    pub(super) overflow: bool,
}

/// A node as the rules of NTFS look at it.
pub(super) struct View<'a> {
    node: &'a Node,
    parent: Option<&'a SecurityDescriptor>,
}

impl ntfs::Node for View<'_> {
    fn descriptor(&self) -> &SecurityDescriptor {
        &self.node.descriptor
    }

    fn parent(&self) -> Option<&SecurityDescriptor> {
        self.parent
    }

    fn kind(&self) -> NodeKind {
        self.node.kind
    }

    fn is_read_only(&self) -> bool {
        self.node.read_only
    }

    fn link_count(&self) -> u32 {
        self.node.names
    }
}

impl Node {
    /// What callers see.
    pub(super) fn shown_kind(&self) -> Kind {
        match (&self.link, self.kind) {
            (Some(_), _) => Kind::Link,
            (None, NodeKind::Directory) => Kind::Directory,
            (None, NodeKind::File) => Kind::File,
        }
    }
}

/// Where a path ends: something, or a free name in a directory.
pub(super) enum End {
    There(Reached),
    Free { directory: u64, spelled: String },
}

impl World {
    pub(super) fn node(&self, id: u64) -> Result<&Node, Code> {
        self.nodes.get(&id).ok_or(Code::FILE_NOT_FOUND)
    }

    pub(super) fn node_mut(&mut self, id: u64) -> Result<&mut Node, Code> {
        self.nodes.get_mut(&id).ok_or(Code::FILE_NOT_FOUND)
    }

    pub(super) fn view(&self, reached: &Reached) -> Result<View<'_>, Code> {
        let parent = match &reached.name {
            Some((directory, _)) => Some(&self.node(*directory)?.descriptor),
            None => None,
        };
        Ok(View { node: self.node(reached.node)?, parent })
    }

    pub(super) fn file_id(&self, id: u64) -> Result<FileId, Code> {
        Ok(FileId { volume: u64::from(u32::from(self.node(id)?.volume)), file: u128::from(id) })
    }

    /// Walks a path with a token.
    pub(super) fn walk(&self, token: &Token, path: &WindowsPath, links: Links) -> Result<End, Code> {
        let mut path = path.clone();
        let mut followed = 0;
        'again: loop {
            let Volume::Drive(letter) = path.volume() else { return Err(Code::PATH_NOT_FOUND) };
            let root = *self.roots.get(letter).ok_or(Code::PATH_NOT_FOUND)?;
            let mut here = Reached { node: root, name: None };
            let mut walked = WindowsPath::root(*letter);
            let names: Vec<String> = path.names().map(str::to_owned).collect();
            for (index, name) in names.iter().enumerate() {
                let is_last = index + 1 == names.len();
                let directory = self.node(here.node)?;
                if directory.kind != NodeKind::Directory {
                    return Err(Code::PATH_NOT_FOUND);
                }
                ntfs::traverse(token, &directory.descriptor).map_err(|_| Code::ACCESS_DENIED)?;
                let folded = fold::fold(name);
                let Some((_, node)) = directory.children.get(&folded) else {
                    let free = End::Free { directory: here.node, spelled: name.clone() };
                    return if is_last { Ok(free) } else { Err(Code::PATH_NOT_FOUND) };
                };
                walked = walked.join(name).map_err(|_| Code::INVALID_NAME)?;
                here = Reached { node: *node, name: Some((here.node, folded)) };
                let Some(target) = &self.node(*node)?.link else { continue };
                match links {
                    Links::Never if is_last => {}
                    Links::Never => return Err(Code::REPARSE_POINT_ENCOUNTERED),
                    Links::Follow => {
                        followed += 1;
                        if followed > MOST_LINKS {
                            return Err(Code::PATH_NOT_FOUND);
                        }
                        path = path.moved(&walked, target).ok_or(Code::INVALID_NAME)?;
                        continue 'again;
                    }
                }
            }
            return Ok(End::There(here));
        }
    }

    /// One name below a directory, never through a link.
    pub(super) fn below(&self, directory: u64, name: &str) -> Result<End, Code> {
        let node = self.node(directory)?;
        if node.kind != NodeKind::Directory || node.link.is_some() {
            return Err(Code::DIRECTORY);
        }
        let folded = fold::fold(name);
        Ok(match node.children.get(&folded) {
            Some((_, child)) => End::There(Reached { node: *child, name: Some((directory, folded)) }),
            None => End::Free { directory, spelled: name.to_owned() },
        })
    }

    /// The descriptor of something new in a directory.
    pub(super) fn new_descriptor(
        &self,
        token: &Token,
        directory: u64,
        kind: NodeKind,
        creator: Option<&SecurityDescriptor>,
    ) -> Result<SecurityDescriptor, Code> {
        let parent = self.node(directory)?;
        if !self.keeps_access_lists(parent.volume) {
            return Ok(SecurityDescriptor { dacl: AclField::Null, ..SecurityDescriptor::default() });
        }
        let low_label = (token.integrity < Integrity::MEDIUM && token.low_box.is_none()).then(|| token.integrity.sid());
        let defaults = CreatorDefaults {
            owner: token.owner,
            group: token.primary_group,
            dacl: token.default_dacl.as_ref(),
            low_label,
        };
        Ok(inherit::create(&NewObject {
            parent: Some(&parent.descriptor),
            creator,
            is_container: kind == NodeKind::Directory,
            auto_inherit: AutoInherit::of_parent(&parent.descriptor),
            defaults,
            mapping: ObjectType::File.mapping(),
        }))
    }

    /// Makes a node under a free name.
    pub(super) fn add_node(
        &mut self,
        directory: u64,
        spelled: &str,
        kind: NodeKind,
        descriptor: SecurityDescriptor,
    ) -> u64 {
        let id = self.fresh();
        let volume = self.nodes.get(&directory).map_or('C', |node| node.volume);
        self.nodes.insert(id, Node::new(volume, kind, descriptor));
        self.add_name(directory, spelled, id);
        id
    }

    pub(super) fn add_name(&mut self, directory: u64, spelled: &str, node: u64) {
        if let Some(holder) = self.nodes.get_mut(&directory) {
            holder.children.insert(fold::fold(spelled), (spelled.to_owned(), node));
        }
        if let Some(node) = self.nodes.get_mut(&node) {
            node.names += 1;
        }
        self.tell(directory, spelled);
    }

    /// Tells whoever watches a directory that something happened to a name in it.
    pub(super) fn tell(&mut self, directory: u64, name: &str) {
        for (handle, telling) in &mut self.told {
            if self.opened.get(handle).is_none_or(|opened| opened.reached.node != directory) {
                continue;
            }
            if telling.names.len() >= MOST_TOLD {
                // All of it is thrown away, as Windows does.
                telling.names.clear();
                telling.overflow = true;
            } else if !telling.overflow {
                telling.names.push(name.to_owned());
            }
        }
    }

    /// Takes a name away; a node without a name stays only as long as a handle is open on it.
    pub(super) fn remove_name(&mut self, directory: u64, folded: &str) {
        let Some(holder) = self.nodes.get_mut(&directory) else { return };
        let Some((spelled, id)) = holder.children.remove(folded) else { return };
        self.tell(directory, &spelled);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.names = node.names.saturating_sub(1);
        }
        self.forget_if_nameless(id);
    }

    pub(super) fn forget_if_nameless(&mut self, id: u64) {
        let is_open = self.opened.values().any(|opened| opened.reached.node == id);
        let is_root = self.roots.values().any(|root| *root == id);
        if !is_open && !is_root && self.nodes.get(&id).is_some_and(|node| node.names == 0) {
            self.nodes.remove(&id);
        }
    }

    pub(super) fn keeps_access_lists(&self, letter: char) -> bool {
        self.facts.drives.iter().find(|drive| drive.letter == letter).is_some_and(|drive| drive.keeps_access_lists())
    }

    /// A number that nothing else has.
    pub(super) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Node {
    pub(super) fn new(volume: char, kind: NodeKind, descriptor: SecurityDescriptor) -> Node {
        Node {
            volume,
            kind,
            descriptor,
            children: BTreeMap::new(),
            names: 0,
            content: Vec::new(),
            streams: BTreeMap::new(),
            read_only: false,
            link: None,
        }
    }
}
