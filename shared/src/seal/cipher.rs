//! AES-256-GCM as everything here uses it: a key prepared once, random nonces, unambiguous associated data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::clock::NoRandomness;

/// How long every key is, in bytes.
pub(super) const KEY_LEN: usize = 32;

/// A key whose schedule is set up once. The library chooses each nonce at random, which holds for 2^32
/// texts per key (NIST SP 800-38D section 8.3), and zeroes the schedule when it is dropped.
pub(super) struct Cipher(RandomizedNonceKey);

impl Cipher {
    /// Prepares `key`; `None` unless it has [`KEY_LEN`] bytes.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, key).ok().map(Self)
    }

    /// Encrypts to nonce, ciphertext and tag, bound to `associated`.
    pub(super) fn seal(&self, associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        // Room for everything from the start: growing would leave a copy of the plaintext behind.
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        out.resize(NONCE_LEN, 0);
        out.extend_from_slice(plain);
        let (front, text) = out.split_at_mut(NONCE_LEN);
        let (nonce, tag) =
            self.0.seal_in_place_separate_tag(Aad::from(associated), text).map_err(|_| NoRandomness)?;
        front.copy_from_slice(nonce.as_ref());
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Decrypts in place what [`seal`](Self::seal) made; `None` when it was another key or `associated`,
    /// or anything was changed.
    pub(super) fn open<'a>(&self, associated: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.open_in_place(nonce, Aad::from(associated), text).ok()?;
        Some(plain)
    }
}

/// Each part behind its length, so that no two lists of parts give the same bytes.
pub(super) fn join<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut joined = Vec::with_capacity(160);
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_only_look_alike_when_run_together_differ() {
        let joined = |parts: &[&str]| join(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(joined(&["ab", "c"]), joined(&["a", "bc"]));
        assert_ne!(joined(&["a", ""]), joined(&["a"]));
    }

    #[test]
    fn refuses_a_key_of_another_length() {
        assert!(Cipher::new(&[0; 16]).is_none());
        assert!(Cipher::new(&[0; 33]).is_none());
    }

    #[test]
    fn never_seals_alike_twice() {
        let cipher = Cipher::new(&[7; KEY_LEN]).unwrap();
        assert_ne!(cipher.seal(b"", b"x").unwrap(), cipher.seal(b"", b"x").unwrap());
    }
}
