//! The protocol as it is built. What is open is listed claim by claim: a test fails when one more is broken, and when one is mended.

use model::properties::*;
use model::{Fault, Scenario};
use shared::domain::Rotation;

use crate::{ALL, breaks, way};

#[test]
fn without_a_fault_everything_holds() {
    for rotation in ALL {
        breaks(&Scenario::of(rotation).with(0, Fault::ALL).flying(5), &[]);
    }
}

#[test]
fn one_fault_of_any_kind_leaves_behind_only_what_is_parked_at_a_revocation() {
    breaks(&Scenario::of(Rotation::None).with(1, Fault::ALL).flying(4), &[]);
    for rotation in [Rotation::Sliding, Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        breaks(&Scenario::of(rotation).with(1, Fault::ALL), &[NOTHING_LEFT_BEHIND]);
        breaks(&Scenario::of(rotation).with(1, Fault::ALL).unrevoked().flying(4), &[]);
    }
}

#[test]
fn no_two_faults_end_a_grant_whose_class_forgives_a_second_use() {
    breaks(&Scenario::of(Rotation::None), &[]);
    breaks(&Scenario::of(Rotation::Sliding), &[NOTHING_LEFT_BEHIND]);
    let grace = Scenario::of(Rotation::SingleUseWithGrace).patient_grace();
    breaks(&grace, &[NOTHING_LEFT_BEHIND]);
}

#[test]
fn two_faults_at_a_strict_provider() {
    let open = &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID, NOTHING_LEFT_BEHIND];
    breaks(&Scenario::of(Rotation::SingleUse), open);
}

#[test]
fn two_faults_at_a_strict_provider_that_gives_a_grace() {
    let open = &[KEPT, SAID_RIGHTLY, NOTHING_LEFT_BEHIND];
    breaks(&Scenario::of(Rotation::SingleUseWithGrace), open);
}

#[test]
fn two_faults_of_a_kind_that_a_client_can_undo() {
    let strict = Scenario::of(Rotation::SingleUse).unrevoked();
    for fault in [
        Fault::Crash,
        Fault::RequestLost,
        Fault::AnswerLost,
        Fault::Unacted,
        Fault::CacheAway,
        Fault::NotSent,
        Fault::RevokeUnheard,
    ] {
        let kinds: &'static [Fault] = Vec::leak(vec![fault]);
        breaks(&strict.with(2, kinds).flying(4), &[]);
        breaks(&Scenario { rotation: Rotation::SingleUseWithGrace, ..strict }.with(2, kinds), &[]);
    }
}

/// Tokens are parked by one flight while another, which has adopted older ones, forgets "what is parked".
#[test]
fn open_forgetting_what_is_parked_forgets_what_was_parked_since() {
    breaks(&Scenario::of(Rotation::SingleUse).unrevoked().with(2, &[Fault::StoreAway]), &[KEPT]);
}

/// A save that is given up on arrives; its version is refreshed and parked; then the older one is parked over it.
#[test]
fn open_parking_overwrites_what_was_parked_since() {
    let scenario = Scenario::of(Rotation::SingleUse).unrevoked().with(2, &[Fault::SaveLate]);
    breaks(&scenario, &[KEPT]);
}

/// `parked::find` takes a cache that can't be read for one with nothing in it.
#[test]
fn open_an_unreadable_cache_is_taken_for_an_empty_one() {
    let kinds = &[Fault::StoreAway, Fault::CacheAway];
    let scenario = Scenario::of(Rotation::SingleUseWithGrace).unrevoked().with(2, kinds);
    breaks(&scenario, &[KEPT, SAID_RIGHTLY]);
}

/// `not_sent` gives the lease back with the intent that was found, also when it comes before a retry.
#[test]
fn open_a_retry_that_is_not_sent_forgets_that_the_first_call_was() {
    let kinds = &[Fault::AnswerLost, Fault::NotSent];
    let scenario = Scenario::of(Rotation::SingleUseWithGrace).unrevoked().with(2, kinds);
    breaks(&scenario, &[SAID_RIGHTLY]);
}

/// A revocation does not look for parked tokens.
#[test]
fn open_a_revocation_leaves_parked_tokens_behind() {
    for rotation in [Rotation::Sliding, Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        breaks(&Scenario::of(rotation).with(1, &[Fault::StoreAway]), &[NOTHING_LEFT_BEHIND]);
    }
}

/// `condemn` says that the grant has ended also when the version has moved and it did nothing; and a holder whose lease
/// is over ends what is no longer its own, for a reason that only whoever has the lease could know better.
#[test]
fn open_a_grant_is_said_to_have_ended_that_somebody_has_just_saved() {
    for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        let scenario = Scenario::of(rotation).lenient().unrevoked().with(1, &[Fault::Freeze]);
        breaks(&scenario, &[TOLD_RIGHTLY, SAID_RIGHTLY]);
    }
}

#[test]
fn what_the_claims_speak_of_does_happen() {
    for rotation in ALL {
        let scenario = Scenario::of(rotation);
        for what in [ADOPTED_PARKED, ADOPTED_WINNER, REVOKED_IN_FLIGHT, REVOKED_WHAT_CAME, TOO_LATE_TO_SEND] {
            way(&scenario.with(if what == ADOPTED_WINNER { 2 } else { 1 }, Fault::ALL), what);
        }
    }
    let strict = Scenario::of(Rotation::SingleUse);
    for what in [OUTCOME_UNKNOWN, WAITED, RETRIED_WHEN_DEAD] {
        way(&strict.with(1, Fault::MANAGEABLE), what);
    }
    for what in [REFUSED_BUT_MOVED, REVIVED] {
        way(&strict.with(1, Fault::ALL), what);
    }
    way(&strict.with(2, &[Fault::Freeze, Fault::StoreAway]), SECOND_LOOK);
    let grace = Scenario::of(Rotation::SingleUseWithGrace);
    way(&grace.with(1, &[Fault::Crash]), RECOVERED_BY_GRACE);
    way(&grace.with(1, &[Fault::Crash]), OUTCOME_UNKNOWN);
}

/// Pending revocations are kept by credential and version. A holder that is fenced out by a revocation has received tokens for
/// the very version that somebody else saved and that was then revoked: its own record is dropped, and settling it
/// deletes the other's, which the provider has not been told of.
#[test]
fn open_two_pending_revocations_of_one_version_share_a_record() {
    for rotation in [Rotation::Sliding, Rotation::SingleUseWithGrace] {
        breaks(&Scenario::of(rotation).with(1, &[Fault::Freeze]), &[NOTHING_LEFT_BEHIND]);
    }
}
