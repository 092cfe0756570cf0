//! Checked input: a JSON body, a query, the `:id` of a path. What does not fit is refused by name.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::faults::{field_problem, parse_json};
use super::layers::{BODY_LIMIT, too_large};
use super::respond::Problem;
use crate::domain::ConnectionId;
use crate::error::Code;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A JSON body. `T` denies unknown fields (`#[serde(deny_unknown_fields)]`).
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

/// A JSON body that may be left out, or `null`: `T::default()` then.
#[derive(Debug, Clone)]
pub struct OptionalBody<T>(pub T);

/// The query of a URL. `T` denies unknown fields, so that a misspelt filter is not ignored.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// The one parameter of a path, where it is checked text.
#[derive(Debug, Clone)]
pub struct Segment<T>(pub T);

/// The connection in the path parameter `id`.
#[derive(Debug, Clone, Copy)]
pub struct Id(pub ConnectionId);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        parse_json(&read_body(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = check_content_type(request.headers());
        let bytes = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        content_type?;
        parse_json::<Option<T>>(&bytes).map(|body| Self(body.unwrap_or_default()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(query_problem(&rejection)),
        }
    }
}

impl<T: TryFrom<String, Error: ToString>, S: Send + Sync> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::field("path", "must be UTF-8"))?;
        let Some((name, text)) = parameters.iter().next() else { return Err(Problem::new(Code::Internal)) };
        T::try_from(text.to_owned()).map(Self).map_err(|why| Problem::field(name, why.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        parameters
            .ok()
            .and_then(|all| all.iter().find(|(name, _)| *name == "id")?.1.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::new(Code::ConnectionNotFound).detail("No connection has this id."))
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if is_json {
        return Ok(());
    }
    Err(Problem::field("content-type", "must be application/json").status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// Reads a body of at most [`BODY_LIMIT`], whatever it is.
///
/// # Errors
/// `invalid_request` when it is larger, ends too early, or takes longer than ten seconds to arrive.
pub async fn read_body(request: Request) -> Result<axum::body::Bytes, Problem> {
    read_body_within(request, BODY_WITHIN).await
}

async fn read_body_within(request: Request, limit: Duration) -> Result<axum::body::Bytes, Problem> {
    let read = axum::body::to_bytes(request.into_body(), BODY_LIMIT);
    let Ok(read) = tokio::time::timeout(limit, read).await else {
        let problem = Problem::field("body", "did not arrive within 10 seconds");
        return Err(problem.status(StatusCode::REQUEST_TIMEOUT));
    };
    read.map_err(|error| {
        // The other reason is a caller that stopped sending, who will hardly read this.
        let limit =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if limit { too_large() } else { Problem::field("body", "ended too early") }
    })
}

/// axum keeps the field only in the chain of causes.
fn query_problem(rejection: &axum::extract::rejection::QueryRejection) -> Problem {
    type Named = serde_path_to_error::Error<serde::de::value::Error>;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(rejection);
    while let Some(error) = cause {
        if let Some(named) = error.downcast_ref::<Named>() {
            let found = field_problem(named.path(), &named.inner().to_string());
            return Problem::field(found.field, found.problem);
        }
        cause = error.source();
    }
    Problem::field("query", "is not valid")
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use serde::Deserialize;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::domain::UserId;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Asked {
        user_id: UserId,
        #[serde(default)]
        scopes: Vec<String>,
        kind: Option<crate::domain::TokenKind>,
        nested: Option<Nested>,
        connection_id: Option<ConnectionId>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Nested {
        min_ttl: u16,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Listed {
        limit: Option<u8>,
        user_id: Option<UserId>,
    }

    fn router() -> axum::Router {
        let asked = |Body(asked): Body<Asked>| async move {
            let ttl = asked.nested.map_or(0, |nested| nested.min_ttl);
            let id = asked.connection_id.is_some();
            format!("{} {} {:?} {ttl} {id}", asked.user_id, asked.scopes.len(), asked.kind)
        };
        let listed = |Query(query): Query<Listed>| async move {
            format!("{:?} {}", query.limit, query.user_id.is_some())
        };
        axum::Router::new()
            .route("/body", post(asked))
            .route(
                "/optional",
                post(|OptionalBody(Listed { limit, .. })| async move { format!("{limit:?}") }),
            )
            .route("/query", get(listed))
            .route("/id/{id}", get(|Id(id): Id| async move { id.to_string() }))
            .route("/user/{user}", get(|Segment(user): Segment<UserId>| async move { user.to_string() }))
    }

    async fn send(request: axum::http::Result<Request>) -> (u16, Value) {
        let response = router().oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
        let text = || Value::from(String::from_utf8_lossy(&body).into_owned());
        (status, serde_json::from_slice(&body).unwrap_or_else(|_| text()))
    }

    async fn post_json(path: &str, body: &str) -> (u16, Value) {
        let request = Request::post(path).header("content-type", "application/json; charset=utf-8");
        send(request.body(body.to_owned().into())).await
    }

    async fn get_path(path: &str) -> (u16, Value) {
        send(Request::get(path).body(axum::body::Body::empty())).await
    }

    fn assert_refused((status, answer): (u16, Value), field: &str, problem: &str) {
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["code"], "invalid_request");
        assert_eq!(answer["errors"], json!([{"field": field, "problem": problem}]));
    }

    #[tokio::test]
    async fn takes_what_fits() {
        let body = r#"{"userId":"u","kind":"bot","nested":{"minTtl":5}}"#;
        assert_eq!(post_json("/body", body).await, (200, "u 0 Some(Bot) 5 false".into()));
    }

    #[tokio::test]
    async fn names_the_field_of_a_body_that_is_missing_unknown_repeated_empty_or_of_another_type() {
        for (body, field, problem) in [
            (r"{}", "userId", "is missing"),
            (r#"{"userId":"u","usrId":"u"}"#, "usrId", "is not known here"),
            (r#"{"userId":"u","userId":"v"}"#, "userId", "is given twice"),
            (r#"{"userId":""}"#, "userId", "must not be empty"),
            (r#"{"userId":"a\u0000"}"#, "userId", "must not contain control characters"),
            (r#"{"userId":7}"#, "userId", "must be a string"),
            (r#"{"userId":null}"#, "userId", "must be a string"),
            (r#"{"userId":"u","scopes":["a",7]}"#, "scopes[1]", "must be a string"),
            (r#"{"userId":"u","kind":"xoxb-1"}"#, "kind", "must be `bot` or `user`"),
            (r#"{"userId":"u","nested":{}}"#, "nested.minTtl", "is missing"),
            (r#"{"userId":"u","nested":{"minTtl":1,"x":2}}"#, "nested.x", "is not known here"),
            (r#"{"userId":"u","nested":{"minTtl":-1}}"#, "nested.minTtl", "must be a whole number in range"),
            (r#"{"userId":"u","nested":7}"#, "nested", "must be an object"),
            (r#"{"userId":"u","scopes":"a b"}"#, "scopes", "must be a list"),
            ("7", "body", "must be an object"),
        ] {
            assert_refused(post_json("/body", body).await, field, problem);
        }
    }

    #[tokio::test]
    async fn never_repeats_a_value() {
        for body in [
            r#"{"userId":{"xoxb-secret":1}}"#,
            r#"{"userId":"u","scopes":"xoxb-secret"}"#,
            r#"{"userId":"u","kind":"xoxb-secret, expected `x"}"#,
            r#"{"userId":"u","connectionId":"xoxb-secret"}"#,
            r#""xoxb-secret""#,
            r#"{"userId":"u","nested":{"minTtl":"xoxb-secret"}}"#,
        ] {
            let (status, answer) = post_json("/body", body).await;
            assert_eq!(status, 400);
            assert!(!answer.to_string().contains("xoxb-secret"), "{answer}");
        }
    }

    #[tokio::test]
    async fn says_where_a_body_is_no_json() {
        assert_refused(post_json("/body", "").await, "body", "must not be empty");
        let problem = "is not valid JSON (line 1, column 13)";
        assert_refused(post_json("/body", r#"{"userId":"u""#).await, "body", problem);
        let problem = "is not valid JSON (line 1, column 16)";
        assert_refused(post_json("/body", r#"{"userId":"u"} x"#).await, "body", problem);
    }

    #[tokio::test]
    async fn refuses_other_content_types_with_415() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
            let request = Request::post("/body").header("content-type", content_type);
            let (status, answer) = send(request.body(r#"{"userId":"u"}"#.into())).await;
            assert_eq!(status, 415);
            assert_eq!(answer["status"], 415);
            assert_eq!(answer["errors"][0]["field"], "content-type");
        }
        assert_eq!(send(Request::post("/body").body("{}".into())).await.0, 415);
    }

    #[tokio::test]
    async fn refuses_more_than_64_kib_with_413_whether_announced_or_not() {
        let body = format!(r#"{{"userId":"{}"}}"#, "x".repeat(BODY_LIMIT));
        let (status, answer) = post_json("/body", &body).await;
        assert_eq!((status, &answer["errors"][0]["field"]), (413, &"body".into()));
    }

    #[tokio::test]
    async fn a_body_that_arrives_byte_by_byte_is_refused_with_408() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        const SOON: Duration = Duration::from_millis(50);
        let router = axum::Router::new()
            .route("/", post(|request: Request| async { read_body_within(request, SOON).await }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        let mut answer = Vec::with_capacity(4096);
        // Each byte comes well before the limit.
        while tokio::time::timeout(SOON / 10, connection.read_buf(&mut answer)).await.is_err() {
            connection.write_all(b" ").await.unwrap();
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("did not arrive within 10 seconds"), "{answer}");
    }

    #[tokio::test]
    async fn an_optional_body_may_be_absent_but_not_wrong() {
        assert_eq!(send(Request::post("/optional").body("".into())).await, (200, "None".into()));
        assert_eq!(post_json("/optional", "").await, (200, "None".into()));
        assert_eq!(post_json("/optional", "null").await, (200, "None".into()));
        assert_eq!(post_json("/optional", r#"{"limit":3}"#).await, (200, "Some(3)".into()));
        assert_refused(post_json("/optional", r#"{"x":3}"#).await, "x", "is not known here");
        assert_refused(post_json("/optional", "7").await, "body", "must be an object");
        assert_eq!(send(Request::post("/optional").body("{}".into())).await.0, 415);
    }

    #[tokio::test]
    async fn names_the_parameter_of_a_query_that_is_unknown_repeated_or_of_another_type() {
        assert_eq!(get_path("/query?limit=7&userId=a%20b").await, (200, "Some(7) true".into()));
        for (query, field, problem) in [
            ("limt=7", "limt", "is not known here"),
            ("limit=7&limit=8", "limit", "is given twice"),
            ("limit=900", "limit", "must be a whole number in range"),
            ("limit=", "limit", "must be a whole number in range"),
            ("limit=x", "limit", "must be a whole number in range"),
            ("userId=", "userId", "must not be empty"),
        ] {
            assert_refused(get_path(&format!("/query?{query}")).await, field, problem);
        }
    }

    #[tokio::test]
    async fn an_id_that_is_none_is_a_connection_that_is_not_found() {
        let id = "2f1c5b9e-64a5-4a0e-9d33-0a5f6f0d7c11";
        assert_eq!(get_path(&format!("/id/{id}")).await, (200, id.into()));
        for other in ["7", "x", "%00", "..%2f"] {
            let (status, answer) = get_path(&format!("/id/{other}")).await;
            assert_eq!((status, &answer["code"]), (404, &"connection_not_found".into()));
        }
    }

    #[tokio::test]
    async fn a_segment_that_does_not_fit_is_named_and_one_that_is_no_text_is_refused() {
        assert_eq!(get_path("/user/a%2Fb%20%C3%A9").await, (200, "a/b é".into()));
        assert_refused(get_path("/user/a%00").await, "user", "must not contain control characters");
        let long = format!("/user/{}", "x".repeat(257));
        assert_refused(get_path(&long).await, "user", "must be at most 256 characters");
        assert_refused(get_path("/user/%ff").await, "path", "must be UTF-8");
    }
}
