//! Mints codes and tokens that look like the vendors' own: same prefixes and alphabets, random bodies.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::slack::Kind;

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";

/// `<digits>.<digits>.<64 hex>`: a Slack authorization code.
pub(crate) fn slack_code() -> Arc<str> {
    format!("{}.{}.{}", pick(DIGITS, 10), pick(DIGITS, 13), pick(HEX, 64)).into()
}

/// `xoxb-…`/`xoxp-…` without rotation, `xoxe.xoxb-1-…`/`xoxe.xoxp-1-…` with it.
pub(crate) fn slack_access(kind: Kind, rotating: bool) -> Arc<str> {
    let prefix = match kind {
        Kind::Bot => "xoxb",
        Kind::User => "xoxp",
    };
    if rotating {
        format!("xoxe.{prefix}-1-{}", pick(ALPHANUMERIC, 120)).into()
    } else {
        format!("{prefix}-{}-{}-{}", pick(DIGITS, 12), pick(DIGITS, 13), pick(ALPHANUMERIC, 24)).into()
    }
}

/// `xoxe-1-…`: a Slack refresh token.
pub(crate) fn slack_refresh() -> Arc<str> {
    format!("xoxe-1-{}", pick(ALPHANUMERIC, 120)).into()
}

/// `4/0A…`: a Google authorization code.
pub(crate) fn google_code() -> Arc<str> {
    format!("4/0A{}", url_safe(51)).into()
}

/// `ya29.a0…`: a Google access token.
pub(crate) fn google_access() -> Arc<str> {
    format!("ya29.a0{}", url_safe(120)).into()
}

/// `1//0…`: a Google refresh token.
pub(crate) fn google_refresh() -> Arc<str> {
    format!("1//0{}", url_safe(72)).into()
}

fn url_safe(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    fill(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}

// A byte modulo 62 favours the first letters a little: these tokens guard nothing but a test.
fn pick(alphabet: &[u8], length: usize) -> String {
    let mut buffer = vec![0; length];
    fill(&mut buffer);
    buffer.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}

// Fails only while the operating system has no randomness; there is nothing better to do than to ask again.
fn fill(buffer: &mut [u8]) {
    while aws_lc_rs::rand::fill(buffer).is_err() {
        std::thread::yield_now();
    }
}
