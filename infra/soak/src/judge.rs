//! Holds a round against what is promised.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::caller::Ended;
use crate::fault::Fault;
use crate::lab::Lab;
use crate::ledger::{Made, Refresh};
use crate::plan::Plan;
use crate::scenario::Class;
use crate::tally::{Noted, Tally};

/// How far the service's times may lie beside ours.
const ROUNDING: Duration = Duration::from_millis(60);
/// How late a hang-up may be heard.
const HEARING: Duration = Duration::from_millis(500);
/// The one reason for which a grant may be lost.
const UNKNOWN: &str = "refresh_outcome_unknown";

/// What is known of a round.
pub(crate) struct Facts<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) class: Class,
    /// The refreshes of earlier rounds.
    pub(crate) previous: &'a [Refresh],
    /// Those of this one; the first `callers_until` of them while callers were there.
    pub(crate) refreshes: &'a [Refresh],
    pub(crate) callers_until: usize,
    /// Versions in the store, by credential.
    pub(crate) before: &'a [u64],
    pub(crate) after: &'a [u64],
    /// How each credential stood in the end.
    pub(crate) finals: &'a [Ended],
    pub(crate) struck: &'a [(usize, Fault)],
    pub(crate) notes: &'a Noted,
    pub(crate) settling: &'a Noted,
    pub(crate) troubles: Vec<String>,
}

impl Facts<'_> {
    fn of(&self, credential: usize) -> impl Iterator<Item = &Refresh> {
        self.refreshes.iter().filter(move |each| each.credential == credential)
    }
}

/// The verdict, as what is to be counted.
pub(crate) fn judge(lab: &Lab, facts: &Facts<'_>) -> Tally {
    let mut tally = counted(facts);
    let mut broken = facts.troubles.clone();
    broken.extend(facts.notes.broken.iter().chain(&facts.settling.broken).cloned());
    if lab.ledger.strangers() > 0 {
        broken.push("a refresh token was presented that nobody was given".to_owned());
    }
    for credential in 0..facts.finals.len() {
        let told = |what: String| format!("{}: {what}", lab.name(credential));
        broken.extend(two_at_once(facts, credential).map(told));
        if facts.class.can_lose() {
            let until = |token: &str| lab.ledger.access_of(token);
            broken.extend(too_soon(facts, credential, until).map(told));
        }
        if facts.plan.quiet {
            broken.extend(not_quiet(facts, credential).into_iter().map(told));
        }
        match facts.finals.get(credential) {
            Some(Ended::Lost(reason)) => match cause(facts, credential, reason) {
                Ok(cause) => *tally.lost.entry(cause).or_default() += 1,
                Err(why) => {
                    let story: Vec<_> = facts.of(credential).map(Refresh::to_string).collect();
                    broken.push(told(format!("{why}\n        {}", story.join("\n        "))));
                }
            },
            Some(Ended::Well) if facts.of(credential).any(Refresh::lost_its_answer) => tally.survived += 1,
            Some(Ended::Well) if facts.notes.given_up.contains(&credential) => {
                broken.push(told("somebody was told that it is lost, and it is not".to_owned()));
            }
            // What ended badly has been written down.
            Some(Ended::Well | Ended::Badly) | None => {}
        }
    }
    tally.broken = broken.into_iter().map(|what| (facts.plan.seed, what)).collect();
    tally
}

fn counted(facts: &Facts<'_>) -> Tally {
    let mut seen: HashSet<&str> = HashSet::new();
    let rotates = facts.class != Class::Fixed;
    let again = facts.refreshes.iter().filter(|each| rotates && !seen.insert(&each.token)).count();
    let mut tally = Tally {
        quiet: u64::from(facts.plan.quiet),
        faulty: u64::from(!facts.plan.quiet),
        refreshes: facts.refreshes.len() as u64,
        again: again as u64,
        served: facts.notes.served + facts.settling.served,
        failing: facts.notes.failing + facts.settling.failing,
        last_moment: facts.notes.last_moment + facts.settling.last_moment,
        dead: facts.notes.dead.values().chain(facts.settling.dead.values()).sum(),
        refusals: facts.notes.refusals.clone(),
        ..Tally::default()
    };
    for (code, count) in &facts.settling.refusals {
        *tally.refusals.entry(code.clone()).or_default() += count;
    }
    for (_, fault) in facts.struck {
        *tally.faults.entry(*fault).or_default() += 1;
    }
    match facts.plan.quiet {
        true => tally.longest_quiet = facts.notes.longest,
        false => tally.longest_faulty = facts.notes.longest,
    }
    tally
}

/// Never are two refreshes of one credential under way, but when one of them has nobody who waits for it.
fn two_at_once(facts: &Facts<'_>, credential: usize) -> Option<String> {
    let all: Vec<_> = facts.of(credential).collect();
    let overlap = |one: &Refresh, next: &Refresh| {
        // A process that hangs up and asks again may be heard to ask before it is heard to hang up.
        let again = one.left.is_some() && (one.slot, one.life) == (next.slot, next.life);
        let end = if again { one.end().map(|end| end.saturating_sub(HEARING)) } else { one.end() };
        end.is_none_or(|end| end > next.arrived)
    };
    all.windows(2).find(|pair| matches!(pair, [one, next] if overlap(one, next))).map(|pair| {
        pair.iter().fold("two refreshes at once".to_owned(), |told, each| format!("{told}; {each}"))
    })
}

/// A strictly single-use token whose fate is unknown is not used again while there is something to lose.
fn too_soon(
    facts: &Facts<'_>,
    credential: usize,
    access_until: impl Fn(&str) -> Option<Duration>,
) -> Option<String> {
    let mut unsure: HashSet<&str> = HashSet::new();
    for refresh in facts.of(credential) {
        let lives = access_until(&refresh.token).is_some_and(|until| until > refresh.arrived + ROUNDING);
        if lives && unsure.contains(refresh.token.as_str()) {
            return Some("a single-use token was tried again while its access token lived".to_owned());
        }
        if !refresh.surely_unspent {
            unsure.insert(&refresh.token);
        }
    }
    None
}

/// Where nothing went wrong: one request per version, each answered, none repeated, none without need.
fn not_quiet(facts: &Facts<'_>, credential: usize) -> Vec<String> {
    let mut broken = Vec::new();
    let all: Vec<_> = facts.of(credential).collect();
    if let Some(odd) = all.iter().find(|each| each.made != Made::Tokens || each.delivered.is_none()) {
        broken.push(format!("a refresh failed although nothing went wrong: {odd}"));
    }
    let versions =
        facts.after.get(credential).zip(facts.before.get(credential)).map(|(after, before)| after - before);
    if versions != Some(all.len() as u64) {
        broken.push(format!("{} requests for {versions:?} versions", all.len()));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for refresh in &all {
        *seen.entry(&refresh.token).or_default() += 1;
    }
    if facts.class != Class::Fixed && seen.values().any(|count| *count > 1) {
        broken.push("a refresh token was presented twice although nothing went wrong".to_owned());
    }
    let needless = needless(facts, credential);
    let insisted = facts.notes.insisted.get(&credential).copied().unwrap_or_default();
    if needless > insisted {
        broken.push(format!("{needless} refreshes of young tokens, and {insisted} who insisted"));
    }
    broken
}

/// How many refreshes there were, while callers were there, of tokens before half of their life.
fn needless(facts: &Facts<'_>, credential: usize) -> usize {
    let mut last = facts.previous.iter().rfind(|each| each.credential == credential);
    let mut needless = 0;
    for refresh in
        facts.refreshes.iter().take(facts.callers_until).filter(|each| each.credential == credential)
    {
        let old_enough = last.and_then(|last| last.delivered).map(|at| at + facts.plan.half_life());
        if old_enough.is_some_and(|at| refresh.arrived + ROUNDING < at) {
            needless += 1;
        }
        last = Some(refresh);
    }
    needless
}

/// Whether a process that had stood still saved its tokens after another's reuse had killed them: a window that no client
/// can close, as a token that has expired meanwhile can't be tried out. The next refresh finds the grant ended.
fn was_brought_back(facts: &Facts<'_>, credential: usize) -> bool {
    let killed = |one: &Refresh| {
        facts.of(credential).any(|each| each.token == one.token && matches!(each.made, Made::Refused(_)))
    };
    facts.of(credential).any(|each| each.made == Made::Tokens && each.bereaved.is_some() && killed(each))
}

/// By what a grant was lost, if it had to be and the reason says so; else what is wrong with that.
fn cause(facts: &Facts<'_>, credential: usize, reason: &str) -> Result<String, String> {
    let told = facts.struck.iter().filter(|(each, _)| *each == credential).map(|(_, fault)| fault.name());
    let told = told.collect::<Vec<_>>().join(", ");
    let refused = facts.of(credential).filter(|each| matches!(each.made, Made::Refused(_))).last();
    let spent = refused.and_then(|refused| {
        facts.of(credential).find(|each| each.token == refused.token && each.lost_its_answer())
    });
    if !facts.class.can_lose() {
        return Err(format!("lost ({reason}), where that can't be; struck by: {told}"));
    }
    // Its request came to the provider after a later one had succeeded: the reuse that kills is the network's.
    let overtaken = facts.class == Class::Family
        && facts.struck.contains(&(credential, Fault::SentLate))
        && facts.of(credential).any(|each| each.left.is_some() && matches!(each.made, Made::Refused(_)));
    if overtaken {
        return Ok(format!("{}, and was overtaken", Fault::SentLate.name()));
    }
    if facts.class == Class::Family && reason == "grant_expired" && was_brought_back(facts, credential) {
        return Ok("SIGSTOP past the lease, and brought back for the life of a token".to_owned());
    }
    let Some(spent) = spent else {
        return Err(format!("lost ({reason}), and no answer was; struck by: {told}"));
    };
    if reason != UNKNOWN {
        return Err(format!("lost, and the reason says {reason}; struck by: {told}"));
    }
    // A process may have been killed or stopped for another credential's sake.
    let own = facts.struck.iter().any(|(each, fault)| *each == credential && fault.strikes_the_process());
    let others = told.is_empty() || (spent.bereaved.is_some() && !own);
    Ok(if others { "its process was struck".to_owned() } else { told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Age;
    use crate::tally::Noted;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A refresh that went well, from then to then.
    fn went_well(token: &str, arrived: u64, delivered: u64) -> Refresh {
        Refresh {
            call: arrived,
            credential: 0,
            slot: 0,
            life: 1,
            token: token.to_owned(),
            arrived: at(arrived),
            made: Made::Tokens,
            delivered: Some(at(delivered)),
            left: None,
            bereaved: None,
            surely_unspent: false,
        }
    }

    fn refused(token: &str, arrived: u64) -> Refresh {
        Refresh { made: Made::Refused("invalid_grant".to_owned()), ..went_well(token, arrived, arrived + 10) }
    }

    /// Judges one credential, whose refreshes these were while versions rose by as much as `versions` says.
    fn with<T>(class: Class, refreshes: &[Refresh], versions: u64, judge: impl FnOnce(&Facts<'_>) -> T) -> T {
        let plan = Plan {
            seed: 0,
            quiet: true,
            life: 4,
            age: Age::Dead,
            latency: Duration::ZERO,
            faults: Vec::new(),
            callers: Vec::new(),
        };
        let noted = Noted::default();
        judge(&Facts {
            plan: &plan,
            class,
            previous: &[],
            refreshes,
            callers_until: refreshes.len(),
            before: &[1],
            after: &[1 + versions],
            finals: &[Ended::Well],
            struck: &[(0, Fault::DropAfter)],
            notes: &noted,
            settling: &noted,
            troubles: Vec::new(),
        })
    }

    #[test]
    fn a_refresh_per_version_is_all_that_a_quiet_round_may_have() {
        let good = [went_well("a", 0, 10), went_well("b", 3000, 3010)];
        assert!(with(Class::Strict, &good, 2, |facts| not_quiet(facts, 0)).is_empty());
        let young = [went_well("a", 0, 10), went_well("b", 1000, 1010)];
        let twice = [went_well("a", 0, 10), went_well("a", 3000, 3010)];
        let unheard = [Refresh { delivered: None, left: Some(at(10)), ..went_well("a", 0, 10) }];
        for (what, refreshes, versions) in [
            ("fewer versions than requests", &good[..], 1),
            ("a token that was young", &young, 2),
            ("a token twice", &twice, 2),
            ("an answer that was not heard", &unheard, 1),
        ] {
            let broken = with(Class::Strict, refreshes, versions, |facts| not_quiet(facts, 0));
            assert_eq!(broken.len(), 1, "{what}: {broken:?}");
        }
        assert!(with(Class::Fixed, &twice, 2, |facts| not_quiet(facts, 0)).is_empty(), "it never changes");
    }

    #[test]
    fn two_refreshes_at_once_are_seen_unless_nobody_waits_for_the_first() {
        let two = |first: Refresh| {
            with(Class::Grace, &[first, went_well("a", 500, 600)], 1, |facts| two_at_once(facts, 0).is_some())
        };
        assert!(two(went_well("a", 0, 501)));
        assert!(!two(went_well("a", 0, 500)));
        assert!(!two(Refresh { bereaved: Some(at(100)), ..went_well("a", 0, 900) }));
        let hung_up = Refresh { delivered: None, left: Some(at(700)), ..went_well("a", 0, 0) };
        assert!(!two(hung_up.clone()), "the same process, heard late");
        assert!(two(Refresh { slot: 5, ..hung_up }));
    }

    #[test]
    fn a_strict_token_of_unknown_fate_must_not_come_again_while_its_access_token_lives() {
        let again = |first: Refresh, access_until: u64| {
            let both = [first, went_well("a", 5000, 5010)];
            with(Class::Strict, &both, 1, |facts| too_soon(facts, 0, |_| Some(at(access_until))).is_some())
        };
        let lost = Refresh { delivered: None, ..went_well("a", 0, 0) };
        assert!(again(lost.clone(), 6000));
        assert!(!again(lost.clone(), 4000));
        assert!(!again(Refresh { surely_unspent: true, ..lost }, 6000));
    }

    #[test]
    fn a_grant_may_be_lost_only_where_it_can_and_by_an_answer_that_was_lost_and_says_so() {
        let lost = Refresh { delivered: None, ..went_well("a", 0, 0) };
        let story = [lost, refused("a", 9000)];
        let judged =
            |class, story: &[Refresh], reason| with(class, story, 0, |facts| cause(facts, 0, reason));
        assert_eq!(judged(Class::Strict, &story, UNKNOWN).as_deref(), Ok(Fault::DropAfter.name()));
        assert!(judged(Class::Grace, &story, UNKNOWN).is_err());
        assert!(judged(Class::Strict, &story, "grant_expired").is_err());
        let heard = [went_well("a", 0, 10), refused("a", 9000)];
        assert!(judged(Class::Strict, &heard, UNKNOWN).is_err());
        assert!(judged(Class::Strict, &[refused("a", 9000)], UNKNOWN).is_err());
    }
}
