//! Really encrypts: AES-256-GCM under a key that follows from the seed, the key's name and its version.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

/// What every ciphertext begins with; the version follows.
const MAGIC: &[u8] = b"fake-kms:";
const VERSION_LEN: usize = size_of::<u32>();

/// Encrypts to magic, version, nonce, ciphertext and tag.
pub(crate) fn encrypt(
    seed: &str,
    name: &str,
    version: u32,
    plain: &[u8],
    associated: &[u8],
) -> Option<Vec<u8>> {
    let mut text = plain.to_vec();
    let nonce = key(seed, name, version)?.seal_in_place_append_tag(Aad::from(associated), &mut text).ok()?;
    Some([MAGIC, &version.to_be_bytes(), nonce.as_ref(), &text].concat())
}

/// Decrypts what [`encrypt`] made under the same seed and name, with its version; `None` when it did not.
pub(crate) fn decrypt(seed: &str, name: &str, sealed: &[u8], associated: &[u8]) -> Option<(u32, Vec<u8>)> {
    let (version, rest) = sealed.strip_prefix(MAGIC)?.split_at_checked(VERSION_LEN)?;
    let version = u32::from_be_bytes(version.try_into().ok()?);
    let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let plain = key(seed, name, version)?.open_in_place(nonce, Aad::from(associated), &mut text).ok()?;
    Some((version, plain.to_vec()))
}

fn key(seed: &str, name: &str, version: u32) -> Option<RandomizedNonceKey> {
    let mut bytes = [0; 32];
    let root = Salt::new(HKDF_SHA256, b"fake-kms").extract(seed.as_bytes());
    let info = [name.as_bytes(), &version.to_be_bytes()];
    root.expand(&info, HKDF_SHA256).and_then(|material| material.fill(&mut bytes)).ok()?;
    RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()
}
