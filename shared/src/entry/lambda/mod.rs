//! Under Lambda: each invocation is answered by the same router or job as everywhere else, and nothing outlives its answer.

mod http;
mod job;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::time::Duration;

use lambda_http::lambda_runtime;

use crate::domain::Timestamp;
use crate::flow::Context;

pub(super) use self::http::http;
pub(super) use self::job::job;

/// What an answer needs to get out before Lambda's deadline.
const MARGIN: Duration = Duration::from_millis(500);

/// How long this invocation may still take; `None` when Lambda does not say.
fn time_left(ctx: &Context, invocation: &lambda_runtime::Context) -> Option<Duration> {
    let deadline = i64::try_from(invocation.deadline).ok().filter(|deadline| *deadline > 0)?;
    Some(Timestamp::from_millis(deadline).since(ctx.clock.now()).saturating_sub(MARGIN))
}

/// Waits until nothing is under way that a request has begun: the process is frozen once it has answered.
/// An environment answers one invocation at a time, so whatever is under way belongs to this one.
async fn settle(ctx: &Context, within: Option<Duration>) {
    if ctx.tasks.is_empty() {
        return;
    }
    ctx.tasks.close();
    if tokio::time::timeout(within.unwrap_or(MARGIN), ctx.tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = ctx.tasks.len(),
            "some refreshes did not finish before the answer; their leases end by themselves"
        );
    }
    ctx.tasks.reopen();
}

/// Turns the end of the event loop, which only comes when the runtime API fails, into the end of the process.
fn ended(ended: Result<(), lambda_runtime::Error>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(
                error = error.as_ref() as &dyn std::error::Error,
                "the runtime API of Lambda failed"
            );
            ExitCode::FAILURE
        }
    }
}
