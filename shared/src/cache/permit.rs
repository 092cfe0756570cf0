//! What is asked of a rate limit: permits, under a key, at a rate.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Rate;

/// What a limit is kept under: a digest, as what it is made of can be long, hold any character and name a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermitKey([u8; 32]);

impl Hash for PermitKey {
    /// Of a digest any eight bytes are as good as all.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0[..8]);
    }
}

/// Some permits of one key.
#[derive(Clone, Copy, Debug)]
pub struct PermitAsk {
    /// Whose.
    pub key: PermitKey,
    /// How many there are.
    pub rate: Rate,
    /// How many are taken at most; at least one is.
    pub most: u32,
}

impl PermitKey {
    /// Of parts, each behind its length, so that none run together, and of the rate: one that is changed begins anew.
    #[must_use]
    pub fn new(parts: &[&str], rate: Rate) -> Self {
        // Each call makes some of these: no text is formatted for them.
        let mut bytes = Vec::with_capacity(128);
        for part in parts {
            bytes.extend_from_slice(&part.len().to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        for number in [u64::from(rate.count()), rate.per().as_secs(), u64::from(rate.burst())] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        Self(key)
    }

    /// A number below 65 536 that is the same for the same key, and for few others.
    #[must_use]
    pub const fn spread(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }
}

impl fmt::Display for PermitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> PermitKey {
        PermitKey::new(parts, "1/s".parse().unwrap())
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        for other in [&["ab", ""][..], &["", "ab"], &["a", "b", ""], &["a1:b"], &["b", "a"]] {
            assert_ne!(key(&["a", "b"]), key(other));
        }
    }
}
