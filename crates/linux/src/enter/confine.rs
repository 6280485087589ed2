//! Everything that is taken away before the command starts. Runs in the child after `clone`: nothing here allocates.
//!
//! The order matters: limits need no rights, capabilities go next, `no_new_privs` lets an unprivileged process lock itself,
//! Landlock closes files and mounts, and seccomp comes last because it closes calls that the steps before it make.

use rustix::process::setrlimit;
use rustix::thread::set_no_new_privs;

use super::blank::Start;
use super::{Failure, Launch, Stage};
use crate::sys;

pub(super) fn confine(start: &Start<'_>, launch: &Launch<'_>) -> Result<(), Failure> {
    for (resource, limit) in launch.limits() {
        setrlimit(resource, limit).map_err(Stage::Limits.failed())?;
    }
    if start.has_capabilities() {
        sys::process::drop_capabilities().map_err(Stage::Capabilities.failed())?;
    }
    set_no_new_privs(true).map_err(Stage::Capabilities.failed())?;
    let enforced = launch.lock.enforce();
    enforced.map_err(|error| Stage::Landlock.failed_at(error.rule.unwrap_or_default(), error.errno))?;
    sys::seccomp::install(launch.filter).map_err(Stage::Seccomp.failed())
}
