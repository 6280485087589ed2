//! The network as data: filters of the filtering platform, and the gate.
//!
//! Source: Microsoft Learn, "Filter Arbitration" and "Management Filtering Layer Identifiers". Within a sublayer the filter with the highest weight
//! decides; the permit for the gate's port therefore outweighs the block.

use bailiwick_winsec::Sid;
use serde::Serialize;

use crate::facts::Account;

/// What stands between the inside and the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkPlan {
    /// Filters, made persistent at setup under fixed GUIDs.
    pub filters: Vec<Filter>,
    /// The way out.
    pub gate: Gate,
}

/// The way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "gate")]
pub enum Gate {
    /// None.
    None,
    /// A listener on the loopback addresses, bound exclusively even when no host is allowed, so that nobody else answers there.
    Loopback {
        /// The port.
        port: u16,
        /// Whether it lets anything through.
        open: bool,
    },
    /// A named pipe for one package, with a shim on the container's own loopback.
    Pipe {
        /// The name; a part that nobody can foresee is added at launch.
        name: String,
    },
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The layer.
    pub layer: Layer,
    /// `FWPM_CONDITION_ALE_USER_ID`: the account.
    pub account: Sid,
    /// The loopback address and TCP port that it is limited to.
    pub only: Option<Endpoint>,
    /// What it does.
    pub action: Action,
    /// Greater decides first.
    pub weight: u8,
}

/// A TCP endpoint on a loopback address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// `127.0.0.1` or `::1`.
    pub address: &'static str,
    /// The port.
    pub port: u16,
}

/// What a filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `FWP_ACTION_BLOCK`.
    Block,
    /// `FWP_ACTION_PERMIT`.
    Permit,
}

/// A layer of the filtering platform.
///
/// Resource assignment is left alone: every connection, also that to the gate, takes a local port there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Layer {
    /// `FWPM_LAYER_ALE_AUTH_CONNECT_V4`: connections and first datagrams out.
    ConnectV4,
    /// `FWPM_LAYER_ALE_AUTH_CONNECT_V6`.
    ConnectV6,
    /// `FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4`: connections and first datagrams in.
    AcceptV4,
    /// `FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V6`.
    AcceptV6,
    /// `FWPM_LAYER_ALE_AUTH_LISTEN_V4`.
    ListenV4,
    /// `FWPM_LAYER_ALE_AUTH_LISTEN_V6`.
    ListenV6,
}

impl Layer {
    /// All of them.
    pub const ALL: [Layer; 6] =
        [Layer::ConnectV4, Layer::ConnectV6, Layer::AcceptV4, Layer::AcceptV6, Layer::ListenV4, Layer::ListenV6];

    /// The identifier without its common beginning.
    pub const fn name(self) -> &'static str {
        match self {
            Layer::ConnectV4 => "ALE_AUTH_CONNECT_V4",
            Layer::ConnectV6 => "ALE_AUTH_CONNECT_V6",
            Layer::AcceptV4 => "ALE_AUTH_RECV_ACCEPT_V4",
            Layer::AcceptV6 => "ALE_AUTH_RECV_ACCEPT_V6",
            Layer::ListenV4 => "ALE_AUTH_LISTEN_V4",
            Layer::ListenV6 => "ALE_AUTH_LISTEN_V6",
        }
    }
}

const BLOCK_WEIGHT: u8 = 8;
const PERMIT_WEIGHT: u8 = 12;

/// Everything of the account is blocked but connecting to the gate's port.
pub(super) fn account(account: &Account, closed: bool) -> NetworkPlan {
    let filter = |layer, only, action, weight| Filter { layer, account: account.sid, only, action, weight };
    let mut filters: Vec<Filter> =
        Layer::ALL.into_iter().map(|layer| filter(layer, None, Action::Block, BLOCK_WEIGHT)).collect();
    let port = account.gate_port;
    for (layer, address) in [(Layer::ConnectV4, "127.0.0.1"), (Layer::ConnectV6, "::1")] {
        filters.push(filter(layer, Some(Endpoint { address, port }), Action::Permit, PERMIT_WEIGHT));
    }
    NetworkPlan { filters, gate: Gate::Loopback { port, open: !closed } }
}

/// No capability, no filter; the gate is reached through a pipe if any host is allowed.
pub(super) fn container(workspace: &str, closed: bool) -> NetworkPlan {
    let gate = if closed { Gate::None } else { Gate::Pipe { name: format!(r"\\.\pipe\bailiwick-gate-{workspace}") } };
    NetworkPlan { filters: Vec::new(), gate }
}
