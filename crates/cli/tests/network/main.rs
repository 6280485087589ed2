//! The gate, end to end: the real program on a host with a network of its own, real tools, real servers, real attacks.
//!
//! | file | subject |
//! | --- | --- |
//! | `scene.rs` | the network of a test: a "host", an "Internet", and what was seen there |
//! | `certificates.rs` | keys for TLS and SSH |
//! | `servers/*.py` | name server, web, git, registries, a company's proxy, plain TCP, packets; `zone.json` has the names |
//! | `controls.rs` | that this network works: without it a refusal proves nothing |
//! | `reach.rs` | what is allowed is reached by ordinary programs, and works |
//! | `tools.rs` | git, ssh, cargo, npm, pip, node, java |
//! | `names.rs` | names as a way out |
//! | `addresses.rs` | what a name may lead to; addresses in all spellings |
//! | `protocols.rs` | what is not TCP to a port of the policy |
//! | `said.rs` | TLS server names, HTTP hosts, framing |
//! | `proxies.rs` | the gate as a proxy, proxies inside, the company's proxy |
//! | `inspection.rs` | methods, paths, credentials |
//! | `agreement.rs` | `explain` and the gate |
//! | `life.rs` | the gate's process |
//! | `askers.rs` | which program asked |
//!
//! Every attack has a control on the same host, which must succeed. Refusals are judged by what left the host, not only by what
//! came back.

#![cfg(target_os = "linux")]
// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod agreement;
mod askers;
mod certificates;
mod controls;
mod inspection;
mod life;
mod names;
mod protocols;
mod proxies;
mod reach;
mod said;
mod scene;
mod tools;
