//! Runs a job: once with `--once`, for each event under Lambda, else whenever somebody posts to `/`.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::routing::post;

use super::input::{Input, InputError};
use super::stop::{STOP_WITHIN, stop, told_to_stop};
use super::{complain, lambda, port, start};
use crate::config::Auth;
use crate::domain::JobReport;
use crate::flow::Context;
use crate::flow::sweep::Bounds;
use crate::http::{self, Problem};
use crate::store::StoreError;

/// Runs a job until SIGTERM or Ctrl-C, or once.
pub async fn job<R, F>(name: &'static str, run: R) -> ExitCode
where
    R: Fn(Arc<Context>, Bounds) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<JobReport, StoreError>> + Send + 'static,
{
    let once = match Input::from_arguments(std::env::args().skip(1)) {
        Ok(once) => once,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let Some(ctx) = start(name).await else { return ExitCode::FAILURE };
    if let Some(input) = once {
        return run_once(&ctx, input.bounds(&ctx.config, None), run).await;
    }
    match ctx.config.auth {
        Auth::Off => {}
        Auth::Platform => tracing::info!("AUTH=platform: whoever the platform lets in may start a run"),
        Auth::Callers => {
            complain(&NotForJobs);
            return ExitCode::FAILURE;
        }
    }
    if ctx.config.lambda {
        return lambda::job(ctx, run).await;
    }
    port::serve(&ctx, router(&ctx, run)).await
}

/// A callers file where nobody calls.
#[derive(Debug, thiserror::Error)]
#[error(
    "AUTH=callers is for endpoints: a scheduled function is started by whom the platform lets in, which AUTH=platform says"
)]
struct NotForJobs;

/// `POST /` runs the job, `GET /health` says how the service is.
pub(super) fn router<R, F>(ctx: &Arc<Context>, run: R) -> axum::Router
where
    R: Fn(Arc<Context>, Bounds) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<JobReport, StoreError>> + Send + 'static,
{
    let handler = |State(ctx): State<Arc<Context>>, request: Request| async move {
        let body = http::read_body(request).await?;
        let input = Input::from_body(&body)
            .map_err(|InputError { field, problem }| Problem::field(field, problem))?;
        let bounds = input.bounds(&ctx.config, None);
        run(ctx, bounds).await.map(Json).map_err(Problem::from)
    };
    let run = axum::Router::new().route("/", post(handler)).with_state(Arc::clone(ctx));
    let router = http::health_endpoint().into_router(ctx).merge(run);
    let limit = ctx.config.deadline + STOP_WITHIN;
    http::layers_within(router, &ctx.config, limit)
}

/// One run, and its report on standard output. A run that is told to stop takes up nothing new.
#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
async fn run_once<R, F>(ctx: &Arc<Context>, bounds: Bounds, run: R) -> ExitCode
where
    R: Fn(Arc<Context>, Bounds) -> F,
    F: Future<Output = Result<JobReport, StoreError>>,
{
    let mut running = std::pin::pin!(run(Arc::clone(ctx), bounds));
    let ran = tokio::select! {
        ran = &mut running => ran,
        () = told_to_stop() => {
            ctx.tasks.close();
            running.await
        }
    };
    stop(ctx, tokio::time::sleep(STOP_WITHIN)).await;
    match ran {
        Ok(report) => {
            println!("{}", serde_json::to_string(&report).unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the job did not run");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::app::{self, Parts};
    use crate::config::Config;
    use crate::flow::sweep;

    /// Status and answer of `POST /` with a body, which a scheduler sends without a content type.
    async fn posted(body: &'static str) -> (u16, Value) {
        let folder = tempfile::tempdir().unwrap();
        let vars = [("STORE_URL", "sqlite::memory:"), ("DATA_DIR", folder.path().to_str().unwrap())];
        let ctx = app::build(Config::from_vars(vars).unwrap(), Parts::system("test", false)).unwrap();
        let router = router(&ctx, |ctx, bounds| async move { sweep::refresh(&ctx, bounds).await });
        let request = Request::post("/").body(Body::from(body)).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), http::BODY_LIMIT).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_post_runs_the_job_and_answers_its_report() {
        for body in ["", "{}", r#"{"shard":3,"of":4,"limit":10}"#, r#"{"name":"a scheduler's own"}"#] {
            let (status, report) = posted(body).await;
            assert_eq!((status, &report["complete"]), (200, &true.into()), "{body}: {report}");
        }
    }

    #[tokio::test]
    async fn a_post_with_an_impossible_share_is_refused_by_name() {
        let (status, problem) = posted(r#"{"shard":4,"of":4}"#).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (400, &"shard".into()), "{problem}");
        assert_eq!(posted("{").await.1["errors"][0]["field"], "body");
    }
}
