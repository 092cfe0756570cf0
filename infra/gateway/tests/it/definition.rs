//! The definition says what is public, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use gateway::{Definition, DefinitionError, Exposure, Functions};
use serde_json::Value;

const KEPT: &str = include_str!("../../../../terraform/modules/gcp/gateway/openapi.json.tftpl");

fn definition() -> Definition {
    Definition::of(&Functions::listed().unwrap()).unwrap()
}

/// The definition with an address for each public function.
fn rendered() -> Value {
    let addresses =
        ["authorize", "callback"].map(|name| (name.to_owned(), format!("https://{name}.example")));
    serde_json::from_str(&definition().rendered("Title", &BTreeMap::from(addresses)).unwrap()).unwrap()
}

#[test]
fn the_kept_definition_is_the_generated_one() {
    assert!(KEPT == definition().template(), "out of date; run: make gateway");
}

#[test]
fn every_public_route_is_in_it_and_no_other() {
    let functions = Functions::listed().unwrap();
    let public = functions.routes().filter(|(_, exposure, _)| *exposure == Exposure::Public);
    let public: BTreeSet<_> = public
        .map(|(name, _, route)| (route.method.to_lowercase(), route.path.clone(), name.to_owned()))
        .collect();
    let rendered = rendered();
    let mut defined = BTreeSet::new();
    for (path, methods) in rendered["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let backend = operation["x-google-backend"].as_str().unwrap();
            defined.insert((method.clone(), path.clone(), backend.to_owned()));
        }
    }
    assert_eq!(defined, public);
    assert!(!defined.iter().any(|(_, path, _)| path.contains("/admin/") || path.contains("/tokens/")));
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_backend_with_the_functions_time_out() {
    let (functions, rendered) = (Functions::listed().unwrap(), rendered());
    let backends = rendered["x-google-api-management"]["backends"].as_object().unwrap();
    for (name, backend) in backends {
        let address = format!("https://{name}.example");
        assert_eq!(
            (&backend["address"], &backend["jwtAudience"]),
            (&address.clone().into(), &address.into())
        );
        assert_eq!(backend["pathTranslation"], "APPEND_PATH_TO_ADDRESS");
        assert_eq!(backend["deadline"], f64::from(functions.get(name).unwrap().timeout));
        // The gateway's token instead of the caller's is what Cloud Run lets in.
        assert!(backend.get("disableAuth").is_none(), "{name}");
    }
    let mut names = BTreeSet::new();
    for operation in
        rendered["paths"].as_object().unwrap().values().flat_map(|each| each.as_object().unwrap().values())
    {
        let name = operation["operationId"].as_str().unwrap();
        // A selector of Google's service configuration: letters, digits, underscores.
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
        assert!(names.insert(name), "{name} twice");
        assert!(backends.contains_key(operation["x-google-backend"].as_str().unwrap()), "{name}");
        assert!(!operation["responses"].as_object().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn a_path_names_its_parameters_and_nothing_refers_elsewhere() {
    for (path, methods) in rendered()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let named = parameters.filter(|each| each["in"] == "path");
            let named: BTreeSet<_> =
                named.map(|each| format!("{{{}}}", each["name"].as_str().unwrap())).collect();
            let wanted =
                path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(named, wanted, "{method} {path}");
        }
    }
    assert!(!KEPT.contains("$ref") && !KEPT.contains("\"null\""));
}

#[test]
fn terraform_fills_in_the_title_and_the_addresses_of_public_functions_only() {
    let mut filled: Vec<_> =
        KEPT.match_indices("${").map(|(at, _)| &KEPT[at..=at + KEPT[at..].find('}').unwrap()]).collect();
    filled.sort_unstable();
    filled.dedup();
    assert_eq!(filled, ["${addresses.authorize}", "${addresses.callback}", "${title}"]);
    // The other thing that Terraform reads in a template.
    assert!(!KEPT.contains("%{"));
    assert!(serde_json::from_str::<Value>(KEPT).is_ok(), "it is JSON before, too");
}

#[test]
fn a_missing_address_is_said_by_name() {
    let error = definition().rendered("Title", &BTreeMap::from([("authorize".to_owned(), String::new())]));
    assert!(matches!(error, Err(DefinitionError::NoAddress(name)) if name == "callback"));
}
