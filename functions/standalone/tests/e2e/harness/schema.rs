//! Holds answers against `standalone::openapi()`: an operation answers only what it documents, in the documented shape.

use std::sync::LazyLock;

use reqwest::Method;
use serde_json::{Map, Value};

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&standalone::openapi()).unwrap());

/// What is served for people and tools, and is no part of the API.
const PAGES: [&str; 3] = ["/connect", "/docs", "/openapi.json"];

/// The documented path that a path is an instance of; one that is spelt out wins.
pub(crate) fn template(path: &str) -> Option<&'static str> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let (mut wanted, mut there) = (template.split('/'), path.split('/'));
        let alike =
            wanted.by_ref().zip(there.by_ref()).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()));
        alike && template.split('/').count() == path.split('/').count()
    };
    let mut fitting: Vec<_> = paths.keys().filter(|each| fits(each)).map(String::as_str).collect();
    fitting.sort_by_key(|each| each.matches('{').count());
    fitting.first().copied()
}

/// Fails the test when an answer is not as documented.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    let said = || format!("{method} {path}: {} {}", answer.status, answer.text());
    let Some(template) = template(path) else {
        assert!(answer.status == 404 || PAGES.contains(&path), "undocumented path answers: {}", said());
        return;
    };
    let Some(operation) = DOCUMENT["paths"][template].get(method.as_str().to_lowercase()) else {
        // HEAD is GET without a body, OPTIONS says what there is.
        let expected = match *method {
            Method::HEAD => 200,
            Method::OPTIONS => 204,
            _ => 405,
        };
        assert_eq!(answer.status, expected, "undocumented method answers: {}", said());
        return;
    };
    let response = operation["responses"].get(answer.status.to_string());
    let response = response.unwrap_or_else(|| panic!("undocumented status: {}", said()));
    let content_type = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
    let content = response["content"].as_object();
    if answer.body.is_empty() || content_type == "text/html" {
        return;
    }
    let schema = content.and_then(|content| content.get(&content_type));
    let schema = schema.unwrap_or_else(|| panic!("undocumented content type {content_type}: {}", said()));
    let mut wrong = Vec::new();
    compare(&schema["schema"], &answer.json(), "$", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:?}: {}", said());
}

/// The part of JSON Schema that the document uses. Objects must be closed: an undocumented member is wrong too.
fn compare(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = DOCUMENT.pointer(name.trim_start_matches('#')).unwrap();
        return compare(schema, value, at, wrong);
    }
    for either in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[either].as_array() {
            let fits = choices.iter().any(|choice| {
                let mut wrong = Vec::new();
                compare(choice, value, at, &mut wrong);
                wrong.is_empty()
            });
            if !fits {
                wrong.push(format!("{at} fits no choice of {schema}"));
            }
            return;
        }
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        wrong.push(format!("{at} is {value}, not one of {values:?}"));
    }
    if !has_type(&schema["type"], value) {
        wrong.push(format!("{at} is {value}, not {}", schema["type"]));
    }
    if let Some(members) = value.as_object() {
        object(schema, members, at, wrong);
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        compare(&schema["items"], item, &format!("{at}[{index}]"), wrong);
    }
}

fn object(schema: &Value, members: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
    let (properties, required) = (all_properties(schema), all_required(schema));
    for name in required.iter().filter(|name| !members.contains_key(*name)) {
        wrong.push(format!("{at}.{name} is missing"));
    }
    for (name, value) in members {
        let at = format!("{at}.{name}");
        match (properties.get(name), schema.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => compare(schema, value, &at, wrong),
            (None, _) => wrong.push(format!("{at} is not documented")),
        }
    }
}

fn all_properties(schema: &Value) -> Map<String, Value> {
    let mut all = schema["properties"].as_object().cloned().unwrap_or_default();
    for part in parts(schema) {
        all.extend(all_properties(part));
    }
    all
}

fn all_required(schema: &Value) -> Vec<String> {
    let own = schema["required"].as_array().into_iter().flatten();
    let own = own.map(|name| name.as_str().unwrap().to_owned());
    own.chain(parts(schema).flat_map(all_required)).collect()
}

fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    schema["allOf"].as_array().into_iter().flatten().map(|part| match part["$ref"].as_str() {
        Some(name) => DOCUMENT.pointer(name.trim_start_matches('#')).unwrap(),
        None => part,
    })
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    match (wanted.as_str(), wanted.as_array()) {
        (Some(name), _) => is(name),
        (None, Some(names)) => names.iter().any(|name| is(name.as_str().unwrap())),
        // No word about the type.
        (None, None) => true,
    }
}
