//! The registry, named pipes, time and chance.

use std::collections::BTreeMap;

use bailiwick_winsec::{AccessMask, Acl, ObjectType, Request, SecurityDescriptor, check};

use super::{Actor, PipeEnd, PipeState, RegistryKey, World};
use crate::host::{Answer, Code, Hive, Key, Objects, Pipe, PipeHandle, ProcessId, Value};

/// Rights on keys (Learn, "Registry Key Security and Access Rights").
const QUERY_VALUE: AccessMask = AccessMask(1);
const SET_VALUE: AccessMask = AccessMask(2);
const CREATE_SUB_KEY: AccessMask = AccessMask(4);

impl World {
    pub(super) fn ask(&self, process: ProcessId, descriptor: &SecurityDescriptor, what: Request) -> Result<(), Code> {
        let process = self.processes.get(&process).ok_or(Code::PROCESS_ABORTED)?;
        let verdict = check(&process.token, descriptor, what);
        let counts = verdict.is_granted() || (process.hostile && !verdict.is_denied());
        if counts { Ok(()) } else { Err(Code::ACCESS_DENIED) }
    }

    /// The key as stored: the user's hive is that of the user whom the process runs as.
    fn stored(&self, process: ProcessId, key: &Key) -> Result<Key, Code> {
        let path = match key.hive {
            Hive::Machine => key.path.to_lowercase(),
            Hive::User => format!("{}\\{}", self.token_of(process)?.user, key.path.to_lowercase()),
        };
        Ok(Key { hive: key.hive, path })
    }

    fn key(&self, process: ProcessId, key: &Key, rights: AccessMask) -> Result<Key, Code> {
        let stored = self.stored(process, key)?;
        let found = self.keys.get(&stored).ok_or(Code::FILE_NOT_FOUND)?;
        self.ask(process, &found.descriptor, Request::new(ObjectType::Key, rights))?;
        Ok(stored)
    }

    /// A process ends: its ends of pipes close, and what it served is gone.
    pub(super) fn close_pipes(&mut self, process: ProcessId) {
        let gone: Vec<u64> =
            self.pipe_ends.iter().filter(|(_, end)| end.process == process).map(|(id, _)| *id).collect();
        self.drop_ends(&gone);
    }

    fn drop_ends(&mut self, gone: &[u64]) {
        self.pipes.retain(|_, pipe| !gone.contains(&pipe.server));
        for pipe in self.pipes.values_mut() {
            pipe.client = pipe.client.filter(|client| !gone.contains(client));
        }
        self.pipe_ends.retain(|id, _| !gone.contains(id));
    }

    /// The other end of an end of the process' own.
    fn other_end(&self, process: ProcessId, pipe: PipeHandle) -> Result<u64, Code> {
        let end = self.pipe_ends.get(&pipe.0).filter(|end| end.process == process).ok_or(Code::INVALID_HANDLE)?;
        let state = self.pipes.get(&end.pipe).ok_or(Code::NO_DATA)?;
        let other = if state.server == pipe.0 { state.client } else { Some(state.server) };
        other.filter(|other| self.pipe_ends.contains_key(other)).ok_or(Code::NO_DATA)
    }

    pub(super) fn add_pipe_end(&mut self, process: ProcessId, pipe: &str) -> u64 {
        let id = self.fresh();
        self.pipe_ends.insert(id, PipeEnd { process, pipe: pipe.to_owned(), waiting: Vec::new() });
        id
    }
}

impl Objects for Actor {
    fn has_key(&mut self, key: &Key) -> Answer<bool> {
        self.call("has_key", &key.path, |world, process| {
            let stored = world.stored(process, key)?;
            Ok(world.keys.contains_key(&stored))
        })
    }

    fn value(&mut self, key: &Key, name: &str) -> Answer<Value> {
        self.call("value", &key.path, |world, process| {
            let key = world.key(process, key, QUERY_VALUE)?;
            let values = world.keys.get(&key).map(|key| &key.values);
            values.and_then(|values| values.get(name)).cloned().ok_or(Code::FILE_NOT_FOUND)
        })
    }

    fn set_value(&mut self, key: &Key, name: &str, value: &Value) -> Answer<()> {
        self.call("set_value", &key.path, |world, process| {
            let key = world.key(process, key, SET_VALUE)?;
            let key = world.keys.get_mut(&key).ok_or(Code::FILE_NOT_FOUND)?;
            key.values.insert(name.to_owned(), value.clone());
            Ok(())
        })
    }

    fn delete_value(&mut self, key: &Key, name: &str) -> Answer<()> {
        self.call("delete_value", &key.path, |world, process| {
            let key = world.key(process, key, SET_VALUE)?;
            let key = world.keys.get_mut(&key).ok_or(Code::FILE_NOT_FOUND)?;
            key.values.remove(name).map(|_| ()).ok_or(Code::FILE_NOT_FOUND)
        })
    }

    fn create_key(&mut self, key: &Key) -> Answer<()> {
        self.call("create_key", &key.path, |world, process| {
            let (above, _) = key.path.rsplit_once('\\').ok_or(Code::INVALID_NAME)?;
            let above = world.key(process, &Key { hive: key.hive, path: above.to_owned() }, CREATE_SUB_KEY)?;
            let new = world.stored(process, key)?;
            if world.keys.contains_key(&new) {
                return Err(Code::ALREADY_EXISTS);
            }
            // Keys of this simulation inherit the whole descriptor; none of them is ever stamped.
            let descriptor = world.keys.get(&above).ok_or(Code::FILE_NOT_FOUND)?.descriptor.clone();
            world.keys.insert(new, RegistryKey { descriptor, values: BTreeMap::new() });
            Ok(())
        })
    }

    fn delete_key(&mut self, key: &Key) -> Answer<()> {
        self.call("delete_key", &key.path, |world, process| {
            let key = world.key(process, key, AccessMask::DELETE)?;
            let below = format!("{}\\", key.path);
            let has_keys = world.keys.keys().any(|other| other.hive == key.hive && other.path.starts_with(&below));
            let has_values = world.keys.get(&key).is_some_and(|key| !key.values.is_empty());
            if has_keys || has_values {
                return Err(Code::DIRECTORY_NOT_EMPTY);
            }
            world.keys.remove(&key);
            Ok(())
        })
    }

    fn create_pipe(&mut self, pipe: &Pipe<'_>) -> Answer<PipeHandle> {
        self.call("create_pipe", pipe.name, |world, process| {
            let name = pipe.name.to_lowercase();
            if world.pipes.contains_key(&name) {
                return Err(Code::PIPE_BUSY);
            }
            let token = world.token_of(process)?;
            let default = || {
                let dacl = token.default_dacl.clone().unwrap_or_else(|| Acl::new(Vec::new()));
                SecurityDescriptor::new(token.owner, token.primary_group, dacl)
            };
            let descriptor = pipe.security.cloned().unwrap_or_else(default);
            let server = world.add_pipe_end(process, &name);
            world.pipes.insert(name, PipeState { descriptor, server, client: None });
            Ok(PipeHandle(server))
        })
    }

    fn connect_pipe(&mut self, name: &str) -> Answer<PipeHandle> {
        self.call("connect_pipe", name, |world, process| {
            let name = name.to_lowercase();
            let state = world.pipes.get(&name).ok_or(Code::FILE_NOT_FOUND)?;
            let rights = AccessMask::FILE_READ_DATA | AccessMask::FILE_WRITE_DATA;
            world.ask(process, &state.descriptor, Request::new(ObjectType::Pipe, rights))?;
            if state.client.is_some() {
                return Err(Code::PIPE_BUSY);
            }
            let client = world.add_pipe_end(process, &name);
            if let Some(state) = world.pipes.get_mut(&name) {
                state.client = Some(client);
            }
            Ok(PipeHandle(client))
        })
    }

    fn pipe_peer(&mut self, pipe: PipeHandle) -> Answer<ProcessId> {
        self.call("pipe_peer", "a pipe", |world, process| {
            let other = world.other_end(process, pipe)?;
            world.pipe_ends.get(&other).map(|end| end.process).ok_or(Code::NO_DATA)
        })
    }

    fn send(&mut self, pipe: PipeHandle, message: &[u8]) -> Answer<()> {
        self.call("send", "a pipe", |world, process| {
            let other = world.other_end(process, pipe)?;
            world.pipe_ends.get_mut(&other).ok_or(Code::NO_DATA)?.waiting.push(message.to_vec());
            Ok(())
        })
    }

    fn receive(&mut self, pipe: PipeHandle, most: usize) -> Answer<Vec<u8>> {
        self.call("receive", "a pipe", |world, process| {
            let end = world.pipe_ends.get_mut(&pipe.0).filter(|end| end.process == process);
            let end = end.ok_or(Code::INVALID_HANDLE)?;
            match end.waiting.first() {
                None => Err(Code::NO_DATA),
                Some(first) if first.len() > most => Err(Code::INVALID_PARAMETER),
                Some(_) => Ok(end.waiting.remove(0)),
            }
        })
    }

    fn close_pipe(&mut self, pipe: PipeHandle) -> Answer<()> {
        self.call("close_pipe", "a pipe", |world, process| {
            world.pipe_ends.get(&pipe.0).filter(|end| end.process == process).ok_or(Code::INVALID_HANDLE)?;
            world.drop_ends(&[pipe.0]);
            Ok(())
        })
    }

    fn now(&mut self) -> Answer<u64> {
        self.call("now", "the clock", |_, _| Ok(1_790_000_000))
    }

    fn random(&mut self, out: &mut [u8]) -> Answer<()> {
        self.call("random", "the generator", |world, _| {
            for byte in out {
                // A generator that a test can repeat (xorshift64).
                world.chance ^= world.chance << 13;
                world.chance ^= world.chance >> 7;
                world.chance ^= world.chance << 17;
                *byte = (world.chance >> 32) as u8;
            }
            Ok(())
        })
    }
}
