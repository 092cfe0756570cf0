//! Runs the jobs on one machine: what a platform's scheduler does elsewhere.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use shared::domain::JobReport;
use shared::flow::Context;
use shared::flow::sweep::Bounds;
use shared::store::StoreError;
use tokio::sync::watch;

/// Whoever waits for the first answer after a start goes before the jobs.
const FIRST_RUN_AFTER: Duration = Duration::from_secs(1);

/// Starts both jobs: each runs soon after the start, then at its interval. None begins once what is answered
/// here is dropped; one that has begun takes up nothing new when the process stops, and finishes what it has.
pub(crate) fn start(ctx: &Arc<Context>) -> watch::Sender<()> {
    let (running, stopped) = watch::channel(());
    let config = &ctx.config;
    every(ctx, "scheduled-refresh", config.refresh_every, stopped.clone(), scheduled_refresh::run);
    every(ctx, "scheduled-health", config.health_every, stopped, scheduled_health::run);
    running
}

fn every<R, F>(
    ctx: &Arc<Context>,
    job: &'static str,
    interval: Duration,
    mut stopped: watch::Receiver<()>,
    run: R,
) where
    R: Fn(Arc<Context>, Bounds) -> F + Send + 'static,
    F: Future<Output = Result<JobReport, StoreError>> + Send,
{
    let ctx = Arc::clone(ctx);
    let bounds = Bounds::all(ctx.config.deadline.min(interval), ctx.config.concurrency);
    ctx.tasks.clone().spawn(async move {
        let mut wait = FIRST_RUN_AFTER;
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if let Err(error) = run(Arc::clone(&ctx), bounds).await {
                tracing::error!(
                    job,
                    error = &error as &dyn std::error::Error,
                    "a job did not run; the next time tries again"
                );
            }
            wait = interval;
        }
    });
}
