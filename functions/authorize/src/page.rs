//! `GET /connect`: our own page with a button per provider, for a browser with a connect session in its fragment.

use axum::http::StatusCode;
use axum::response::Response;
use shared::flow::start::OWN_PAGE;
use shared::http::scripted_page;

/// Where it is.
pub(crate) const PATH: &str = OWN_PAGE;

/// The page. The session is in the URL's fragment, which never leaves the browser; the script takes it out
/// of the address bar and sends it as a bearer token.
pub(crate) async fn page() -> Response {
    scripted_page(
        StatusCode::OK,
        "Connect your accounts",
        include_str!("connect.html"),
        include_str!("connect.js"),
    )
}
