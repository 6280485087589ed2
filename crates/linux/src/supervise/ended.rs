//! The end of a run: what is left to the kernel when the tree is dead.

use crate::api::Outcome;
use crate::enter::Entered;
use crate::run::RunError;
use crate::sys::late::Late;

/// How a run ended, and what the kernel still has to do for it.
pub(crate) struct Ended {
    pub(crate) outcome: Result<Outcome, RunError>,
    pub(crate) dying: Dying,
}

impl From<RunError> for Ended {
    fn from(error: RunError) -> Ended {
        Ended { outcome: Err(error), dying: Dying::new(None, None) }
    }
}

/// An init whose tree is dead and which is dying itself. Dropped, it is waited for: do what else there is to do before.
pub(crate) struct Dying {
    init: Option<Entered>,
    /// Held until it is dead: else it would take them down before.
    _mounts: Option<Late>,
}

impl Dying {
    pub(super) fn new(init: Option<Entered>, mounts: Option<Late>) -> Dying {
        Dying { init, _mounts: mounts }
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        if let Some(init) = &self.init {
            init.wait();
        }
    }
}
