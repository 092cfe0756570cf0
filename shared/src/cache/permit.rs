//! What is asked of a rate limit: permits, under a key, at a rate.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::Rate;

/// What a limit is kept under: a digest, as what it is made of can be long, hold any character and name a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermitKey([u8; 32]);

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
    /// Of parts, each behind its length, so that none run together.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in parts {
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
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

    #[test]
    fn parts_do_not_run_together() {
        assert_eq!(PermitKey::new(&["a", "b"]), PermitKey::new(&["a", "b"]));
        for other in [&["ab", ""][..], &["", "ab"], &["a", "b", ""], &["a1:b"], &["b", "a"]] {
            assert_ne!(PermitKey::new(&["a", "b"]), PermitKey::new(other));
        }
    }
}
