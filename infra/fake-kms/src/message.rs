//! The JSON of the two calls, and Google's error JSON.
//!
//! Bytes are base64 and 64-bit numbers are text, as everywhere in Google's REST APIs; cloud.google.com/kms/docs/reference/rest.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EncryptRequest {
    /// Also in the path, which counts.
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default)]
    pub(crate) plaintext: Base64,
    #[serde(default)]
    pub(crate) additional_authenticated_data: Base64,
    pub(crate) plaintext_crc32c: Option<Int64>,
    pub(crate) additional_authenticated_data_crc32c: Option<Int64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EncryptResponse {
    pub(crate) name: String,
    pub(crate) ciphertext: Base64,
    pub(crate) ciphertext_crc32c: Int64,
    pub(crate) verified_plaintext_crc32c: bool,
    pub(crate) verified_additional_authenticated_data_crc32c: bool,
    pub(crate) protection_level: &'static str,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DecryptRequest {
    /// Also in the path, which counts.
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default)]
    pub(crate) ciphertext: Base64,
    #[serde(default)]
    pub(crate) additional_authenticated_data: Base64,
    pub(crate) ciphertext_crc32c: Option<Int64>,
    pub(crate) additional_authenticated_data_crc32c: Option<Int64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecryptResponse {
    pub(crate) plaintext: Base64,
    pub(crate) plaintext_crc32c: Int64,
    pub(crate) used_primary: bool,
    pub(crate) protection_level: &'static str,
}

/// What every key of this fake is kept in.
pub(crate) const PROTECTION_LEVEL: &str = "SOFTWARE";

#[derive(Debug, Default)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("Base64 decoding failed"))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int64(pub(crate) i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Number(i64),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

impl Serialize for Int64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A refusal, as `google.rpc.Status` in JSON.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) status: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self { code: 400, status: "INVALID_ARGUMENT".to_owned(), message: message.into() }
    }

    pub(crate) fn failed_precondition(message: String) -> Self {
        Self { code: 400, status: "FAILED_PRECONDITION".to_owned(), message }
    }

    pub(crate) fn not_found(message: String) -> Self {
        Self { code: 404, status: "NOT_FOUND".to_owned(), message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { code, status, message } = self;
        let body: Value = json!({"error": {"code": code, "message": message, "status": status}});
        let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (code, Json(body)).into_response()
    }
}
