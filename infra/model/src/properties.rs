//! What must hold of every step, and what must be possible at least once.

use shared::domain::Rotation;

use crate::checker::Property;
use crate::faults::Fault;
use crate::job;
use crate::scenario::Scenario;
use crate::state::{Flight, Phase, Provider, Reason, Sets, State, Status, Tokens};

/// No fault: no version of the refresh token is presented twice, and no two requests are under way at once.
pub const ONE_USE: &str = "one use without a fault";
/// No fault and no revocation: the grant goes on, and every flight brings a token.
pub const ALWAYS_A_TOKEN: &str = "a token from every flight without a fault";
/// While it is not revoked, the grant can be gone on with: the provider honours a token that is stored, parked, or
/// about to be saved. Where the class forgives a second use (`none`, `sliding`, a grace that has not ended), whatever
/// the faults; else unless a fault destroyed an answer with tokens, or one struck that no client can undo.
pub const KEPT: &str = "the grant is kept";
/// A grant that we lost is said to be lost by us (`refresh_outcome_unknown`), not by the user or the provider
/// (`grant_expired`), unless a fault struck that no client can undo at a provider that ends a family for it. Here the
/// provider ends no grant by itself.
pub const SAID_RIGHTLY: &str = "the reason is right";
/// A strictly single-use token whose fate is unknown costs nobody the access token that still lives.
pub const SERVED_WHILE_VALID: &str = "served while valid";
/// Nobody is told that the grant has ended while the stored one is active and honoured.
pub const TOLD_RIGHTLY: &str = "told rightly";
/// Nobody sets out to end a credential that has not moved while the tokens that come next are parked.
pub const LOOKED_FIRST: &str = "nothing is ended over what is parked";
/// What is revoked stays so.
pub const REVOKED_FOR_GOOD: &str = "revoked for good";
/// When all is at rest after a revocation and the job has been there, whatever the provider still honours is pending, or was
/// destroyed by a fault, or is one of two sets for one version (there are two only after a fault), of which the other was saved.
pub const NOTHING_LEFT_BEHIND: &str = "nothing left behind by a revocation";
/// Tokens go only with a revocation.
pub const NEVER_CLEARED: &str = "stored tokens are never cleared by a failure";
/// The version rises by one with every write of tokens and with nothing else, and what is written was made from what
/// it replaces: a holder whose lease is over can't undo what came after.
pub const FENCED: &str = "every write is fenced";

type Claim = Property<Scenario>;

/// The claims about every step.
#[must_use]
pub fn always() -> Vec<Claim> {
    vec![
        Claim { name: ONE_USE, holds: one_use },
        Claim { name: ALWAYS_A_TOKEN, holds: always_a_token },
        Claim { name: KEPT, holds: kept },
        Claim { name: SAID_RIGHTLY, holds: said_rightly },
        Claim { name: SERVED_WHILE_VALID, holds: served_while_valid },
        Claim { name: TOLD_RIGHTLY, holds: |_, _, after| !after.past.told_wrongly },
        Claim { name: LOOKED_FIRST, holds: looked_first },
        Claim {
            name: REVOKED_FOR_GOOD,
            holds: |_, before, after| {
                before.store.status != Status::Revoked || after.store.status == Status::Revoked
            },
        },
        Claim { name: NOTHING_LEFT_BEHIND, holds: nothing_left_behind },
        Claim {
            name: NEVER_CLEARED,
            holds: |_, _, after| after.store.status == Status::Revoked || after.store.set.is_some(),
        },
        Claim { name: FENCED, holds: fenced },
    ]
}

fn one_use(scenario: &Scenario, _: &State, after: &State) -> bool {
    let at_once = after.flights.iter().all(|flight| matches!(flight.phase, Phase::Calling(_)));
    after.faults_left < scenario.faults || !(after.past.twice || at_once)
}

fn always_a_token(scenario: &Scenario, _: &State, after: &State) -> bool {
    let ended = matches!(after.store.status, Status::Ended(_));
    after.faults_left < scenario.faults || !(after.past.empty_handed || ended)
}

fn kept(scenario: &Scenario, _: &State, after: &State) -> bool {
    let forgives = match scenario.rotation {
        Rotation::None | Rotation::Sliding => true,
        Rotation::SingleUse => false,
        Rotation::SingleUseWithGrace => !scenario.grace_ends,
    };
    let explained = !forgives && (!after.past.lost.is_empty() || is_beyond_us(after));
    explained || is_kept(scenario, after)
}

/// Whether somebody can go on with the grant.
fn is_kept(scenario: &Scenario, state: &State) -> bool {
    let next = state.store.version + 1;
    let in_hand = state.flights.iter().filter_map(|flight| flight.in_hand());
    let unsaved = in_hand
        .chain(state.parked.into_iter().flatten())
        .chain(state.late_save.map(|(tokens, _)| tokens))
        .filter(|tokens| tokens.version == next);
    let mut sets = unsaved.map(|tokens| tokens.set).chain(state.store.set);
    match state.store.status {
        Status::Revoked => true,
        Status::Ended(_) => false,
        Status::Active => sets.any(|set| state.provider.honours(scenario, set)),
    }
}

/// Whether a fault struck that no client can undo.
const fn is_beyond_us(state: &State) -> bool {
    state.past.frozen || state.past.delayed
}

fn said_rightly(scenario: &Scenario, _: &State, after: &State) -> bool {
    let explained = scenario.reuse_kills && is_beyond_us(after);
    after.store.status != Status::Ended(Reason::GrantExpired) || explained
}

fn served_while_valid(scenario: &Scenario, _: &State, after: &State) -> bool {
    let ended = matches!(after.store.status, Status::Ended(_));
    let strict = scenario.rotation == Rotation::SingleUse;
    !(strict && ended && after.store.live) || is_beyond_us(after)
}

fn looked_first(_: &Scenario, before: &State, after: &State) -> bool {
    let set_out = |was: &Flight, is: &Flight| was.phase != is.phase && is.phase == Phase::Condemning;
    let mut flights = before.flights.iter().zip(&after.flights);
    let over_parked =
        |is: &Flight| after.parked_after(is.version).is_some() && after.store.version == is.version;
    !flights.any(|(was, is)| set_out(was, is) && over_parked(is))
}

fn nothing_left_behind(scenario: &Scenario, _: &State, after: &State) -> bool {
    let at_rest = after.flights.iter().all(|flight| flight.phase == Phase::Idle)
        && after.strays == [None; 2]
        && after.late_save.is_none()
        && job::is_done(scenario, after);
    if after.store.status != Status::Revoked || !at_rest {
        return true;
    }
    let token = |set| Sets::of(Provider::refresh_token_of(scenario, set));
    let pending = after.store.pending.into_iter().flatten().map(|(_, set)| set);
    // What was overtaken by a save of the same version is let go, as it is where it is fenced out.
    let overtaken = after.parked.into_iter().flatten().filter(|each| each.version < after.store.version);
    let known = pending.chain(overtaken.map(|each| each.set));
    let known = known.fold(Sets::NONE, |known, set| known.and(token(set)));
    let honoured = after.provider.honoured();
    honoured.without(known).without(after.past.lost).without(after.past.replaced).is_empty()
}

fn fenced(_: &Scenario, before: &State, after: &State) -> bool {
    let (was, is) = (before.store, after.store);
    let rises = is.version == was.version + u8::from(is.set != was.set);
    rises && !after.past.overwrote
}

/// A crash after the provider had acted, and a later flight that went on by the grace.
pub const RECOVERED_BY_GRACE: &str = "recovered by the grace";
/// Parked tokens are saved by another flight.
pub const ADOPTED_PARKED: &str = "adopted what was parked";
/// The second look for parked tokens finds some.
pub const SECOND_LOOK: &str = "found by the second look";
/// A holder that was fenced out takes the winner's tokens.
pub const ADOPTED_WINNER: &str = "adopted the winner";
/// A refused holder finds that the version has moved.
pub const REFUSED_BUT_MOVED: &str = "refused, and somebody else had refreshed";
/// It is revoked while a call is under way.
pub const REVOKED_IN_FLIGHT: &str = "revoked in mid-flight";
/// A flight that was fenced out by a revocation revokes what it received.
pub const REVOKED_WHAT_CAME: &str = "revoked what came after the revocation";
/// The loss of a grant is said to be ours.
pub const OUTCOME_UNKNOWN: &str = "ended with refresh_outcome_unknown";
/// A flight leaves a token alone until the access token is dead.
pub const WAITED: &str = "waited for the access token to die";
/// The one retry is made when it is dead, and brings tokens: it was unsent.
pub const RETRIED_WHEN_DEAD: &str = "retried when it was dead, and recovered";
/// A process that was frozen sees by its clock that it must not send.
pub const TOO_LATE_TO_SEND: &str = "too late to send";
/// A credential that was taken for dead is saved after all.
pub const REVIVED: &str = "saved after it was taken for dead";
/// The same by the job, which found its next tokens parked.
pub const REVIVED_BY_JOB: &str = "saved by the job after it was taken for dead";
/// The job finds parked tokens of what was revoked.
pub const REVOKED_PARKED: &str = "revoked what was parked";
/// The loss of a grant is said to be the user's or the provider's.
pub const SAID_WRONGLY: &str = "ended with grant_expired";
/// The grant is gone, and the store does not know.
pub const GONE_UNNOTICED: &str = "gone, and nobody has noticed";

/// What must be possible somewhere.
#[must_use]
pub fn sometimes() -> Vec<Claim> {
    vec![
        Claim {
            name: RECOVERED_BY_GRACE,
            holds: |scenario, before, after| {
                let newest_lost = after.past.lost.each().last();
                after.store.version > before.store.version
                    && after.store.set > newest_lost
                    && newest_lost.is_some()
                    && scenario.rotation == Rotation::SingleUseWithGrace
                    && scenario.kinds.contains(&Fault::Crash)
            },
        },
        Claim { name: ADOPTED_PARKED, holds: |_, before, after| adopts_parked(before, after) },
        Claim {
            name: SECOND_LOOK,
            holds: |_, before, after| {
                moves(before, after, |was, is| was == Phase::LookingAgain && matches!(is, Phase::Saving(_)))
            },
        },
        Claim {
            name: ADOPTED_WINNER,
            holds: |_, before, after| {
                after.store == before.store
                    && after.store.status == Status::Active
                    && moves(before, after, |was, is| {
                        matches!(was, Phase::Saving(own) if !is_parked(before, own)) && is == Phase::Idle
                    })
            },
        },
        Claim {
            name: REFUSED_BUT_MOVED,
            holds: |_, before, after| {
                after.faults_left == before.faults_left
                    && after.store.status == Status::Active
                    && moves(before, after, |was, is| was == Phase::Condemning && is == Phase::Idle)
            },
        },
        Claim {
            name: REVOKED_IN_FLIGHT,
            holds: |_, before, after| {
                before.store.status != after.store.status
                    && after.store.status == Status::Revoked
                    && after.flights.iter().any(|flight| matches!(flight.phase, Phase::Calling(_)))
            },
        },
        Claim {
            name: REVOKED_WHAT_CAME,
            holds: |_, before, after| {
                before.provider != after.provider
                    && moves(before, after, |was, is| matches!(was, Phase::Telling(_)) && is == Phase::Idle)
            },
        },
        Claim {
            name: OUTCOME_UNKNOWN,
            holds: |_, _, after| after.store.status == Status::Ended(Reason::OutcomeUnknown),
        },
        Claim {
            name: WAITED,
            holds: |_, before, after| {
                after.faults_left == before.faults_left
                    && moves(before, after, |was, is| {
                        was == Phase::Leased && matches!(is, Phase::Releasing(_))
                    })
            },
        },
        Claim {
            name: RETRIED_WHEN_DEAD,
            holds: |_, before, after| {
                let retrying = |state: &State| {
                    state.flights.iter().any(|each| {
                        each.ambiguous && matches!(each.phase, Phase::Saving(own) if !is_parked(state, own))
                    })
                };
                !before.store.live && after.store.live && retrying(before)
            },
        },
        Claim {
            name: TOO_LATE_TO_SEND,
            holds: |_, before, after| {
                after.faults_left == before.faults_left
                    && moves(before, after, |was, is| {
                        was == Phase::Ready && matches!(is, Phase::Releasing(_))
                    })
            },
        },
        Claim {
            name: REVIVED,
            holds: |_, before, after| {
                matches!(before.store.status, Status::Ended(_)) && after.store.status == Status::Active
            },
        },
        Claim {
            name: REVIVED_BY_JOB,
            holds: |_, before, after| {
                matches!(before.store.status, Status::Ended(_))
                    && after.store.status == Status::Active
                    && (after.flights, after.late_save) == (before.flights, before.late_save)
            },
        },
        Claim {
            name: REVOKED_PARKED,
            holds: |_, before, after| {
                before.store.status == Status::Revoked
                    && before.parked != after.parked
                    && before.flights == after.flights
            },
        },
        Claim {
            name: SAID_WRONGLY,
            holds: |_, _, after| after.store.status == Status::Ended(Reason::GrantExpired),
        },
        Claim {
            name: GONE_UNNOTICED,
            holds: |scenario, _, after| {
                after.store.status == Status::Active && !after.store.intent && !is_kept(scenario, after)
            },
        },
    ]
}

fn adopts_parked(before: &State, after: &State) -> bool {
    after.store.version > before.store.version
        && moves(before, after, |was, is| {
            matches!(was, Phase::Saving(tokens) if is_parked(before, tokens)) && is == Phase::Idle
        })
}

fn is_parked(state: &State, tokens: Tokens) -> bool {
    state.parked.contains(&Some(tokens))
}

fn moves(before: &State, after: &State, from_to: impl Fn(Phase, Phase) -> bool) -> bool {
    before.flights.iter().zip(after.flights).any(|(was, is)| from_to(was.phase, is.phase))
}
