//! What callers see of their limits: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and the 429.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};

use super::Problem;
use crate::error::Code;
use crate::limit::{Class, Scope, Standing};

/// The policy that is nearest to its end, and what is left of it, for every answer to a call that has a limit.
///
/// `RateLimit-Policy: "tokens-caller";q=600;w=60` and `RateLimit: "tokens-caller";r=599;t=1`: 600 calls in 60 seconds;
/// 599 may be made now, and in a second as many as ever. `r` is never more than the burst.
#[must_use]
pub fn headers(standing: &Standing) -> [(HeaderName, HeaderValue); 2] {
    let name = format!("\"{}-{}\"", standing.class.as_str(), standing.scope.as_str());
    let policy = format!("{name};q={};w={}", standing.rate.count(), standing.rate.per().as_secs());
    let left = format!("{name};r={};t={}", standing.remaining, seconds(standing.reset));
    [("ratelimit-policy", policy), ("ratelimit", left)].map(|(header, value)| {
        // Names of ours and numbers are always a value; an empty one says nothing wrong.
        let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
        (HeaderName::from_static(header), value)
    })
}

/// The answer to a call that a limit refuses, without the [`headers`].
#[must_use]
pub fn problem(standing: &Standing, retry_after: Duration) -> Problem {
    let whose = match standing.scope {
        Scope::Caller => "This caller has",
        Scope::Tenant => "This tenant has, over all callers,",
        Scope::User => "This user has, over all callers,",
        Scope::Address => "This network address has",
    };
    let what = match standing.class {
        Class::Connect => "begun to connect",
        Class::Callback => "come back from a provider",
        Class::Tokens => "asked about tokens",
        Class::Admin => "made calls of operators",
        Class::Refused => "sent what proves nothing",
    };
    let (count, per) = (standing.rate.count(), standing.rate.per().as_secs());
    let wait = seconds(retry_after).max(1);
    Problem::new(Code::RateLimited)
        .detail(format!("{whose} {what} more often than {count} times in {per} s. Try again in {wait} s."))
        .retry_after(retry_after)
}

/// Rounded up: what is said to be so in a second is so then.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::header;
    use axum::response::IntoResponse as _;

    use super::*;

    fn standing(scope: Scope, class: Class) -> Standing {
        let rate = "600/min".parse().unwrap();
        Standing { scope, class, rate, remaining: 99, reset: Duration::from_millis(100) }
    }

    #[test]
    fn the_headers_name_the_policy_and_round_up() {
        let headers = headers(&standing(Scope::Caller, Class::Tokens));
        assert_eq!(headers[0].0, "ratelimit-policy");
        assert_eq!(headers[0].1, "\"tokens-caller\";q=600;w=60");
        assert_eq!(headers[1].0, "ratelimit");
        assert_eq!(headers[1].1, "\"tokens-caller\";r=99;t=1");
    }

    #[tokio::test]
    async fn a_refusal_says_whose_limit_it_is_and_when_to_come_back() {
        let refused = problem(&standing(Scope::User, Class::Connect), Duration::from_millis(1100));
        let response = refused.into_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::RETRY_AFTER]),
            (429, &"2".parse().unwrap())
        );
        let body = to_bytes(response.into_body(), 65_536).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body["detail"],
            "This user has, over all callers, begun to connect more often than 600 times in 60 s. Try again in 2 s."
        );
        assert_eq!(body["retryAfter"], 2);
    }
}
