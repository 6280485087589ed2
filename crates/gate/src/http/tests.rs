//! Whole conversations over pipes: a scripted client, the gate, scripted servers.

mod any_bytes;
mod bodies;
mod by_proxy;
mod hosts;
mod refusals;
mod relays;
mod responses;
mod world;
