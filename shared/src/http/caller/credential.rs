//! Which of a request's headers may say who is asking. Platforms move, strip and add such headers; what counts is written down here, once.
//!
//! * A caller that reaches us by itself: `Authorization`. Where the platform in front takes that header for itself (private Cloud Run
//!   strips the signature of the token in it), the platform's token goes into `X-Serverless-Authorization`, which is never read here.
//! * Through Google's API Gateway, which puts its own token into `Authorization` and the caller's header into
//!   `X-Forwarded-Authorization`: that one, if the request verifiably comes from the gateway.
//! * Through AWS's HTTP API where it asks for a signature (`AWS_IAM`): that stands in `Authorization` (`AWS4-HMAC-SHA256 …`), the caller's
//!   header in `X-Forwarded-Authorization`. `GATEWAY=sole-invoker` says so.
//! * Through Identity-Aware Proxy: `X-Goog-IAP-JWT-Assertion`, which IAP signs.
//!
//! Claims without a signature (`X-Apigateway-Api-Userinfo`, `X-Goog-Authenticated-User-Email`, `X-Endpoint-API-UserInfo`) never count.

use axum::http::{HeaderMap, HeaderName, header};

use super::unauthenticated;
use crate::access::{Gateway, Policy};
use crate::flow::Context;
use crate::http::Problem;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-authorization");
const PROXY: HeaderName = HeaderName::from_static("x-goog-iap-jwt-assertion");

/// What begins a connect session's token, and an API key.
pub(super) const SESSION_PREFIX: &str = "cs_";
const KEY_PREFIX: &str = "omk_";

/// What a request offers to prove who is asking.
pub(super) enum Credential<'a> {
    None,
    /// What stands behind the prefix of a connect session.
    Session(&'a str),
    /// An API key.
    Key(&'a str),
    /// An ID token.
    Token(&'a str),
    /// An assertion of Identity-Aware Proxy.
    ProxyToken(&'a str),
}

/// Finds it.
///
/// # Errors
/// `unauthenticated` where headers contradict each other.
pub(super) async fn credential<'a>(
    ctx: &Context,
    policy: &Policy,
    headers: &'a HeaderMap,
) -> Result<Credential<'a>, Problem> {
    let own = bearer(headers, &header::AUTHORIZATION)?;
    let offered = match (&policy.gateway, bearer(headers, &FORWARDED)?) {
        (Some(Gateway::SoleInvoker), None) if is_signature_of_aws(headers) => {
            return Err(unauthenticated(SIGNED));
        }
        (Some(Gateway::SoleInvoker), forwarded) => forwarded,
        (Some(Gateway::Token(_)), Some(forwarded)) => {
            let gateway = own.ok_or_else(|| unauthenticated(NOT_THE_GATEWAY))?;
            match ctx.access.is_gateway(policy, gateway).await {
                Ok(true) => Some(forwarded),
                Ok(false) => return Err(unauthenticated(NOT_THE_GATEWAY)),
                Err(error) => return Err(super::refused(&error)),
            }
        }
        // The gateway vouches for callers, and is none itself: whoever comes through it without a header has proved nothing.
        (Some(Gateway::Token(_)), None) => match own {
            Some(text) if ctx.access.is_gateway(policy, text).await.unwrap_or(false) => None,
            own => own,
        },
        // Nobody else may say who the caller is; a header that a client has made up is passed over.
        (None, _) => own,
    };
    Ok(match offered {
        Some(text) => match text.strip_prefix(SESSION_PREFIX) {
            Some(session) => Credential::Session(session),
            None if text.starts_with(KEY_PREFIX) => Credential::Key(text),
            None => Credential::Token(text),
        },
        None => match only(headers, &PROXY)? {
            Some(assertion) => Credential::ProxyToken(assertion),
            None => Credential::None,
        },
    })
}

const NOT_THE_GATEWAY: &str =
    "X-Forwarded-Authorization counts only from the gateway, whose own token must be in Authorization.";

const SIGNED: &str = "Authorization has the signature that AWS asks for: send the ID token or API key as a bearer token in X-Forwarded-Authorization.";

/// Whether a request comes by a route that asks for a signature, so that its caller could not use `Authorization`.
fn is_signature_of_aws(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "))
}

/// The bearer token of a header (RFC 6750 section 2.1). Another scheme is no credential of ours.
fn bearer<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let Some((scheme, token)) = only(headers, name)?.and_then(|value| value.split_once(' ')) else {
        return Ok(None);
    };
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()))
}

/// The value of a header that may be there once: of two, each of two readers could take another.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(unauthenticated("A header that says who is asking must not come twice."));
    }
    match first.map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => {
            Err(unauthenticated("A header that says who is asking has characters that none may have."))
        }
    }
}
