//! The filtering platform: filters by account and layer, the greater weight first.

use super::{Actor, World};
use crate::host::{Answer, Code, Endpoint, Installed, Network, ProcessId};
use crate::plan::network::{Action, Layer};

impl World {
    fn engine(&self, process: ProcessId) -> Result<(), Code> {
        self.is_elevated(process)?;
        if self.facts.network.filtering_engine { Ok(()) } else { Err(Code::NOT_FOUND) }
    }

    /// Whether the filters let this process pass at a layer.
    fn is_blocked(&self, process: ProcessId, layer: Layer, to: &Endpoint) -> Result<bool, Code> {
        let user = self.token_of(process)?.user;
        let matching = self.filters.values().map(|installed| &installed.filter).filter(|filter| {
            let endpoint = filter.only.is_none_or(|only| only.address == to.address && only.port == to.port);
            filter.account == user && filter.layer == layer && endpoint
        });
        // Within one weight a block wins.
        let first = matching.max_by_key(|filter| (filter.weight, filter.action == Action::Block));
        Ok(first.is_some_and(|filter| filter.action == Action::Block))
    }
}

fn is_v6(address: &str) -> bool {
    address.contains(':')
}

fn is_loopback(address: &str) -> bool {
    address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.")
}

impl Network for Actor {
    fn filters(&mut self) -> Answer<Vec<Installed>> {
        self.call("filters", "the filtering platform", |world, process| {
            world.engine(process)?;
            Ok(world.filters.values().cloned().collect())
        })
    }

    fn add_filters(&mut self, filters: &[Installed]) -> Answer<()> {
        self.call("add_filters", "the filtering platform", |world, process| {
            world.engine(process)?;
            if filters.iter().any(|new| world.filters.contains_key(&new.key)) {
                return Err(Code::ALREADY_EXISTS);
            }
            world.filters.extend(filters.iter().map(|new| (new.key, new.clone())));
            Ok(())
        })
    }

    fn delete_filters(&mut self, keys: &[u128]) -> Answer<()> {
        self.call("delete_filters", "the filtering platform", |world, process| {
            world.engine(process)?;
            world.filters.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    fn connect(&mut self, to: &Endpoint) -> Answer<()> {
        self.call("connect", format!("{}:{}", to.address, to.port), |world, process| {
            let layer = if is_v6(&to.address) { Layer::ConnectV6 } else { Layer::ConnectV4 };
            if world.is_blocked(process, layer, to)? || world.is_without_capability(process) {
                return Err(Code::SOCKET_ACCESS);
            }
            if is_loopback(&to.address) && !world.listeners.contains_key(to) {
                return Err(Code::CONNECTION_REFUSED);
            }
            Ok(())
        })
    }

    fn resolve(&mut self, name: &str) -> Answer<()> {
        self.call("resolve", name, |world, process| {
            // The system's service asks, so no filter of the account sees a packet of its own. Nobody has the names of the tests.
            let is_refused = world.is_without_capability(process) && !world.names_for_packages;
            Err(if is_refused { Code::SOCKET_ACCESS } else { Code::HOST_NOT_FOUND })
        })
    }

    fn listen(&mut self, on: &Endpoint) -> Answer<()> {
        self.call("listen", format!("{}:{}", on.address, on.port), |world, process| {
            let layer = if is_v6(&on.address) { Layer::ListenV6 } else { Layer::ListenV4 };
            if world.is_blocked(process, layer, on)? {
                return Err(Code::SOCKET_ACCESS);
            }
            if world.listeners.contains_key(on) {
                return Err(Code::ADDRESS_IN_USE);
            }
            world.listeners.insert(on.clone(), process);
            Ok(())
        })
    }
}

impl World {
    /// An AppContainer without a network capability gets no packet out, nor to the host's loopback.
    fn is_without_capability(&self, process: ProcessId) -> bool {
        self.processes.get(&process).is_some_and(|process| process.token.low_box.is_some())
    }
}
