//! Which request is being answered: its id and its W3C trace, kept for the task that answers it.
//!
//! Problems and log lines take them from here. No span is opened per request: a cached token call would
//! spend more time on the span than on its work.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: Trace;
}

/// The id of the request that this task answers; `None` outside of one.
#[must_use]
pub fn request_id() -> Option<String> {
    CURRENT.try_with(|trace| trace.request_id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// The trace id of the request that this task answers, when the caller sent one.
#[must_use]
pub fn trace_id() -> Option<String> {
    CURRENT
        .try_with(|trace| {
            let text = trace.traceparent.as_ref()?.to_str().ok()?;
            text.get(3..35).map(str::to_owned)
        })
        .ok()
        .flatten()
}

/// The identifiers of one request.
#[derive(Clone)]
pub(super) struct Trace {
    pub(super) request_id: HeaderValue,
    pub(super) traceparent: Option<HeaderValue>,
}

impl Trace {
    /// Takes the caller's identifiers where they are well-formed; makes the request id otherwise.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|id| is_request_id(id.as_bytes()));
        let traceparent = headers.get(TRACEPARENT).filter(|text| is_traceparent(text.as_bytes()));
        Self {
            request_id: given.map_or_else(new_request_id, Clone::clone),
            traceparent: traceparent.cloned(),
        }
    }

    /// Runs `answer` as the answer to this request.
    pub(super) async fn scope<F: Future>(self, answer: F) -> F::Output {
        CURRENT.scope(self, answer).await
    }
}

fn is_request_id(text: &[u8]) -> bool {
    (1..=128).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// `00-{trace id}-{parent id}-{flags}`, in lower-case hex, neither id zero (W3C Trace Context, section 3.2).
fn is_traceparent(text: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = |part: &[u8]| hex(part) && part.iter().any(|byte| *byte != b'0');
    text.len() == 55
        && text.starts_with(b"00-")
        && id(&text[3..35])
        && text[35] == b'-'
        && id(&text[36..52])
        && text[52] == b'-'
        && hex(&text[53..])
}

/// A UUID that is unique but not unpredictable: it names a request and guards nothing, so it need not
/// cost a call to the operating system.
fn new_request_id() -> HeaderValue {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8));
    }
    let bits = u128::from(STATE.with(split_mix)) << 64 | u128::from(STATE.with(split_mix));
    let id = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut text))
        .unwrap_or(HeaderValue::from_static("unknown"))
}

/// The next number of `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn split_mix(state: &Cell<u64>) -> u64 {
    let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(next);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace_of(name: HeaderName, value: &str) -> Trace {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Trace::of(&headers)
    }

    #[test]
    fn a_well_formed_request_id_is_kept() {
        assert_eq!(trace_of(X_REQUEST_ID, "job-7_a.b").request_id, "job-7_a.b");
    }

    #[test]
    fn a_request_id_that_is_empty_too_long_or_could_forge_a_log_line_is_replaced() {
        for id in ["", "a b", "a\"b", "<b>", &"x".repeat(129)] {
            let made = trace_of(X_REQUEST_ID, id).request_id;
            assert!(made.to_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{id}");
        }
    }

    #[test]
    fn made_request_ids_differ() {
        let made: std::collections::HashSet<_> = (0..1000).map(|_| new_request_id()).collect();
        assert_eq!(made.len(), 1000);
    }

    #[test]
    fn a_traceparent_that_is_malformed_or_zero_is_dropped() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(trace_of(TRACEPARENT, good).traceparent.is_some());
        for bad in [
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(trace_of(TRACEPARENT, bad).traceparent.is_none(), "{bad}");
        }
    }
}
