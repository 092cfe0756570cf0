//! Runs one call: counts it, spends latency and faults, carries it out under the lock, answers.

use std::time::Duration;

use axum::{body::Body, extract::Request, http::Response};

use super::{
    answer::{Answer, canned, hang_up},
    call::Call,
};
use crate::{
    Sandbox,
    endpoint::Endpoint,
    fault::{self, Effect, Fault},
    state::State,
};

/// Carries out a call; it never waits, since the state is locked meanwhile.
pub(crate) type Process = fn(&mut State, &Call) -> Answer;

/// Answers a call in a task of its own: a provider finishes what it has read, even if the caller hangs up.
pub(crate) async fn respond(
    sandbox: Sandbox,
    endpoint: Endpoint,
    process: Process,
    request: Request,
) -> Response<Body> {
    let call = Call::read(request).await;
    let task = tokio::spawn(async move { run(&sandbox, endpoint, process, &call).await });
    task.await.unwrap_or_else(|_| hang_up())
}

async fn run(sandbox: &Sandbox, endpoint: Endpoint, process: Process, call: &Call) -> Response<Body> {
    let grant_type = endpoint.is_token().then(|| call.form.get("grant_type").unwrap_or("authorization_code"));
    let (_flight, plan, latency) = {
        let mut state = sandbox.lock();
        state.book.enter(endpoint);
        let plan = fault::take(&mut state.faults, endpoint, grant_type);
        (Flight { sandbox, endpoint }, plan, state.settings.latency_ms.get(&endpoint).copied().unwrap_or(0))
    };
    sleep(latency + plan.wait_before).await;
    let response = {
        let mut state = sandbox.lock();
        let answer = match &plan.end {
            Some(fault) if !fault.after_processing => None,
            Some(_) | None => Some(process(&mut state, call)),
        };
        let (outcome, response) = match (plan.end, answer) {
            (Some(fault), _) => end(fault),
            (None, Some(answer)) => (answer.outcome.to_string(), answer.into_response()),
            (None, None) => ("dropped_before".to_owned(), hang_up()),
        };
        state.finish(endpoint, grant_type, &outcome);
        response
    };
    sleep(plan.wait_after).await;
    response
}

fn end(fault: Fault) -> (String, Response<Body>) {
    match (fault.effect, fault.after_processing) {
        (Effect::Respond(respond), false) => (format!("fault:{}", respond.status), canned(respond)),
        (Effect::Respond(respond), true) => (format!("fault_after:{}", respond.status), canned(respond)),
        (Effect::Drop | Effect::Delay(_), false) => ("dropped_before".to_owned(), hang_up()),
        (Effect::Drop | Effect::Delay(_), true) => ("dropped_after".to_owned(), hang_up()),
    }
}

async fn sleep(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

struct Flight<'a> {
    sandbox: &'a Sandbox,
    endpoint: Endpoint,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.sandbox.lock().book.leave(self.endpoint);
    }
}
