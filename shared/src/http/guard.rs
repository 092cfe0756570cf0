//! What stands before and behind every endpoint: who is asking, may they, not too often; and what came of it, in the audit log, before
//! the answer goes out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::address::ClientAddress;
use super::asked::Asked;
use super::caller::Caller;
use super::respond::Problem;
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
    let caller = match rule.is_guarded() {
        true => Caller::of(&ctx, asked.policy(), request.headers()).await,
        false => Ok(Caller::Anonymous),
    };
    let admitted = match caller {
        Ok(caller) => admit(&asked, caller, address).await,
        Err(problem) => Err(problem),
    };
    let response = match admitted {
        Ok(()) => {
            request.extensions_mut().insert(asked.clone());
            let who = asked.caller().name();
            actor::scope(who.into(), request_id().unwrap_or_default(), next.run(request)).await
        }
        Err(problem) => problem.into_response(),
    };
    finish(&asked, response)
}

/// Notes who it is, looks whether their kind may make this call at all, and counts it against their limit.
async fn admit(asked: &Asked, caller: Caller, address: Option<ClientAddress>) -> Result<(), Problem> {
    let rule = asked.rule();
    asked.is(caller);
    rule.admit(asked.caller())?;
    let Some(class) = rule.class().filter(|_| !asked.ctx().access.is_off()) else { return Ok(()) };
    let policy = asked.policy();
    let (scope, who, rate) = match (class, asked.caller()) {
        (Class::Callback, _) => {
            let who = address.map_or_else(String::new, |address| address.limit_key().to_string());
            (Scope::Address, who, policy.limits.callback)
        }
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
    let code = response.extensions().get::<Code>().copied();
    if let Err(error) = asked.record(response.status().as_u16(), code) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a call was not recorded, and is not answered"
        );
        response = Problem::new(Code::AuditUnavailable)
            .detail("What cannot be recorded is not answered.")
            .retry_after(RETRY_AFTER)
            .into_response();
    }
    if let Some(standing) = asked.standing() {
        response.headers_mut().extend(ratelimit::headers(&standing));
    }
    response
}
