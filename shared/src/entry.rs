//! How a function becomes a process: configuration, logging, context, then HTTP until it is told to stop, or one job run.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use utoipa_axum::router::OpenApiRouter;

use crate::app::{self, Parts};
use crate::config::Config;
use crate::domain::JobReport;
use crate::flow::sweep::Bounds;
use crate::flow::{Context, served};
use crate::http::{self, Problem};
use crate::store::StoreError;
use crate::telemetry;

/// How long a process that is told to stop waits for what it has begun: Cloud Run gives ten seconds.
const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Runs an endpoint group until SIGTERM or Ctrl-C.
pub async fn http(name: &str, router: OpenApiRouter<Arc<Context>>) -> ExitCode {
    let Some(ctx) = start(name) else { return ExitCode::FAILURE };
    let (router, _) = http::with_health(router).split_for_parts();
    serve(&ctx, http::layers(router.with_state(Arc::clone(&ctx)))).await
}

/// Runs a job: once with `--once`, else whenever somebody posts to `/`, until SIGTERM or Ctrl-C.
pub async fn job<R, F>(name: &str, run: R) -> ExitCode
where
    R: Fn(Arc<Context>, Bounds) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<JobReport, StoreError>> + Send,
{
    let Some(ctx) = start(name) else { return ExitCode::FAILURE };
    let bounds = Bounds { deadline: ctx.config.deadline, concurrency: ctx.config.concurrency };
    if std::env::args().any(|argument| argument == "--once") {
        let ran = run(Arc::clone(&ctx), bounds).await;
        stop(&ctx).await;
        return match ran {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the job did not run");
                ExitCode::FAILURE
            }
        };
    }
    let handler = move |axum::extract::State(ctx): axum::extract::State<Arc<Context>>| {
        let run = run.clone();
        async move { run(ctx, bounds).await.map(axum::Json).map_err(Problem::from) }
    };
    let (health, _) = http::with_health(OpenApiRouter::new()).split_for_parts();
    let router = health.route("/", post(handler)).with_state(Arc::clone(&ctx));
    serve(&ctx, http::layers_within(router, bounds.deadline + STOP_WITHIN)).await
}

/// Reads the configuration and builds the context; says what is wrong, all of it, when it can't.
fn start(name: &str) -> Option<Arc<Context>> {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return None;
        }
    };
    telemetry::init(name, &config.log, config.log_format);
    match app::build(config, Parts::system(false)) {
        Ok(ctx) => Some(ctx),
        Err(error) => {
            complain(&error);
            None
        }
    }
}

/// Says on standard error, in plain lines, why a process does not start: logging may not have begun.
#[expect(clippy::print_stderr, reason = "whoever starts a process reads why it does not")]
pub fn complain(error: &dyn std::error::Error) {
    eprintln!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

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
/// revocations, counts.
pub async fn serve_on(
    ctx: &Arc<Context>,
    router: Router,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> ExitCode {
    let (told, telling) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        until.await;
        drop(told);
    });
    let mut server = std::pin::pin!(server.into_future());
    let patience = async {
        let _ = telling.await;
        tokio::time::sleep(STOP_WITHIN).await;
    };
    let ended = tokio::select! {
        ended = &mut server => ended,
        () = patience => {
            tracing::warn!("some requests did not finish in time and are cut off");
            Ok(())
        }
    };
    stop(ctx).await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the server stopped");
            ExitCode::FAILURE
        }
    }
}

/// Waits for what outlives its callers, and writes what is counted.
async fn stop(ctx: &Context) {
    ctx.tasks.close();
    if tokio::time::timeout(STOP_WITHIN, ctx.tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = ctx.tasks.len(),
            "some refreshes did not finish in time; their leases end by themselves"
        );
    }
    served::flush(ctx).await;
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
