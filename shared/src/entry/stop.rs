//! How a process ends: it is told, finishes what it has begun, writes what it has counted, all in less than eight seconds.

use std::future::Future;
use std::time::Duration;

use crate::flow::{Context, served};

/// How long a process that is told to stop waits for what it has begun, requests and flights together:
/// Cloud Run kills it after ten seconds.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(7);
/// How long the counts may take after that.
const FLUSH_WITHIN: Duration = Duration::from_millis(500);

/// Waits for what outlives its callers until `patience` ends, and writes what is counted.
pub(super) async fn stop(ctx: &Context, patience: impl Future<Output = ()>) {
    ctx.tasks.close();
    tokio::select! {
        biased;
        () = ctx.tasks.wait() => {}
        () = patience => tracing::warn!(
            tasks = ctx.tasks.len(),
            "some refreshes did not finish in time; their leases end by themselves"
        ),
    }
    if tokio::time::timeout(FLUSH_WITHIN, served::flush(ctx)).await.is_err() {
        tracing::warn!("counts of served tokens were not kept: the process ends");
    }
    ctx.audit.close();
    #[cfg(feature = "otel")]
    crate::telemetry::otlp::flush().await;
    tracing::info!("stopped");
}

/// Waits for SIGTERM (how platforms stop a process) or Ctrl-C.
pub async fn told_to_stop() {
    let interrupt = async {
        // Without a handler there is nothing to wait for: the signal ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
