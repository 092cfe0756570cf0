//! Who is asking: a service, a user's browser in a connect session, or an operator; found by what a request proves.

mod credential;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use self::credential::{Credential, credential};
use super::respond::Problem;
use super::rule::forbidden;
use crate::access::{ApiKey, Known, Operator, Policy, Service, TokenError};
use crate::error::Code;
use crate::flow::Context;

pub use self::session::Session;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// When the keys of an issuer that does not answer are asked for again.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Who is asking.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Anyone who can reach us: callers are not told apart while `AUTH=off`.
    Open,
    /// Nobody in particular: a browser that a provider sent to the callback.
    Anonymous,
    /// A service, by an ID token or an API key.
    Service(Arc<Service>),
    /// A user's browser, in a connect session that a service minted.
    Session(Box<Session>),
    /// An operator, by an ID token or through Identity-Aware Proxy.
    Operator(Arc<Operator>),
}

impl Caller {
    /// Finds out who is asking.
    ///
    /// # Errors
    /// `unauthenticated` when the request proves nothing, `issuer_unavailable` when that can't be known.
    pub(super) async fn of(
        ctx: &Context,
        policy: &Policy,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        match credential(ctx, policy, headers).await? {
            // A browser sends its session also where everything else is open.
            Credential::Session(token) => {
                let key = ctx.attempt_key().ok();
                let session = key.and_then(|key| Session::open(token, key, ctx.clock.now()));
                let session = match ctx.access.is_off() {
                    true => session,
                    // It may no more than whoever minted it may now.
                    false => session.and_then(|session| session.within(policy)),
                };
                let over = || unauthenticated("This connect session is unknown or over.");
                session.map(|session| Self::Session(Box::new(session))).ok_or_else(over)
            }
            _ if ctx.access.is_off() => Ok(Self::Open),
            Credential::None => Err(unauthenticated(
                "Send an ID token, an API key or a connect session as a bearer token in Authorization.",
            )),
            Credential::Key(text) => match ctx.access.key(policy, text) {
                Some(service) => Ok(Self::Service(service)),
                None => Err(unauthenticated(match ApiKey::presented(text) {
                    Some((id, _)) => format!("The API key {id} is unknown or over."),
                    None => "This is no API key.".to_owned(),
                })),
            },
            Credential::Token(text) => known(ctx.access.token(policy, text).await),
            Credential::ProxyToken(text) => {
                refuse_other_sites(ctx, method, headers)?;
                known(ctx.access.proxy_token(policy, text).await)
            }
        }
    }

    /// What it is called in the audit log and in events.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Anonymous => "anonymous".to_owned(),
            Self::Service(service) => format!("service:{}", service.name),
            Self::Session(session) => {
                let part = |id: &str| id.replace('%', "%25").replace('/', "%2F");
                format!("session:{}/{}", part(session.tenant_id.as_str()), part(session.user_id.as_str()))
            }
            Self::Operator(operator) => format!("operator:{}", operator.name),
        }
    }
}

/// Identity-Aware Proxy vouches for a browser by its cookie, whichever site's page makes it send a request. Where something would be
/// done, that must be a page of ours, or no page.
fn refuse_other_sites(ctx: &Context, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let header = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let ours = ctx.config.public_url.origin().ascii_serialization();
    let site = header(&SEC_FETCH_SITE).is_none_or(|site| matches!(site, b"none" | b"same-origin"));
    let origin = header(&header::ORIGIN).is_none_or(|origin| origin == ours.as_bytes());
    if site && origin {
        Ok(())
    } else {
        Err(forbidden("A page of another site may not act through an operator's browser."))
    }
}

fn known(token: Result<Known, TokenError>) -> Result<Caller, Problem> {
    match token {
        Ok(Known::Service(service)) => Ok(Caller::Service(service)),
        Ok(Known::Operator(operator)) => Ok(Caller::Operator(operator)),
        Ok(Known::Nobody) => {
            Err(unauthenticated("This token is good, but the callers file does not name its bearer."))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// What a token that proves nothing is answered with. Which claim is wrong helps its owner; it is no help to a forger, who chose it.
fn refused(error: &TokenError) -> Problem {
    if let TokenError::KeysUnavailable(_) = error {
        tracing::error!(error = error as &dyn std::error::Error, "a caller's token can't be judged");
        return Problem::new(Code::IssuerUnavailable)
            .detail("The keys of this token's issuer can't be read, so nobody can say whether it is good.")
            .retry_after(KEYS_AGAIN_AFTER);
    }
    unauthenticated(format!("This token {error}."))
}

fn unauthenticated(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::Unauthenticated).detail(detail)
}

#[cfg(test)]
mod tests;
