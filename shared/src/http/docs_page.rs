//! The API documentation as a page, rendered on the server from the OpenAPI document: no scripts.

use std::fmt::Write as _;

use serde_json::Value;

use super::page::{escape, frame};
use super::schema::{Fields, fields_of, resolve, type_of};
use crate::error::{Actor, Code};

/// In the order in which operations of one path are shown (OpenAPI 3.1, path item object).
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of the document.
struct Call<'a> {
    method: &'static str,
    path: &'a str,
    tag: &'a str,
    operation: &'a Value,
}

/// The documentation page of an OpenAPI 3.1 document: operations by tag, then the table of codes.
///
/// What the document does not say is left out; nothing in it can become markup.
#[must_use]
pub fn docs_page(openapi: &Value) -> String {
    let title = text(&openapi["info"]["title"]);
    let calls = calls(openapi);
    let mut nav = String::new();
    let mut main = format!(
        "<h1>{}</h1><p class=\"fine\">Version {} · <a href=\"openapi.json\">openapi.json</a></p>{}",
        escape(title),
        escape(text(&openapi["info"]["version"])),
        paragraphs(text(&openapi["info"]["description"])),
    );
    for tag in tags(openapi, &calls) {
        nav += &format!("<b>{}</b>", escape(tag));
        main += &format!("<h2>{}</h2>", escape(tag));
        for call in calls.iter().filter(|call| call.tag == tag) {
            nav += &format!("<a href=\"#{}\">{}</a>", call.anchor(), escape(call.short()));
            main += &call.section(openapi);
        }
    }
    nav += "<b>Errors</b><a href=\"#errors\">Codes</a>";
    main += &codes();
    frame(title, &format!("<div class=\"docs\"><nav>{nav}</nav><main>{main}</main></div>"))
}

fn calls(openapi: &Value) -> Vec<Call<'_>> {
    let paths = openapi["paths"].as_object();
    paths
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            METHODS.iter().filter_map(move |method| {
                let operation = item.get(method)?;
                let tag = operation["tags"][0].as_str().unwrap_or("API");
                Some(Call { method, path, tag, operation })
            })
        })
        .collect()
}

/// The tags that are used: in the order of the document's list, then as they come.
fn tags<'a>(openapi: &'a Value, calls: &[Call<'a>]) -> Vec<&'a str> {
    let listed = openapi["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"]));
    let mut tags: Vec<&str> = Vec::new();
    for tag in listed.chain(calls.iter().map(|call| call.tag)) {
        if !tags.contains(&tag) && calls.iter().any(|call| call.tag == tag) {
            tags.push(tag);
        }
    }
    tags
}

impl Call<'_> {
    fn anchor(&self) -> String {
        let path: String =
            self.path.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
        format!("{}{}", self.method, path)
    }

    fn short(&self) -> &str {
        self.operation["summary"].as_str().unwrap_or(self.path)
    }

    fn section(&self, openapi: &Value) -> String {
        let anchor = self.anchor();
        let mut out = format!(
            "<section class=\"call\" id=\"{anchor}\"><h3><span class=\"verb {}\">{}</span>\
             <a href=\"#{anchor}\"><code>{}</code></a></h3>",
            self.method,
            self.method.to_uppercase(),
            escape(self.path),
        );
        if let Some(summary) = self.operation["summary"].as_str() {
            out += &format!("<p class=\"lead\">{}</p>", escape(summary));
        }
        out += &paragraphs(text(&self.operation["description"]));
        out += &parameters(openapi, &self.operation["parameters"]);
        let body = resolve(openapi, &self.operation["requestBody"]);
        let body = &body["content"]["application/json"];
        out += &fields("Request body", &fields_of(openapi, &body["schema"]));
        out += &example("Example request", body);
        out += &answers(openapi, &self.operation["responses"]);
        out + "</section>"
    }
}

fn parameters(openapi: &Value, parameters: &Value) -> String {
    let mut rows = Fields::new();
    for parameter in parameters.as_array().into_iter().flatten() {
        let parameter = resolve(openapi, parameter);
        let kind = type_of(openapi, &parameter["schema"]);
        rows.push((
            text(&parameter["name"]).to_owned(),
            format!("{kind}, in {}", text(&parameter["in"])),
            parameter["required"].as_bool().unwrap_or_default(),
            text(&parameter["description"]).to_owned(),
        ));
    }
    fields("Parameters", &rows)
}

fn fields(title: &str, rows: &Fields) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("<h4>{title}</h4><div class=\"wide\"><table>");
    for (name, kind, required, description) in rows {
        let must = if *required { " <span class=\"must\">required</span>" } else { "" };
        let _ = write!(
            out,
            "<tr><td><code>{}</code>{must}</td><td class=\"type\">{}</td><td>{}</td></tr>",
            escape(name),
            escape(kind),
            paragraphs(description),
        );
    }
    out + "</table></div>"
}

fn answers(openapi: &Value, responses: &Value) -> String {
    let Some(responses) = responses.as_object().filter(|all| !all.is_empty()) else {
        return String::new();
    };
    let mut table = String::from("<h4>Answers</h4><div class=\"wide\"><table>");
    let mut details = String::new();
    for (status, response) in responses {
        let response = resolve(openapi, response);
        let _ = write!(
            table,
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            escape(status),
            paragraphs(text(&response["description"])),
        );
        // Problems look all alike: the table of codes has them.
        let body = &response["content"]["application/json"];
        if status.starts_with('2') {
            details += &fields("Fields of the answer", &fields_of(openapi, &body["schema"]));
            details += &example("Example answer", body);
        }
    }
    format!("{table}</table></div>{details}")
}

fn example(title: &str, media: &Value) -> String {
    let first = || media["examples"].as_object()?.values().next()?.get("value");
    let Some(example) = media.get("example").or_else(first) else {
        return String::new();
    };
    let json = serde_json::to_string_pretty(example).unwrap_or_default();
    format!("<h4>{title}</h4><pre>{}</pre>", escape(&json))
}

fn codes() -> String {
    let mut out = String::from(
        "<h2 id=\"errors\">Errors</h2><p>Errors are <code>application/problem+json</code> (RFC 9457) \
         with one of these codes.</p><div class=\"call wide\"><table><tr><th>Code</th><th>Status</th>\
         <th>Who acts</th><th>Retry</th><th>Meaning</th></tr>",
    );
    for code in Code::ALL {
        let meaning = code.meaning();
        let actor = match meaning.actor {
            Actor::User => "user",
            Actor::Operator => "operator",
            Actor::Provider => "provider",
            Actor::Caller => "caller",
        };
        let _ = write!(
            out,
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{}</td><td>{actor}</td><td>{}</td><td>{}</td></tr>",
            meaning.status,
            if meaning.retryable { "yes" } else { "no" },
            meaning.title,
            name = code.as_str(),
        );
    }
    out + "</table></div>"
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Blank lines part paragraphs, and backquotes code; no other markup is known.
fn paragraphs(text: &str) -> String {
    let paragraph = |text: &str| {
        let parts = text.split('`').enumerate().map(|(index, part)| {
            if index % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }
        });
        format!("<p>{}</p>", parts.collect::<String>())
    };
    text.split("\n\n").filter(|part| !part.trim().is_empty()).map(paragraph).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shows_every_call_with_its_fields_answers_and_example() {
        let page = docs_page(&json!({
            "info": {"title": "Service", "version": "1"},
            "paths": {"/api/v1/tokens/{id}": {"post": {
                "tags": ["Tokens"],
                "summary": "Get a token",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}],
                "requestBody": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Ask"}, "example": {"userId": "u-1"}
                }}},
                "responses": {
                    "200": {"description": "A `token`", "content": {"application/json": {"schema": {
                        "properties": {"kinds": {"type": "array", "items": {"$ref": "#/components/schemas/Kind"}}}
                    }}}},
                    "404": {"description": "None matches"}
                }
            }}},
            "components": {"schemas": {
                "Ask": {"required": ["userId"], "properties": {
                    "userId": {"type": "string", "description": "Whose."},
                    "kind": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]}
                }},
                "Kind": {"type": "string", "enum": ["bot", "user"], "description": "Which half."}
            }}
        }));
        for shown in [
            "<section class=\"call\" id=\"post-api-v1-tokens--id-\">",
            "<a href=\"#post-api-v1-tokens--id-\">Get a token</a>",
            "<td class=\"type\">string (uuid), in path</td>",
            "<code>userId</code> <span class=\"must\">required</span></td><td class=\"type\">string</td><td><p>Whose.</p>",
            "<code>kind</code></td><td class=\"type\">bot | user or null</td><td><p>Which half.</p>",
            "&quot;userId&quot;: &quot;u-1&quot;",
            "<td><code>200</code></td><td><p>A <code>token</code></p></td>",
            "<td class=\"type\">list of bot | user</td>",
            "<td><code>404</code></td><td><p>None matches</p></td>",
        ] {
            assert!(page.contains(shown), "{shown}\n{page}");
        }
    }

    #[test]
    fn shows_every_code() {
        let page = docs_page(&json!({}));
        for code in Code::ALL {
            assert!(page.contains(&format!("<tr id=\"{}\">", code.as_str())));
        }
    }

    #[test]
    fn nothing_in_the_document_becomes_markup() {
        let evil = "\"><script>`<script>`'";
        let field = json!({"description": evil, "type": evil, "format": evil});
        let media =
            json!({"application/json": {"schema": {"properties": {evil: field}}, "example": {evil: evil}}});
        let page = docs_page(&json!({
            "info": {"title": evil, "version": evil, "description": evil},
            "paths": {evil: {"get": {
                "tags": [evil], "summary": evil, "description": evil,
                "parameters": [{"name": evil, "in": evil, "schema": field, "description": evil}],
                "requestBody": {"content": media},
                "responses": {"200": {"description": evil, "content": media}, evil: {"description": evil}}
            }}}
        }));
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("\">'"), "{page}");
    }
}
