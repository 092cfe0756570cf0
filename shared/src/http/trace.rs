//! Which request is being answered: its id, its W3C trace and the platform's own names for it, kept for the task that answers it.
//!
//! Problems and log lines take them from here. No span is opened per request: a cached token call would
//! spend more time on the span than on its work.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const X_AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

tokio::task_local! {
    static CURRENT: Trace;
}

/// The id of the request that this task answers; `None` outside of one.
#[must_use]
pub fn request_id() -> Option<String> {
    CURRENT.try_with(|trace| trace.request_id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// Gives the identifiers of the request that this task answers to `read`; `None` outside of one.
pub fn with_trace<T>(read: impl FnOnce(&Trace) -> T) -> Option<T> {
    CURRENT.try_with(read).ok()
}

/// The id that the platform gave to this invocation (Lambda's request id), as a request extension.
#[derive(Clone, Debug)]
pub struct InvocationId(pub HeaderValue);

/// The identifiers of one request. All of them are checked: nothing in them needs escaping.
#[derive(Clone)]
pub struct Trace {
    pub(super) request_id: HeaderValue,
    pub(super) traceparent: Option<HeaderValue>,
    invocation: Option<HeaderValue>,
    xray: Option<HeaderValue>,
}

impl Trace {
    /// Takes the caller's identifiers where they are well-formed. A request without an id gets the
    /// platform's, or a new one.
    pub(super) fn of(request: &Request) -> Self {
        let invocation = request.extensions().get::<InvocationId>().map(|id| id.0.clone());
        Self { invocation: invocation.filter(|id| is_request_id(id.as_bytes())), ..Self::nothing() }
            .with(request.headers())
    }

    /// A run of a job that a platform invoked by itself.
    #[must_use]
    pub fn of_invocation(id: &str, xray: Option<&str>) -> Self {
        let mut headers = HeaderMap::new();
        let xray = xray.and_then(|xray| HeaderValue::from_str(xray).ok());
        xray.and_then(|xray| headers.insert(X_AMZN_TRACE_ID, xray));
        let invocation = HeaderValue::from_str(id).ok().filter(|id| is_request_id(id.as_bytes()));
        Self { invocation, ..Self::nothing() }.with(&headers)
    }

    fn nothing() -> Self {
        let request_id = HeaderValue::from_static("unknown");
        Self { request_id, traceparent: None, invocation: None, xray: None }
    }

    fn with(mut self, headers: &HeaderMap) -> Self {
        let valid = |name: HeaderName, is_valid: fn(&[u8]) -> bool| {
            headers.get(name).filter(|text| is_valid(text.as_bytes())).cloned()
        };
        self.traceparent = valid(TRACEPARENT, is_traceparent);
        self.xray = valid(X_AMZN_TRACE_ID, is_xray);
        self.request_id = valid(X_REQUEST_ID, is_request_id)
            .or_else(|| self.invocation.clone())
            .unwrap_or_else(new_request_id);
        self
    }

    /// Runs `answer` as the answer to this request.
    pub async fn scope<F: Future>(self, answer: F) -> F::Output {
        CURRENT.scope(self, answer).await
    }

    /// The id that caller and operator name it by.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// The platform's id of the invocation.
    #[must_use]
    pub fn invocation_id(&self) -> Option<&str> {
        self.invocation.as_ref()?.to_str().ok()
    }

    /// The trace that it belongs to (32 hex digits), when the caller sent one.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()?.get(3..35)
    }

    /// The caller's span (16 hex digits). We open none of our own, so what is logged belongs to it: on
    /// Cloud Run that is the span of the platform's own request line.
    #[must_use]
    pub fn parent_id(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()?.get(36..52)
    }

    /// Whether the caller records this trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        let flags = self.traceparent.as_ref().and_then(|text| text.as_bytes().last());
        flags.is_some_and(|digit| matches!(digit, b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'))
    }

    /// The trace header of AWS X-Ray, as it came.
    #[must_use]
    pub fn xray(&self) -> Option<&str> {
        self.xray.as_ref()?.to_str().ok()
    }
}

/// `Root=1-…;Parent=…;Sampled=1`, and what else AWS may add.
fn is_xray(text: &[u8]) -> bool {
    (1..=256).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b';' | b'-' | b':'))
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
        Trace::of(&Request::builder().header(name, value).body(axum::body::Body::empty()).unwrap())
    }

    #[test]
    fn the_platforms_id_is_the_requests_when_the_caller_sent_none() {
        let mut request = Request::new(axum::body::Body::empty());
        request.extensions_mut().insert(InvocationId(HeaderValue::from_static("i-1")));
        assert_eq!(Trace::of(&request).request_id(), "i-1");
        request.headers_mut().insert(X_REQUEST_ID, HeaderValue::from_static("r-1"));
        let trace = Trace::of(&request);
        assert_eq!((trace.request_id(), trace.invocation_id()), ("r-1", Some("i-1")));
    }

    #[test]
    fn an_x_ray_header_is_kept_unless_it_could_forge_a_log_line() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(trace_of(X_AMZN_TRACE_ID, header).xray(), Some(header));
        assert_eq!(trace_of(X_AMZN_TRACE_ID, "Root=1\",\"x\":\"").xray(), None);
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
