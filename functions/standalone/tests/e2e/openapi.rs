//! The document says what the service does: kept up to date, complete, and answered as it says.

use reqwest::Method;

use crate::harness::*;

const KEPT: &str = include_str!("../../../../docs/openapi.json");
const HOW: &str =
    "docs/openapi.json is out of date; run: cargo run -p standalone -- --openapi > docs/openapi.json";

#[test]
fn the_kept_document_is_the_generated_one() {
    assert!(KEPT == standalone::openapi(), "{HOW}");
}

#[tokio::test]
async fn every_documented_operation_answers() {
    let world = World::start().await;
    let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
    let mut operations = 0;
    for (template, methods) in document["paths"].as_object().unwrap() {
        let path = template.replace("{id}", &uuid::Uuid::nil().to_string()).replace("{provider}", "slack");
        for method in methods.as_object().unwrap().keys() {
            let request = world.api().request(method.to_uppercase().parse().unwrap(), &path);
            let answer = world.api().send(request.header("accept", "application/json")).await;
            let said = answer.text();
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!said.contains("There is nothing at this path"), "{method} {path}: {said}");
            operations += 1;
        }
    }
    assert!(operations > 20, "{operations}");
}

#[test]
fn every_operation_has_words_an_answer_and_a_problem() {
    let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{what}");
            assert!(operation["operationId"].is_string(), "{what}");
            assert!(operation["responses"].get("200").is_some(), "{what}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.as_str() >= "400" && path != "/health" {
                    let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(problem, "#/components/schemas/Problem", "{what} {status}");
                }
            }
        }
    }
}

/// A route that is registered without its entry in the document shows in the source as `.page(` or `.route(`.
#[test]
fn every_route_is_documented_but_the_pages() {
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut undocumented = Vec::new();
    for function in ["authorize", "callback", "token-get", "admin", "standalone"] {
        for file in std::fs::read_dir(format!("{functions}/{function}/src")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for way in [".page(", ".route("] {
                let routes = text.match_indices(way).map(|(at, _)| text[at..].split(',').next().unwrap());
                undocumented.extend(routes.map(str::to_owned));
            }
        }
    }
    undocumented.sort();
    assert_eq!(undocumented, [".page(\"/docs\"", ".page(\"/openapi.json\"", ".page(page::PATH"]);
}

#[tokio::test]
async fn the_served_document_is_the_kept_one_and_head_is_get() {
    let world = World::start().await;
    let answer = world.api().get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.text(), KEPT);
    let head = world.api().send(world.api().request(Method::HEAD, "/health")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}
