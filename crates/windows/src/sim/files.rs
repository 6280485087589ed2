//! Files and directories, each access judged by the rules of NTFS.

use bailiwick_winsec::ntfs::{self, Change, LinkRule, NodeKind, Open, Outcome, Share};
use bailiwick_winsec::token::Token;
use bailiwick_winsec::{AccessMask, AclField, Control, ObjectType, SecurityDescriptor};

use super::tree::{End, Opened, Reached};
use super::{Actor, World};
use crate::host::{
    Answer, Code, Entry, FileFacts, FileHandle, Files, Links, OpenFile, Place, ProcessId, Security, Told, Want,
};
use crate::path::{WindowsPath, fold};

/// A rule's answer: what is not known counts for who must not profit from it.
fn judge(outcome: Outcome, hostile: bool, desired: AccessMask) -> Result<AccessMask, Code> {
    match outcome {
        Ok(granted) => Ok(granted),
        Err(refusal) if !refusal.is_certain() && hostile => Ok(desired),
        Err(_) => Err(Code::ACCESS_DENIED),
    }
}

impl World {
    fn asking(&self, process: ProcessId) -> Result<(Token, bool), Code> {
        let process = self.processes.get(&process).ok_or(Code::PROCESS_ABORTED)?;
        Ok((process.token.clone(), process.hostile))
    }

    fn handle(&self, process: ProcessId, handle: FileHandle) -> Result<&Opened, Code> {
        self.opened.get(&handle.0).filter(|opened| opened.process == process).ok_or(Code::INVALID_HANDLE)
    }

    fn handle_with(&self, process: ProcessId, handle: FileHandle, rights: AccessMask) -> Result<Reached, Code> {
        let opened = self.handle(process, handle)?;
        if opened.rights.granted.contains(rights) { Ok(opened.reached.clone()) } else { Err(Code::ACCESS_DENIED) }
    }

    /// Whether another handle keeps this access out.
    fn check_sharing(&self, node: u64, rights: ntfs::Opened) -> Result<(), Code> {
        let mut others = self.opened.values().filter(|opened| opened.reached.node == node);
        match others.all(|opened| opened.rights.is_compatible(&rights)) {
            true => Ok(()),
            false => Err(Code::SHARING_VIOLATION),
        }
    }

    fn open_at(&mut self, process: ProcessId, place: Place<'_>, how: &OpenFile<'_>) -> Result<FileHandle, Code> {
        let (token, hostile) = self.asking(process)?;
        let end = match place {
            Place::Path(path) => self.walk(&token, path, how.links)?,
            Place::Below(directory, name) => {
                let directory = self.handle(process, directory)?.reached.node;
                self.below(directory, name)?
            }
        };
        let desired = ObjectType::File.mapping().map(how.access);
        let (reached, granted) = match (end, how.want) {
            (End::There(reached), Want::Existing) => {
                let asked = Open::rights(how.access);
                let granted = judge(ntfs::open(&token, &self.view(&reached)?, asked), hostile, desired)?;
                self.check_sharing(reached.node, ntfs::Opened { granted, share: how.share })?;
                (reached, granted)
            }
            (End::There(_), Want::New { .. }) => return Err(Code::ALREADY_EXISTS),
            (End::Free { .. }, Want::Existing) => return Err(Code::FILE_NOT_FOUND),
            (End::Free { directory, spelled }, Want::New { directory: wants_directory, security }) => {
                let kind = if wants_directory { NodeKind::Directory } else { NodeKind::File };
                let outcome = ntfs::create(&token, &self.node(directory)?.descriptor, kind, how.access);
                let granted = judge(outcome, hostile, desired)?;
                if let Some(owner) = security.and_then(|security| security.owner)
                    && !token.may_assign_owner(&owner)
                {
                    return Err(Code::ACCESS_DENIED);
                }
                let descriptor = self.new_descriptor(&token, directory, kind, security)?;
                let node = self.add_node(directory, &spelled, kind, descriptor);
                (Reached { node, name: Some((directory, fold::fold(&spelled))) }, granted)
            }
        };
        let handle = self.fresh();
        let rights = ntfs::Opened { granted, share: how.share };
        self.opened.insert(handle, Opened { process, reached, rights });
        Ok(FileHandle(handle))
    }

    fn delete_name(&mut self, process: ProcessId, handle: FileHandle) -> Result<(), Code> {
        let (token, hostile) = self.asking(process)?;
        let reached = self.handle_with(process, handle, AccessMask::DELETE)?;
        judge(ntfs::delete(&token, &self.view(&reached)?), hostile, AccessMask::DELETE)?;
        if !self.node(reached.node)?.children.is_empty() {
            return Err(Code::DIRECTORY_NOT_EMPTY);
        }
        let (directory, name) = reached.name.ok_or(Code::ACCESS_DENIED)?;
        self.remove_name(directory, &name);
        Ok(())
    }

    /// Where a new name goes: the directory, the name, and what has it now.
    fn target(&self, token: &Token, to: &WindowsPath, volume: char) -> Result<(u64, String, Option<Reached>), Code> {
        let name = to.name().ok_or(Code::ACCESS_DENIED)?.to_owned();
        let parent = to.parent().ok_or(Code::ACCESS_DENIED)?;
        let End::There(directory) = self.walk(token, &parent, Links::Follow)? else { return Err(Code::PATH_NOT_FOUND) };
        if self.node(directory.node)?.volume != volume {
            return Err(Code::NOT_SAME_DEVICE);
        }
        let taken = match self.below(directory.node, &name)? {
            End::There(reached) => Some(reached),
            End::Free { .. } => None,
        };
        Ok((directory.node, name, taken))
    }

    fn rename_to(
        &mut self,
        process: ProcessId,
        handle: FileHandle,
        to: &WindowsPath,
        replace: bool,
    ) -> Result<(), Code> {
        let (token, _) = self.asking(process)?;
        let source = self.handle_with(process, handle, AccessMask::DELETE)?;
        let (directory, name, taken) = self.target(&token, to, self.node(source.node)?.volume)?;
        self.rename_into(process, handle, (directory, name, taken), replace)
    }

    fn rename_here(&mut self, process: ProcessId, handle: FileHandle, name: &str) -> Result<(), Code> {
        let source = self.handle_with(process, handle, AccessMask::DELETE)?;
        let (directory, _) = source.name.ok_or(Code::ACCESS_DENIED)?;
        let taken = match self.below(directory, name)? {
            End::There(reached) => Some(reached),
            End::Free { .. } => None,
        };
        self.rename_into(process, handle, (directory, name.to_owned(), taken), false)
    }

    fn rename_into(
        &mut self,
        process: ProcessId,
        handle: FileHandle,
        (directory, name, taken): (u64, String, Option<Reached>),
        replace: bool,
    ) -> Result<(), Code> {
        let (token, hostile) = self.asking(process)?;
        let source = self.handle_with(process, handle, AccessMask::DELETE)?;
        let (from, old) = source.name.clone().ok_or(Code::ACCESS_DENIED)?;
        if self.is_within(directory, source.node) {
            return Err(Code::INVALID_PARAMETER);
        }
        let taken =
            taken.filter(|taken| taken.node != source.node || taken.name.as_ref() != Some(&(from, old.clone())));
        if taken.is_some() && !replace {
            return Err(Code::ALREADY_EXISTS);
        }
        let replaced = taken.as_ref().map(|taken| self.view(taken)).transpose()?;
        let into = &self.node(directory)?.descriptor;
        judge(ntfs::rename(&token, &self.view(&source)?, into, replaced.as_ref()), hostile, AccessMask::DELETE)?;
        if let Some(taken) = taken {
            let rights = ntfs::Opened { granted: AccessMask::DELETE, share: Share::ALL };
            self.check_sharing(taken.node, rights)?;
            if let Some((directory, name)) = taken.name {
                self.remove_name(directory, &name);
            }
        }
        // The new name first: a node without any would be forgotten.
        let folded = fold::fold(&name);
        if (directory, folded.clone()) != (from, old.clone()) {
            self.add_name(directory, &name, source.node);
            self.remove_name(from, &old);
        } else if let Some((spelled, _)) = self.node_mut(directory)?.children.get_mut(&folded) {
            *spelled = name;
        }
        if let Some(opened) = self.opened.get_mut(&handle.0) {
            opened.reached.name = Some((directory, folded));
        }
        Ok(())
    }

    fn is_within(&self, directory: u64, of: u64) -> bool {
        let mut left = vec![of];
        while let Some(node) = left.pop() {
            if node == directory {
                return true;
            }
            if let Some(node) = self.nodes.get(&node) {
                left.extend(node.children.values().map(|(_, child)| *child));
            }
        }
        false
    }

    fn change_security(&mut self, process: ProcessId, handle: FileHandle, change: Security<'_>) -> Result<(), Code> {
        let (token, hostile) = self.asking(process)?;
        let (right, asked) = match change {
            Security::Dacl(_) => (AccessMask::WRITE_DAC, Change::Dacl),
            Security::Owner(sid) => (AccessMask::WRITE_OWNER, Change::Owner(sid)),
            Security::Label(level) => (AccessMask::WRITE_OWNER, Change::Label(level)),
        };
        let reached = self.handle_with(process, handle, right)?;
        let view = self.view(&reached)?;
        if let Security::Owner(_) | Security::Label(_) = change {
            judge(ntfs::set_security(&token, &view, asked), hostile, right)?;
        }
        if !self.keeps_access_lists(self.node(reached.node)?.volume) {
            return Err(Code::NOT_SUPPORTED);
        }
        let node = self.node_mut(reached.node)?;
        match change {
            Security::Dacl(from) => copy_dacl(&mut node.descriptor, from),
            Security::Owner(sid) => node.descriptor.owner = Some(sid),
            Security::Label(level) => {
                let label = bailiwick_winsec::Ace::label(level.sid(), AccessMask::NO_WRITE_UP);
                node.descriptor.sacl = AclField::Present(bailiwick_winsec::Acl::new(vec![label]));
            }
        }
        Ok(())
    }
}

/// The bits that go with a DACL.
const DACL_BITS: Control = Control(
    Control::DACL_DEFAULTED.0
        | Control::DACL_AUTO_INHERIT_REQ.0
        | Control::DACL_AUTO_INHERITED.0
        | Control::DACL_PROTECTED.0,
);

/// Takes the DACL and its bits over, and nothing else.
pub(super) fn copy_dacl(to: &mut SecurityDescriptor, from: &SecurityDescriptor) {
    to.dacl = from.dacl.clone();
    to.control = to.control.without(DACL_BITS) | Control(from.control.0 & DACL_BITS.0);
}

impl Files for Actor {
    fn open(&mut self, place: Place<'_>, how: &OpenFile<'_>) -> Answer<FileHandle> {
        let object = match place {
            Place::Path(path) => path.to_string(),
            Place::Below(_, name) => name.to_owned(),
        };
        let call = if matches!(how.want, Want::New { .. }) { "create" } else { "open" };
        self.call(call, object, |world, process| world.open_at(process, place, how))
    }

    fn close(&mut self, handle: FileHandle) -> Answer<()> {
        self.call("close", "a handle", |world, process| {
            world.handle(process, handle)?;
            world.told.remove(&handle.0);
            if let Some(opened) = world.opened.remove(&handle.0) {
                world.forget_if_nameless(opened.reached.node);
            }
            Ok(())
        })
    }

    fn facts(&mut self, handle: FileHandle) -> Answer<FileFacts> {
        self.call("facts", "a handle", |world, process| {
            let id = world.handle(process, handle)?.reached.node;
            let node = world.node(id)?;
            let (links, read_only) = (node.names, node.read_only);
            Ok(FileFacts { id: world.file_id(id)?, kind: node.shown_kind(), links, read_only })
        })
    }

    fn list(&mut self, handle: FileHandle) -> Answer<Vec<Entry>> {
        self.call("list", "a handle", |world, process| {
            let reached = world.handle_with(process, handle, AccessMask::FILE_LIST_DIRECTORY)?;
            let children = world.node(reached.node)?.children.values();
            children.map(|(name, id)| Ok(Entry { name: name.clone(), kind: world.node(*id)?.shown_kind() })).collect()
        })
    }

    fn read(&mut self, handle: FileHandle, most: usize) -> Answer<Vec<u8>> {
        self.call("read", "a handle", |world, process| {
            let reached = world.handle_with(process, handle, AccessMask::FILE_READ_DATA)?;
            let content = &world.node(reached.node)?.content;
            if content.len() > most { Err(Code::INVALID_PARAMETER) } else { Ok(content.clone()) }
        })
    }

    fn write(&mut self, handle: FileHandle, content: &[u8]) -> Answer<()> {
        self.tearing("write", "a handle", |world, process, torn| {
            let reached = world.handle_with(process, handle, AccessMask::FILE_WRITE_DATA)?;
            world.node_mut(reached.node)?.content = half(content, torn).to_vec();
            Ok(())
        })
    }

    fn append(&mut self, handle: FileHandle, content: &[u8]) -> Answer<()> {
        self.tearing("append", "a handle", |world, process, torn| {
            let reached = world.handle_with(process, handle, AccessMask::FILE_APPEND_DATA)?;
            world.node_mut(reached.node)?.content.extend_from_slice(half(content, torn));
            Ok(())
        })
    }

    fn streams(&mut self, handle: FileHandle) -> Answer<Vec<String>> {
        self.call("streams", "a handle", |world, process| {
            let node = world.handle(process, handle)?.reached.node;
            Ok(world.node(node)?.streams.keys().cloned().collect())
        })
    }

    fn write_stream(&mut self, handle: FileHandle, name: &str, content: &[u8]) -> Answer<()> {
        self.call("write_stream", name, |world, process| {
            let (token, hostile) = world.asking(process)?;
            let reached = world.handle(process, handle)?.reached.clone();
            let exists = world.node(reached.node)?.streams.contains_key(name);
            let desired = AccessMask::FILE_WRITE_DATA;
            judge(ntfs::stream(&token, &world.view(&reached)?, desired, exists), hostile, desired)?;
            world.node_mut(reached.node)?.streams.insert(name.to_owned(), content.to_vec());
            Ok(())
        })
    }

    fn delete(&mut self, handle: FileHandle) -> Answer<()> {
        self.call("delete", "a handle", |world, process| world.delete_name(process, handle))
    }

    fn rename(&mut self, handle: FileHandle, to: &WindowsPath, replace: bool) -> Answer<()> {
        self.call("rename", to, |world, process| world.rename_to(process, handle, to, replace))
    }

    fn rename_here(&mut self, handle: FileHandle, name: &str) -> Answer<()> {
        self.call("rename_here", name, |world, process| world.rename_here(process, handle, name))
    }

    fn link(&mut self, handle: FileHandle, to: &WindowsPath) -> Answer<()> {
        self.call("link", to, |world, process| {
            let (token, hostile) = world.asking(process)?;
            let source = world.handle(process, handle)?.reached.clone();
            let (directory, name, taken) = world.target(&token, to, world.node(source.node)?.volume)?;
            if taken.is_some() {
                return Err(Code::ALREADY_EXISTS);
            }
            let into = &world.node(directory)?.descriptor;
            let view = world.view(&source)?;
            judge(ntfs::hard_link(&token, &view, into, None, LinkRule::AnyHandle), hostile, AccessMask::NONE)?;
            world.add_name(directory, &name, source.node);
            Ok(())
        })
    }

    fn set_link(&mut self, handle: FileHandle, target: Option<&WindowsPath>) -> Answer<()> {
        self.call("set_link", "a handle", |world, process| {
            let (token, hostile) = world.asking(process)?;
            let reached = world.handle(process, handle)?.reached.clone();
            // Developer mode: symbolic links need no privilege. The boundary must hold with it.
            let outcome = ntfs::set_reparse_point(&token, &world.view(&reached)?, false);
            judge(outcome, hostile, AccessMask::NONE)?;
            let node = world.node_mut(reached.node)?;
            if !node.children.is_empty() {
                return Err(Code::DIRECTORY_NOT_EMPTY);
            }
            node.link = target.cloned();
            // FILE_ATTRIBUTE_REPARSE_POINT comes or goes.
            if let Some((directory, name)) = reached.name {
                world.tell(directory, &name);
            }
            Ok(())
        })
    }

    fn set_read_only(&mut self, handle: FileHandle, read_only: bool) -> Answer<()> {
        self.call("set_read_only", "a handle", |world, process| {
            let reached = world.handle_with(process, handle, AccessMask::FILE_WRITE_ATTRIBUTES)?;
            world.node_mut(reached.node)?.read_only = read_only;
            Ok(())
        })
    }

    fn security(&mut self, handle: FileHandle) -> Answer<SecurityDescriptor> {
        self.call("security", "a handle", |world, process| {
            let reached = world.handle_with(process, handle, AccessMask::READ_CONTROL)?;
            Ok(world.node(reached.node)?.descriptor.clone())
        })
    }

    fn set_security(&mut self, handle: FileHandle, change: Security<'_>) -> Answer<()> {
        self.call("set_security", "a handle", |world, process| world.change_security(process, handle, change))
    }

    fn watch(&mut self, directory: FileHandle) -> Answer<()> {
        self.call("watch", "a handle", |world, process| {
            let reached = world.handle_with(process, directory, AccessMask::FILE_LIST_DIRECTORY)?;
            if world.node(reached.node)?.kind != NodeKind::Directory {
                return Err(Code::DIRECTORY);
            }
            world.told.entry(directory.0).or_default();
            Ok(())
        })
    }

    fn told(&mut self, directory: FileHandle) -> Answer<Told> {
        self.call("told", "a handle", |world, process| {
            let node = world.handle(process, directory)?.reached.node;
            let is_root = world.roots.values().any(|root| *root == node);
            if world.node(node)?.names == 0 && !is_root {
                return Err(Code::ACCESS_DENIED);
            }
            let telling = std::mem::take(world.told.get_mut(&directory.0).ok_or(Code::INVALID_PARAMETER)?);
            Ok(if telling.overflow { Told::Overflow } else { Told::Names(telling.names) })
        })
    }
}

fn half(content: &[u8], torn: bool) -> &[u8] {
    let end = if torn { content.len() / 2 } else { content.len() };
    content.get(..end).unwrap_or(content)
}
