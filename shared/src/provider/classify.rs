//! What an answer means, decided once: the rows of the descriptor, then the standards.

use std::time::Duration;

use serde_json::Value;

use super::descriptor::Descriptor;
use super::failure::{Failure, FailureClass, Outcome};
use super::rows::{Call, FailureRow, RowClass};
use crate::domain::StatusReason;

/// An answer as it came in.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// `None`: not JSON, or too long to be an answer of an API.
    pub(super) body: Option<Value>,
}

/// An answer that is not a good one.
pub(super) struct Rejection {
    pub(super) verdict: Verdict,
    code: Option<String>,
    status: u16,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Failed(FailureClass),
    /// The operator's, unless there is another secret to try.
    BadSecret,
    /// Not a failure of the token: it only lacks a scope.
    Alive,
    /// Not a failure of a revocation: there was nothing left to revoke.
    AlreadyInvalid,
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let class = match rejection.verdict {
            Verdict::Failed(class) => class,
            Verdict::BadSecret => FailureClass::Operator,
            Verdict::Alive | Verdict::AlreadyInvalid => FailureClass::Refused,
        };
        // A provider in trouble may have acted before it gave up, whatever its answer looks like.
        let outcome = match class {
            FailureClass::Passing { .. } | FailureClass::Malformed => Outcome::Unknown,
            FailureClass::User(_)
            | FailureClass::Operator
            | FailureClass::RateLimited { .. }
            | FailureClass::Stale
            | FailureClass::Refused => Outcome::Refused,
        };
        Self { class, code: rejection.code, status: Some(rejection.status), outcome, source: None }
    }
}

/// The body of a good answer, or what the answer means.
pub(super) fn classify(descriptor: &Descriptor, call: Call, reply: Reply) -> Result<Value, Rejection> {
    let shape = &descriptor.errors;
    let good_status = (200..300).contains(&reply.status);
    // RFC 7009 section 2.2: the body of a good answer to a revocation is ignored.
    if good_status && call == Call::Revoke && shape.success.is_none() {
        return Ok(Value::Null);
    }
    let codes: Vec<&str> =
        reply.body.iter().flat_map(|body| shape.codes.iter().filter_map(|place| place.text(body))).collect();
    let good_body = reply
        .body
        .as_ref()
        .is_some_and(|body| shape.success.as_ref().map_or(codes.is_empty(), |marker| marker.holds(body)));
    if good_status && good_body {
        return Ok(reply.body.unwrap_or_default());
    }
    let first = codes.first().copied();
    let (verdict, code) = descriptor
        .failures
        .iter()
        .find_map(|row| by_row(row, call, &reply, &codes))
        .or_else(|| by_status(call, &reply).map(|verdict| (verdict, first)))
        .or_else(|| codes.iter().find_map(|code| Some((by_standard_code(call, code)?, Some(*code)))))
        .unwrap_or_else(|| (unknown(&reply, &codes), first));
    Err(Rejection { verdict, code: code.and_then(sanitised), status: reply.status })
}

fn by_row<'a>(
    row: &FailureRow,
    call: Call,
    reply: &Reply,
    codes: &[&'a str],
) -> Option<(Verdict, Option<&'a str>)> {
    let status_fits = match row.status {
        Some(status) => status == reply.status,
        None => !is_trouble(reply.status),
    };
    if !status_fits || !(row.when.is_empty() || row.when.contains(&call)) {
        return None;
    }
    let code = codes.iter().find(|code| row.codes.iter().any(|each| each == *code)).copied();
    if code.is_none() && !row.codes.is_empty() {
        return None;
    }
    let retry_after = reply.retry_after;
    let verdict = match (row.class, row.reason) {
        (RowClass::User, Some(reason)) => Verdict::Failed(FailureClass::User(reason)),
        // `load` refuses a row of class user without a reason.
        (RowClass::User, None) | (RowClass::Refused, _) => Verdict::Failed(FailureClass::Refused),
        (RowClass::Operator, _) => Verdict::Failed(FailureClass::Operator),
        (RowClass::BadSecret, _) => Verdict::BadSecret,
        (RowClass::RateLimited, _) => Verdict::Failed(FailureClass::RateLimited { retry_after }),
        (RowClass::Passing, _) => Verdict::Failed(FailureClass::Passing { retry_after }),
        (RowClass::Stale, _) => Verdict::Failed(FailureClass::Stale),
        (RowClass::Alive, _) => Verdict::Alive,
        (RowClass::AlreadyInvalid, _) => Verdict::AlreadyInvalid,
    };
    Some((verdict, code.or(codes.first().copied())))
}

/// The statuses of a server that says nothing about the request: RFC 9110 section 15.5.9 and 15.6, RFC 8470.
const fn is_trouble(status: u16) -> bool {
    matches!(status, 408 | 425 | 500..)
}

fn by_status(call: Call, reply: &Reply) -> Option<Verdict> {
    let retry_after = reply.retry_after;
    match (reply.status, call) {
        (429, _) => Some(FailureClass::RateLimited { retry_after }),
        (status, _) if is_trouble(status) => Some(FailureClass::Passing { retry_after }),
        // RFC 6750 section 3.1.
        (401, Call::Api) => Some(FailureClass::Stale),
        _ => None,
    }
    .map(Verdict::Failed)
}

fn by_standard_code(call: Call, code: &str) -> Option<Verdict> {
    let class = match (call, code) {
        // RFC 6749 section 5.2.
        (Call::Refresh, "invalid_grant") => FailureClass::User(StatusReason::GrantExpired),
        (Call::Exchange | Call::Refresh | Call::Revoke, "invalid_client") => {
            return Some(Verdict::BadSecret);
        }
        (
            Call::Exchange | Call::Refresh,
            "invalid_request" | "unauthorized_client" | "unsupported_grant_type" | "invalid_scope",
        ) => FailureClass::Operator,
        // RFC 6749 section 4.1.2.1, which token endpoints use as well.
        (_, "server_error" | "temporarily_unavailable") => FailureClass::Passing { retry_after: None },
        // RFC 6750 section 3.1.
        (Call::Api, "invalid_token") => FailureClass::Stale,
        (Call::Api, "insufficient_scope") => return Some(Verdict::Alive),
        // Where a provider does not do as RFC 7009 section 2.2 says: an unknown token is no error.
        (Call::Revoke, "invalid_token") => return Some(Verdict::AlreadyInvalid),
        _ => return None,
    };
    Some(Verdict::Failed(class))
}

/// A refusal in the provider's own words, or nothing that an API would say.
fn unknown(reply: &Reply, codes: &[&str]) -> Verdict {
    let refused = !codes.is_empty() || (reply.body.is_some() && reply.status >= 400);
    Verdict::Failed(if refused { FailureClass::Refused } else { FailureClass::Malformed })
}

/// Printable ASCII, at most 64 characters: it goes into logs and answers.
fn sanitised(code: &str) -> Option<String> {
    let clean: String = code.chars().filter(char::is_ascii_graphic).take(64).collect();
    (!clean.is_empty()).then_some(clean)
}
