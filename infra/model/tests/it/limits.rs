//! What no client can prevent, shown class by class: a holder that is frozen between its look at the clock and the end of its
//! save, and a request that is acted upon long after its sender has given up.

use model::properties::*;
use model::{Fault, Scenario, tell};
use shared::domain::Rotation;

use crate::{breaks, explore, holds, never, way};

const FAULTS: [&[Fault]; 2] = [&[Fault::Freeze], &[Fault::RequestLate]];

fn of(rotation: Rotation, kinds: &'static [Fault]) -> Scenario {
    Scenario::of(rotation).unrevoked().with(1, kinds)
}

#[test]
fn they_cost_nothing_where_a_second_use_is_forgiven() {
    for kinds in FAULTS {
        let grace = of(Rotation::SingleUseWithGrace, kinds).patient_grace();
        for scenario in [of(Rotation::None, kinds), of(Rotation::Sliding, kinds), grace] {
            for what in [OUTCOME_UNKNOWN, SAID_WRONGLY, GONE_UNNOTICED] {
                never(&scenario, what);
            }
        }
    }
}

/// At a provider that ends the family, the store learns of it with the next refresh, and can't tell whose fault it was.
#[test]
fn at_a_strict_provider_they_end_the_grant_and_the_next_refresh_calls_it_expired() {
    for kinds in FAULTS {
        for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
            let scenario = of(rotation, kinds);
            for what in [OUTCOME_UNKNOWN, GONE_UNNOTICED, SAID_WRONGLY] {
                println!("{what}:\n{}", tell(&scenario, &way(&scenario, what)));
            }
        }
    }
}

#[test]
fn at_a_provider_that_only_refuses_a_spent_token_the_winner_lives_on() {
    for kinds in FAULTS {
        for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
            let scenario = of(rotation, kinds).lenient();
            never(&scenario, SAID_WRONGLY);
            never(&scenario, GONE_UNNOTICED);
            way(&scenario, OUTCOME_UNKNOWN);
        }
    }
}

/// What one frozen or late step costs at most: nobody else's fault is needed, and none of the other claims breaks.
#[test]
fn they_break_no_claim_but_cost_the_grant() {
    for kinds in FAULTS {
        for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
            let report = explore(&of(rotation, kinds));
            assert!(report.violated.is_empty());
        }
    }
}

/// Three faults: tokens are parked; who finds them is frozen, and saves them under somebody else's lease; they are wiped before
/// that one looks, who then sends what they replaced. No two of the three break a claim.
#[test]
fn what_a_late_holder_saves_and_a_wipe_hides_from_the_next_one_ends_the_grant() {
    const KINDS: &[Fault] = &[Fault::StoreAway, Fault::Freeze, Fault::ParkedGone];
    for rotation in [Rotation::SingleUse, Rotation::SingleUseWithGrace] {
        breaks(&of(rotation, KINDS).with(3, KINDS), &[KEPT]);
        holds(&of(rotation, KINDS).with(3, KINDS).lenient());
        holds(&of(rotation, KINDS).with(2, KINDS));
    }
}
