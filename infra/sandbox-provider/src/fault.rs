//! Describes what the sandbox does wrong on demand: refuse, delay, or hang up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;

/// What to do with the next calls of one endpoint.
///
/// Delays add up; the first other fault that matches a call ends the search.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which endpoint misbehaves.
    pub endpoint: Endpoint,
    /// Only calls with this `grant_type` (an absent one counts as `authorization_code`); any call if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// How many calls it hits before it is spent.
    #[serde(default = "once")]
    pub times: u32,
    /// Whether the call is carried out first, so that only its answer is lost or late.
    #[serde(default)]
    pub after_processing: bool,
    /// What happens.
    pub effect: Effect,
}

/// What a fault does to a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Answers with something else.
    Respond(Respond),
    /// Waits this many milliseconds, then goes on.
    Delay(u64),
    /// Closes the TCP connection without any HTTP answer.
    Drop,
}

/// A canned answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Respond {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// Response headers; `content-type` is guessed from the body unless given.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: FaultBody,
}

/// The body of a canned answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FaultBody {
    /// No body.
    #[default]
    Empty,
    /// A JSON value.
    Json(Value),
    /// Text as it stands: an HTML page, truncated JSON.
    Text(String),
    /// This many bytes of filler.
    Size(usize),
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Answers the next call with a status and no body.
    #[must_use]
    pub fn respond(endpoint: Endpoint, status: u16) -> Self {
        Self::new(
            endpoint,
            Effect::Respond(Respond { status, headers: BTreeMap::new(), body: FaultBody::Empty }),
        )
    }

    /// Delays the next call by milliseconds.
    #[must_use]
    pub fn delay(endpoint: Endpoint, milliseconds: u64) -> Self {
        Self::new(endpoint, Effect::Delay(milliseconds))
    }

    /// Closes the connection of the next call before it is carried out.
    #[must_use]
    pub fn drop_before(endpoint: Endpoint) -> Self {
        Self::new(endpoint, Effect::Drop)
    }

    /// Carries out the next call, then closes the connection without answering.
    #[must_use]
    pub fn drop_after(endpoint: Endpoint) -> Self {
        Self::new(endpoint, Effect::Drop).after_processing()
    }

    /// Refuses the next call as the vendor refuses too many: Slack with 429, `Retry-After` and `ratelimited`
    /// (docs.slack.dev/apis/web-api/rate-limits), Google with 429 and `rateLimitExceeded`
    /// (developers.google.com/workspace/gmail/api/guides/handle-errors).
    #[must_use]
    pub fn rate_limited(endpoint: Endpoint, retry_after_seconds: u32) -> Self {
        let body = if endpoint.name().starts_with("slack.") {
            json!({"ok": false, "error": "ratelimited"})
        } else {
            json!({"error": {
                "code": 429, "message": "Rate Limit Exceeded", "status": "RESOURCE_EXHAUSTED",
                "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "Rate Limit Exceeded"}],
            }})
        };
        Self::respond(endpoint, 429).header("retry-after", &retry_after_seconds.to_string()).json(body)
    }

    fn new(endpoint: Endpoint, effect: Effect) -> Self {
        Self { endpoint, grant_type: None, times: 1, after_processing: false, effect }
    }

    /// Hits this many calls instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Hits only calls with this `grant_type`.
    #[must_use]
    pub fn for_grant(mut self, grant_type: &str) -> Self {
        self.grant_type = Some(grant_type.to_owned());
        self
    }

    /// Carries out the call first.
    #[must_use]
    pub fn after_processing(mut self) -> Self {
        self.after_processing = true;
        self
    }

    /// Adds a header to a canned answer; does nothing to another effect.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Effect::Respond(respond) = &mut self.effect {
            respond.headers.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Gives a canned answer a JSON body.
    #[must_use]
    pub fn json(self, body: Value) -> Self {
        self.body(FaultBody::Json(body))
    }

    /// Gives a canned answer a body of text as it stands.
    #[must_use]
    pub fn text(self, body: &str) -> Self {
        self.body(FaultBody::Text(body.to_owned()))
    }

    /// Gives a canned answer a body of this many bytes.
    #[must_use]
    pub fn size(self, bytes: usize) -> Self {
        self.body(FaultBody::Size(bytes))
    }

    fn body(mut self, body: FaultBody) -> Self {
        if let Effect::Respond(respond) = &mut self.effect {
            respond.body = body;
        }
        self
    }

    /// Whether this fault hits such a call.
    pub(crate) fn hits(&self, endpoint: Endpoint, grant_type: Option<&str>) -> bool {
        self.times > 0
            && self.endpoint == endpoint
            && self.grant_type.as_deref().is_none_or(|wanted| grant_type == Some(wanted))
    }
}

/// What the faults that hit one call add up to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Milliseconds to wait before the call is carried out.
    pub(crate) wait_before: u64,
    /// Milliseconds to wait afterwards.
    pub(crate) wait_after: u64,
    /// How it ends instead of its own answer.
    pub(crate) end: Option<Fault>,
}

/// Takes what hits this call out of the waiting faults.
pub(crate) fn take(faults: &mut Vec<Fault>, endpoint: Endpoint, grant_type: Option<&str>) -> Plan {
    let mut plan = Plan::default();
    for fault in faults.iter_mut().filter(|fault| fault.hits(endpoint, grant_type)) {
        fault.times -= 1;
        match (&fault.effect, fault.after_processing) {
            (Effect::Delay(milliseconds), false) => plan.wait_before += milliseconds,
            (Effect::Delay(milliseconds), true) => plan.wait_after += milliseconds,
            (Effect::Respond(_) | Effect::Drop, _) => {
                plan.end = Some(fault.clone());
                break;
            }
        }
    }
    faults.retain(|fault| fault.times > 0);
    plan
}
