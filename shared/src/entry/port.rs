//! Serves HTTP on a port until the process is told to stop, then finishes what has begun.

use std::future::{Future, IntoFuture};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use futures_util::FutureExt;
use tokio::net::TcpListener;

use super::stop::{STOP_WITHIN, stop, told_to_stop};
use crate::flow::Context;

/// Serves until SIGTERM or Ctrl-C, then finishes what has begun.
pub async fn serve(ctx: &Arc<Context>, router: Router) -> ExitCode {
    let listener = match TcpListener::bind(ctx.config.listen.address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(address = %ctx.config.listen.address, error = &error as &dyn std::error::Error, "the address can't be listened on");
            return ExitCode::FAILURE;
        }
    };
    tracing::info!(address = %ctx.config.listen.address, "listening");
    serve_on(ctx, router, listener, told_to_stop()).await
}

/// Serves on a listener until `until` comes, then finishes what has begun: requests, refreshes,
/// revocations, counts. A job that is running takes up nothing new from then on.
pub async fn serve_on(
    ctx: &Arc<Context>,
    router: Router,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> ExitCode {
    let (told, telling) = tokio::sync::oneshot::channel::<()>();
    let tasks = ctx.tasks.clone();
    // One patience for requests and for what outlives them.
    let patience = async {
        let _ = telling.await;
        tokio::time::sleep(STOP_WITHIN).await;
    }
    .shared();
    let ended = {
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            until.await;
            tasks.close();
            drop(told);
        });
        tokio::select! {
            ended = server.into_future() => ended,
            () = patience.clone() => {
                tracing::warn!("some requests did not finish in time and are cut off");
                Ok(())
            }
        }
    };
    stop(ctx, patience).await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the server stopped");
            ExitCode::FAILURE
        }
    }
}
