//! What the attacker does, as data that can be drawn and shrunk.

use proptest::prelude::*;

use super::places::NEAR;

/// Something with a path: one that the attacker knew from the start, or one that it made itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::run::tests) enum Spot {
    /// One of [`places`](super::places::places).
    Known(usize),
    /// The name that the attacker brought about this many acts of making ago.
    Made(usize),
}

impl Spot {
    /// The known place this much further down the list.
    pub(super) fn moved(self, further: usize) -> Spot {
        match self {
            Spot::Known(index) => Spot::Known(index + further),
            Spot::Made(_) => self,
        }
    }
}

/// One act. Numbers choose among what there is: places, names, keys, processes, pipes, servers, services.
#[derive(Clone, Debug)]
pub(in crate::run::tests) enum Act {
    Read(Spot),
    Overwrite(Spot),
    MakeFile(Spot, usize),
    MakeDirectory(Spot, usize),
    Delete(Spot),
    Move(Spot, Spot, usize),
    Replace(Spot, Spot),
    HardLink(Spot, Spot, usize),
    Junction(Spot, Spot),
    Stream(Spot),
    OpenList(Spot),
    Own(Spot),
    Lower(Spot),
    ReadOnly(Spot),
    SpyKey(usize),
    SpoilKey(usize, bool),
    ListPipes,
    ReadPipe(usize),
    WritePipe(usize),
    ServePipe(usize),
    ListProcesses,
    Memory(usize),
    Kill(usize),
    Control(usize, usize),
    UseServer(usize),
    Service(usize, usize),
    MakeService,
    Desktop(bool),
    Clipboard(bool),
    Connect(usize),
    Resolve,
    /// Not the attacker's: the user ends the session, has the stamps handed down again, and opens another.
    Restamp,
}

impl Act {
    /// At how many places in turn it is tried until it is not refused. An attacker does not stop at the first refusal; what would
    /// destroy the scene is tried once.
    pub(super) fn patience(&self) -> usize {
        match self {
            Act::HardLink(..) | Act::MakeFile(..) | Act::MakeDirectory(..) | Act::Overwrite(_) | Act::Stream(_) => 8,
            _ => 1,
        }
    }
}

/// Names for what is made; the last ones are guarded names that do not exist.
pub(in crate::run::tests) const NAMES: [&str; 8] =
    ["new", "b", "link", "hooks", "f.txt", "Properties", ".husky", "launchSettings.json"];

/// What the attacker brought about itself is where most attacks go on, and what is near is next.
fn spot() -> impl Strategy<Value = Spot> {
    prop_oneof![
        2 => (0..NEAR).prop_map(Spot::Known),
        1 => (NEAR..64usize).prop_map(Spot::Known),
        3 => (0..3usize).prop_map(Spot::Made),
    ]
}

fn on_files() -> impl Strategy<Value = Act> {
    let name = || 0..NAMES.len();
    prop_oneof![
        1 => spot().prop_map(Act::Read),
        4 => spot().prop_map(Act::Overwrite),
        1 => (spot(), name()).prop_map(|(at, name)| Act::MakeFile(at, name)),
        1 => (spot(), name()).prop_map(|(at, name)| Act::MakeDirectory(at, name)),
        1 => spot().prop_map(Act::Delete),
        1 => (spot(), spot(), name()).prop_map(|(from, to, name)| Act::Move(from, to, name)),
        1 => (spot(), spot()).prop_map(|(from, to)| Act::Replace(from, to)),
        3 => (spot(), spot(), name()).prop_map(|(from, to, name)| Act::HardLink(from, to, name)),
        1 => (spot(), spot()).prop_map(|(at, to)| Act::Junction(at, to)),
        1 => spot().prop_map(Act::Stream),
        1 => spot().prop_map(Act::OpenList),
        1 => spot().prop_map(Act::Own),
        1 => spot().prop_map(Act::Lower),
        1 => spot().prop_map(Act::ReadOnly),
    ]
}

fn on_objects() -> impl Strategy<Value = Act> {
    let which = || 0..16usize;
    prop_oneof![
        which().prop_map(Act::SpyKey),
        (which(), prop::bool::ANY).prop_map(|(key, list)| Act::SpoilKey(key, list)),
        Just(Act::ListPipes),
        which().prop_map(Act::ReadPipe),
        which().prop_map(Act::WritePipe),
        which().prop_map(Act::ServePipe),
        Just(Act::ListProcesses),
        which().prop_map(Act::Memory),
        which().prop_map(Act::Kill),
        (which(), which()).prop_map(|(process, right)| Act::Control(process, right)),
        which().prop_map(Act::UseServer),
        (which(), which()).prop_map(|(service, act)| Act::Service(service, act)),
        Just(Act::MakeService),
        prop::bool::ANY.prop_map(Act::Desktop),
        prop::bool::ANY.prop_map(Act::Clipboard),
        which().prop_map(Act::Connect),
        Just(Act::Resolve),
    ]
}

/// A sequence of acts.
pub(in crate::run::tests) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![14 => on_files(), 4 => on_objects(), 3 => Just(Act::Restamp)];
    prop::collection::vec(act, 1..20)
}
