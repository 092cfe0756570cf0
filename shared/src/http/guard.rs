//! What stands before and behind every endpoint: who is asking, may they, not too often; and what came of it, in the audit log, before
//! the answer goes out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::address::ClientAddress;
use super::asked::Asked;
use super::caller::Caller;
use super::respond::{Problem, Refusal};
use super::rule::Rule;
use super::{ratelimit, request_id};
use crate::audit::Record;
use crate::error::Code;
use crate::flow::{Context, actor};
use crate::limit::{Ask, Class, Scope};

/// When a call that could not be recorded may be tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What the guard of an endpoint knows.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) ctx: Arc<Context>,
    pub(super) rule: Rule,
}

/// Lets a request through to its endpoint, or answers it.
pub(super) async fn guard(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Gate { ctx, rule } = gate;
    let Some(call) = rule.name() else { return next.run(request).await };
    let address = ClientAddress::of(request.extensions(), request.headers(), &ctx.config.trusted_proxies);
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned().into());
    let record = Record {
        call: Some(call),
        request_id: request_id(),
        address: address.map(|address| address.0),
        method: Some(request.method().as_str().to_owned().into()),
        path,
        ..Record::default()
    };
    ctx.access.look_again().await;
    let policy = ctx.access.policy();
    let asked = Asked::new(Arc::clone(&ctx), rule, policy, record);
    let admitted = if !rule.is_guarded() {
        // A link checker's look must not use up what the person's browser brings next.
        match *request.method() {
            Method::HEAD => Err(no_head()),
            _ => admit(&asked, Caller::Anonymous, address).await,
        }
    } else {
        match Caller::of(&ctx, asked.policy(), request.method(), request.headers()).await {
            Ok(caller) => admit(&asked, caller, address).await,
            Err(problem) => Err(turn_away(&asked, problem, address).await),
        }
    };
    let response = match admitted {
        // Its line will hardly be written, so nothing is begun before one is.
        Ok(()) if ctx.audit.is_failing() && ctx.audit.write(&resumed()).is_err() => {
            unrecorded().into_response()
        }
        Ok(()) => {
            request.extensions_mut().insert(asked.clone());
            actor::scope(asked.who(), request_id().unwrap_or_default(), next.run(request)).await
        }
        Err(problem) => problem.into_response(),
    };
    finish(&asked, response)
}

/// Whoever proves nothing is refused, and beyond a rate per address only told to wait: made-up credentials fill no log.
async fn turn_away(asked: &Asked, problem: Problem, address: Option<ClientAddress>) -> Problem {
    asked.is(Caller::Anonymous);
    let rate = asked.policy().limits.refused;
    let ask = Ask { scope: Scope::Address, class: Class::Refused, who: limit_key(address), rate };
    match asked.take(&[ask]).await {
        Ok(()) => problem,
        Err(too_many) => too_many,
    }
}

fn limit_key(address: Option<ClientAddress>) -> String {
    address.map_or_else(String::new, |address| address.limit_key().to_string())
}

fn no_head() -> Problem {
    Problem::new(Code::InvalidRequest)
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .detail("This path takes GET alone: what comes here is used once.")
}

/// The line that shows that lines can be written again.
fn resumed() -> Record {
    Record { call: Some("audit.resumed"), ..Record::default() }
}

fn unrecorded() -> Problem {
    Problem::new(Code::AuditUnavailable)
        .detail("What cannot be recorded is not answered.")
        .retry_after(RETRY_AFTER)
}

/// Notes who it is, looks whether their kind may make this call at all, and counts it against their limit.
async fn admit(asked: &Asked, caller: Caller, address: Option<ClientAddress>) -> Result<(), Problem> {
    let rule = asked.rule();
    asked.is(caller);
    rule.admit(asked.caller())?;
    let Some(class) = rule.class().filter(|_| !asked.ctx().access.is_off()) else { return Ok(()) };
    let policy = asked.policy();
    let (scope, who, rate) = match (class, asked.caller()) {
        (Class::Callback, _) => (Scope::Address, limit_key(address), policy.limits.callback),
        (_, Caller::Service(service)) => {
            (Scope::Caller, service.name.clone(), policy.rate_of(service, class))
        }
        (_, Caller::Operator(operator)) => {
            (Scope::Caller, operator.name.clone(), policy.limits.caller(class))
        }
        // A browser has the limit of its user.
        (_, Caller::Open | Caller::Anonymous | Caller::Session(_)) => return Ok(()),
    };
    asked.take(&[Ask { scope, class, who, rate }]).await
}

/// Says how the caller stands with its limit, and writes down what came of the call. What can't be written down is not answered.
fn finish(asked: &Asked, mut response: Response) -> Response {
    let refusal = response.extensions().get::<Refusal>();
    let limited = refusal.is_some_and(|refusal| refusal.code == Code::RateLimited);
    let left_out = &asked.ctx().limiter.left_out;
    if limited && matches!(asked.caller(), Caller::Anonymous) {
        left_out.fetch_add(1, Ordering::Relaxed);
        asked.leave_out();
    } else {
        let count = left_out.swap(0, Ordering::Relaxed);
        if count > 0 {
            asked.note_left_out(count);
        }
        if let Err(error) = asked.record(response.status().as_u16(), refusal) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a call was not recorded, and is not answered"
            );
            response = unrecorded().into_response();
        }
    }
    if let Some(standing) = asked.standing() {
        response.headers_mut().extend(ratelimit::headers(&standing));
    }
    response
}
