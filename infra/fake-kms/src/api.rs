//! `POST /v1/{key}:encrypt` and `:decrypt`, with Cloud KMS's rules and refusals.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::stream;
use serde::de::DeserializeOwned;

use crate::fault::{self, Call, Corrupt, Effect};
use crate::message::{
    Base64, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, Int64, PROTECTION_LEVEL,
    Refusal,
};
use crate::{FakeKms, Key, cipher};

/// What is encrypted, and what it is bound to, may each be this long.
const MAX_LEN: usize = 64 * 1024;

pub(crate) fn routes() -> Router<FakeKms> {
    Router::new().route("/v1/{*call}", post(call))
}

async fn call(State(kms): State<FakeKms>, Path(path): Path<String>, body: Bytes) -> Response {
    let (name, call) = match path.rsplit_once(':') {
        Some((name, "encrypt")) => (name, Call::Encrypt),
        Some((name, "decrypt")) => (name, Call::Decrypt),
        Some(_) | None => return Refusal::not_found("Method not found.".to_owned()).into_response(),
    };
    let plan = {
        let mut state = kms.lock();
        state.count(call);
        let plan = fault::take(&mut state.faults, call);
        state.counters.faulted += u64::from(plan.wait > 0 || plan.end.is_some());
        plan
    };
    if plan.wait > 0 {
        tokio::time::sleep(Duration::from_millis(plan.wait)).await;
    }
    let corrupt = match plan.end {
        Some(Effect::Drop) => return hang_up(),
        Some(Effect::Refuse { code, status }) => {
            let message = "The fake was told to refuse.".to_owned();
            return Refusal { code, status, message }.into_response();
        }
        Some(Effect::Corrupt(corrupt)) => Some(corrupt),
        Some(Effect::Slow(_)) | None => None,
    };
    let answer = match call {
        Call::Encrypt => encrypt(&kms, name, &body, corrupt).map(|answer| Json(answer).into_response()),
        Call::Decrypt => decrypt(&kms, name, &body, corrupt).map(|answer| Json(answer).into_response()),
    };
    answer.unwrap_or_else(|refusal| {
        kms.lock().counters.refused += 1;
        refusal.into_response()
    })
}

fn encrypt(
    kms: &FakeKms,
    name: &str,
    body: &[u8],
    corrupt: Option<Corrupt>,
) -> Result<EncryptResponse, Refusal> {
    let request: EncryptRequest = parse(body)?;
    let Base64(mut plain) = request.plaintext;
    let Base64(associated) = request.additional_authenticated_data;
    change(&mut plain, corrupt == Some(Corrupt::Request));
    let verified_plaintext = verify("plaintext", &plain, request.plaintext_crc32c)?;
    let verified_associated =
        verify("additional_authenticated_data", &associated, request.additional_authenticated_data_crc32c)?;
    let (seed, key) = key(kms, name)?;
    let mut sealed = cipher::encrypt(&seed, name, key.primary, &plain, &associated)
        .ok_or_else(|| Refusal::invalid_argument("Encryption failed."))?;
    let checksum = checksum(&sealed, corrupt);
    change(&mut sealed, corrupt == Some(Corrupt::Data));
    let arrived = corrupt != Some(Corrupt::Verified);
    Ok(EncryptResponse {
        name: format!("{name}/cryptoKeyVersions/{}", key.primary),
        ciphertext: Base64(sealed),
        ciphertext_crc32c: checksum,
        verified_plaintext_crc32c: verified_plaintext && arrived,
        verified_additional_authenticated_data_crc32c: verified_associated && arrived,
        protection_level: PROTECTION_LEVEL,
    })
}

fn decrypt(
    kms: &FakeKms,
    name: &str,
    body: &[u8],
    corrupt: Option<Corrupt>,
) -> Result<DecryptResponse, Refusal> {
    let request: DecryptRequest = parse(body)?;
    let Base64(mut sealed) = request.ciphertext;
    let Base64(associated) = request.additional_authenticated_data;
    change(&mut sealed, corrupt == Some(Corrupt::Request));
    verify("ciphertext", &sealed, request.ciphertext_crc32c)?;
    verify("additional_authenticated_data", &associated, request.additional_authenticated_data_crc32c)?;
    let (seed, key) = key(kms, name)?;
    // The version is not looked up: after a restart, what a rotation before it encrypted decrypts as well.
    let (version, mut plain) = cipher::decrypt(&seed, name, &sealed, &associated)
        .ok_or_else(|| Refusal::invalid_argument("Decryption failed: the ciphertext is invalid."))?;
    let checksum = checksum(&plain, corrupt);
    change(&mut plain, corrupt == Some(Corrupt::Data));
    Ok(DecryptResponse {
        plaintext: Base64(plain),
        plaintext_crc32c: checksum,
        used_primary: version == key.primary,
        protection_level: PROTECTION_LEVEL,
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid_argument(format!("Invalid JSON payload received. {error}")))
}

fn key(kms: &FakeKms, name: &str) -> Result<(String, Key), Refusal> {
    let state = kms.lock();
    match state.keys.get(name) {
        None => Err(Refusal::not_found(format!("CryptoKey {name} not found."))),
        Some(key) if !key.enabled => Err(Refusal::failed_precondition(format!(
            "{name}/cryptoKeyVersions/{} is not enabled, current state is: DISABLED.",
            key.primary
        ))),
        Some(key) => Ok((state.seed.clone(), *key)),
    }
}

/// Checks length and checksum of a field; whether there was a checksum to check.
fn verify(field: &str, data: &[u8], sent: Option<Int64>) -> Result<bool, Refusal> {
    if data.len() > MAX_LEN {
        let problem = format!("The {field} is larger than the limit of {MAX_LEN} bytes.");
        return Err(Refusal::invalid_argument(problem));
    }
    match sent {
        Some(sent) if sent != Int64(crc32c::crc32c(data).into()) => Err(Refusal::invalid_argument(format!(
            "The checksum in field {field}_crc32c did not match the data in field {field}."
        ))),
        sent => Ok(sent.is_some()),
    }
}

fn checksum(data: &[u8], corrupt: Option<Corrupt>) -> Int64 {
    Int64(i64::from(crc32c::crc32c(data)) ^ i64::from(corrupt == Some(Corrupt::Checksum)))
}

/// Changes one bit, as it may happen on the way.
fn change(data: &mut [u8], on_the_way: bool) {
    if let Some(last) = data.last_mut() {
        *last ^= u8::from(on_the_way);
    }
}

/// No answer: hyper drops a connection whose body fails before the head has been flushed, without writing a byte.
fn hang_up() -> Response {
    let failure: Result<Vec<u8>, std::io::Error> = Err(std::io::Error::other("the fake was told to hang up"));
    Response::new(Body::from_stream(stream::iter([failure])))
}
