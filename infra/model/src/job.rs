//! The job that looks through what is parked, as `parked::settle` does: one place is one step.

use crate::scenario::{Scenario, Without};
use crate::state::{State, Status, Tokens};

/// What the job does with what is parked in one place; `None` where it leaves it.
pub(crate) fn settle(scenario: &Scenario, before: &State, parked: Tokens) -> Option<State> {
    let mut state = *before;
    match before.store.status {
        _ if scenario.lacks(Without::Job) => return None,
        // Revoked while it was parked: the provider knows of the tokens before.
        Status::Revoked if before.store.version == parked.version => {
            state.store.record(scenario, parked.version, parked.set);
            state.forget(parked.version);
        }
        // Given up while it was parked: the grant lives.
        Status::Ended(_) if before.store.version + 1 == parked.version => {
            state.store.save(parked, &mut state.past);
        }
        Status::Active | Status::Ended(_) | Status::Revoked => return None,
    }
    Some(state)
}

/// Whether it has nothing to do.
pub(crate) fn is_done(scenario: &Scenario, state: &State) -> bool {
    !state.parked.into_iter().flatten().any(|parked| settle(scenario, state, parked).is_some())
}
