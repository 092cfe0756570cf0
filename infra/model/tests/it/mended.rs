//! The protocol with every repair: everything holds; and with all but one: that one is needed.

use model::properties::*;
use model::{Fault, Repair, Scenario};
use shared::domain::Rotation;

use crate::{ALL, breaks, never, way};

fn all_but(repair: Repair) -> &'static [Repair] {
    Vec::leak(Repair::ALL.iter().copied().filter(|each| *each != repair).collect())
}

#[test]
fn two_faults_of_any_kind_break_nothing() {
    for rotation in [Rotation::None, Rotation::Sliding, Rotation::SingleUse] {
        breaks(&Scenario::of(rotation).mended(Repair::ALL), &[]);
    }
    breaks(&Scenario::of(Rotation::SingleUse).lenient().mended(Repair::ALL), &[]);
    breaks(&Scenario::of(Rotation::SingleUseWithGrace).patient_grace().mended(Repair::ALL), &[]);
}

#[test]
fn two_faults_of_any_kind_break_nothing_where_a_grace_may_end() {
    breaks(&Scenario::of(Rotation::SingleUseWithGrace).mended(Repair::ALL), &[]);
}

#[test]
fn two_faults_of_any_kind_break_nothing_where_a_grace_may_end_and_reuse_is_only_refused() {
    breaks(&Scenario::of(Rotation::SingleUseWithGrace).lenient().mended(Repair::ALL), &[]);
}

#[test]
fn three_faults_that_a_client_can_undo_break_nothing() {
    for rotation in ALL {
        breaks(&Scenario::of(rotation).mended(Repair::ALL).with(3, Fault::MANAGEABLE), &[]);
    }
}

#[test]
fn a_place_per_version_keeps_parked_tokens_from_being_parked_over() {
    let scenario = Scenario::of(Rotation::SingleUse).with(2, &[Fault::SaveLate]);
    breaks(&scenario.mended(all_but(Repair::OnePlacePerVersion)), &[KEPT, NOTHING_LEFT_BEHIND]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

/// With a place for each version, what is parked is still forgotten too soon: whoever has taken the lease in
/// between finds nothing, and sends the spent token.
#[test]
fn what_is_not_forgotten_is_found_by_whoever_has_the_lease_meanwhile() {
    let scenario = Scenario::of(Rotation::SingleUse).with(2, &[Fault::StoreAway, Fault::Freeze]);
    breaks(&scenario.mended(all_but(Repair::NotForgotten)), &[KEPT]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn a_cache_that_cannot_be_read_keeps_a_token_that_may_be_spent_from_being_sent() {
    let scenario = Scenario::of(Rotation::SingleUse).with(2, &[Fault::StoreAway, Fault::CacheAway]);
    breaks(
        &scenario.mended(all_but(Repair::UnreadableIsNotNothing)),
        &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID],
    );
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn a_first_call_that_is_remembered_is_what_the_loss_is_put_down_to() {
    let scenario = Scenario::of(Rotation::SingleUseWithGrace).with(2, &[Fault::AnswerLost, Fault::NotSent]);
    breaks(&scenario.mended(all_but(Repair::FirstCallRemembered)), &[SAID_RIGHTLY]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn a_revocation_that_looks_for_parked_tokens_leaves_none_behind() {
    let scenario = Scenario::of(Rotation::SingleUse).with(2, Fault::MANAGEABLE);
    breaks(&scenario.mended(all_but(Repair::ParkedIsRevoked)), &[NOTHING_LEFT_BEHIND]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn a_record_per_token_keeps_two_pending_revocations_of_one_version_apart() {
    let scenario = Scenario::of(Rotation::Sliding).with(1, &[Fault::Freeze]);
    breaks(&scenario.mended(all_but(Repair::OneRecordPerToken)), &[NOTHING_LEFT_BEHIND]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn who_ends_nothing_because_the_version_moved_adopts_what_is_there() {
    let scenario = Scenario::of(Rotation::SingleUse).lenient().with(1, &[Fault::Freeze]);
    breaks(&scenario.mended(all_but(Repair::CondemnOrAdopt)), &[TOLD_RIGHTLY]);
    breaks(&scenario.mended(Repair::ALL), &[]);
}

#[test]
fn a_holder_that_ends_nothing_when_it_is_overdue_says_nothing_wrong() {
    let scenario = Scenario::of(Rotation::SingleUse).lenient().with(1, &[Fault::Freeze]);
    breaks(&scenario.mended(all_but(Repair::OverdueEndsNothing)), &[SAID_RIGHTLY]);
    never(&scenario.mended(Repair::ALL), SAID_WRONGLY);
}

#[test]
fn what_the_claims_speak_of_still_happens() {
    let strict = Scenario::of(Rotation::SingleUse).mended(Repair::ALL);
    for what in [ADOPTED_PARKED, OUTCOME_UNKNOWN, WAITED, RETRIED_WHEN_DEAD, REVOKED_WHAT_CAME] {
        way(&strict.with(1, Fault::MANAGEABLE), what);
    }
    for what in [ADOPTED_WINNER, SECOND_LOOK, REFUSED_BUT_MOVED] {
        way(&strict, what);
    }
    let grace = Scenario::of(Rotation::SingleUseWithGrace).mended(Repair::ALL);
    way(&grace.with(1, &[Fault::Crash]), RECOVERED_BY_GRACE);
}
