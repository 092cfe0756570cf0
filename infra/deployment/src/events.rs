//! The JSON that AWS makes: of a request (HTTP API, payload format 2.0), of its answer, and of a schedule.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::Route;
use serde_json::{Map, Value, json};
use shared::clock::{Clock as _, Ids as _, SystemClock, SystemIds};

/// A request as an HTTP API passes it on.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
pub(crate) fn request(parts: &Parts, body: &Bytes, route: &Route) -> Value {
    let mut headers = Map::new();
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == header::COOKIE {
            cookies.extend(value.split("; ").map(|each| json!(each)));
        } else {
            join(&mut headers, name.as_str(), &value);
        }
    }
    let query = parts.uri.query().unwrap_or_default();
    let mut parameters = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        join(&mut parameters, &name, &value);
    }
    let path = parts.uri.path();
    let route_key = route.to_string();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "api-id",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent").and_then(Value::as_str).unwrap_or_default(),
            },
            "requestId": SystemIds.uuid().simple().to_string(),
            "routeKey": route_key,
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": SystemClock::new().now().millis(),
        },
        "isBase64Encoded": false,
    });
    // AWS leaves out what is empty.
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !parameters.is_empty() {
        event["queryStringParameters"] = json!(parameters);
    }
    let values: Map<String, Value> =
        route.values(path).map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if !values.is_empty() {
        event["pathParameters"] = json!(values);
    }
    match std::str::from_utf8(body) {
        Ok("") => {}
        Ok(text) => event["body"] = json!(text),
        Err(_) => {
            event["body"] = json!(STANDARD.encode(body));
            event["isBase64Encoded"] = json!(true);
        }
    }
    event
}

/// What an HTTP API makes of a function's answer; `None` when that is no answer to a request.
pub(crate) fn response(answer: &Value) -> Option<Response> {
    let status = StatusCode::from_u16(u16::try_from(answer["statusCode"].as_u64()?).ok()?).ok()?;
    let body = answer["body"].as_str().unwrap_or_default();
    let body = if answer["isBase64Encoded"] == json!(true) {
        STANDARD.decode(body).ok()?
    } else {
        body.as_bytes().to_vec()
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    let many = answer["multiValueHeaders"].as_object().into_iter().flatten();
    let many =
        many.flat_map(|(name, values)| values.as_array().into_iter().flatten().map(move |one| (name, one)));
    // With payload format 2.0, `headers` is what counts; the other is looked at where that is silent.
    for (name, value) in answer["headers"].as_object().into_iter().flatten().chain(many) {
        let name = HeaderName::try_from(name).ok()?;
        if !headers.contains_key(&name) {
            headers.append(name, HeaderValue::try_from(value.as_str()?).ok()?);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    Some(response)
}

/// What EventBridge Scheduler sends when a schedule has no input of its own.
///
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html>
#[must_use]
pub fn scheduled(schedule: &str) -> Value {
    json!({
        "version": "0",
        "id": SystemIds.uuid().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-11-22T12:00:00Z",
        "region": "eu-central-1",
        "resources": [format!("arn:aws:scheduler:eu-central-1:123456789012:schedule/default/{schedule}")],
        "detail": "{}",
    })
}

/// Several values of one name become one, with commas.
fn join(map: &mut Map<String, Value>, name: &str, value: &str) {
    let joined = match map.get(name).and_then(Value::as_str) {
        Some(before) => format!("{before},{value}"),
        None => value.to_owned(),
    };
    map.insert(name.to_owned(), json!(joined));
}
