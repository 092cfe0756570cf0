//! The protocol without one of its parts. The check must fail: this is what shows that it can, and what each part is for.
//!
//! The parts are taken out of the mended protocol, in which nothing else is broken.

use model::properties::*;
use model::{Fault, Repair, Scenario, Without};
use shared::domain::Rotation;

use crate::breaks;

fn of(rotation: Rotation, part: Without) -> Scenario {
    Scenario::of(rotation).mended(Repair::ALL).without(part)
}

#[test]
fn without_the_fence_a_revoked_credential_comes_back_and_a_late_holder_undoes_what_came_after() {
    let strict = of(Rotation::SingleUse, Without::Fence);
    breaks(&strict.with(0, Fault::ALL), &[REVOKED_FOR_GOOD, FENCED]);
    breaks(&strict.unrevoked().with(1, Fault::ALL), &[FENCED]);
}

#[test]
fn without_the_intent_a_crash_sends_a_spent_token_at_once_and_blames_the_user() {
    let strict = of(Rotation::SingleUse, Without::Intent).unrevoked();
    breaks(&strict.with(1, &[Fault::Crash]), &[SAID_RIGHTLY, SERVED_WHILE_VALID]);
    breaks(&strict.with(1, &[Fault::StoreAway]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

#[test]
fn without_the_lease_two_processes_send_one_token() {
    let strict = of(Rotation::SingleUse, Without::Lease).unrevoked().with(0, Fault::ALL);
    breaks(&strict, &[ONE_USE, ALWAYS_A_TOKEN, KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
    let forgiving = of(Rotation::None, Without::Lease).unrevoked().with(0, Fault::ALL);
    breaks(&forgiving, &[ONE_USE]);
}

#[test]
fn without_patience_an_access_token_is_lost_that_still_lived() {
    let strict = of(Rotation::SingleUse, Without::Patience).unrevoked();
    breaks(&strict.with(1, &[Fault::AnswerLost]), &[SERVED_WHILE_VALID]);
}

#[test]
fn without_the_first_look_parked_tokens_are_lost() {
    let strict = of(Rotation::SingleUse, Without::FirstLook).unrevoked();
    breaks(&strict.with(1, &[Fault::StoreAway]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}

/// It narrows the window of a holder that was frozen, and nothing else.
#[test]
fn without_the_second_look_a_grant_is_ended_over_what_a_frozen_holder_has_parked() {
    let strict = of(Rotation::SingleUse, Without::SecondLook).unrevoked();
    breaks(&strict.with(2, &[Fault::StoreAway, Fault::Freeze]), &[LOOKED_FIRST]);
    breaks(&strict.with(2, Fault::MANAGEABLE), &[]);
}

#[test]
fn without_the_condition_on_the_version_a_refused_holder_ends_what_the_winner_has_saved() {
    let strict = of(Rotation::SingleUse, Without::ConditionalCondemn).with(0, Fault::ALL);
    let broken = &[ALWAYS_A_TOKEN, KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID, REVOKED_FOR_GOOD, NEVER_CLEARED];
    breaks(&strict, broken);
}

/// The store refuses to end what has moved, and says so: reading it before that only saves the try.
#[test]
fn reading_again_before_ending_is_needless_once_the_store_says_that_the_version_moved() {
    for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        breaks(&of(rotation, Without::Reread).lenient().with(1, Fault::ALL), &[]);
    }
    let as_built = Scenario::of(Rotation::SingleUse).lenient().unrevoked().without(Without::Reread);
    breaks(&as_built.with(1, &[Fault::Freeze]), &[TOLD_RIGHTLY, SAID_RIGHTLY]);
}

#[test]
fn without_a_look_at_the_clock_a_process_that_was_frozen_sends_late() {
    let strict = of(Rotation::SingleUse, Without::Clock).unrevoked();
    breaks(&strict.with(1, &[Fault::Freeze]), &[KEPT, SAID_RIGHTLY, SERVED_WHILE_VALID]);
}
