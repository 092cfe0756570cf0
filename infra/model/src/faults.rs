//! What can go wrong, where it can strike, and what the protocol does then.

use shared::domain::Rotation;

use crate::flight::{self, Landed};
use crate::scenario::{Scenario, Without};
use crate::state::{Flight, Holder, Phase, Sets, State, Who, Wire};

/// A fault. Each that strikes is taken from a scenario's budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed (or its flight panics).
    Crash,
    /// The process is frozen for longer than its lease runs, and goes on later as if nothing had happened.
    Freeze,
    /// The request does not reach the provider, or it answers 5xx without having acted.
    RequestLost,
    /// The provider acts, and its answer does not arrive, or is a 5xx.
    AnswerLost,
    /// The request reaches the provider only after its sender has given up.
    RequestLate,
    /// It is certain that the provider did not act: 429, or no connection.
    Unacted,
    /// The store does not answer one step (all tries of a save).
    StoreAway,
    /// The store's answer to a save does not arrive in time, but the save may arrive later.
    SaveLate,
    /// The cache does not answer (nor the disk of the journal, where that is to take what can't be saved).
    CacheAway,
    /// All that is parked is gone: wiped, over after its day, or not readable for an hour.
    ParkedGone,
    /// A sweep waits so long for its turn at the provider, or a key is not available, that nothing is sent.
    NotSent,
    /// The provider can't be told of a revocation.
    RevokeUnheard,
}

impl Fault {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Crash,
        Self::Freeze,
        Self::RequestLost,
        Self::AnswerLost,
        Self::RequestLate,
        Self::Unacted,
        Self::StoreAway,
        Self::SaveLate,
        Self::CacheAway,
        Self::ParkedGone,
        Self::NotSent,
        Self::RevokeUnheard,
    ];

    /// All but those that no client can undo: a holder that is frozen past its lease, and a request that is
    /// acted upon long after its sender has given up.
    pub const MANAGEABLE: &'static [Self] = &[
        Self::Crash,
        Self::RequestLost,
        Self::AnswerLost,
        Self::Unacted,
        Self::StoreAway,
        Self::SaveLate,
        Self::CacheAway,
        Self::ParkedGone,
        Self::NotSent,
        Self::RevokeUnheard,
    ];
}

/// What follows when a fault strikes a flight; `None` where it can't.
pub(crate) fn strike(scenario: &Scenario, before: &State, fault: Fault, who: Who) -> Option<State> {
    let mut state = *before;
    state.faults_left = state.faults_left.checked_sub(1)?;
    let flight = *state.flight(who);
    match fault {
        Fault::Crash => crash(&mut state, who)?,
        Fault::Freeze => freeze(&mut state, who)?,
        Fault::RequestLost if flight.phase == Phase::Calling(Wire::Sent) => {
            flight::go(&mut state, who, Phase::Calling(Wire::Silence));
        }
        Fault::RequestLate if flight.phase == Phase::Calling(Wire::Sent) => silence(&mut state, who),
        Fault::Unacted if flight.phase == Phase::Calling(Wire::Sent) => {
            flight::go(&mut state, who, Phase::Calling(Wire::Unacted));
        }
        Fault::AnswerLost if flight.is_being_answered() => silence(&mut state, who),
        Fault::StoreAway => store_away(scenario, &mut state, who)?,
        Fault::SaveLate => save_late(&mut state, who)?,
        Fault::CacheAway => cache_away(scenario, &mut state, who)?,
        // It strikes no process: once is enough.
        Fault::ParkedGone if who == Who::A && state.parked != [None; 3] => {
            let parked = std::mem::take(&mut state.parked);
            parked.into_iter().flatten().for_each(|each| lose_unless_kept(&mut state, each.set));
        }
        Fault::NotSent if flight.phase == Phase::Ready => {
            flight::go(&mut state, who, flight::not_sent(scenario, &flight));
        }
        Fault::RevokeUnheard if matches!(flight.phase, Phase::Telling(_)) => {
            flight::land(scenario, &mut state, who, Landed::Ended);
        }
        Fault::RequestLost
        | Fault::RequestLate
        | Fault::Unacted
        | Fault::AnswerLost
        | Fault::ParkedGone
        | Fault::NotSent
        | Fault::RevokeUnheard => return None,
    }
    Some(state)
}

/// What a flight has in hand is gone with it, unless it is kept elsewhere as well. A request that is on its way
/// arrives before (then the provider has acted first) or is lost.
fn crash(state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    if matches!(flight.phase, Phase::Idle | Phase::Wants) {
        return None;
    }
    // Who tells the provider has recorded what it tells of.
    if let Some(tokens) = flight.in_hand().filter(|_| !matches!(flight.phase, Phase::Telling(_))) {
        lose_unless_kept(state, tokens.set);
    }
    if let Some(lease) = state.store.lease.as_mut().filter(|lease| lease.holder == Holder::Flight(who)) {
        lease.holder = Holder::Gone;
    }
    *state.flight_mut(who) = Flight::NONE;
    Some(())
}

/// From now on its lease may end; its own clock says so, when it looks.
fn freeze(state: &mut State, who: Who) -> Option<()> {
    let flight = state.flight_mut(who);
    if !flight.is_in_time() {
        return None;
    }
    flight.overdue = true;
    let unsaved =
        matches!(flight.phase, Phase::Checked | Phase::Calling(_) | Phase::Saving(_) | Phase::Parking(_));
    state.past.frozen |= unsaved;
    Some(())
}

/// A flight stops waiting for its answer. A request that is on its way may arrive all the same.
pub(crate) fn silence(state: &mut State, who: Who) {
    let flight = *state.flight(who);
    if flight.phase == Phase::Calling(Wire::Sent)
        && let Some(slot) = state.strays.iter_mut().find(|slot| slot.is_none())
    {
        *slot = Some(flight.set);
        state.strays.sort_unstable();
    }
    if let Phase::Calling(Wire::Issued(set)) = flight.phase {
        state.past.lost.add(set);
    }
    flight::go(state, who, Phase::Calling(Wire::Silence));
}

fn save_late(state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    let Phase::Saving(tokens) = flight.phase else { return None };
    if state.late_save.is_some() {
        return None;
    }
    state.late_save = Some((tokens, flight.overdue));
    flight::go(state, who, Phase::Parking(tokens));
    Some(())
}

fn store_away(scenario: &Scenario, state: &mut State, who: Who) -> Option<()> {
    let phase = state.flight(who).phase;
    if let Phase::Saving(tokens) = phase {
        flight::go(state, who, Phase::Parking(tokens));
    } else if let Phase::Recording(tokens) = phase {
        // The provider is told all the same.
        lose_unless_kept(state, tokens.set);
        flight::go(state, who, Phase::Telling(tokens));
    } else if matches!(phase, Phase::Condemning | Phase::Releasing(_)) {
        // The lease stays, and ends by itself.
        flight::land(scenario, state, who, Landed::Nothing);
    } else {
        return None;
    }
    Some(())
}

fn cache_away(scenario: &Scenario, state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    let rotates = match scenario.rotation {
        Rotation::None | Rotation::Sliding => false,
        Rotation::SingleUse | Rotation::SingleUseWithGrace => true,
    };
    let doubts = rotates && !scenario.lacks(Without::Doubt);
    let hidden = state.parked_after(flight.version).is_some();
    let looks = flight.phase == Phase::LookingAgain || (flight.phase == Phase::Leased && flight.ambiguous);
    if looks && doubts {
        flight::go(state, who, Phase::Releasing(true));
    } else if looks && hidden {
        // What is parked is not seen. Where the old token goes on, it is not needed either.
        match flight.phase == Phase::Leased {
            true => flight::begin(scenario, state, who, None),
            false => flight::go(state, who, Phase::Condemning),
        }
    } else if let Phase::Parking(tokens) = flight.phase {
        // Neither the store nor the cache: the stated loss.
        lose_unless_kept(state, tokens.set);
        flight::land(scenario, state, who, Landed::Nothing);
    } else {
        return None;
    }
    Some(())
}

fn lose_unless_kept(state: &mut State, set: u8) {
    let kept = state.store.set == Some(set)
        || state.parked.iter().flatten().any(|parked| parked.set == set)
        || state.store.pending.iter().flatten().any(|(_, each)| *each == set);
    if !kept {
        state.past.lost = state.past.lost.and(Sets::of(set));
    }
}
