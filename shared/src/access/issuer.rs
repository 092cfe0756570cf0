//! Whose ID tokens count, for which audiences, and by which algorithms they may be signed.

use std::fmt;
use std::str::FromStr;

use jsonwebtoken::Algorithm;
use url::{Host, Url};

/// An issuer of ID tokens. Several may share one `issuer` and differ in their audiences.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// What it is called here.
    pub name: String,
    /// Its `iss`, compared as it is (OpenID Connect Core section 3.1.3.7).
    pub issuer: String,
    /// What we are called in its tokens; one of them must be in `aud`.
    pub audiences: Vec<String>,
    /// Where its keys are; [`Issuer::check_jwks_uri`] says which addresses will do.
    pub jwks_uri: Url,
    /// What its tokens may be signed with, whatever their headers say.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Whether every `email` in its tokens is one that it has verified: Identity-Aware Proxy's has no `email_verified` beside it.
    pub vouches_for_email: bool,
}

impl Issuer {
    /// Checks where keys are to be fetched: https, or http on this machine's loopback.
    ///
    /// # Errors
    /// What is wrong with the address, as the end of a sentence that begins with its name.
    pub fn check_jwks_uri(uri: &Url) -> Result<(), String> {
        let loopback = match uri.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        // Whoever can change the answer on its way signs tokens for everybody.
        if uri.scheme() != "https" && !(uri.scheme() == "http" && loopback) {
            return Err("must start with https://".to_owned());
        }
        if !uri.username().is_empty() || uri.password().is_some() {
            return Err("must not have a user name or password".to_owned());
        }
        Ok(())
    }
}

/// An algorithm with a public key (RFC 7518 section 3.1, RFC 8037). `none` and those with a shared secret
/// have no name here, so no header and no setting can ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519; Ed448 is not known here.
    EdDsa,
}

/// What a key must be for an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl SigningAlgorithm {
    /// What an issuer signs with when nothing else is said (OpenID Connect Core section 2).
    pub const DEFAULT: [Self; 1] = [Self::Rs256];

    const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) const fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyType::Rsa,
            Self::Es256 => KeyType::P256,
            Self::Es384 => KeyType::P384,
            Self::EdDsa => KeyType::Ed25519,
        }
    }

    /// What the library calls it.
    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// The text names no algorithm that can be used here.
#[derive(Debug, thiserror::Error)]
#[error("must be RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA")]
pub struct UnknownAlgorithm;

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == text).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_without_a_public_key_have_no_name() {
        for name in ["none", "None", "", "HS256", "HS384", "HS512", "rs256", "RSA-OAEP"] {
            assert!(name.parse::<SigningAlgorithm>().is_err(), "{name}");
        }
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<SigningAlgorithm>().unwrap(), algorithm);
            assert!(UnknownAlgorithm.to_string().contains(algorithm.name()));
        }
    }

    #[test]
    fn keys_are_fetched_in_clear_from_loopback_only() {
        let check = |text: &str| Issuer::check_jwks_uri(&Url::parse(text).unwrap());
        assert_eq!(check("https://www.googleapis.com/oauth2/v3/certs"), Ok(()));
        assert_eq!(check("https://keys.example/of?tenant=a"), Ok(()));
        assert_eq!(check("http://127.0.0.1:1/keys"), Ok(()));
        assert_eq!(check("http://[::1]:1/keys"), Ok(()));
        for refused in ["http://keys.example", "http://10.0.0.1/keys", "ftp://127.0.0.1/keys", "file:///keys"]
        {
            assert_eq!(check(refused), Err("must start with https://".to_owned()), "{refused}");
        }
        assert!(check("https://me:pw@keys.example").is_err());
    }
}
