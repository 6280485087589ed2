//! How the attacker carries an act out. What it gets to know is the answer; what it changes shows on the host.

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::token::Integrity;
use bailiwick_winsec::{AccessMask, Sid};

use super::acts::{Act, NAMES, Spot};
use crate::host::{
    Answer, Code, Endpoint, Files, Hive, Host, HostError, Links, Network, OpenFile, Place, Processes, Security, Want,
};
use crate::path::WindowsPath;
use crate::sim::{Actor, CONTROL, ServiceAct};

pub(in crate::run::tests) fn write_file<H: Host + ?Sized>(
    host: &mut H,
    path: &WindowsPath,
    content: &[u8],
) -> Answer<()> {
    let want = Want::New { directory: false, security: None };
    let how = OpenFile { access: AccessMask::FILE_GENERIC_WRITE, share: Share::ALL, links: Links::Follow, want };
    let handle = host.open(Place::Path(path), &how)?;
    host.write(handle, content)?;
    host.close(handle)
}

/// Reads; all the names of what was read, so that a link is judged by where it leads.
pub(super) fn read(host: &mut Actor, at: &WindowsPath) -> Answer<Vec<WindowsPath>> {
    let how = OpenFile { links: Links::Follow, ..OpenFile::existing(AccessMask::FILE_READ_DATA) };
    let handle = host.open(Place::Path(at), &how)?;
    let id = host.facts(handle)?.id;
    host.close(handle)?;
    let files = host.sim().files();
    Ok(files.into_iter().filter(|(_, state)| state.id == id).map(|(name, _)| name).collect())
}

/// What an act brings to light.
pub(super) type Learnt = Option<(&'static str, String)>;

/// An act on what is no file. What it changes is looked for afterwards.
pub(super) fn on_object(host: &mut Actor, act: &Act) -> Answer<Learnt> {
    let sim = host.sim();
    let nothing = |()| None;
    let none = || HostError::new("attack", "nothing to attack", Code::NOT_FOUND);
    let processes = || -> Vec<(u32, String)> {
        let own = host.process();
        sim.running().into_iter().filter(|(id, name)| *id != own && !name.starts_with("cmd.exe")).collect()
    };
    fn pick<T: Clone>(all: &[T], index: usize) -> Option<T> {
        all.get(index % all.len().max(1)).cloned()
    }
    let pipe = |index: usize| pick(&sim.pipes(), index).ok_or_else(none);
    let target = |index: usize| pick(&processes(), index).ok_or_else(none);
    match act {
        Act::SpyKey(index) => {
            let key = pick(&sim.keys(), *index).ok_or_else(none)?;
            // What the machine's hive lets everybody read is the system's, as `C:\Windows` is.
            host.spy_key(&key).map(|_| (key.hive == Hive::User).then_some(("key read", key.path)))
        }
        Act::SpoilKey(index, list) => {
            let key = pick(&sim.keys(), *index).ok_or_else(none)?;
            host.spoil_key(&key, *list).map(nothing)
        }
        Act::ListPipes => host.list_pipes().map(|_| Some(("pipes listed", String::new()))),
        Act::ReadPipe(index) => {
            let name = pipe(*index)?;
            host.open_pipe(&name, AccessMask::FILE_READ_DATA).map(|()| Some(("pipe", name)))
        }
        Act::WritePipe(index) => host.open_pipe(&pipe(*index)?, AccessMask::FILE_WRITE_DATA).map(nothing),
        // FILE_CREATE_PIPE_INSTANCE: whoever connects next is the attacker's guest.
        Act::ServePipe(index) => {
            let name = pipe(*index)?;
            host.open_pipe(&name, AccessMask(0x4)).map(|()| Some(("pipe", name)))
        }
        Act::ListProcesses => host.list_processes().map(|_| Some(("processes listed", String::new()))),
        Act::Memory(index) => {
            let (process, name) = target(*index)?;
            host.read_memory(process).map(|_| Some(("process", name)))
        }
        Act::Kill(index) => host.kill(target(*index)?.0).map(nothing),
        Act::Control(index, right) => host.control(target(*index)?.0, CONTROL[right % CONTROL.len()]).map(nothing),
        Act::UseServer(index) => host.use_server(pick(&sim.servers(), *index).ok_or_else(none)?).map(|_| None),
        Act::Service(index, act) => {
            const ACTS: [ServiceAct; 4] =
                [ServiceAct::Start, ServiceAct::Stop, ServiceAct::Configure, ServiceAct::Open];
            let name = pick(&sim.services(), *index).ok_or_else(none)?;
            host.to_service(name, ACTS[act % ACTS.len()]).map(nothing)
        }
        Act::MakeService => host.make_service().map(nothing),
        Act::Desktop(look) => host.use_desktop(*look).map(nothing),
        Act::Clipboard(write) => host.use_clipboard(*write).map(|_| Some(("clipboard", String::new()))),
        Act::Connect(index) => {
            const WHERE: [&str; 4] = ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"];
            let address = WHERE[index % WHERE.len()];
            match host.connect(&Endpoint { address: address.to_owned(), port: 443 }) {
                Err(error) if error.code == Code::SOCKET_ACCESS => Ok(None),
                _ => Ok(Some(("network", address.to_owned()))),
            }
        }
        Act::Resolve => match host.resolve("secret.example.com") {
            Err(error) if error.code == Code::SOCKET_ACCESS => Ok(None),
            _ => Ok(Some(("names", String::new()))),
        },
        _ => Ok(None),
    }
}

/// An act on files; the name that it brought about, if it did.
pub(super) fn on_files(host: &mut Actor, act: &Act, at: &dyn Fn(Spot) -> WindowsPath) -> Answer<Option<WindowsPath>> {
    let named = |place: Spot, name: usize| at(place).join(NAMES[name % NAMES.len()]).unwrap();
    let open = |host: &mut Actor, place: Spot, access: AccessMask, links: Links| {
        host.open(Place::Path(&at(place)), &OpenFile { links, ..OpenFile::existing(access) })
    };
    let (follow, itself) = (Links::Follow, Links::Never);
    let (done, made) = match act {
        Act::MakeFile(place, name) => {
            let name = named(*place, *name);
            return write_file(host, &name, b"attacker").map(|()| Some(name));
        }
        Act::MakeDirectory(place, name) => {
            let name = named(*place, *name);
            let want = Want::New { directory: true, security: None };
            let how = OpenFile { access: AccessMask::FILE_READ_ATTRIBUTES, share: Share::ALL, links: follow, want };
            let handle = host.open(Place::Path(&name), &how)?;
            return host.close(handle).map(|()| Some(name));
        }
        Act::Overwrite(place) => {
            let handle = open(host, *place, AccessMask::FILE_WRITE_DATA, follow)?;
            (host.write(handle, b"attacker").map(|()| handle), None)
        }
        Act::Delete(place) => {
            let handle = open(host, *place, AccessMask::DELETE, itself)?;
            (host.delete(handle).map(|()| handle), None)
        }
        Act::Move(from, to, name) => {
            let (handle, to) = (open(host, *from, AccessMask::DELETE, itself)?, named(*to, *name));
            let moved = host.rename(handle, &to, false);
            host.close(handle)?;
            return moved.map(|()| Some(to));
        }
        Act::Replace(from, to) => {
            let (handle, to) = (open(host, *from, AccessMask::DELETE, itself)?, at(*to));
            let moved = host.rename(handle, &to, true);
            host.close(handle)?;
            return moved.map(|()| Some(to));
        }
        Act::HardLink(from, to, name) => {
            let (handle, to) = (open(host, *from, AccessMask::MAXIMUM_ALLOWED, follow)?, named(*to, *name));
            let linked = host.link(handle, &to);
            host.close(handle)?;
            return linked.map(|()| Some(to));
        }
        Act::Junction(place, to) => {
            let handle = open(host, *place, AccessMask::FILE_WRITE_ATTRIBUTES, itself)?;
            (host.set_link(handle, Some(&at(*to))).map(|()| handle), None)
        }
        Act::Stream(place) => {
            let handle = open(host, *place, AccessMask::FILE_WRITE_DATA, follow)?;
            (host.write_stream(handle, "x", b"attacker").map(|()| handle), None)
        }
        Act::OpenList(place) => {
            let handle = open(host, *place, AccessMask::WRITE_DAC, follow)?;
            let open = sddl::parse("D:(A;OICI;FA;;;WD)", &Domains::NONE).unwrap();
            (host.set_security(handle, Security::Dacl(&open)).map(|()| handle), None)
        }
        Act::Own(place) => {
            let handle = open(host, *place, AccessMask::WRITE_OWNER, follow)?;
            (host.set_security(handle, Security::Owner(Sid::EVERYONE)).map(|()| handle), None)
        }
        Act::Lower(place) => {
            let handle = open(host, *place, AccessMask::WRITE_OWNER, follow)?;
            (host.set_security(handle, Security::Label(Integrity::LOW)).map(|()| handle), None)
        }
        Act::ReadOnly(place) => {
            let handle = open(host, *place, AccessMask::FILE_WRITE_ATTRIBUTES, follow)?;
            (host.set_read_only(handle, true).map(|()| handle), None)
        }
        _ => return Ok(None),
    };
    let handle = done?;
    host.close(handle).map(|()| made)
}
