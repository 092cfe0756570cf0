//! Proof keys for code exchange: the verifier stays here, its challenge goes with the browser (RFC 7636).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::clock::{Ids, NoRandomness};

/// A new code verifier: 256 random bits in 43 characters (RFC 7636 section 4.1). It is a secret.
///
/// # Errors
/// When there is no randomness.
pub fn verifier(ids: &dyn Ids) -> Result<String, NoRandomness> {
    let mut bytes = Zeroizing::new([0; 32]);
    ids.fill(bytes.as_mut())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    #[test]
    fn gives_the_challenge_of_the_standard() {
        // RFC 7636 appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn every_verifier_is_new_and_long_enough() {
        let [one, two] = [verifier(&SystemIds).unwrap(), verifier(&SystemIds).unwrap()];
        assert_ne!(one, two);
        assert_eq!(one.len(), 43);
    }
}
