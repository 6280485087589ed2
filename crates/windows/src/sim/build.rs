//! The world that facts describe, peopled.

use std::collections::BTreeMap;

use bailiwick_winsec::ntfs::NodeKind;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::token::{Group, Integrity, Privilege, Privileges, Token};
use bailiwick_winsec::{AccessMask, Ace, Acl, AclField, ObjectType, SecurityDescriptor, Sid};

use super::calls::Calls;
use super::tree::{End, Node};
use super::{Account, PipeState, RegistryKey, World};
use crate::facts::{Facts, ObjectKind, OpenAccess};
use crate::host::{Code, Hive, Key, Links, SessionObject, Value};
use crate::path::WindowsPath;

/// The computer: its own accounts are of this domain.
pub(super) const MACHINE: [u32; 3] = [1_004_336_348, 1_177_238_915, 682_003_330];

/// Another user of the computer.
const OTHER: Sid = Sid::account(MACHINE, 1100);

/// The user as an ordinary shell has it.
pub(super) fn user_token(facts: &Facts) -> Token {
    let user = &facts.user;
    let mut token = Token::plain(user.sid, &[]);
    token.groups = user
        .groups
        .iter()
        .map(|sid| match *sid {
            sid if sid.is_logon() => Group::logon(sid),
            Sid::ADMINISTRATORS => Group::deny_only(Sid::ADMINISTRATORS),
            sid => Group::enabled(sid),
        })
        .collect();
    token.privileges = Privileges::NONE
        .with(Privilege::ChangeNotify)
        .with_disabled(Privilege::Shutdown)
        .with_disabled(Privilege::Undock);
    let dacl = [user.sid, Sid::SYSTEM].map(|sid| Ace::allow(sid, AccessMask::GENERIC_ALL));
    token.default_dacl = Some(Acl::new(dacl.to_vec()));
    token
}

/// The same person after giving consent.
pub(super) fn elevated_token(facts: &Facts) -> Token {
    let mut token = user_token(facts);
    token.groups.retain(|group| group.sid != Sid::ADMINISTRATORS);
    token.groups.push(Group::owner(Sid::ADMINISTRATORS));
    token.owner = Sid::ADMINISTRATORS;
    token.integrity = Integrity::HIGH;
    for privilege in [Privilege::Backup, Privilege::Restore, Privilege::TakeOwnership, Privilege::Security] {
        token.privileges = token.privileges.with(privilege);
    }
    token
}

fn system_token() -> Token {
    let mut token = Token::plain(Sid::SYSTEM, &[Sid::EVERYONE, Sid::AUTHENTICATED_USERS]);
    token.groups.push(Group::owner(Sid::ADMINISTRATORS));
    token.integrity = Integrity::SYSTEM;
    token
}

pub(super) fn descriptor(sddl: &str) -> SecurityDescriptor {
    // The texts of this file are constants; a wrong one would leave an object that nobody can open, which tests notice.
    sddl::parse(sddl, &Domains::NONE).unwrap_or_default()
}

pub(super) fn world(facts: &Facts) -> World {
    let mut world = World {
        facts: facts.clone(),
        nodes: BTreeMap::new(),
        roots: BTreeMap::new(),
        opened: BTreeMap::new(),
        told: BTreeMap::new(),
        accounts: BTreeMap::new(),
        rights: BTreeMap::new(),
        profiles: BTreeMap::new(),
        containers: BTreeMap::new(),
        keys: BTreeMap::new(),
        filters: BTreeMap::new(),
        listeners: BTreeMap::new(),
        names_for_packages: false,
        processes: BTreeMap::new(),
        tokens: BTreeMap::new(),
        process_handles: BTreeMap::new(),
        jobs: BTreeMap::new(),
        desktops: BTreeMap::new(),
        session: BTreeMap::new(),
        pipes: BTreeMap::new(),
        pipe_ends: BTreeMap::new(),
        next: 100,
        next_relative_id: 2000,
        next_logon: 900_000,
        chance: 0x9e37_79b9_7f4a_7c15,
        others: super::others::others(facts),
        calls: Calls::default(),
    };
    described(&mut world, facts);
    peopled(&mut world, facts);
    registry(&mut world, facts);
    super::others::keys(&mut world, facts);
    running(&mut world, facts);
    world
}

/// The objects of the description.
fn described(world: &mut World, facts: &Facts) {
    for drive in &facts.drives {
        let root = world.fresh();
        let descriptor = facts.object(&WindowsPath::root(drive.letter)).map(|object| object.descriptor.clone());
        let descriptor = descriptor.filter(|_| drive.keeps_access_lists()).unwrap_or_else(open_to_all);
        world.nodes.insert(root, Node::new(drive.letter, NodeKind::Directory, descriptor));
        world.roots.insert(drive.letter, root);
    }
    for object in facts.objects.iter().filter(|object| !object.path.is_root()) {
        let (kind, link) = match &object.kind {
            ObjectKind::Directory => (NodeKind::Directory, None),
            ObjectKind::File => (NodeKind::File, None),
            ObjectKind::Link(target) => (NodeKind::Directory, Some(target.clone())),
        };
        let keeps = facts.drive_of(&object.path).is_some_and(|drive| drive.keeps_access_lists());
        let descriptor = if keeps { object.descriptor.clone() } else { open_to_all() };
        if let Ok(id) = world.plant_with(&object.path, kind, Some(descriptor))
            && let Ok(node) = world.node_mut(id)
        {
            node.link = link;
        }
    }
    for link in &facts.hard_links {
        let Ok(id) = world.plant(&link.other, NodeKind::File) else { continue };
        let end = link.path.parent().and_then(|parent| world.plant(&parent, NodeKind::Directory).ok());
        if let (Some(directory), Some(name)) = (end, link.path.name()) {
            let name = name.to_owned();
            world.add_name(directory, &name, id);
        }
    }
}

fn open_to_all() -> SecurityDescriptor {
    SecurityDescriptor { dacl: AclField::Null, ..SecurityDescriptor::default() }
}

/// What an attacker wants, and places that let many in.
fn peopled(world: &mut World, facts: &Facts) {
    let (folders, profile) = (&facts.folders, &facts.user.profile);
    let file = NodeKind::File;
    let inherited: [(&WindowsPath, &str); 10] = [
        (profile, r".ssh\id_ed25519"),
        (profile, r".gitconfig"),
        (profile, r"Documents\letter.txt"),
        (profile, r"Documents\deep\down\notes.txt"),
        // Beside the profiles, readable by whom the directory of all profiles lets in.
        (&folders.profiles, "notes.txt"),
        (&folders.roaming, r"Microsoft\Credentials\token"),
        (&folders.windows, r"System32\cmd.exe"),
        (&folders.program_files, r"Git\cmd\git.exe"),
        (&folders.program_files, r"bailiwick\runner.exe"),
        (&folders.program_data, r"Vendor\settings.ini"),
    ];
    for (base, below) in inherited {
        plant_below(world, base, below, file, None);
    }
    let other = format!("O:{OTHER}G:{OTHER}D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{OTHER})");
    plant_below(world, &folders.profiles, "eve", NodeKind::Directory, Some(&other));
    plant_below(world, &folders.profiles, r"eve\diary.txt", file, None);
    let shared = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;WD)";
    plant_below(world, &folders.program_data, "Everyone", NodeKind::Directory, Some(shared));
    plant_below(world, &folders.program_data, r"Everyone\drop.txt", file, None);
    let public = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;IU)(A;OICI;0x1301bf;;;BATCH)";
    let public = public.replace("(A;OICI;0x1301bf;;;BATCH)", "(A;OICI;0x1301bf;;;S-1-5-3)");
    plant_below(world, &folders.public, "Documents", NodeKind::Directory, Some(&public));
    plant_below(world, &folders.public, r"Documents\shared.txt", file, None);
    let color = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1201bf;;;BU)";
    plant_below(world, &folders.windows, r"System32\spool\drivers\color", NodeKind::Directory, Some(color));
    let temp = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;0x100026;;;BU)(A;OICIIO;FA;;;CO)";
    plant_below(world, &folders.windows, "Temp", NodeKind::Directory, Some(temp));
    // Whoever is authenticated may register a task of its own.
    let tasks = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;0x100106;;;AU)";
    plant_below(world, &folders.windows, r"System32\Tasks", NodeKind::Directory, Some(tasks));
    // What the description found open is there and open.
    for place in facts.open_to_all.iter().filter(|place| !place.path.is_root()) {
        let rights = match place.access {
            OpenAccess::Read => "0x1200a9",
            OpenAccess::Write => "0x1301bf",
        };
        let sddl = format!("O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;{rights};;;{})", place.through);
        let _ = world.plant_with(&place.path, NodeKind::Directory, Some(descriptor(&sddl)));
    }
    // An author's directory on every other drive: inherited, so open to whom the root lets in.
    let letters: Vec<char> = world.roots.keys().copied().collect();
    for letter in letters {
        plant_below(world, &WindowsPath::root(letter), r"archive\2019\taxes.txt", file, None);
    }
}

fn plant_below(world: &mut World, base: &WindowsPath, below: &str, kind: NodeKind, sddl: Option<&str>) {
    if let Ok(path) = base.join(below) {
        let _ = world.plant_with(&path, kind, sddl.map(descriptor));
    }
}

impl World {
    /// Something at a path with the inherited descriptor, and every directory above it; what is there stays.
    pub(super) fn plant(&mut self, path: &WindowsPath, kind: NodeKind) -> Result<u64, Code> {
        self.plant_with(path, kind, None)
    }

    fn plant_with(
        &mut self,
        path: &WindowsPath,
        kind: NodeKind,
        given: Option<SecurityDescriptor>,
    ) -> Result<u64, Code> {
        let system = system_token();
        if let Ok(End::There(reached)) = self.walk(&system, path, Links::Never) {
            return Ok(reached.node);
        }
        let parent = path.parent().ok_or(Code::PATH_NOT_FOUND)?;
        let directory = self.plant_with(&parent, NodeKind::Directory, None)?;
        let name = path.name().ok_or(Code::INVALID_NAME)?;
        // Who made the directory makes what is in it.
        let is_users = self.node(directory)?.descriptor.owner == Some(self.facts.user.sid);
        let owner = if is_users { user_token(&self.facts) } else { system };
        let descriptor = match given {
            Some(given) => given,
            None => self.new_descriptor(&owner, directory, kind, None)?,
        };
        let id = self.add_node(directory, name, kind, descriptor);
        if kind == NodeKind::File {
            self.node_mut(id)?.content = format!("content of {path}").into_bytes();
        }
        Ok(id)
    }

    /// Takes a tree away, names and all.
    pub(super) fn uproot(&mut self, path: &WindowsPath) {
        let Ok(End::There(reached)) = self.walk(&system_token(), path, Links::Never) else { return };
        let mut left = vec![reached.node];
        let mut names = Vec::new();
        while let Some(id) = left.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            for (folded, (_, child)) in &node.children {
                names.push((id, folded.clone()));
                left.push(*child);
            }
        }
        names.iter().rev().for_each(|(directory, name)| self.remove_name(*directory, name));
        if let Some((directory, name)) = reached.name {
            self.remove_name(directory, &name);
        }
    }
}

/// The profile that Windows makes at the first logon of an account.
pub(super) fn make_profile(world: &mut World, name: &str, sid: Sid) -> WindowsPath {
    let profiles = world.facts.folders.profiles.clone();
    let path = profiles.join(name).unwrap_or_else(|_| profiles.clone());
    let sddl = format!("O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{sid})");
    let _ = world.plant_with(&path, NodeKind::Directory, Some(descriptor(&sddl)));
    for below in ["AppData/Local/Temp", "AppData/Roaming"] {
        if let Ok(path) = path.join(below) {
            let _ = world.plant(&path, NodeKind::Directory);
        }
    }
    path
}

fn registry(world: &mut World, facts: &Facts) {
    let user = facts.user.sid;
    let own = format!("O:{user}G:{user}D:(A;CI;KA;;;{user})(A;CI;KA;;;SY)(A;CI;KA;;;BA)");
    let machine = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)";
    let winlogon = r"software\microsoft\windows nt\currentversion\winlogon";
    let keys = [
        (Hive::Machine, winlogon.to_owned(), machine),
        (Hive::User, format!(r"{user}\software\microsoft\windows\currentversion\run"), own.as_str()),
        (Hive::User, format!(r"{user}\environment"), own.as_str()),
    ];
    for (hive, path, sddl) in keys {
        let values = BTreeMap::from([("Present".to_owned(), Value::Text("before".to_owned()))]);
        world.keys.insert(Key { hive, path }, RegistryKey { descriptor: descriptor(sddl), values });
    }
}

/// Accounts, processes, pipes and the objects of the session.
fn running(world: &mut World, facts: &Facts) {
    let eve = Account {
        name: "eve".to_owned(),
        sid: OTHER,
        group: false,
        comment: String::new(),
        password: "correct horse".to_owned(),
        members: Vec::new(),
    };
    world.accounts.insert("eve".to_owned(), eve);
    let service = world.add_process("spoolsv.exe", system_token(), false);
    let token = user_token(facts);
    let agent = world.add_process("agent.exe", token, false);
    for (process, memory) in [(service, "keys of the machine"), (agent, "API-KEY=secret")] {
        if let Some(process) = world.processes.get_mut(&process) {
            process.memory = memory.as_bytes().to_vec();
        }
    }
    let user = facts.user.sid;
    let private = format!("O:{user}G:{user}D:(A;;FA;;;{user})(A;;FA;;;SY)");
    let open = "O:SYG:SYD:(A;;0x12019b;;;WD)(A;;FA;;;SY)";
    for (name, process, sddl) in [
        (r"\\.\pipe\agent-ipc", agent, private.as_str()),
        (r"\\.\pipe\openssh-ssh-agent", agent, &private),
        (r"\\.\pipe\node-default", service, open),
    ] {
        let server = world.add_pipe_end(process, name);
        world.pipes.insert(name.to_owned(), PipeState { descriptor: descriptor(sddl), server, client: None });
    }
    let logon = facts.user.logon;
    for (object, of) in [
        (SessionObject::WindowStation, ObjectType::WindowStation),
        (SessionObject::NamedObjects, ObjectType::ObjectDirectory),
    ] {
        let all = of.mapping().all;
        let aces = vec![Ace::allow(logon, all), Ace::allow(Sid::SYSTEM, all)];
        world.session.insert(object, SecurityDescriptor::new(user, user, Acl::new(aces)));
    }
}
