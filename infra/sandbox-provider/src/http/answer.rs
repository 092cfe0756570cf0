//! What an endpoint answers, with the outcome that is counted.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use futures_util::stream;
use serde_json::Value;

use crate::fault::{FaultBody, Respond};

/// An answer and its outcome.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    pub(crate) outcome: Cow<'static, str>,
    headers: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Json(Value),
    Html(String),
    Empty,
}

impl Answer {
    pub(crate) fn json(status: u16, outcome: &'static str, body: Value) -> Self {
        Self { status, outcome: Cow::Borrowed(outcome), headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn html(status: u16, outcome: &'static str, page: String) -> Self {
        Self { status, outcome: Cow::Borrowed(outcome), headers: Vec::new(), content: Content::Html(page) }
    }

    /// 302, as both vendors answer their own consent form.
    pub(crate) fn redirect(outcome: &'static str, to: String) -> Self {
        Self {
            status: 302,
            outcome: Cow::Borrowed(outcome),
            headers: vec![("location", to)],
            content: Content::Empty,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let (content_type, body) = match self.content {
            Content::Json(value) => (Some("application/json; charset=utf-8"), Body::from(value.to_string())),
            Content::Html(page) => (Some("text/html; charset=utf-8"), Body::from(page)),
            Content::Empty => (None, Body::empty()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status(self.status);
        let headers = response.headers_mut();
        // RFC 6749 §5.1 asks for it where tokens are answered; a consent page is no better kept.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// The canned answer of a fault.
pub(crate) fn canned(respond: Respond) -> Response<Body> {
    let (content_type, body) = match respond.body {
        FaultBody::Empty => (None, Body::empty()),
        FaultBody::Json(value) => (Some("application/json; charset=utf-8"), Body::from(value.to_string())),
        FaultBody::Text(text) if text.trim_start().starts_with('<') => {
            (Some("text/html; charset=utf-8"), Body::from(text))
        }
        FaultBody::Text(text) => (Some("application/json; charset=utf-8"), Body::from(text)),
        FaultBody::Size(bytes) => (Some("application/octet-stream"), Body::from(vec![b'x'; bytes])),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status(respond.status);
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in respond.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// No answer: hyper drops a connection whose body fails before the head has been flushed, without writing a byte.
pub(crate) fn hang_up() -> Response<Body> {
    let failure: Result<Vec<u8>, std::io::Error> =
        Err(std::io::Error::other("the sandbox was told to hang up"));
    Response::new(Body::from_stream(stream::iter([failure])))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
