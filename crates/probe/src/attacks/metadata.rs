//! Changing mode, owner, times and attributes outside. Landlock does not cover these, and mounts do.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use bailiwick_policy::guarantee::Guarantee::MetadataConfined;

use super::ROOT;
use crate::attack::{Attack, Proof};
use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::sys::file;

const fn metadata(name: &'static str, summary: &'static str, run: fn(&Stage) -> Outcome) -> Attack {
    Attack::new(name, MetadataConfined, Proof::Tree, summary, run)
}

/// A file outside, one that is only readable, and the protected git configuration.
fn each(stage: &Stage, attempt: impl Fn(&Path) -> io::Result<()>) -> Outcome {
    Outcome::all(vec![
        Outcome::of("outside", attempt(&stage.outside.join("file"))),
        Outcome::of("readable", attempt(&stage.readable.join("file"))),
        Outcome::of("readable directory", attempt(&stage.readable)),
    ])
}

pub(super) const ATTACKS: &[Attack] = &[
    metadata("chmod", "chmod(2): open a private file to everyone", |s| {
        each(s, |p| fs::set_permissions(p, Permissions::from_mode(0o777)))
    }),
    metadata("chmod-by-new-call", "fchmodat2(2), which Linux 6.6 added beside the calls that filters know", |s| {
        each(s, |p| file::fchmodat2(p, 0o777))
    })
    .unless("Linux 6.6"),
    metadata("chmod-by-descriptor", "fchmod(2) needs a descriptor that is open for reading only", |s| {
        each(s, |p| File::open(p)?.set_permissions(Permissions::from_mode(0o777)))
    }),
    metadata("chmod-executable-hook", "make a protected sample hook executable", |s| {
        let hook = s.at(".git/hooks/pre-push.sample");
        Outcome::of("hook", fs::set_permissions(hook, Permissions::from_mode(0o755)))
    }),
    metadata("chown", "chown(2) to another group or user", |s| each(s, |p| chown(p, Some(1), Some(1)))).unless(ROOT),
    metadata("set-times", "utimensat(2): a changed file that looks old", |s| each(s, |p| file::set_times(p, false))),
    metadata("set-times-of-link", "utimensat(2) of a symbolic link itself", |s| {
        Outcome::of("link", file::set_times(&s.readable.join("link"), true))
    }),
    metadata(
        "set-attribute",
        "setxattr(2): extended attributes carry access lists, capabilities and origin marks",
        |s| each(s, |p| file::set_attribute(p, s.mark())),
    )
    .unless("a filesystem with user attributes"),
    metadata("remove-attribute", "removexattr(2)", |s| {
        Outcome::of("readable", file::remove_attribute(&s.readable.join("file")))
    })
    .unless("a filesystem with user attributes"),
    metadata("set-inode-flags", "FS_IOC_SETFLAGS through a descriptor that is open for reading only", |s| {
        each(s, |p| file::set_no_dump(&File::open(p)?))
    })
    .unless("a filesystem with inode flags"),
];
