//! The table of attacks, one file for each subject.

pub(crate) mod absent;
pub(crate) mod environment;
pub(crate) mod files;
pub(crate) mod kernel;
pub(crate) mod limits;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod namespaces;
pub(crate) mod network;
pub(crate) mod processes;
pub(crate) mod reads;
pub(crate) mod sockets;
pub(crate) mod terminal;
pub(crate) mod tree;

use crate::attack::Attack;

/// What ordinary users lack.
const ROOT: &str = "needs root";

/// Every attack, in the order in which guarantees are shown.
pub fn all() -> impl Iterator<Item = &'static Attack> {
    [
        files::ATTACKS,
        files::INHERITED,
        metadata::ATTACKS,
        reads::ATTACKS,
        reads::ROOT_ATTACKS,
        names::ATTACKS,
        absent::ATTACKS,
        network::ATTACKS,
        sockets::ATTACKS,
        processes::ATTACKS,
        tree::ATTACKS,
        terminal::ATTACKS,
        environment::ATTACKS,
        kernel::ATTACKS,
        kernel::FAMILIES,
        namespaces::ATTACKS,
        limits::ATTACKS,
    ]
    .into_iter()
    .flatten()
}

/// The attack of that name.
pub fn find(name: &str) -> Option<&'static Attack> {
    all().find(|attack| attack.name == name)
}
