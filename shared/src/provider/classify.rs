//! What an answer means, decided once: the rows of the descriptor, then the standards.

use std::time::Duration;

use serde_json::Value;

use super::descriptor::Descriptor;
use super::failure::{Failure, FailureClass, Outcome};
use super::rows::{Call, FailureRow, RowClass};
use super::standard;
use crate::domain::StatusReason;

/// An answer as it came in.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The error code of a bearer challenge (RFC 6750 section 3), which may be all that an API says.
    pub(super) challenge: Option<String>,
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
    let in_body = reply.body.iter().flat_map(|body| shape.codes.iter().filter_map(|place| place.code(body)));
    let mut codes: Vec<String> = in_body.collect();
    let good_body = reply
        .body
        .as_ref()
        .is_some_and(|body| shape.success.as_ref().map_or(codes.is_empty(), |marker| marker.holds(body)));
    if good_status && good_body {
        return Ok(reply.body.unwrap_or_default());
    }
    codes.extend(reply.challenge.clone());
    let first = codes.first().map(String::as_str);
    let (verdict, code) = descriptor
        .failures
        .iter()
        .find_map(|row| by_row(row, call, &reply, &codes))
        .or_else(|| {
            let row = standard::by_status(call, reply.status)?;
            Some((verdict(row.class, None, &reply), first))
        })
        .or_else(|| {
            let row = codes.iter().find_map(|code| standard::by_code(call, code))?;
            Some((verdict(row.class, row.reason, &reply), first))
        })
        .unwrap_or_else(|| (unknown(&reply, &codes), first));
    Err(Rejection { verdict, code: code.and_then(sanitised), status: reply.status })
}

fn by_row<'a>(
    row: &FailureRow,
    call: Call,
    reply: &Reply,
    codes: &'a [String],
) -> Option<(Verdict, Option<&'a str>)> {
    if !row.is_about(call) || !row.fits(reply.status) {
        return None;
    }
    let code = codes.iter().find(|code| row.codes.contains(code));
    if code.is_none() && !row.codes.is_empty() {
        return None;
    }
    Some((verdict(row.class, row.reason, reply), code.or(codes.first()).map(String::as_str)))
}

fn verdict(class: RowClass, reason: Option<StatusReason>, reply: &Reply) -> Verdict {
    let retry_after = reply.retry_after;
    Verdict::Failed(match (class, reason) {
        (RowClass::User, Some(reason)) => FailureClass::User(reason),
        // `load` refuses a row of class user without a reason.
        (RowClass::User, None) | (RowClass::Refused, _) => FailureClass::Refused,
        (RowClass::Operator, _) => FailureClass::Operator,
        (RowClass::BadSecret, _) => return Verdict::BadSecret,
        (RowClass::RateLimited, _) => FailureClass::RateLimited { retry_after },
        (RowClass::Passing, _) => FailureClass::Passing { retry_after },
        (RowClass::Stale, _) => FailureClass::Stale,
        (RowClass::Alive, _) => return Verdict::Alive,
        (RowClass::AlreadyInvalid, _) => return Verdict::AlreadyInvalid,
    })
}

/// A refusal in the provider's own words, or nothing that an API would say.
fn unknown(reply: &Reply, codes: &[String]) -> Verdict {
    let refused = !codes.is_empty() || (reply.body.is_some() && reply.status >= 400);
    Verdict::Failed(if refused { FailureClass::Refused } else { FailureClass::Malformed })
}

/// Printable ASCII, at most 64 characters: it goes into logs and answers.
fn sanitised(code: &str) -> Option<String> {
    let clean: String = code.chars().filter(char::is_ascii_graphic).take(64).collect();
    (!clean.is_empty()).then_some(clean)
}
