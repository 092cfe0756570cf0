//! From what went wrong in a flow to the error answer: the flow names the code, this adds what a caller needs to act.

use std::error::Error;

use super::respond::{AuthorizeHint, Candidate, Problem};
use crate::cache::LookupKey;
use crate::domain::{Connection, ConnectionId, StatusReason, Timestamp};
use crate::error::Code;
use crate::flow::complete::CompleteError;
use crate::flow::connect::ConnectError;
use crate::flow::erase::EraseError;
use crate::flow::finish::FinishError;
use crate::flow::probe::ProbeError;
use crate::flow::read::{ReadError, ReadRequest};
use crate::flow::renew::RenewError;
use crate::flow::revoke::RevokeError;
use crate::flow::rotate::RotateError;
use crate::flow::start::StartError;
use crate::store::StoreError;

/// A problem whose cause, when it is ours or a dependency's, goes to the log and not to the caller.
fn problem(code: Code, error: &(dyn Error + 'static)) -> Problem {
    let meaning = code.meaning();
    let problem = Problem::new(code);
    if meaning.status < 500 {
        return problem.detail(error.to_string());
    }
    tracing::error!(code = code.as_str(), error, "a request failed");
    problem
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => problem(Code::StoreUnavailable, &error),
            // A cursor is the only thing that a caller brings and the store has written.
            StoreError::Malformed { what: "cursor", .. } => {
                Self::field("cursor", "is not one that this list has answered")
            }
            StoreError::Malformed { .. } => problem(Code::Internal, &error),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match &error {
            StartError::Field { field, problem } => Self::field(*field, problem.clone()),
            StartError::Redirect(refused) => {
                Self::new(error.code()).detail(refused.to_string()).error("redirectUri", refused.to_string())
            }
            StartError::NoConnection(id) => problem(error.code(), &error).connection(*id),
            StartError::UnknownProvider(_)
            | StartError::NotConfigured(_)
            | StartError::Store(_)
            | StartError::Randomness(_)
            | StartError::Seal(_) => problem(error.code(), &error),
        }
    }
}

impl From<FinishError> for Problem {
    fn from(error: FinishError) -> Self {
        let mut answer = problem(error.code(), &error);
        if let Some(provider_error) = error.provider_error() {
            answer = answer.provider_error(provider_error);
        }
        answer
    }
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        problem(error.code(), &error)
    }
}

impl From<ConnectError> for Problem {
    fn from(error: ConnectError) -> Self {
        problem(error.code(), &error)
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        problem(error.code(), &error)
    }
}

impl From<RotateError> for Problem {
    fn from(error: RotateError) -> Self {
        problem(error.code(), &error)
    }
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        problem(error.code(), &error)
    }
}

/// Why a token call brought no token.
#[must_use]
pub fn read_problem(error: &ReadError, request: &ReadRequest, now: Timestamp) -> Problem {
    match error {
        ReadError::UnknownProvider(_) | ReadError::NotFound | ReadError::Store(_) => {
            problem(error.code(), error)
        }
        ReadError::Ambiguous(several) => problem(error.code(), error).candidates(
            several
                .iter()
                .map(|each| Candidate {
                    connection_id: each.connection_id,
                    team_id: each.team_id.clone(),
                    email: each.email.clone(),
                })
                .collect(),
        ),
        ReadError::Reauthorize(id, reason) => reauthorize(&request.who, *id, *reason),
        ReadError::NoSuchKind(id) => problem(error.code(), error).connection(*id),
        ReadError::ScopeMissing(id, scopes) => {
            let mut wanted = hint(&request.who, *id);
            wanted.scopes = Some(scopes.clone());
            Problem::new(error.code())
                .detail(format!("These scopes were not granted: {}.", scopes.join(" ")))
                .connection(*id)
                .authorize_hint(wanted)
        }
        ReadError::Renew(id, cause) => renew_problem(cause, *id, &request.who, now),
        ReadError::Seal(id, _) => problem(error.code(), error).connection(*id),
    }
}

/// Why a refresh brought no token.
#[must_use]
pub fn renew_problem(error: &RenewError, id: ConnectionId, who: &LookupKey, now: Timestamp) -> Problem {
    if let Some(reason) = error.ended() {
        return reauthorize(who, id, Some(reason));
    }
    let answer = match error.provider_error() {
        Some(provider_error) => problem(error.code(), error).provider_error(provider_error),
        None => problem(error.code(), error),
    };
    let answer = answer.connection(id);
    match error.retry_after(now) {
        Some(wait) => answer.retry_after(wait),
        None => answer,
    }
}

/// Why a health check reached no verdict.
#[must_use]
pub fn probe_problem(error: &ProbeError, connection: &Connection, now: Timestamp) -> Problem {
    let (id, who) = (connection.id, lookup_key(connection));
    match error {
        ProbeError::Ended(reason) => reauthorize(&who, id, *reason),
        ProbeError::Renew(cause) => renew_problem(cause, id, &who, now),
        ProbeError::RateLimited(Some(wait)) | ProbeError::Unavailable(Some(wait), _) => {
            problem(error.code(), error).connection(id).retry_after(*wait)
        }
        ProbeError::RateLimited(None)
        | ProbeError::Unavailable(None, _)
        | ProbeError::NotConfigured
        | ProbeError::Misconfigured(_)
        | ProbeError::Seal(_)
        | ProbeError::Store(_) => problem(error.code(), error).connection(id),
    }
}

/// Whose a connection is, and where.
#[must_use]
pub fn lookup_key(connection: &Connection) -> LookupKey {
    LookupKey {
        tenant_id: connection.tenant_id.clone(),
        user_id: connection.user_id.clone(),
        provider: connection.provider.clone(),
    }
}

fn reauthorize(who: &LookupKey, id: ConnectionId, reason: Option<StatusReason>) -> Problem {
    let answer = Problem::new(Code::ReauthorizationRequired)
        .detail("The grant is gone. Send authorizeHint to POST /api/v1/oauth/authorize and the user to the URL that it answers.")
        .connection(id)
        .authorize_hint(hint(who, id));
    match reason {
        Some(reason) => answer.status_reason(reason),
        None => answer,
    }
}

fn hint(who: &LookupKey, id: ConnectionId) -> AuthorizeHint {
    AuthorizeHint {
        user_id: who.user_id.clone(),
        tenant_id: who.tenant_id.clone(),
        provider: who.provider.clone(),
        connection_id: Some(id),
        scopes: None,
        user_scopes: None,
        team_id: None,
    }
}
