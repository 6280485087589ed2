//! Telling an attempt that is over before its program is known.

use std::rc::Rc;

use tokio::task::spawn_local;

use crate::event::{Attempt, Begun};
use crate::gate::Gate;

/// Tells how an attempt ended as soon as its program is known, or will not be; also when the gate ends before that. There are never
/// more of them than questions may wait for an answer.
pub(crate) fn tell(gate: &Rc<Gate>, begun: Begun, end: impl FnOnce(Begun) -> Attempt + 'static) {
    let program = begun.program().clone();
    let late = Late { gate: gate.clone(), what: Some((begun, end)) };
    if !program.is_settled() {
        spawn_local(async move {
            program.settled().await;
            drop(late);
        });
    }
}

/// Tells when it is dropped.
struct Late<F: FnOnce(Begun) -> Attempt> {
    gate: Rc<Gate>,
    what: Option<(Begun, F)>,
}

impl<F: FnOnce(Begun) -> Attempt> Drop for Late<F> {
    fn drop(&mut self) {
        if let Some((begun, end)) = self.what.take() {
            self.gate.tell(end(begun));
        }
    }
}
