//! Works through what is due, by index, a page at a time, with bounded concurrency, and stops before its deadline.

mod bounds;

use std::collections::{BTreeMap, HashSet};
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::select;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::Semaphore;

use super::probe::{self, ProbeError};
use super::renew::{RenewError, Trigger, parked, renew};
use super::{Context, adopt, revoke, rotate, schedule};
use crate::domain::{
    Connection, ConnectionId, HealthStatus, Job, JobFailure, JobReport, ProviderId, Timestamp,
};
use crate::store::{Due, DueCursor, StoreError};

pub use self::bounds::{Bounds, Share};

/// How many due entries are read at once.
const PAGE: usize = 200;
/// How long before the deadline nothing new is begun: the slowest refresh with its retry and its save.
const WIND_DOWN: Duration = Duration::from_secs(12);

/// How long at least is waited before what was put off is read again: a call that tries the provider may take as long.
const REST: Duration = Duration::from_secs(5);

/// What became of one entry.
#[derive(Clone, Copy)]
enum Done {
    Successful,
    Skipped,
    Failed(Option<ConnectionId>, &'static str),
    /// Not tried: its provider is left alone for so long yet.
    PutOff(Duration),
}

/// Refreshes what was due when the run started, and before that takes over what an earlier service wrote.
pub async fn refresh(ctx: &Arc<Context>, bounds: Bounds) -> Result<JobReport, StoreError> {
    let started_at = ctx.clock.now();
    if bounds.share.is_first()
        && let Err(error) = adopt::adopt(ctx, bounds.deadline / 2).await
    {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "what an earlier service wrote was not adopted; the next run goes on"
        );
    }
    if bounds.share.is_first()
        && let Err(error) = parked::settle(ctx).await
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what is parked was not settled; the next run goes on"
        );
    }
    let gates = gates(ctx, bounds.concurrency);
    let due = || due_refreshes(ctx, bounds.share, started_at);
    let report = run(ctx, Job::ScheduledRefresh, bounds, due, |due| refresh_one(ctx, &gates, due)).await?;
    // What is not urgent gets what time is left, and is done once however many share the sweep.
    if report.complete && bounds.share.is_first() {
        rotate::reseal(ctx, left(ctx, started_at, bounds)).await?;
        ctx.store.purge(ctx.clock.now()).await?;
    }
    Ok(report)
}

/// Checks the active connections whose check was due when the run started; with `all`, every one that
/// has not been checked in this run.
pub async fn health(ctx: &Arc<Context>, bounds: Bounds, all: bool) -> Result<JobReport, StoreError> {
    let started_at = ctx.clock.now();
    if bounds.share.is_first() {
        revoke::retry_pending(ctx).await?;
    }
    // Whatever was put off before this run is due within an hour, and so is some of what this run puts off.
    let before = match all {
        true => started_at + schedule::PROBE_EVERY + Duration::from_millis(1),
        false => started_at,
    };
    let due = || {
        let mut seen = HashSet::new();
        due_probes(ctx, bounds.share, before)
            .filter(move |item| ready(item.as_ref().map_or(true, |connection| seen.insert(connection.id))))
    };
    let gates = gates(ctx, bounds.concurrency);
    run(ctx, Job::ScheduledHealth, bounds, due, |connection| probe_one(ctx, &gates, connection)).await
}

/// The bound of calls in flight, per provider.
type Gates = BTreeMap<ProviderId, Arc<Semaphore>>;

fn gates(ctx: &Context, concurrency: usize) -> Gates {
    let gate = |limit: usize| Arc::new(Semaphore::new(limit.min(concurrency)));
    ctx.providers
        .iter()
        .map(|each| (each.id().clone(), gate(each.descriptor.sweep_concurrency.get())))
        .collect()
}

/// Due credentials of a share, read a page at a time as they are wanted.
fn due_refreshes(
    ctx: &Context,
    share: Share,
    before: Timestamp,
) -> impl Stream<Item = Result<Due, StoreError>> + '_ {
    pages(share, move |shard, after: Option<DueCursor>| async move {
        let page = ctx.store.due_refreshes(shard, before, after.as_ref(), PAGE).await?;
        let next = page.last().and_then(|last| {
            let due = last.credential.next_refresh_at?;
            Some((due, last.credential.id.clone()))
        });
        Ok((page, next))
    })
}

/// Connections of a share whose check is due.
fn due_probes(
    ctx: &Context,
    share: Share,
    before: Timestamp,
) -> impl Stream<Item = Result<Connection, StoreError>> + '_ {
    pages(share, move |shard, after| async move {
        let page = ctx.store.due_probes(shard, before, after, PAGE).await?;
        let next = page.last().map(|(due, last)| (*due, last.id));
        let items = page.into_iter().map(|(_, connection)| connection).collect();
        Ok((items, next))
    })
}

/// Turns a page reader into a stream over the shards of a share. A short page ends its shard.
fn pages<T, C, F, R>(share: Share, read: F) -> impl Stream<Item = Result<T, StoreError>>
where
    F: Fn(u8, Option<C>) -> R,
    R: Future<Output = Result<(Vec<T>, Option<C>), StoreError>>,
{
    let read = Arc::new(read);
    stream::iter(share.shards()).flat_map(move |shard| {
        let read = Arc::clone(&read);
        stream::try_unfold(Some(None), move |position| {
            let read = Arc::clone(&read);
            async move {
                let Some(after) = position else { return Ok(None) };
                let (page, next) = read(shard, after).await?;
                let position = next.filter(|_| page.len() >= PAGE).map(Some);
                Ok(Some((stream::iter(page.into_iter().map(Ok)), position)))
            }
        })
        .flat_map(|page| match page {
            Ok(items) => items.left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        })
    })
}

/// Runs `work` over what is due. Up to twice as many entries as calls are in flight, so that a provider
/// is kept busy while others wait for the store. What is put off is read and tried again, as often as there is time.
async fn run<T, D, S, W, F>(
    ctx: &Arc<Context>,
    job: Job,
    bounds: Bounds,
    due: D,
    work: W,
) -> Result<JobReport, StoreError>
where
    D: Fn() -> S,
    S: Stream<Item = Result<T, StoreError>>,
    W: Fn(T) -> F,
    F: Future<Output = Done>,
{
    let mut report = JobReport::new(ctx.ids.uuid(), job, ctx.clock.now());
    let cut_short = AtomicBool::new(false);
    let time = bounds.deadline.saturating_sub(WIND_DOWN).max(bounds.deadline / 4);
    let bell = async {
        tokio::time::sleep(time).await;
        cut_short.store(true, Ordering::Relaxed);
    };
    let bell = std::pin::pin!(bell.shared());
    let mut begun = 0;
    let unread = loop {
        let results = due()
            .take_until(bell.clone())
            // A process that stops finishes what it has begun; an entry beyond the limit is left.
            .take_while(|_| {
                let within = bounds.limit.is_none_or(|limit| begun < limit.get());
                let going_on = within && !ctx.tasks.is_closed();
                begun += 1;
                if !going_on {
                    cut_short.store(true, Ordering::Relaxed);
                }
                ready(going_on)
            })
            .map(|item| async {
                match item {
                    Ok(item) => Ok(work(item).await),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(bounds.concurrency.saturating_mul(2).max(1));
        let mut results = std::pin::pin!(results);
        let (mut unread, mut put_off) = (None, Vec::new());
        while let Some(result) = results.next().await {
            match result {
                Ok(Done::PutOff(wait)) => put_off.push(wait),
                Ok(done) => count(&mut report, done),
                Err(error) => unread = Some(error),
            }
        }
        let Some(wait) = put_off.iter().min() else { break unread };
        if unread.is_none() && !cut_short.load(Ordering::Relaxed) {
            select(bell.clone(), std::pin::pin!(rest(ctx, (*wait).max(REST)))).await;
        }
        if unread.is_some() || cut_short.load(Ordering::Relaxed) || ctx.tasks.is_closed() {
            cut_short.store(true, Ordering::Relaxed);
            put_off.into_iter().for_each(|wait| count(&mut report, Done::PutOff(wait)));
            break unread;
        }
    };
    report.finished_at = ctx.clock.now();
    report.complete = unread.is_none() && !cut_short.load(Ordering::Relaxed);
    if let Some(error) = unread {
        if report.processed == 0 {
            return Err(error);
        }
        tracing::error!(
            job = job.as_str(),
            error = &error as &dyn std::error::Error,
            "a run could not read what is due; the next one goes on"
        );
    }
    ctx.store.save_run(&report).await?;
    tracing::info!(
        job = job.as_str(),
        run.id = %report.run_id,
        shard = bounds.share.index(),
        of = bounds.share.of(),
        complete = report.complete,
        processed = report.processed,
        successful = report.successful,
        failed = report.failed,
        skipped = report.skipped,
        "a run has ended"
    );
    Ok(report)
}

/// Waits, but not in a process that stops.
async fn rest(ctx: &Context, mut left: Duration) {
    const NAP: Duration = Duration::from_millis(500);
    while !left.is_zero() && !ctx.tasks.is_closed() {
        let nap = left.min(NAP);
        tokio::time::sleep(nap).await;
        left -= nap;
    }
}

fn count(report: &mut JobReport, done: Done) {
    report.processed += 1;
    match done {
        Done::Successful => report.successful += 1,
        Done::Skipped | Done::PutOff(_) => report.skipped += 1,
        Done::Failed(connection_id, code) => {
            report.failed += 1;
            if report.failures.len() < JobReport::LISTED_FAILURES {
                report.failures.push(JobFailure { connection_id, code: code.to_owned() });
            }
        }
    }
}

fn left(ctx: &Context, started_at: Timestamp, bounds: Bounds) -> Duration {
    bounds.deadline.saturating_sub(ctx.clock.now().since(started_at))
}

async fn refresh_one(ctx: &Arc<Context>, gates: &Gates, due: Due) -> Done {
    // A provider that was taken out of the configuration keeps its connections as they are.
    let Some(gate) = gates.get(&due.credential.provider) else { return Done::Skipped };
    let trigger = Trigger::Sweep(Arc::clone(gate));
    match renew(ctx, due.credential, trigger).await {
        Ok(_) => Done::Successful,
        Err(error) => match error.as_ref() {
            RenewError::LeftAlone(open) => Done::PutOff(open.retry_after),
            // Somebody else's, or nothing to do.
            RenewError::InProgress { .. }
            | RenewError::TooSoon(_)
            | RenewError::NotRefreshable
            | RenewError::Missing => Done::Skipped,
            RenewError::Ended(_)
            | RenewError::NotConfigured
            | RenewError::Misconfigured { .. }
            | RenewError::RateLimited { .. }
            | RenewError::Unavailable { .. }
            | RenewError::Store(_)
            | RenewError::Seal(_)
            | RenewError::Lost => Done::Failed(due.connection_id, error.code().as_str()),
        },
    }
}

async fn probe_one(ctx: &Arc<Context>, gates: &Gates, connection: Connection) -> Done {
    let Some(gate) = gates.get(&connection.provider) else { return Done::Skipped };
    let permit = gate.acquire().await;
    let probed = probe::probe(ctx, &connection).await;
    drop(permit);
    match probed {
        Ok(found) if found.status == HealthStatus::Healthy => Done::Successful,
        Ok(_) => Done::Failed(Some(connection.id), crate::error::Code::ReauthorizationRequired.as_str()),
        Err(ProbeError::Ended(_)) => Done::Skipped,
        Err(error) => {
            tracing::debug!(connection.id = %connection.id, error = &error as &dyn std::error::Error, "a health check said nothing");
            match probe::put_off(ctx, &connection).await {
                Ok(()) => Done::Skipped,
                Err(_) => Done::Failed(Some(connection.id), crate::error::Code::StoreUnavailable.as_str()),
            }
        }
    }
}
