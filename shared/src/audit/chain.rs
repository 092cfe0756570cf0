//! How a record becomes a line: `{"audit":{…},"mac":"…","target":"audit"}`, each chained to the one before by its MAC.
//!
//! The MAC covers the canonical form of `audit` (RFC 8785, with integers only): platforms parse what they are given and write it
//! anew, with the keys in another order. The fields below are declared in that order, so nothing is sorted when a line is written.

use std::io;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::Record;
use super::key::{AuditKey, Mac};
use crate::domain::{ConnectionId, ProviderId, TenantId, Timestamp, UserId};

/// How every line begins; nothing inside of one looks like it, as quotes within texts are escaped.
pub(super) const HEAD: &str = r#"{"audit":"#;

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A writer begins.
    Start,
    /// A call was answered.
    Call,
    /// The writer ends. Where this is missing, lines may be.
    Close,
}

/// The `audit` object, its fields in the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<ConnectionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    event: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a ProviderId>,
    /// Of a close: how many lines the writer wrote, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    scopes: &'a [String],
    seq: u64,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
    writer: Uuid,
}

/// Where a writer is in its chain. The position moves only when a line is known to be written.
pub(super) struct Chain {
    writer: Uuid,
    next: Position,
}

/// A place in a chain: the number of a line, and the MAC of the line before it.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) seq: u64,
    pub(super) before: Mac,
}

impl Position {
    pub(super) fn first(key: &AuditKey, writer: Uuid) -> Self {
        Self { seq: 0, before: key.anchor(writer) }
    }

    pub(super) const fn after(self, mac: Mac) -> Self {
        Self { seq: self.seq.saturating_add(1), before: mac }
    }
}

impl Chain {
    pub(super) fn new(key: &AuditKey, writer: Uuid) -> Self {
        Self { writer, next: Position::first(key, writer) }
    }

    /// Appends the next line to `out`. Returns where the chain will be when it is written.
    pub(super) fn line(
        &self,
        key: &AuditKey,
        service: &str,
        at: Timestamp,
        kind: Kind,
        record: &Record,
        out: &mut Vec<u8>,
    ) -> io::Result<Position> {
        let seq = self.next.seq;
        let entry = Entry {
            address: record.address,
            at,
            call: record.call,
            caller: record.caller.as_deref(),
            connection_id: record.connection_id,
            detail: record.detail.as_deref(),
            event: kind,
            method: record.method.as_deref(),
            outcome: record.outcome,
            path: record.path.as_deref(),
            provider: record.provider.as_ref(),
            records: (kind == Kind::Close).then_some(seq + 1),
            request_id: record.request_id.as_deref(),
            scopes: &record.scopes,
            seq,
            service,
            status: record.status,
            tenant_id: record.tenant_id.as_ref(),
            user_id: record.user_id.as_ref(),
            writer: self.writer,
        };
        out.extend_from_slice(HEAD.as_bytes());
        let begin = out.len();
        serde_json::to_writer(&mut *out, &entry)?;
        let mac = key.mac(&self.next.before, &out[begin..]);
        out.extend_from_slice(br#","mac":""#);
        let text = out.len();
        out.resize(text + MAC_TEXT, 0);
        URL_SAFE_NO_PAD.encode_slice(mac, &mut out[text..]).map_err(io::Error::other)?;
        out.extend_from_slice(b"\",\"target\":\"audit\"}\n");
        Ok(self.next.after(mac))
    }

    /// Says that the line which leads there is written.
    pub(super) const fn advance(&mut self, to: Position) {
        self.next = to;
    }
}

/// How long a MAC is in base64url without padding.
const MAC_TEXT: usize = 43;

/// A MAC from its text.
pub(super) fn read_mac(text: &str) -> Option<Mac> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Undoes what a platform makes of an `audit` object: keys are in order and numbers whole again, so that its text is the canonical
/// form. `None` for what no line has.
pub(super) fn normal(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            // Ours are ASCII, for which bytes and UTF-16 give the same order.
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|(one, _), (two, _)| one.cmp(two));
            let fields = fields.into_iter().map(|(name, value)| Some((name, normal(value)?)));
            Some(Value::Object(fields.collect::<Option<Map<_, _>>>()?))
        }
        Value::Array(values) => Some(Value::Array(values.into_iter().map(normal).collect::<Option<_>>()?)),
        Value::Number(number) => whole(&number).map(Value::from),
        Value::String(_) => Some(value),
        Value::Null | Value::Bool(_) => None,
    }
}

/// A number that a platform may have written as `1.0`; up to 2^53, as RFC 8785 has it.
fn whole(number: &Number) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_u64().or_else(|| {
        number
            .as_f64()
            .filter(|each| each.fract() == 0.0 && (0.0..EXACT).contains(each))
            .map(|each| each as u64)
    })
}
