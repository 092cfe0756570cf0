//! All steps that are possible in a state: of the processes, the provider, the network, the clocks, the revoker, and the faults.

use shared::domain::Rotation;

use crate::checker::Model;
use crate::faults::{self, Fault};
use crate::scenario::Scenario;
use crate::state::{Flight, Holder, Past, Phase, Provider, State, Status, Store, Tokens, Who, Wire};
use crate::{flight, job};

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A process reads the credential, and wants to refresh it.
    Begin(Who),
    /// A flight takes its next step.
    Step(Who),
    /// The provider acts on a request.
    Act(Who),
    /// A process that was frozen stops waiting for its answer.
    TimesOut(Who),
    /// A request arrives whose sender has given up.
    Arrive(u8),
    /// A save arrives whose sender has given up.
    SaveArrives,
    /// The lease ends, by the store's time.
    LeaseEnds,
    /// The access token dies.
    AccessDies,
    /// A grace is over.
    GraceEnds(u8),
    /// Somebody revokes.
    Revoke,
    /// Whoever works off what is pending tells the provider of this version.
    Tell(u8),
    /// The job settles what is parked in one place.
    Settle(Tokens),
    /// A fault strikes.
    Strike(Fault, Who),
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    fn initial(&self) -> State {
        State {
            store: Store::NEW,
            parked: [None; 3],
            provider: Provider::NEW,
            flights: [Flight::NONE; 2],
            strays: [None; 2],
            late_save: None,
            flights_left: self.flights,
            faults_left: self.faults,
            may_revoke: self.revocation,
            past: Past::default(),
        }
    }

    fn steps(&self, state: &State, into: &mut Vec<(Action, State)>) {
        for who in Who::ALL {
            into.extend(begin(state, who).map(|after| (Action::Begin(who), after)));
            into.extend(flight::step(self, state, who).map(|after| (Action::Step(who), after)));
            into.extend(self.act(state, who).map(|after| (Action::Act(who), after)));
            into.extend(times_out(state, who).map(|after| (Action::TimesOut(who), after)));
            for fault in self.kinds {
                let after = faults::strike(self, state, *fault, who);
                into.extend(after.map(|after| (Action::Strike(*fault, who), after)));
            }
        }
        for parked in state.parked.into_iter().flatten() {
            into.extend(job::settle(self, state, parked).map(|after| (Action::Settle(parked), after)));
        }
        self.others(state, into);
    }

    /// The processes differ in their names only.
    fn canonical(&self, state: State) -> State {
        let mut mirrored = state;
        mirrored.flights.swap(0, 1);
        if let Some(lease) = &mut mirrored.store.lease {
            lease.holder = match lease.holder {
                Holder::Flight(Who::A) => Holder::Flight(Who::B),
                Holder::Flight(Who::B) => Holder::Flight(Who::A),
                Holder::Gone => Holder::Gone,
            };
        }
        let key = |state: &State| (state.flights, state.store.lease);
        if key(&mirrored) < key(&state) { mirrored } else { state }
    }
}

impl Scenario {
    /// The provider acts on a request, and answers.
    fn act(&self, before: &State, who: Who) -> Option<State> {
        let flight = before.flight(who);
        if flight.phase != Phase::Calling(Wire::Sent) {
            return None;
        }
        let mut state = *before;
        if before.faults_left == self.faults {
            state.past.twice |= flight.version < before.past.presented;
            state.past.presented = flight.version + 1;
        }
        let first_use = before.provider.fresh.has(flight.set);
        let wire = state.provider.present(self, flight.set);
        let mine = state.flight_mut(who);
        mine.phase = Phase::Calling(wire);
        mine.opened |= first_use && self.rotation == Rotation::SingleUseWithGrace;
        Some(state)
    }

    /// What happens by itself, and what the revoker does.
    fn others(&self, before: &State, into: &mut Vec<(Action, State)>) {
        let mut add = |action, change: &dyn Fn(&mut State)| {
            let mut state = *before;
            change(&mut state);
            into.push((action, state));
        };
        for set in before.strays.into_iter().flatten() {
            add(Action::Arrive(set), &|state| {
                let slot = state.strays.iter_mut().find(|slot| **slot == Some(set));
                slot.into_iter().for_each(|slot| *slot = None);
                state.strays.sort_unstable();
                state.past.delayed = true;
                if let Wire::Issued(new) = state.provider.present(self, set) {
                    state.past.lost.add(new);
                }
            });
        }
        if let Some((tokens, too_late)) = before.late_save {
            add(Action::SaveArrives, &|state| {
                state.late_save = None;
                state.past.delayed |= too_late;
                state.store.save(tokens, &mut state.past);
            });
        }
        if before.store.lease.is_some_and(|lease| lease.running && can_end(before, lease.holder)) {
            add(Action::LeaseEnds, &|state| {
                state.late_save = state.late_save.map(|(tokens, _)| (tokens, true));
                // A lease that has ended and is nobody's is as good as none.
                state.store.lease = state.store.lease.filter(|lease| lease.holder != Holder::Gone);
                if let Some(lease) = &mut state.store.lease {
                    lease.running = false;
                }
            });
        }
        if self.rotation == Rotation::SingleUse && before.store.live && before.store.status != Status::Revoked
        {
            add(Action::AccessDies, &|state| state.store.live = false);
        }
        // A retry at once, under the lease of the call that opened the grace, is always within it.
        let needed =
            |set| before.flights.iter().any(|each| each.opened && each.set == set && each.is_in_time());
        for set in before.provider.grace.each().filter(|set| self.grace_ends && !needed(*set)) {
            add(Action::GraceEnds(set), &|state| state.provider.end_grace(set));
        }
        if before.may_revoke {
            add(Action::Revoke, &|state| {
                state.may_revoke = false;
                state.store.begin_revocation(self);
            });
        }
        for (version, set) in before.store.pending.into_iter().flatten() {
            add(Action::Tell(version), &|state| {
                state.provider.revoke(self, set);
                state.store.settle(self, version, set);
            });
        }
    }
}

/// A holder that is neither dead nor frozen is done before its lease ends.
fn can_end(state: &State, holder: Holder) -> bool {
    match holder {
        Holder::Flight(who) => !state.flight(who).is_in_time(),
        Holder::Gone => true,
    }
}

fn begin(before: &State, who: Who) -> Option<State> {
    if before.flight(who).phase != Phase::Idle || before.store.status != Status::Active {
        return None;
    }
    let mut state = *before;
    state.flights_left = state.flights_left.checked_sub(1)?;
    *state.flight_mut(who) = Flight { phase: Phase::Wants, version: before.store.version, ..Flight::NONE };
    Some(state)
}

fn times_out(before: &State, who: Who) -> Option<State> {
    let flight = before.flight(who);
    let waiting = matches!(flight.phase, Phase::Calling(Wire::Sent | Wire::Issued(_) | Wire::Refused));
    let mut state = *before;
    (waiting && flight.overdue).then(|| {
        faults::silence(&mut state, who);
        state
    })
}
