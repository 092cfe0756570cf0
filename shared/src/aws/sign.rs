//! AWS Signature Version 4 for the one kind of request that we send: `POST /`, no query, a body
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign as mac};
use zeroize::Zeroizing;

use super::Account;
use crate::domain::Timestamp;
use crate::secret::ExposeSecret as _;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const METHOD: &str = "POST";

/// `X-Amz-Date`: the time in ISO 8601's basic format, to the second.
pub(super) fn date(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    let digits: String = seconds.chars().filter(|each| !matches!(each, '-' | ':')).collect();
    format!("{digits}Z")
}

/// The value of `Authorization` for a request of `service` with these headers, in lower case and in the order of their names,
/// `x-amz-date` among them, at `date`.
#[expect(clippy::disallowed_methods, reason = "the role's key signs the request")]
pub(super) fn authorization(
    account: &Account,
    service: &str,
    date: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let Account { region, access_key_id, .. } = account;
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let request =
        Zeroizing::new(format!("{METHOD}\n/\n\n{lines}\n{names}\n{}", hex(digest(&SHA256, body).as_ref())));
    let day = date.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign =
        format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(digest(&SHA256, request.as_bytes()).as_ref()));

    let secret = Zeroizing::new(format!("AWS4{}", account.secret_access_key.expose_secret()));
    let key = [day, region, service, "aws4_request"]
        .iter()
        .fold(Key::new(HMAC_SHA256, secret.as_bytes()), |key, part| derived(mac(&key, part.as_bytes())));
    let signature = hex(mac(&key, to_sign.as_bytes()).as_ref());
    format!("{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}")
}

fn derived(tag: Tag) -> Key {
    Key::new(HMAC_SHA256, tag.as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
