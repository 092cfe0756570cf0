//! The protocol as it is built: what is claimed holds, whatever happens.

use model::properties::*;
use model::{Fault, Scenario};
use shared::domain::Rotation;

use crate::{ALL, holds, way};

#[test]
fn without_a_fault_everything_holds() {
    for rotation in ALL {
        holds(&Scenario::of(rotation).with(0, Fault::ALL).flying(5));
    }
}

#[test]
fn one_fault_of_any_kind_breaks_nothing() {
    for rotation in ALL {
        holds(&Scenario::of(rotation).with(1, Fault::ALL).flying(4));
    }
}

#[test]
fn two_faults_of_any_kind_break_nothing() {
    for rotation in [Rotation::None, Rotation::Sliding, Rotation::SingleUse] {
        holds(&Scenario::of(rotation));
    }
    holds(&Scenario::of(Rotation::SingleUse).lenient());
    holds(&Scenario::of(Rotation::SingleUseWithGrace).patient_grace());
}

#[test]
fn two_faults_of_any_kind_break_nothing_where_a_grace_may_end() {
    holds(&Scenario::of(Rotation::SingleUseWithGrace));
}

#[test]
fn two_faults_of_any_kind_break_nothing_where_a_grace_may_end_and_reuse_is_only_refused() {
    holds(&Scenario::of(Rotation::SingleUseWithGrace).lenient());
}

#[test]
fn three_faults_that_a_client_can_undo_break_nothing() {
    for rotation in ALL {
        holds(&Scenario::of(rotation).with(3, Fault::MANAGEABLE));
    }
}

#[test]
fn what_the_claims_speak_of_does_happen() {
    for rotation in ALL {
        let scenario = Scenario::of(rotation);
        for what in [ADOPTED_PARKED, REVOKED_IN_FLIGHT, REVOKED_WHAT_CAME, REVOKED_PARKED, TOO_LATE_TO_SEND] {
            way(&scenario.with(1, Fault::ALL), what);
        }
        way(&scenario, ADOPTED_WINNER);
    }
    let strict = Scenario::of(Rotation::SingleUse);
    for what in [OUTCOME_UNKNOWN, WAITED, RETRIED_WHEN_DEAD] {
        way(&strict.with(1, Fault::MANAGEABLE), what);
    }
    for what in [SECOND_LOOK, REFUSED_BUT_MOVED, REVIVED] {
        way(&strict, what);
    }
    let grace = Scenario::of(Rotation::SingleUseWithGrace);
    way(&grace.with(1, &[Fault::Crash]), RECOVERED_BY_GRACE);
    way(&grace.with(1, &[Fault::Crash]), OUTCOME_UNKNOWN);
}
