//! Reads a request into what the endpoints look at: headers, query and form, before any lock is taken.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, Method, header},
};
use url::form_urlencoded;

// A provider request is a form of a few values.
const BODY_LIMIT: usize = 256 * 1024;

/// One call of a provider's endpoint.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    /// The query string as it came.
    pub(crate) raw_query: String,
    pub(crate) query: Params,
    pub(crate) form: Params,
    /// Whether the body claimed to be a form, or was empty.
    pub(crate) is_form: bool,
}

/// Parameters in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value, unless it is empty: a parameter without a value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A name that came more than once, which RFC 6749 §3.1 forbids.
    pub(crate) fn duplicate(&self) -> Option<&str> {
        self.0
            .iter()
            .enumerate()
            .find(|(at, (key, _))| self.0[..*at].iter().any(|(earlier, _)| earlier == key))
            .map(|(_, (key, _))| key.as_str())
    }
}

impl Call {
    /// Reads the request; an unreadable body is an empty form that is not one.
    pub(crate) async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        let (bytes, readable) = match to_bytes(body, BODY_LIMIT).await {
            Ok(bytes) => (bytes, true),
            Err(_) => (axum::body::Bytes::new(), false),
        };
        let typed =
            parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(
                |value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"),
            );
        let is_form = readable && (typed || bytes.is_empty());
        Self {
            method: parts.method,
            headers: parts.headers,
            query: Params::parse(raw_query.as_bytes()),
            raw_query,
            form: if is_form { Params::parse(&bytes) } else { Params::default() },
            is_form,
        }
    }

    /// What follows the scheme in `Authorization`, compared without case (RFC 9110 §11.1).
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (given, rest) = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then_some(rest.trim())
    }
}
