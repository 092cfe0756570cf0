//! Reads the schemas of an OpenAPI document for its page: which fields, of which type.

use serde_json::Value;

/// Name, type, whether it must be there, description.
pub(super) type Fields = Vec<(String, String, bool, String)>;

/// What a `$ref` stands for; anything else stands for itself. A reference to a reference is followed once
/// more and no further: the document is ours and has no loops.
pub(super) fn resolve<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    let target = |value: &'a Value| openapi.pointer(value["$ref"].as_str()?.strip_prefix('#')?);
    let once = target(value).unwrap_or(value);
    target(once).unwrap_or(once)
}

/// The fields of an object, the required ones first; empty for anything else.
pub(super) fn fields_of(openapi: &Value, schema: &Value) -> Fields {
    let mut fields = in_document_order(openapi, schema);
    fields.sort_by_key(|(_, _, required, _)| !required);
    fields
}

fn in_document_order(openapi: &Value, schema: &Value) -> Fields {
    let schema = resolve(openapi, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut fields: Fields = parts.flat_map(|part| in_document_order(openapi, part)).collect();
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|each| each == name));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let described = field["description"]
            .as_str()
            .or_else(|| resolve(openapi, inner(field)).get("description")?.as_str());
        fields.push((
            name.clone(),
            type_of(openapi, field),
            required(name),
            described.unwrap_or_default().to_owned(),
        ));
    }
    fields
}

/// A type in words: `string (date-time) or null`, `list of string`, `bot | user`.
pub(super) fn type_of(openapi: &Value, schema: &Value) -> String {
    let of = |name: &str| {
        let choices = schema[name].as_array()?.iter().map(|each| type_of(openapi, each));
        let (null, mut words): (Vec<_>, Vec<_>) = choices.partition(|word| word == "null");
        words.extend(null);
        Some(words.join(" or "))
    };
    if let Some(words) = of("oneOf").or_else(|| of("anyOf")).or_else(|| of("allOf")) {
        return words;
    }
    let schema = resolve(openapi, schema);
    if let Some(values) = schema["enum"].as_array() {
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return values.iter().map(word).collect::<Vec<_>>().join(" | ");
    }
    let names: Vec<&str> = match schema["type"].as_array() {
        Some(all) => all.iter().filter_map(Value::as_str).collect(),
        None => vec![schema["type"].as_str().unwrap_or("any")],
    };
    let words = names.into_iter().map(|name| match (name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", type_of(openapi, &schema["items"])),
        ("null", _) | (_, None) => name.to_owned(),
        (_, Some(format)) => format!("{name} ({format})"),
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// The schema behind an optional one (`oneOf: [null, X]`).
fn inner(schema: &Value) -> &Value {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    choices.into_iter().find(|each| each["type"] != "null").unwrap_or(schema)
}
