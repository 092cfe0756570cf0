//! What can go wrong, where it can strike, and what the protocol does then.

use crate::flight::{self, Landed};
use crate::scenario::Scenario;
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
    /// The cache (or the disk of the journal) does not answer.
    CacheAway,
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
        Fault::Freeze if flight.is_critical() && !flight.overdue => freeze(&mut state, who),
        Fault::RequestLost => answer(&mut state, who, &[Wire::Sent], Wire::Silence)?,
        Fault::Unacted => answer(&mut state, who, &[Wire::Sent], Wire::Unacted)?,
        Fault::AnswerLost => match flight.phase {
            Phase::Calling(Wire::Issued(_) | Wire::Refused) => silence(&mut state, who),
            _ => return None,
        },
        Fault::RequestLate => match flight.phase {
            Phase::Calling(Wire::Sent) => silence(&mut state, who),
            _ => return None,
        },
        Fault::StoreAway => store_away(scenario, &mut state, who)?,
        Fault::SaveLate => match flight.phase {
            Phase::Saving(tokens, _) if state.late_save.is_none() => {
                state.late_save = Some(tokens);
                flight::go(&mut state, who, Phase::Parking(tokens));
            }
            _ => return None,
        },
        Fault::CacheAway => cache_away(scenario, &mut state, who)?,
        Fault::NotSent => match flight.phase {
            Phase::Ready => flight::go(&mut state, who, Phase::Releasing(flight.ambiguous)),
            _ => return None,
        },
        Fault::RevokeUnheard => match flight.phase {
            Phase::Telling(tokens) => {
                lose_unless_kept(&mut state, tokens.set);
                flight::land(scenario, &mut state, who, Landed::Ended);
            }
            _ => return None,
        },
        Fault::Freeze => return None,
    }
    Some(state)
}

/// What a flight has in hand is gone with it, unless it is kept elsewhere as well.
fn crash(state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    if matches!(flight.phase, Phase::Idle | Phase::Wants) {
        return None;
    }
    if let Some(tokens) = flight.in_hand() {
        lose_unless_kept(state, tokens.set);
    }
    if let Some(lease) = state.store.lease.as_mut().filter(|lease| lease.holder == Holder::Flight(who)) {
        lease.holder = Holder::Gone;
    }
    *state.flight_mut(who) = Flight::NONE;
    Some(())
}

/// From now on its lease may end; its own clock says so, when it looks.
const fn freeze(state: &mut State, who: Who) {
    let flight = state.flight_mut(who);
    flight.overdue = true;
    if matches!(
        flight.phase,
        Phase::Checked | Phase::Calling(_) | Phase::Saving(..) | Phase::Parking(_)
    ) {
        state.past.frozen = true;
    }
}

fn answer(state: &mut State, who: Who, at: &[Wire], with: Wire) -> Option<()> {
    match state.flight(who).phase {
        Phase::Calling(wire) if at.contains(&wire) => flight::go(state, who, Phase::Calling(with)),
        _ => return None,
    }
    Some(())
}

/// A flight stops waiting for its answer. A request that is on its way may arrive all the same.
pub(crate) fn silence(state: &mut State, who: Who) {
    let flight = *state.flight(who);
    match flight.phase {
        Phase::Calling(Wire::Sent) => {
            if let Some(slot) = state.strays.iter_mut().find(|slot| slot.is_none()) {
                *slot = Some(flight.set);
            }
            state.strays.sort_unstable();
        }
        Phase::Calling(Wire::Issued(set)) => state.past.lost.add(set),
        _ => {}
    }
    flight::go(state, who, Phase::Calling(Wire::Silence));
}

fn store_away(scenario: &Scenario, state: &mut State, who: Who) -> Option<()> {
    match state.flight(who).phase {
        Phase::Saving(tokens, _) => flight::go(state, who, Phase::Parking(tokens)),
        // The lease stays, and ends by itself.
        Phase::Rereading | Phase::Condemning | Phase::Releasing(_) => {
            flight::land(scenario, state, who, Landed::Nothing);
        }
        // The provider is told all the same.
        Phase::Recording(tokens) => flight::go(state, who, Phase::Telling(tokens)),
        _ => return None,
    }
    Some(())
}

fn cache_away(scenario: &Scenario, state: &mut State, who: Who) -> Option<()> {
    let flight = *state.flight(who);
    let hidden = state.parked_after(flight.version).is_some();
    match flight.phase {
        // What is parked is not seen.
        Phase::Leased if hidden && flight.ambiguous => flight::begin(scenario, state, who, None),
        Phase::LookingAgain if hidden => flight::go(state, who, Phase::Condemning),
        // Neither the store nor the cache: the stated loss.
        Phase::Parking(tokens) => {
            lose_unless_kept(state, tokens.set);
            flight::land(scenario, state, who, Landed::Nothing);
        }
        Phase::Forgetting(fenced) => flight::forgotten(scenario, state, who, fenced),
        _ => return None,
    }
    Some(())
}

fn lose_unless_kept(state: &mut State, set: u8) {
    let kept = state.store.set == Some(set)
        || state.parked.is_some_and(|parked| parked.set == set)
        || state.store.pending.iter().flatten().any(|(_, each)| *each == set);
    if !kept {
        state.past.lost = state.past.lost.and(Sets::of(set));
    }
}
