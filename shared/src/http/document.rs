//! Completes the document of an endpoint with what its rule and the layers around it add: who may call, and the answers that any call can get.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::rule::Rule;

/// Adds to every operation of a document with one endpoint.
pub(super) fn complete(document: &mut OpenApi, rule: Rule) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        add(operation, rule);
    }
}

/// Adds how callers prove who they are, by the names that rules give.
pub(super) fn describe_credentials(document: &mut OpenApi) {
    let bearer = |format: &str, description: &str| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format);
        SecurityScheme::Http(http.description(Some(description)).build())
    };
    let assertion = ApiKeyValue::with_description(
        "x-goog-iap-jwt-assertion",
        "What Identity-Aware Proxy says of an operator.",
    );
    let components = document.components.get_or_insert_default();
    let schemes = [
        ("idToken", bearer("JWT", "An ID token of an issuer in the callers file.")),
        ("apiKey", bearer("omk_", "An API key of a service.")),
        ("connectSession", bearer("cs_", "What `POST /api/v1/connect/sessions` has answered.")),
        ("identityAwareProxy", SecurityScheme::ApiKey(ApiKey::Header(assertion))),
    ];
    components.security_schemes.extend(schemes.map(|(name, scheme)| (name.to_owned(), RefOr::T(scheme))));
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

fn add(operation: &mut Operation, rule: Rule) {
    let none: [&str; 0] = [];
    let security = rule.security().iter().map(|name| SecurityRequirement::new(*name, none)).collect();
    operation.security = Some(security);
    let access = rule.name().unwrap_or("public");
    operation.extensions.get_or_insert_default().insert("x-access".to_owned(), access.into());
    for (status, codes) in answers(rule, operation.request_body.is_some()) {
        let responses = &mut operation.responses.responses;
        match responses.get_mut(status) {
            None => drop(responses.insert(status.to_owned(), RefOr::T(problem(codes)))),
            // A probe's 503 is a report, no problem.
            Some(RefOr::T(response)) if rule != Rule::Public => extend(response, codes),
            Some(_) => {}
        }
    }
    if rule == Rule::Callback {
        show_pages(operation);
    }
}

/// A browser is answered with a page wherever another client is answered with JSON.
fn show_pages(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        match response {
            RefOr::T(response) if !response.content.is_empty() => {
                response.content.insert("text/html".to_owned(), RefOr::T(page()));
            }
            RefOr::T(_) | RefOr::Ref(_) => {}
        }
    }
}

fn page() -> Content {
    ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build()
}

/// What any call of an endpoint can be answered, beside what its handler says.
fn answers(rule: Rule, has_body: bool) -> Vec<(&'static str, &'static str)> {
    let mut answers = vec![
        ("414", "`invalid_request`: a URL of more than 8 KiB"),
        ("431", "`invalid_request`: more than 32 KiB of headers"),
        ("500", "`internal`"),
    ];
    if has_body {
        answers.push(("408", "`invalid_request`: the body did not arrive in time"));
    }
    if rule.is_guarded() {
        answers.push(("401", "`unauthenticated`"));
        answers.push(("403", "`forbidden`"));
    }
    if rule.name().is_some() {
        answers.push(("429", "`rate_limited`"));
        answers.push(("503", "`issuer_unavailable`, `audit_unavailable`"));
    }
    answers
}

fn problem(codes: &str) -> Response {
    let schema = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(codes).content("application/problem+json", schema).build()
}

/// Adds codes that a response does not speak of yet.
fn extend(response: &mut Response, codes: &str) {
    for code in codes.split(", ") {
        let name = code.split(':').next().unwrap_or(code);
        if !response.description.contains(name) {
            response.description = format!("{}, {code}", response.description);
        }
    }
}
