//! API keys: `omk_<id>_<secret>`, shown once when they are made, kept as a digest, compared in constant time.

use std::fmt::Write as _;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::clock::{Ids, NoRandomness};
use crate::secret::SecretString;

/// Tells people, and scanners for leaked secrets, what it is.
const PREFIX: &str = "omk_";
/// Letters that nobody mixes up, and no `_`, which ends the id (RFC 4648 section 6, in lower case).
const ID_ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH: usize = 12;
const SECRET_BYTES: usize = 32;

/// A key that a caller presents.
pub struct ApiKey;

/// A key that was just made.
pub struct Minted {
    /// Its name in settings and logs; 12 characters.
    pub id: String,
    /// The key itself, for the caller: nobody can show it again.
    pub text: SecretString,
    /// What is kept of it: SHA-256 of the text, in hex, as `sha256sum` gives it.
    pub sha256: String,
}

/// What is kept of a key.
///
/// A plain digest, on purpose: slow hashes are for secrets that people think up and that can be guessed (NIST SP 800-63B
/// section 5.1.1.2). This one has 256 random bits, for which one approved hash is enough (section 5.1.2.2), and every
/// call would pay for a slow one.
#[derive(Clone, Debug)]
pub struct KeyHash {
    /// The id in the key.
    pub id: String,
    /// SHA-256 of the whole text.
    pub digest: [u8; 32],
}

/// The text is not an id and a digest.
#[derive(Debug, thiserror::Error)]
#[error("must be the id of a key, a colon, and the SHA-256 of the key in hex")]
pub struct KeyHashError;

impl ApiKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn mint(ids: &dyn Ids) -> Result<Minted, NoRandomness> {
        let mut random = [0; ID_LENGTH];
        ids.fill(&mut random)?;
        let id: String = random
            .iter()
            .map(|byte| char::from(ID_ALPHABET[usize::from(*byte) % ID_ALPHABET.len()]))
            .collect();
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        ids.fill(bytes.as_mut())?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let text = format!("{PREFIX}{id}_{}", *secret);
        let sha256 = sha256(&text).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Minted { id, text: text.into(), sha256 })
    }

    /// The id of a key that somebody presents, and its digest; `None` if it is not in the form of a key.
    #[must_use]
    pub fn presented(text: &str) -> Option<(&str, [u8; 32])> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret).ok()?);
        (is_id(id) && bytes.len() == SECRET_BYTES).then(|| (id, sha256(text)))
    }
}

impl KeyHash {
    /// Whether a presented key is this one. The time it takes does not say how much of the digest is right.
    #[must_use]
    pub fn matches(&self, digest: &[u8; 32]) -> bool {
        verify_slices_are_equal(&self.digest, digest).is_ok()
    }
}

impl FromStr for KeyHash {
    type Err = KeyHashError;

    fn from_str(text: &str) -> Result<Self, KeyHashError> {
        let (id, hex) = text.split_once(':').filter(|(id, _)| is_id(id)).ok_or(KeyHashError)?;
        let digest = bytes(hex).ok_or(KeyHashError)?;
        Ok(Self { id: id.to_owned(), digest })
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| ID_ALPHABET.contains(&byte))
}

fn sha256(text: &str) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    sum
}

/// Reads 64 hex digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| value.try_into().ok()))
        .collect::<Option<_>>()?;
    let pairs: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { pairs.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;
    use crate::secret::ExposeSecret as _;

    #[expect(clippy::disallowed_methods, reason = "the test presents the key")]
    fn text(minted: &Minted) -> &str {
        minted.text.expose_secret()
    }

    fn hash(minted: &Minted) -> KeyHash {
        format!("{}:{}", minted.id, minted.sha256).parse().unwrap()
    }

    #[test]
    fn a_minted_key_is_known_again_by_what_was_kept_of_it() {
        // A hundred, for secrets with `_` and `-` in them.
        for _ in 0..100 {
            let minted = ApiKey::mint(&SystemIds).unwrap();
            let (id, digest) = ApiKey::presented(text(&minted)).unwrap();
            assert_eq!(id, minted.id);
            assert!(hash(&minted).matches(&digest));
            assert!(!minted.sha256.contains(text(&minted)));
            assert_eq!(text(&minted).len(), 60);
        }
    }

    #[test]
    fn no_other_key_matches() {
        let [one, other] = [(); 2].map(|()| ApiKey::mint(&SystemIds).unwrap());
        assert_ne!(one.id, other.id);
        assert!(!hash(&one).matches(&ApiKey::presented(text(&other)).unwrap().1));
        // The id of one with the secret of another.
        let mixed = text(&other).replace(&other.id, &one.id);
        let (id, digest) = ApiKey::presented(&mixed).unwrap();
        assert_eq!(id, one.id);
        assert!(!hash(&one).matches(&digest));
    }

    #[test]
    fn the_digest_is_what_sha256sum_gives() {
        let text = format!("omk_abcdefghijkl_{}", "A".repeat(43));
        let (id, digest) = ApiKey::presented(&text).unwrap();
        let kept = "abcdefghijkl:002b0e9dcb92a11b9f76b65a3870a64942849e01448b6cc7b0139747687a48d9";
        assert_eq!(id, "abcdefghijkl");
        assert!(kept.parse::<KeyHash>().unwrap().matches(&digest));
    }

    #[test]
    fn what_is_not_a_key_is_not_looked_up() {
        let secret = "A".repeat(43);
        for refused in [
            String::new(),
            "omk_".to_owned(),
            format!("abcdefghijkl_{secret}"),
            format!("OMK_abcdefghijkl_{secret}"),
            format!("omk_abcdefghijk_{secret}"),
            format!("omk_abcdefghijkL_{secret}"),
            format!("omk_abcdefghijkl{secret}"),
            format!("omk_abcdefghijkl_{secret}A"),
            format!("omk_abcdefghijkl_{}", &secret[1..]),
            format!("omk_abcdefghijkl_{}+", &secret[1..]),
            // Two texts for the same bytes would be two keys.
            format!("omk_abcdefghijkl_{}B", &secret[1..]),
            format!("omk_abcdefghijkl_{secret}="),
            format!(" omk_abcdefghijkl_{secret}"),
        ] {
            assert!(ApiKey::presented(&refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn what_is_kept_must_be_an_id_and_a_whole_digest() {
        let hex = "0f".repeat(32);
        assert!(format!("abcdefghijkl:{hex}").parse::<KeyHash>().is_ok());
        assert!(format!("abcdefghijkl:{}", hex.to_uppercase()).parse::<KeyHash>().is_ok());
        for refused in [
            hex.clone(),
            format!(":{hex}"),
            format!("abc:{hex}"),
            format!("abcdefghijkl:{hex}0"),
            format!("abcdefghijkl:{}", &hex[2..]),
            format!("abcdefghijkl:+{}", &hex[1..]),
            format!("abcdefghijkl: {}", &hex[1..]),
        ] {
            assert!(refused.parse::<KeyHash>().is_err(), "{refused}");
        }
    }
}
