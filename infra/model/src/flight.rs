//! The steps of a refresh, as `shared/src/flow/renew` takes them: between two awaits there is one step.

use shared::domain::refresh::{First, Then};

use crate::scenario::{Scenario, Without};
use crate::state::{Flight, Holder, Phase, Reason, State, Status, Tokens, Who, Wire};
use crate::store::{Leased, Saved};

/// What a flight tells those who wait for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Landed {
    /// Here is a token.
    Token,
    /// The grant has ended.
    Ended,
    /// There is none for now.
    Nothing,
}

/// The next step of a flight; `None` while it waits for somebody else.
pub(crate) fn step(scenario: &Scenario, before: &State, who: Who) -> Option<State> {
    let mut state = *before;
    let flight = *state.flight(who);
    match flight.phase {
        Phase::Idle => return None,
        Phase::Wants => lease(scenario, &mut state, who)?,
        Phase::Leased => {
            let parked = state.parked_after(flight.version).filter(|_| !scenario.lacks(Without::FirstLook));
            begin(scenario, &mut state, who, parked);
        }
        Phase::Ready => {
            let has_time = !flight.overdue || scenario.lacks(Without::Clock);
            go(&mut state, who, if has_time { Phase::Checked } else { not_sent(scenario, &flight) });
        }
        Phase::Checked => go(&mut state, who, Phase::Calling(Wire::Sent)),
        Phase::Calling(wire) => receive(scenario, &mut state, who, wire)?,
        Phase::Saving(tokens) => save(scenario, &mut state, who, tokens),
        Phase::Parking(tokens) => {
            state.park(scenario, tokens);
            land(scenario, &mut state, who, Landed::Token);
        }
        Phase::LookingAgain => {
            let parked = state.parked_after(flight.version).filter(|_| !scenario.lacks(Without::SecondLook));
            go(&mut state, who, parked.map_or(Phase::Condemning, Phase::Saving));
        }
        Phase::Condemning => {
            let lost = scenario.is_lost(flight.ambiguous, flight.retried);
            let reason = if lost { Reason::OutcomeUnknown } else { Reason::GrantExpired };
            let version = match scenario.lacks(Without::ConditionalCondemn) {
                true => state.store.version,
                false => flight.version,
            };
            if state.store.condemn(version, reason) || scenario.lacks(Without::Adoption) {
                land(scenario, &mut state, who, Landed::Ended);
            } else {
                adopt(scenario, &mut state, who);
            }
        }
        Phase::Releasing(intent) => {
            state.store.release(who, intent);
            land(scenario, &mut state, who, Landed::Nothing);
        }
        Phase::Recording(tokens) => {
            state.store.record(scenario, tokens.version, tokens.set);
            go(&mut state, who, Phase::Telling(tokens));
        }
        Phase::Telling(tokens) => {
            state.provider.revoke(scenario, tokens.set);
            state.store.settle(scenario, tokens.version, tokens.set);
            land(scenario, &mut state, who, Landed::Ended);
        }
    }
    Some(state)
}

/// `fly`: takes the lease, or waits for whoever has it, or adopts what they brought.
fn lease(scenario: &Scenario, state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    let stored = state.store;
    if scenario.lacks(Without::Lease) {
        state.store.lease = None;
    }
    match state.store.lease(flight.version, who) {
        Leased::Held => return None,
        Leased::Moved => adopt(scenario, state, who),
        Leased::Taken => {
            if scenario.lacks(Without::Intent) {
                state.store.intent = stored.intent;
            }
            *state.flight_mut(who) = Flight {
                phase: Phase::Leased,
                set: stored.set.unwrap_or_default(),
                ambiguous: stored.intent,
                ..flight
            };
        }
    }
    Some(())
}

/// `ask`, before the first call. Only an ambiguous credential is looked up among the parked ones.
pub(crate) fn begin(scenario: &Scenario, state: &mut State, who: Who, parked: Option<Tokens>) {
    let flight = *state.flight(who);
    let parked = parked.filter(|_| flight.ambiguous);
    let next = match (scenario.first(flight.ambiguous, parked.is_some(), state.store.live), parked) {
        (First::Adopt, Some(parked)) => Phase::Saving(parked),
        (First::Wait, _) => Phase::Releasing(flight.ambiguous),
        (First::Send | First::Adopt, _) => Phase::Ready,
    };
    go(state, who, next);
}

/// What an answer leads to.
fn receive(scenario: &Scenario, state: &mut State, who: Who, wire: Wire) -> Option<()> {
    let flight = *state.flight(who);
    let unknown = match wire {
        Wire::Sent => return None,
        Wire::Issued(set) => {
            let tokens = Tokens { version: flight.version + 1, set, from: flight.set };
            go(state, who, Phase::Saving(tokens));
            return Some(());
        }
        // The last word is for whoever has the lease.
        Wire::Refused if flight.overdue && !scenario.lacks(Without::LastWord) => {
            land(scenario, state, who, Landed::Nothing);
            return Some(());
        }
        Wire::Refused => {
            go(state, who, Phase::LookingAgain);
            return Some(());
        }
        Wire::Silence => true,
        Wire::Unacted => false,
    };
    match scenario.then(flight.ambiguous, flight.retried, unknown) {
        Then::Retry => {
            state.flight_mut(who).retried = true;
            go(state, who, Phase::Ready);
        }
        Then::PutOff { intent, until_dead: _ } => go(state, who, Phase::Releasing(intent)),
    }
    Some(())
}

/// `outcome::save`, as far as the store answers.
fn save(scenario: &Scenario, state: &mut State, who: Who, tokens: Tokens) {
    let saved = if scenario.lacks(Without::Fence) {
        state.store.write(tokens, &mut state.past);
        Saved::Done
    } else {
        state.store.save(tokens, &mut state.past)
    };
    if scenario.lacks(Without::Keeping) {
        state.forget(tokens.version);
    }
    if saved == Saved::Done {
        land(scenario, state, who, Landed::Token);
    } else if state.store.status == Status::Revoked {
        go(state, who, Phase::Recording(tokens));
    } else {
        // Theirs is ours; what we received is let go.
        if state.store.set != Some(tokens.set) {
            state.past.lost.add(tokens.set);
        }
        adopt(scenario, state, who);
    }
}

/// `not_sent`: the lease is given back with the intent that was found, or that of the first call.
pub(crate) fn not_sent(scenario: &Scenario, flight: &Flight) -> Phase {
    let first_call = flight.retried && !scenario.lacks(Without::FirstCall);
    Phase::Releasing(flight.ambiguous || first_call)
}

/// Takes what is stored now for the result.
fn adopt(scenario: &Scenario, state: &mut State, who: Who) {
    let landed = if state.store.status == Status::Active { Landed::Token } else { Landed::Ended };
    land(scenario, state, who, landed);
}

/// The flight is over. A lease that it did not give back is nobody's.
pub(crate) fn land(scenario: &Scenario, state: &mut State, who: Who, landed: Landed) {
    let stored = &mut state.store;
    if let Some(lease) = stored.lease.as_mut().filter(|lease| lease.holder == Holder::Flight(who)) {
        lease.holder = Holder::Gone;
    }
    if landed == Landed::Ended && stored.status == Status::Active {
        state.past.told_wrongly |= stored.set.is_some_and(|set| state.provider.honours(scenario, set));
    }
    if landed != Landed::Token && stored.status != Status::Revoked && state.faults_left == scenario.faults {
        state.past.empty_handed = true;
    }
    *state.flight_mut(who) = Flight::NONE;
}

/// Goes on to the next phase.
pub(crate) const fn go(state: &mut State, who: Who, phase: Phase) {
    state.flight_mut(who).phase = phase;
}
