//! The error answer: RFC 9457 problem details with one of the public codes.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::trace::request_id;
use crate::domain::{ConnectionId, ProviderId, Scopes, StatusReason, TenantId, UserId};
use crate::error::{Actor, Code};

/// What every unexpected failure says: causes go to the log only.
const INTERNAL: &str = "Something failed here that should not; the log has the cause under this requestId.";

/// An error answer (RFC 9457), `application/problem+json`.
///
/// Small to return: what it says is boxed.
#[derive(Clone, Debug)]
pub struct Problem(Box<Details>);

/// What an error answer says.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
struct Details {
    /// A stable URI per code: `urn:oauth-management-service:error:{code}`; see `docs/errors.md`.
    #[serde(rename = "type")]
    #[schema(example = "urn:oauth-management-service:error:connection_not_found")]
    kind: String,
    /// The code in words, always the same for a code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: Cow<'static, str>,
    /// Which of the documented failures it is.
    code: Code,
    /// The request, as in `x-request-id` and in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required)]
    request_id: Option<String>,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// Who has to act.
    actor: Actor,
    /// Seconds after which a retry makes sense; also the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The body to send to `POST /api/v1/oauth/authorize`, so that the user can connect again.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize_hint: Option<AuthorizeHint>,
    /// The connection it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<ConnectionId>,
    /// The provider's own name for the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_error: Option<String>,
    /// Why the connection can't give a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<StatusReason>,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The connections that match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
}

/// A field that is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its path, such as `scopes[0]`; `body` for a body as a whole, the name of a header or parameter.
    pub field: String,
    /// What is wrong with it; never its value.
    pub problem: String,
}

/// One of several connections that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The connection; send it as `connectionId` to choose it.
    pub connection_id: ConnectionId,
    /// The workspace at the provider.
    pub team_id: Option<String>,
    /// The e-mail, for people to tell candidates apart.
    pub email: Option<String>,
}

/// The body of `POST /api/v1/oauth/authorize` that lets the user connect again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeHint {
    /// The user.
    pub user_id: UserId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The provider.
    pub provider: ProviderId,
    /// The connection to renew in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// The scopes to ask for, when not the default ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
    /// The scopes to ask for on the user's behalf (Slack).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_scopes: Option<Scopes>,
    /// The workspace to preselect (Slack).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
}

impl Problem {
    /// A problem with everything that follows from its code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let meaning = code.meaning();
        Self(Box::new(Details {
            kind: format!("urn:oauth-management-service:error:{}", code.as_str()),
            title: meaning.title,
            status: meaning.status,
            detail: Cow::Borrowed(if code == Code::Internal { INTERNAL } else { "" }),
            code,
            request_id: None,
            retryable: meaning.retryable,
            actor: meaning.actor,
            retry_after: None,
            authorize_hint: None,
            connection_id: None,
            provider_error: None,
            status_reason: None,
            errors: Vec::new(),
            candidates: Vec::new(),
        }))
    }

    /// `invalid_request` because of one field.
    #[must_use]
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        Self::new(Code::InvalidRequest).detail(format!("{field}: {problem}")).error(field, problem)
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// What is wrong, for a person to read: never a secret. An `internal` problem keeps its fixed text.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        if self.0.code != Code::Internal {
            self.0.detail = detail.into();
        }
        self
    }

    /// Another status than the code's, where HTTP has a more precise one (404, 405, 408, 413, 414, 415, 431).
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status.as_u16();
        self
    }

    /// When to try again, rounded up to whole seconds and at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// The connection it is about.
    #[must_use]
    pub fn connection(mut self, id: ConnectionId) -> Self {
        self.0.connection_id = Some(id);
        self
    }

    /// How the user can connect again.
    #[must_use]
    pub fn authorize_hint(mut self, hint: AuthorizeHint) -> Self {
        self.0.authorize_hint = Some(hint);
        self
    }

    /// The provider's own name for the error (RFC 6749 section 5.2, or the vendor's list).
    #[must_use]
    pub fn provider_error(mut self, error: impl Into<String>) -> Self {
        self.0.provider_error = Some(error.into());
        self
    }

    /// Why the connection can't give a token, and with that who must act first.
    #[must_use]
    pub fn status_reason(mut self, reason: StatusReason) -> Self {
        self.0.status_reason = Some(reason);
        self.0.actor = reason.actor();
        self
    }

    /// One more field that is wrong.
    #[must_use]
    pub fn error(mut self, field: impl Into<String>, problem: impl Into<String>) -> Self {
        self.0.errors.push(FieldProblem { field: field.into(), problem: problem.into() });
        self
    }

    /// The connections that match.
    #[must_use]
    pub fn candidates(mut self, candidates: Vec<Candidate>) -> Self {
        self.0.candidates = candidates;
        self
    }

    pub(super) fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn title_and_detail(&self) -> (&'static str, &str) {
        (self.0.title, &self.0.detail)
    }
}

/// What a refusal says, as a response extension, for whoever records what became of the call.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) detail: Cow<'static, str>,
}

impl Problem {
    /// Notes on a response of another form (a page, a redirect) that it is this refusal.
    #[must_use]
    pub fn noted_on(&self, mut response: Response) -> Response {
        let Details { code, detail, .. } = &*self.0;
        response.extensions_mut().insert(Refusal { code: *code, detail: detail.clone() });
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.http_status();
        let mut details = self.0;
        details.request_id = request_id();
        // Serializing strings and numbers can't fail; the status alone would still be an answer.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = details.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Refusal { code: details.code, detail: details.detail });
        let headers = response.headers_mut();
        if details.code == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Details::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        Details::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    async fn json_of(problem: Problem) -> Value {
        let body = problem.into_response().into_body();
        serde_json::from_slice(&to_bytes(body, 65_536).await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn says_what_follows_from_the_code_and_leaves_out_what_does_not_apply() {
        let problem = Problem::new(Code::ProviderUnavailable).detail("Slack does not answer.");
        assert_eq!(
            json_of(problem).await,
            json!({
                "type": "urn:oauth-management-service:error:provider_unavailable",
                "title": "The provider is not available",
                "status": 503,
                "detail": "Slack does not answer.",
                "code": "provider_unavailable",
                "retryable": true,
                "actor": "provider",
            })
        );
    }

    #[tokio::test]
    async fn an_internal_problem_keeps_its_fixed_text() {
        let problem = Problem::new(Code::Internal).detail("password is hunter2");
        assert_eq!(json_of(problem).await["detail"], INTERNAL);
    }

    #[tokio::test]
    async fn names_fields_candidates_and_the_way_back() {
        let id = ConnectionId::new(uuid::Uuid::nil());
        let hint = AuthorizeHint {
            user_id: "u".parse().unwrap(),
            tenant_id: "t".parse().unwrap(),
            provider: "slack".parse().unwrap(),
            connection_id: Some(id),
            scopes: None,
            user_scopes: None,
            team_id: None,
        };
        let problem = Problem::field("scopes[0]", "must not be empty")
            .candidates(vec![Candidate { connection_id: id, team_id: None, email: None }])
            .status_reason(StatusReason::GrantExpired)
            .authorize_hint(hint);
        let json = json_of(problem).await;
        assert_eq!(json["errors"], json!([{"field": "scopes[0]", "problem": "must not be empty"}]));
        assert_eq!(json["candidates"], json!([{"connectionId": id, "teamId": null, "email": null}]));
        assert_eq!(json["statusReason"], "grant_expired");
        assert_eq!(
            json["authorizeHint"],
            json!({"userId": "u", "tenantId": "t", "provider": "slack", "connectionId": id})
        );
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero() {
        let header = |wait| {
            let response = Problem::new(Code::RateLimited).retry_after(wait).into_response();
            response.headers()[header::RETRY_AFTER].clone()
        };
        assert_eq!(header(Duration::from_millis(1500)), "2");
        assert_eq!(header(Duration::ZERO), "1");
    }

    #[test]
    fn a_missing_credential_says_how_to_authenticate() {
        let response = Problem::new(Code::Unauthenticated).into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn the_documentation_has_a_section_for_every_code_with_its_status_and_uri() {
        let documentation = include_str!("../../../docs/errors.md");
        for code in Code::ALL {
            let heading = format!("\n## {}\n", code.as_str());
            let (_, rest) = documentation.split_once(&heading).unwrap_or_else(|| panic!("{heading}"));
            let section = rest.split("\n## ").next().unwrap();
            let details = Problem::new(code).0;
            let meaning = code.meaning();
            let actor = serde_json::to_string(&meaning.actor).unwrap();
            let retry = if meaning.retryable { "may be retried" } else { "not retryable" };
            let line = format!("**{}**, {} acts, {retry}", details.status, actor.trim_matches('"'));
            for said in [line, format!("\"{}\"", details.kind), format!("\"{}\"", details.title)] {
                assert!(section.contains(&said), "{heading} lacks {said}");
            }
        }
    }
}
