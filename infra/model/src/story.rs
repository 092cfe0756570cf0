//! Tells a way through the model in words, one line per step.

use std::fmt::Write as _;

use crate::checker::{Model as _, Path};
use crate::faults::Fault;
use crate::scenario::Scenario;
use crate::state::{Flight, Phase, State, Status, Who, Wire};
use crate::world::Action;

/// Tells it.
#[must_use]
pub fn tell(scenario: &Scenario, path: &Path<Scenario>) -> String {
    let mut before = scenario.initial();
    let mut told = String::new();
    for (at, (action, after)) in path.iter().enumerate() {
        let step = step(action, &before, after);
        // Writing to a string can't fail.
        let _ = writeln!(told, "{:>3}. {step:<74} | {}", at + 1, summary(after));
        before = *after;
    }
    told
}

fn step(action: &Action, before: &State, after: &State) -> String {
    match *action {
        Action::Begin(who) => {
            format!("{who:?} reads version {} and wants to refresh it", before.store.version)
        }
        Action::Step(who) => format!("{who:?} {}", own_step(before.flight(who), after.flight(who))),
        Action::Act(who) => {
            let token = before.flight(who).set;
            if let Phase::Calling(Wire::Issued(set)) = after.flight(who).phase {
                format!("the provider takes {who:?}'s token {token} and issues set {set}")
            } else {
                format!("the provider refuses {who:?}'s token {token}")
            }
        }
        Action::TimesOut(who) => format!("{who:?}, still frozen, stops waiting for its answer"),
        Action::Arrive(set) => format!("the late request with token {set} arrives at the provider"),
        Action::SaveArrives => "the late save arrives at the store".to_owned(),
        Action::LeaseEnds => "the lease ends".to_owned(),
        Action::AccessDies => "the access token dies".to_owned(),
        Action::GraceEnds(set) => format!("the grace of token {set} ends"),
        Action::Revoke => "somebody revokes: the stored tokens become a pending revocation".to_owned(),
        Action::Tell(version) => format!("the job tells the provider of the pending version {version}"),
        Action::Settle(parked) if after.store.status == Status::Revoked => {
            format!("the job makes parked set {} a pending revocation", parked.set)
        }
        Action::Settle(parked) => format!("the job saves parked set {}", parked.set),
        Action::Strike(fault, who) => format!("FAULT {}", strike(fault, who)),
    }
}

/// What a flight does, and what it is about to do then.
fn own_step(was: &Flight, is: &Flight) -> String {
    let done = match was.phase {
        Phase::Idle => "does nothing",
        Phase::Wants if is.phase == Phase::Idle => "finds the version moved",
        Phase::Wants if is.ambiguous => "takes the lease, and finds an intent",
        Phase::Wants => "takes the lease",
        Phase::Leased => "looks for parked tokens if there was an intent",
        Phase::Ready => "looks at the clock",
        Phase::Checked => "sends",
        Phase::Calling(_) => "receives that",
        Phase::Saving(_) => "saves it",
        Phase::Parking(_) => "parks it",
        Phase::LookingAgain => "looks for parked tokens again",
        Phase::Condemning => "ends the credential",
        Phase::Releasing(true) => "gives the lease back and leaves the intent",
        Phase::Releasing(false) => "gives the lease back without an intent",
        Phase::Recording(_) => "records what it received as a pending revocation",
        Phase::Telling(_) => "tells the provider to revoke it",
    };
    let next = match is.phase {
        Phase::Idle => "is done",
        Phase::Wants | Phase::Leased | Phase::Calling(_) => return done.to_owned(),
        Phase::Ready => "will send",
        Phase::Checked => "has time",
        Phase::Saving(_) => "will save the tokens it has",
        Phase::Parking(_) => "will park it",
        Phase::LookingAgain => "will look for parked tokens again",
        Phase::Condemning => "will end the credential",
        Phase::Releasing(_) => "will give the lease back",
        Phase::Recording(_) => "will record it as a pending revocation",
        Phase::Telling(_) => "will tell the provider",
    };
    format!("{done}, and {next}")
}

fn strike(fault: Fault, who: Who) -> String {
    match fault {
        Fault::Crash => format!("{who:?} is killed"),
        Fault::Freeze => format!("{who:?} is frozen for longer than its lease runs"),
        Fault::RequestLost => format!("{who:?}'s request is lost"),
        Fault::AnswerLost => format!("{who:?}'s answer is lost"),
        Fault::RequestLate => format!("{who:?}'s request is late, {who:?} gives up"),
        Fault::Unacted => format!("the provider limits {who:?}"),
        Fault::StoreAway => format!("the store does not answer {who:?}"),
        Fault::SaveLate => format!("{who:?}'s save is late, {who:?} gives up on it"),
        Fault::CacheAway => format!("the cache does not answer {who:?}"),
        Fault::ParkedGone => "what is parked is gone".to_owned(),
        Fault::NotSent => format!("{who:?} is kept from sending, and gives the lease back"),
        Fault::RevokeUnheard => format!("the provider does not hear {who:?}"),
    }
}

fn summary(state: &State) -> String {
    let store = &state.store;
    let mut told = format!("v{} ", store.version);
    told += &store.set.map_or("erased".to_owned(), |set| format!("set {set}"));
    if store.status != Status::Active {
        let _ = write!(told, ", {:?}", store.status);
    }
    if let Some(lease) = store.lease {
        let _ = write!(told, ", lease {:?}{}", lease.holder, if lease.running { "" } else { " (over)" });
    }
    for (said, text) in [(store.intent, ", intent"), (!store.live, ", access dead")] {
        told += if said { text } else { "" };
    }
    for parked in state.parked.iter().flatten() {
        let _ = write!(told, ", parked set {} for v{}", parked.set, parked.version);
    }
    for (version, set) in store.pending.iter().flatten() {
        let _ = write!(told, ", pending v{version} set {set}");
    }
    let honoured: Vec<_> = state.provider.honoured().each().collect();
    let _ = write!(told, "; provider honours {honoured:?}");
    told
}
