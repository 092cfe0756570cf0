//! The protocol without one of its parts. The check must fail: this is what shows that it can, and what each part is for.
//!
//! That nothing is broken with all of them is in `as_built`.

use model::properties::*;
use model::{Fault, Scenario, Without};
use shared::domain::Rotation;

use crate::{breaks, holds, never, way};

fn strict(part: Without) -> Scenario {
    Scenario::of(Rotation::SingleUse).without(part)
}

#[test]
fn without_the_lease_two_processes_send_one_token() {
    let unrevoked = strict(Without::Lease).unrevoked().with(0, Fault::ALL);
    breaks(&unrevoked, &[ONE_USE, ALWAYS_A_TOKEN, KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
    let forgiving = Scenario { rotation: Rotation::None, ..unrevoked };
    breaks(&forgiving, &[ONE_USE]);
}

#[test]
fn without_the_intent_a_crash_sends_a_spent_token_at_once_and_blames_the_user() {
    let unrevoked = strict(Without::Intent).unrevoked();
    breaks(&unrevoked.with(1, &[Fault::Crash]), &[SAID_RIGHTLY, SERVED_WHILE_VALID]);
    breaks(&unrevoked.with(1, &[Fault::StoreAway]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

#[test]
fn without_the_first_look_parked_tokens_are_lost() {
    let unrevoked = strict(Without::FirstLook).unrevoked();
    breaks(&unrevoked.with(1, &[Fault::StoreAway]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

#[test]
fn without_patience_an_access_token_is_lost_that_still_lived() {
    breaks(&strict(Without::Patience).unrevoked().with(1, &[Fault::AnswerLost]), &[SERVED_WHILE_VALID]);
}

#[test]
fn without_a_look_at_the_clock_a_process_that_was_frozen_sends_late() {
    let unrevoked = strict(Without::Clock).unrevoked();
    breaks(&unrevoked.with(1, &[Fault::Freeze]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

/// The answer of the first call is lost, and the second is not sent.
#[test]
fn without_the_first_call_remembered_a_loss_of_ours_is_put_down_to_the_user() {
    let grace = Scenario::of(Rotation::SingleUseWithGrace).without(Without::FirstCall);
    breaks(&grace.with(2, &[Fault::AnswerLost, Fault::NotSent]), &[SAID_RIGHTLY]);
}

#[test]
fn without_the_fence_a_revoked_credential_comes_back_and_a_late_holder_undoes_what_came_after() {
    let fenceless = strict(Without::Fence);
    breaks(&fenceless.with(0, Fault::ALL), &[REVOKED_FOR_GOOD, FENCED]);
    breaks(&fenceless.unrevoked().with(1, Fault::ALL), &[FENCED]);
}

/// A save that is given up on arrives; its version is refreshed and parked; then the older one is parked over it.
#[test]
fn without_a_place_per_version_what_is_parked_is_parked_over() {
    let one_place = strict(Without::PlacePerVersion);
    breaks(&one_place.with(2, &[Fault::SaveLate]), &[KEPT, NOTHING_LEFT_BEHIND]);
}

/// Somebody who is late saves what is parked and forgets it; whoever has taken the lease meanwhile, and has not looked yet, finds
/// nothing and sends the spent token.
#[test]
fn without_keeping_what_is_parked_whoever_has_the_lease_meanwhile_does_not_find_it() {
    let forgetful = strict(Without::Keeping);
    breaks(&forgetful.with(2, &[Fault::StoreAway, Fault::Freeze]), &[KEPT]);
}

#[test]
fn without_doubt_an_unreadable_cache_costs_the_grant_whose_tokens_are_in_it() {
    let careless = strict(Without::Doubt).with(2, &[Fault::StoreAway, Fault::CacheAway]);
    breaks(&careless, &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

#[test]
fn without_leaving_the_last_word_a_late_holder_gives_a_wrong_reason() {
    let late = strict(Without::LastWord).lenient().with(1, &[Fault::Freeze]);
    breaks(&late, &[SAID_RIGHTLY]);
    never(&Scenario { without: None, ..late }, SAID_WRONGLY);
}

/// It narrows the window of a holder that was frozen, and nothing else.
#[test]
fn without_the_second_look_a_grant_is_ended_over_what_a_frozen_holder_has_parked() {
    let unrevoked = strict(Without::SecondLook).unrevoked();
    breaks(&unrevoked.with(2, &[Fault::StoreAway, Fault::Freeze]), &[LOOKED_FIRST]);
    holds(&unrevoked.with(2, Fault::MANAGEABLE));
}

#[test]
fn without_the_condition_on_the_version_a_refused_holder_undoes_the_revocation_that_it_was_refused_for() {
    let blind = strict(Without::ConditionalCondemn).with(0, Fault::ALL);
    let broken = &[ALWAYS_A_TOKEN, KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID, REVOKED_FOR_GOOD, NEVER_CLEARED];
    breaks(&blind, broken);
}

#[test]
fn without_adoption_a_grant_is_said_to_have_ended_that_somebody_has_just_saved() {
    breaks(&strict(Without::Adoption).lenient(), &[TOLD_RIGHTLY]);
}

#[test]
fn without_the_job_a_revocation_leaves_behind_what_is_parked_and_a_grant_that_lives_stays_ended() {
    for rotation in [Rotation::Sliding, Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        let jobless = Scenario::of(rotation).without(Without::Job);
        breaks(&jobless.with(1, &[Fault::StoreAway]), &[NOTHING_LEFT_BEHIND]);
    }
    let lenient = Scenario::of(Rotation::SingleUse).lenient().with(2, &[Fault::Freeze, Fault::StoreAway]);
    way(&lenient, REVIVED_BY_JOB);
    never(&lenient.without(Without::Job), REVIVED_BY_JOB);
}

/// A holder that is fenced out by a revocation has received tokens for the very version that somebody else saved and that was
/// then revoked.
#[test]
fn without_a_mark_two_pending_revocations_of_one_version_share_a_record() {
    for rotation in [Rotation::Sliding, Rotation::SingleUseWithGrace] {
        let markless = Scenario::of(rotation).without(Without::Mark);
        breaks(&markless.with(1, &[Fault::Freeze]), &[NOTHING_LEFT_BEHIND]);
    }
}
