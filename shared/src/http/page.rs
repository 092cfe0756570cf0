//! Pages for people: how a connect ended, and the frame that the documentation shares with it.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::respond::Problem;
use super::trace::request_id;

const STYLE: &str = include_str!("page.css");

/// Nothing may be loaded or sent, and only our own style applies (CSP Level 3, section 6.7.3.3).
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = hash(STYLE);
    HeaderValue::from_str(&format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ))
    .ok()
});

/// A page of ours, in UTF-8, under a policy that lets it load nothing; never stored, never a referrer.
#[must_use]
pub fn html(status: StatusCode, page: String) -> Response {
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Without a policy of its own the page gets the stricter one of `layers`: unstyled, never open.
    if let Some(policy) = POLICY.as_ref() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

/// A page of ours that runs one script of ours, which may call us and nobody else.
#[must_use]
pub fn scripted_page(status: StatusCode, title: &str, body: &str, script: &str) -> Response {
    let page = frame(title, &format!("{body}<script>{script}</script>"));
    let mut response = html(status, page);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(script),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()))
}

/// The end of a connect, for the person in front of the browser: 200 when `ok`, else 400.
#[must_use]
pub fn result_page(title: &str, message: &str, ok: bool) -> Response {
    let status = if ok { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    result_page_with(status, title, message, ok)
}

impl Problem {
    /// The same problem as a page, for a person's browser.
    #[must_use]
    pub fn into_page(self) -> Response {
        let (title, detail) = self.title_and_detail();
        self.noted_on(result_page_with(self.http_status(), title, detail, false))
    }
}

fn result_page_with(status: StatusCode, title: &str, message: &str, ok: bool) -> Response {
    let (class, mark) = if ok { ("ok", "✓") } else { ("bad", "!") };
    let reference = match request_id() {
        Some(id) if !ok => format!("<p class=\"fine\">Reference: <code>{}</code></p>", escape(&id)),
        Some(_) | None => String::new(),
    };
    let body = format!(
        "<main class=\"result {class}\"><div class=\"mark\" aria-hidden=\"true\">{mark}</div>\
         <h1>{}</h1><p>{}</p>{reference}</main>",
        escape(title),
        escape(message),
    );
    html(status, frame(title, &body))
}

/// A whole document around `body`, which is markup; `title` is text.
pub(super) fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>",
        escape(title),
    )
}

/// Text as it may stand in markup and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Whether a client is better served with a page: unless it names JSON, and before HTML.
#[must_use]
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(|range| range.trim().to_ascii_lowercase())
        .find_map(|range| match range.as_str() {
            "text/html" | "application/xhtml+xml" => Some(true),
            "application/json" | "application/problem+json" => Some(false),
            _ => None,
        })
        .unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    async fn text(response: Response) -> String {
        let body = axum::body::to_bytes(response.into_body(), 65_536).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn escapes_what_it_is_given() {
        let page = text(result_page("<b>Hi</b>", "\"><script>alert('x')</script>&", false)).await;
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;b&gt;Hi&lt;/b&gt;"), "{page}");
    }

    #[tokio::test]
    async fn loads_nothing_and_allows_exactly_its_own_style() {
        let response = result_page("Connected", "You can close this window.", true);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
        let page = text(response).await;
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = BASE64_STANDARD.encode(digest(&SHA256, style.as_bytes()));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        for loads in ["src=", "href=", "url(", "@import", " style=", "<script"] {
            assert!(!page.contains(loads), "{loads}");
        }
    }

    #[tokio::test]
    async fn a_problem_keeps_its_status_as_a_page() {
        let response = Problem::new(Code::StateInvalid).detail("Start again.").into_page();
        assert_eq!(response.status(), 400);
        assert!(text(response).await.contains("Start again."));
    }

    #[test]
    fn a_client_gets_json_when_it_names_it_first_and_a_page_otherwise() {
        let prefers = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            prefers_html(&headers)
        };
        assert!(prefers_html(&HeaderMap::new()));
        assert!(prefers("*/*"));
        assert!(prefers("text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"));
        assert!(!prefers("application/json"));
        assert!(!prefers("Application/JSON, text/plain, */*"));
        assert!(!prefers("application/problem+json"));
    }
}
