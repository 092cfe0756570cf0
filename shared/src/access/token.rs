//! Verifies ID tokens (OpenID Connect Core section 3.1.3.7): nothing that one says counts before its signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::claims::Claims;
use super::fetch::{Fetch, FetchError};
use super::issuer::{Issuer, SigningAlgorithm};
use super::jwks::Jwks;
use super::seen::{Key, Seen};
use crate::clock::Clock;
use crate::domain::Timestamp;

/// The longest token, in bytes; ID tokens have one or two thousand.
const LONGEST: usize = 8 * 1024;
/// What private Cloud Run puts in the place of the signature of a token in `Authorization`.
const REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// Whom a token proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The [`Issuer::name`] that it was verified for.
    pub issuer: String,
    /// The issuer's own name for the caller: `sub`.
    pub subject: String,
    /// The caller's address, if the issuer says that it is verified.
    pub email: Option<String>,
    /// When it ends: `exp`, without leeway.
    pub expires_at: Timestamp,
}

/// Why a token proves nothing. No text repeats anything of it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a signed token in compact form (RFC 7515 section 7.1), too long, or one whose `crit` asks for more
    /// than is known here (section 4.1.11).
    #[error("is not a signed token")]
    Malformed,
    /// The issuer may not sign with this (`none` and shared secrets, nobody may).
    #[error("is signed with an algorithm that its issuer does not use")]
    Algorithm,
    /// `iss` is nobody's.
    #[error("is of an unknown issuer")]
    Issuer,
    /// The issuer publishes no key of this id, type and algorithm.
    #[error("is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("has a signature that does not hold")]
    Signature,
    /// The platform has verified the token for itself and cut the signature off.
    #[error(
        "has no signature any more: send the platform's token in X-Serverless-Authorization, and this one in Authorization"
    )]
    SignatureRemoved,
    /// `aud` has none of the issuer's audiences.
    #[error("is for another audience")]
    Audience,
    /// `exp` is past.
    #[error("has expired")]
    Expired,
    /// `nbf` or `iat` is to come.
    #[error("does not count yet")]
    NotYet,
    /// A claim is missing or is not what it should be.
    #[error("lacks a claim, or has one of the wrong kind")]
    Claims,
    /// Not the token's fault: nobody can tell for now.
    #[error("can't be verified, as its issuer's keys are not available")]
    KeysUnavailable(#[source] Arc<FetchError>),
}

/// Verifies tokens, and keeps issuers' keys and what it has verified a moment ago.
pub struct Tokens {
    clock: Arc<dyn Clock>,
    fetch: Arc<Fetch>,
    /// By address: issuers with the same one share keys.
    jwks: Mutex<HashMap<Url, Arc<Jwks>>>,
    seen: Seen,
}

impl Tokens {
    /// Knows no keys: they are fetched when first needed.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let seen = Seen::new(Arc::clone(&clock));
        Self { clock, fetch: Arc::default(), jwks: Mutex::default(), seen }
    }

    /// Whom `token` proves, if it is one of `issuers`'. May take as long as one fetch of keys (3 s).
    ///
    /// # Errors
    /// The first thing that is wrong with it; all but `KeysUnavailable` are the token's fault.
    pub async fn verify(&self, token: &str, issuers: &[Issuer]) -> Result<Verified, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let key = Key::of(token, issuers);
        if let Some(verified) = self.seen.get(&key) {
            return Ok(verified);
        }
        let verified = Signed::parse(token)?.verify(self, issuers).await?;
        self.seen.put(key, verified.clone());
        Ok(verified)
    }

    /// Forgets which tokens were verified, as after a change of who may call. Keys stay.
    pub fn forget(&self) {
        self.seen.forget();
    }

    fn jwks(&self, uri: &Url) -> Arc<Jwks> {
        let mut all = self.jwks.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Jwks::new(uri.clone(), Arc::clone(&self.fetch), Arc::clone(&self.clock)));
        Arc::clone(all.entry(uri.clone()).or_insert_with(new))
    }
}

/// A token in its parts, of which nothing is known to be true.
struct Signed<'a> {
    algorithm: SigningAlgorithm,
    key_id: Option<String>,
    /// Header and payload as they are signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// Of the header (RFC 7515 section 4.1) only this is read. Keys and addresses of keys in it are the sender's.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// The claim that chooses the issuer whose key is to prove the others.
#[derive(Deserialize)]
struct Origin {
    iss: String,
}

impl<'a> Signed<'a> {
    fn parse(token: &'a str) -> Result<Self, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = decoded(header).ok_or(TokenError::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let algorithm = header.alg.parse().map_err(|_| TokenError::Algorithm)?;
        if signature == REMOVED {
            return Err(TokenError::SignatureRemoved);
        }
        Ok(Self { algorithm, key_id: header.kid, message, payload, signature })
    }

    /// Tries the issuers whose `iss` it bears. What is wrong for the last was wrong for all, but for `aud`.
    async fn verify(&self, tokens: &Tokens, issuers: &[Issuer]) -> Result<Verified, TokenError> {
        let Origin { iss } = decoded(self.payload).ok_or(TokenError::Malformed)?;
        let mut refused = TokenError::Issuer;
        for issuer in issuers.iter().filter(|issuer| issuer.issuer == iss) {
            match self.verify_for(tokens, issuer).await {
                Ok(verified) => return Ok(verified),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    async fn verify_for(&self, tokens: &Tokens, issuer: &Issuer) -> Result<Verified, TokenError> {
        // Before any key is looked for: the header must not choose how it is judged (RFC 8725 section 3.1).
        if !issuer.algorithms.contains(&self.algorithm) {
            return Err(TokenError::Algorithm);
        }
        let key = tokens.jwks(&issuer.jwks_uri).key(self.key_id.as_deref(), self.algorithm).await?;
        if !key.verifies(self.algorithm, self.message, self.signature) {
            return Err(TokenError::Signature);
        }
        let claims: Claims = decoded(self.payload).ok_or(TokenError::Claims)?;
        claims.check(issuer, tokens.clock.now())
    }
}

/// Base64url without padding, of JSON.
fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
