//! An issuer's keys (RFC 7517): what of them can verify a signature, found by key id and algorithm.

use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;

use super::fetch::FetchError;
use super::issuer::{KeyType, SigningAlgorithm};

/// More than any issuer has at a time.
const MOST_KEYS: usize = 100;

/// The keys of one document.
pub(super) struct KeySet(Vec<Arc<Key>>);

/// A public key that verifies signatures.
pub(super) struct Key {
    id: Option<String>,
    key_type: KeyType,
    /// The only algorithm it is for, if it says so.
    algorithm: Option<SigningAlgorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a document. Keys that can't verify a signature are passed over (RFC 7517 section 5).
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, FetchError> {
        let document: Document = serde_json::from_slice(bytes).map_err(FetchError::Unreadable)?;
        if document.keys.len() > MOST_KEYS {
            return Err(FetchError::TooMany);
        }
        Ok(Self(document.keys.into_iter().filter_map(Key::from_json).map(Arc::new).collect()))
    }

    /// The key with this id, or, for a token that names none, the only one that it can be.
    pub(super) fn find(&self, id: Option<&str>, algorithm: SigningAlgorithm) -> Option<Arc<Key>> {
        let mut fitting = self.0.iter().filter(|key| {
            key.key_type == algorithm.key_type()
                && key.algorithm.is_none_or(|only| only == algorithm)
                && (id.is_none() || key.id.as_deref() == id)
        });
        let found = fitting.next()?;
        let ambiguous = id.is_none() && fitting.next().is_some();
        (!ambiguous).then(|| Arc::clone(found))
    }
}

impl Key {
    fn from_json(json: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        let common = &jwk.common;
        let for_signatures =
            common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
                && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !for_signatures {
            return None;
        }
        // A key for something else (`HS256`, `RSA-OAEP`) is none of ours.
        let algorithm = match jwk.common.key_algorithm {
            Some(name) => Some(name.to_string().parse().ok()?),
            None => None,
        };
        let key_type = key_type(&jwk.algorithm)?;
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { id: jwk.common.key_id, key_type, algorithm, key })
    }

    /// Whether `signature` (base64url) is this key's for `message`. The caller has checked that they fit.
    pub(super) fn verifies(&self, algorithm: SigningAlgorithm, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, algorithm.algorithm())
            .unwrap_or(false)
    }
}

/// `None` for shared secrets, which a public document can't hold, and for what is not known.
fn key_type(parameters: &AlgorithmParameters) -> Option<KeyType> {
    if let AlgorithmParameters::RSA(_) = parameters {
        return Some(KeyType::Rsa);
    }
    if let AlgorithmParameters::EllipticCurve(key) = parameters {
        let known = [(EllipticCurve::P256, KeyType::P256), (EllipticCurve::P384, KeyType::P384)];
        return known.into_iter().find(|(curve, _)| *curve == key.curve).map(|(_, key_type)| key_type);
    }
    if let AlgorithmParameters::OctetKeyPair(key) = parameters {
        return (key.curve == EllipticCurve::Ed25519).then_some(KeyType::Ed25519);
    }
    None
}
