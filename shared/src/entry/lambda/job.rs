//! Jobs under Lambda: any event of a scheduler, or a share and a limit; the answer is the report, and an error is an error.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use super::super::input::Input;
use super::{ended, settle, time_left};
use crate::domain::JobReport;
use crate::flow::Context;
use crate::flow::sweep::Bounds;
use crate::http::Trace;
use crate::store::StoreError;

pub(in crate::entry) async fn job<R, F>(ctx: Arc<Context>, run: R) -> ExitCode
where
    R: Fn(Arc<Context>, Bounds) -> F,
    F: Future<Output = Result<JobReport, StoreError>>,
{
    ended(Runtime::new(service_fn(|event| invoke(&ctx, &run, event))).run().await)
}

/// Answers one event. Whoever sent it (a scheduler with retries) is told when the job did not run.
pub(super) async fn invoke<R, F>(
    ctx: &Arc<Context>,
    run: R,
    event: LambdaEvent<Value>,
) -> Result<JobReport, Diagnostic>
where
    R: Fn(Arc<Context>, Bounds) -> F,
    F: Future<Output = Result<JobReport, StoreError>>,
{
    let LambdaEvent { payload, context, .. } = event;
    let trace = Trace::of_invocation(&context.request_id, context.xray_trace_id.as_deref());
    trace
        .scope(async {
            let input = Input::from_event(&payload).map_err(|error| failed("InvalidInput", &error))?;
            let bounds = input.bounds(&ctx.config, time_left(ctx, &context));
            let ran = run(Arc::clone(ctx), bounds).await;
            settle(ctx, time_left(ctx, &context)).await;
            ran.map_err(|error| failed("StoreUnavailable", &error))
        })
        .await
}

/// What Lambda reports; its runtime logs it, so the cause belongs into it.
fn failed(error_type: &str, error: &dyn std::error::Error) -> Diagnostic {
    let mut error_message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        error_message = format!("{error_message}: {error}");
        cause = error.source();
    }
    Diagnostic { error_type: error_type.to_owned(), error_message }
}
