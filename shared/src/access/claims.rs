//! What a token says once its signature holds: for whom it is, about whom, and from when until when.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::issuer::Issuer;
use super::token::{TokenError, Verified};
use crate::domain::Timestamp;

/// How far an issuer's clock and ours may be apart (RFC 7519 section 4.1.4).
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest `sub`, in characters (OpenID Connect Core section 2).
const LONGEST_SUBJECT: usize = 255;

/// The claims that count here (RFC 7519 section 4.1). One that is there twice is an error.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    aud: Option<Audience>,
    // Issuers write them in several ways; only one counts, and the others are no reason to refuse.
    email: Option<Value>,
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Who it is, if the token counts at `now` for `issuer`.
    ///
    /// `aud` comes last: what else is wrong is wrong for all issuers that share an `iss`.
    pub(super) fn check(&self, issuer: &Issuer, now: Timestamp) -> Result<Verified, TokenError> {
        if !(1..=LONGEST_SUBJECT).contains(&self.sub.chars().count()) {
            return Err(TokenError::Claims);
        }
        let expires_at = time(self.exp);
        if expires_at + LEEWAY <= now {
            return Err(TokenError::Expired);
        }
        if self.nbf.into_iter().chain(self.iat).any(|begin| time(begin) > now + LEEWAY) {
            return Err(TokenError::NotYet);
        }
        if !self.is_for(&issuer.audiences) {
            return Err(TokenError::Audience);
        }
        Ok(Verified {
            issuer: issuer.name.clone(),
            subject: self.sub.clone(),
            email: self.email(issuer.vouches_for_email).map(str::to_owned),
            expires_at,
        })
    }

    fn is_for(&self, audiences: &[String]) -> bool {
        match &self.aud {
            Some(Audience::One(one)) => audiences.contains(one),
            Some(Audience::Many(many)) => many.iter().any(|one| audiences.contains(one)),
            None => false,
        }
    }

    /// An address that the issuer has not verified is only what somebody typed.
    fn email(&self, vouched_for: bool) -> Option<&str> {
        let verified = vouched_for || self.email_verified == Some(Value::Bool(true));
        self.email.as_ref().and_then(Value::as_str).filter(|_| verified)
    }
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519 section 2); what is beyond all time is its end.
fn time(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}
