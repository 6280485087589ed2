//! Why a boundary cannot be planned.

use std::fmt;

use crate::path::WindowsPath;
use crate::tier::Tier;

/// Why a tier cannot make a boundary true on a host. Nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// A granted place is on a drive whose files have no access lists.
    NoAccessLists {
        /// The place.
        path: WindowsPath,
        /// The file system.
        file_system: String,
    },
    /// A granted place is on another machine.
    NetworkDrive {
        /// The place.
        path: WindowsPath,
    },
    /// Files of a writable place have other names outside of it.
    HardLinks {
        /// How many are known.
        count: usize,
        /// One of them.
        path: WindowsPath,
        /// Its other name.
        other: WindowsPath,
    },
    /// The workspace is in a directory that OneDrive keeps.
    OneDrive {
        /// The workspace.
        path: WindowsPath,
        /// The directory that OneDrive keeps.
        root: WindowsPath,
        /// The tier.
        tier: Tier,
    },
    /// A grant is as wide as a drive or a place of the system's.
    TooBroad {
        /// The place.
        path: WindowsPath,
    },
    /// The caller is elevated.
    Elevated {
        /// The tier.
        tier: Tier,
    },
    /// A writable place whose access list the user may not change.
    NotOurs {
        /// The place.
        path: WindowsPath,
        /// The tier.
        tier: Tier,
    },
    /// bailiwick has no account here.
    NotSetUp,
    /// Every account serves another workspace.
    NoAccountFree {
        /// How many there are.
        accounts: usize,
    },
    /// The filtering engine does not run.
    NoFiltering,
    /// AppContainers cannot be made here.
    NoContainers,
    /// The policy asks for a copy-on-write layer.
    Layer,
    /// A path of the boundary is not known by a Windows path.
    Lost,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoAccessLists { path, file_system } => write!(
                f,
                "`{}` is on a drive with {}, whose files have no access lists to confine anybody by: move it to a drive \
                 with NTFS or ReFS",
                path.shown(),
                crate::plan::text::shown(file_system)
            ),
            PlanError::NetworkDrive { path } => write!(
                f,
                "`{}` is on another machine, which decides by itself who may do what: work on a copy on a local drive",
                path.shown()
            ),
            PlanError::HardLinks { count, path, other } => write!(
                f,
                "{count} {} in a writable place {} also known by {} outside of it (`{}` is `{}`), and both share one \
                 access list: letting the inside in here would let it in there. For pnpm set \
                 `package-import-method=copy` and install again",
                if *count == 1 { "file" } else { "files" },
                if *count == 1 { "is" } else { "are" },
                if *count == 1 { "another name" } else { "other names" },
                path.shown(),
                other.shown()
            ),
            PlanError::OneDrive { path, root, tier } => write!(
                f,
                "`{}` is kept by OneDrive (`{}`): files that are not on the disk are fetched by the user's own session and \
                 cannot be fetched in the {tier} tier. Move the project out of that directory",
                path.shown(),
                root.shown()
            ),
            PlanError::TooBroad { path } => write!(
                f,
                "the policy grants `{}`, which is a whole drive or a place of the system's: name the directories that are \
                 needed",
                path.shown()
            ),
            PlanError::Elevated { tier } => write!(
                f,
                "this shell is elevated, and the {tier} tier confines the caller's own token: start from an ordinary shell"
            ),
            PlanError::NotOurs { path, tier } => write!(
                f,
                "the access list of `{}` may be changed by an administrator only, and the {tier} tier does without one: \
                 work in a directory of your own",
                path.shown()
            ),
            PlanError::NotSetUp => f.write_str(
                "bailiwick has no account on this machine: `bailiwick setup`, once, with an administrator's consent",
            ),
            PlanError::NoAccountFree { accounts } => write!(
                f,
                "every account ({accounts}) serves another workspace: let one go with `bailiwick setup --repair`, or make more"
            ),
            PlanError::NoFiltering => {
                f.write_str("the filtering engine (service BFE) does not run, so nothing would stop packets: start it")
            }
            PlanError::NoContainers => f.write_str("AppContainers cannot be made on this machine"),
            PlanError::Layer => f.write_str(
                "the policy asks for `[workspace] mode = \"layer\"`, which the Windows tiers do not offer yet: nothing would keep \
                 the changes apart",
            ),
            PlanError::Lost => {
                f.write_str("a rule of the boundary has no Windows path: this is a fault of bailiwick's")
            }
        }
    }
}

impl std::error::Error for PlanError {}
