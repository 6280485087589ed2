//! What the caller had around it: variables and descriptors.

use bailiwick_policy::guarantee::Guarantee::EnvironmentClean;

use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::sys::file;

/// Variables that the harness sets to secrets.
pub(crate) const VARIABLES: [&str; 3] = ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "BAILIWICK_DECOY"];

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("variable", EnvironmentClean, Proof::Secret, "a token in the caller's environment", |_| {
        let found: Vec<String> = VARIABLES.iter().filter_map(|name| std::env::var(name).ok()).collect();
        if found.is_empty() { Outcome::held("no such variable") } else { Outcome::breached(found.join(" ")) }
    }),
    Attack::new(
        "initial-environment",
        EnvironmentClean,
        Proof::Secret,
        "the environment as the kernel kept it at exec",
        |_| Outcome::of_read("/proc/self/environ", std::fs::read("/proc/self/environ")),
    ),
    Attack::new(
        "inherited-descriptors",
        EnvironmentClean,
        Proof::Answer,
        "any descriptor but the standard streams is a door that the caller forgot",
        |s| {
            let all = [s.inherited.secret, s.inherited.writable, s.inherited.directory, s.inherited.socket];
            Outcome::any(all.into_iter().chain(3..256).map(|fd| Outcome::of(&fd.to_string(), file::inherited(fd))))
        },
    ),
];
