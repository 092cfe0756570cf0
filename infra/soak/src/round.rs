//! Plays one round: new tokens, time, callers with their faults, and then the question what is left.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::Result;
use crate::caller::{Desk, Ended};
use crate::judge::{self, Facts};
use crate::plan::{Age, Plan};
use crate::scenario::Class;
use crate::settle::settle;
use crate::tally::{Notes, Tally};
use crate::world::{World, connect};

/// More than what expiry times are rounded by.
const SURELY: Duration = Duration::from_millis(100);

/// Plays the round of a seed.
///
/// # Errors
/// When the deployment does not work as such; a broken promise is in the tally.
pub(crate) async fn play(world: &World, seed: u64) -> Result<Tally> {
    let lab = &world.lab;
    let started = lab.ledger.now();
    let plan = Plan::new(seed, world.scenario, &lab.credentials);
    lab.latency.store(u64::try_from(plan.latency.as_millis())?, Ordering::Relaxed);
    lab.peer.set_life(&lab.client, plan.life).await?;
    let (early, late) = (Notes::default(), Notes::default());
    let family = world.scenario.class == Class::Family;
    let desk = |notes, quiet| Desk { lab, notes, quiet, family };

    if plan.quiet && lab.ledger.mark() > 0 {
        // Faults of an earlier round may have taught the processes to leave the provider alone for a while.
        lab.replace_all().await?;
    }
    // Everybody has a token of this round's life, and nothing is left of what was before.
    let fresh = settle(&desk(&early, true), &plan).await;
    if let Some(index) = fresh.iter().position(|each| *each != Ended::Well) {
        let said = std::mem::take(&mut early.note().broken);
        return Err(
            format!("{} is no good at the start: {:?} {said:?}", lab.name(index), fresh.get(index)).into()
        );
    }
    lab.take_troubles();
    let before = versions(world).await?;
    let begins = lab.ledger.mark();
    let previous = lab.ledger.since(0);
    tokio::time::sleep(match plan.age {
        Age::Fresh => Duration::ZERO,
        Age::Due => plan.half_life() + SURELY,
        Age::Dead => plan.half_life() * 2 + SURELY,
    })
    .await;

    for (credential, fault) in &plan.faults {
        lab.armed.arm(*credential, *fault);
    }
    let notes = Notes::default();
    {
        let desk = desk(&notes, plan.quiet);
        join_all(plan.callers.iter().map(|caller| desk.visit(caller))).await;
    }
    lab.armed.disarm();
    lab.under_way.over().await;
    let ends = lab.ledger.mark();
    let finals = settle(&desk(&late, plan.quiet), &plan).await;

    // Without it there is nothing to judge.
    lab.peer.is_there()?;
    let struck = lab.armed.take_struck();
    let facts = Facts {
        plan: &plan,
        class: world.scenario.class,
        previous: &previous,
        refreshes: &lab.ledger.since(begins),
        callers_until: ends - begins,
        before: &before,
        after: &versions(world).await?,
        finals: &finals,
        struck: &struck,
        notes: &notes.note().clone(),
        settling: &late.note().clone(),
        troubles: lab.take_troubles(),
    };
    let mut tally = judge::judge(lab, &facts);
    reconnect(world, &finals).await?;
    tally.took = lab.ledger.now().saturating_sub(started);
    Ok(tally)
}

async fn versions(world: &World) -> Result<Vec<u64>> {
    let all = (0..world.lab.credentials.len()).map(|index| world.lab.stored(index));
    Ok(try_join_all(all).await?.into_iter().map(|each| each.version).collect())
}

/// Who has lost a grant consents again; of those who share it, one does for all.
async fn reconnect(world: &World, finals: &[Ended]) -> Result<()> {
    let lab = Arc::clone(&world.lab);
    for (credential, _) in
        lab.credentials.iter().zip(finals).filter(|(_, ended)| matches!(ended, Ended::Lost(_)))
    {
        if let Some(person) = credential.people.first() {
            connect(&lab, *person).await?;
        }
    }
    Ok(())
}
