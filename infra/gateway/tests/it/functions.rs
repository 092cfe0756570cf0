//! `terraform/functions.yaml` lists the functions that there are, with the routes that they answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gateway::{Exposure, Function, Functions, Secret, Use};
use shared::http::{Endpoints, REQUEST_TIMEOUT, health_endpoint};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

fn functions() -> Functions {
    Functions::listed().unwrap()
}

/// What is deployed elsewhere, or nowhere: everything on one machine.
const NOT_DEPLOYED: &str = "standalone";

/// The functions with endpoints; what is not here and not in [`JOBS`] fails the first test.
fn endpoints(name: &str) -> Option<Endpoints> {
    match name {
        "authorize" => Some(authorize::endpoints()),
        "callback" => Some(callback::endpoints()),
        "token-get" => Some(token_get::endpoints()),
        "admin" => Some(admin::endpoints()),
        _ => None,
    }
}

const JOBS: [&str; 2] = ["scheduled-refresh", "scheduled-health"];

fn listed() -> BTreeSet<String> {
    functions().iter().map(|(name, _)| name.to_owned()).collect()
}

fn root(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_is_listed_is_what_stands_in_functions() {
    let folders = fs::read_dir(root("functions")).unwrap().map(|entry| entry.unwrap().path());
    let crates = folders.filter(|path| path.join("Cargo.toml").is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let folders: BTreeSet<_> = crates.map(|path| name(&path)).filter(|name| name != NOT_DEPLOYED).collect();
    assert_eq!(listed(), folders);
}

#[test]
fn what_is_listed_is_what_is_built_and_packaged() {
    let makefile = fs::read_to_string(root("Makefile")).unwrap();
    let line = makefile.lines().find_map(|line| line.strip_prefix("FUNCTIONS := ")).unwrap();
    assert_eq!(line.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>(), listed(), "Makefile");

    let dockerfile = fs::read_to_string(root("infra/container/Dockerfile")).unwrap();
    let words: Vec<_> = dockerfile.split_whitespace().collect();
    let built = words.windows(2).filter(|pair| pair[0] == "-p").map(|pair| pair[1].to_owned());
    assert_eq!(built.collect::<BTreeSet<_>>(), listed(), "infra/container/Dockerfile");
}

#[test]
fn every_route_is_answered_by_the_function_that_lists_it_and_every_answer_has_a_route() {
    let health: BTreeSet<_> = health_endpoint().routes();
    for (name, function) in functions().iter() {
        let Some(endpoints) = endpoints(name) else {
            assert!(JOBS.contains(&name) && !function.is_endpoint(), "{name} is no job");
            continue;
        };
        assert!(function.is_endpoint(), "{name} is no job");
        // Each of them answers its probe; one of them does for the gateway.
        let routes = function.routes.iter().map(|route| (route.method.clone(), route.path.clone()));
        let routes = routes.filter(|(method, path)| !health.contains(&(method.as_str(), path.clone())));
        let answered = endpoints.routes().into_iter().map(|(method, path)| (method.to_owned(), path));
        assert_eq!(routes.collect::<BTreeSet<_>>(), answered.collect(), "{name}");
    }
}

#[test]
fn every_documented_operation_is_routed_to_one_function_and_health_to_one_that_sees_everything() {
    let functions = functions();
    let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let routed = functions
                .routes()
                .filter(|(_, _, route)| route.path == *path && route.method.eq_ignore_ascii_case(method));
            assert_eq!(routed.count(), 1, "{method} {path}");
        }
    }
    let table = functions.table();
    let health = table.answering("GET", "/health").and_then(|(_, name)| functions.get(name)).unwrap();
    assert_eq!((health.exposure, health.kms, health.cache), (Exposure::Public, Use::Use, Use::Use));
}

#[test]
fn the_public_ones_are_what_browsers_and_their_backends_need() {
    let of = |wanted| {
        let functions = functions();
        let names = functions.iter().filter(|(_, function)| function.exposure == wanted);
        names.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(Exposure::Public), ["authorize", "callback"]);
    assert_eq!(of(Exposure::Internal), ["admin", "token-get"]);
    assert_eq!(of(Exposure::Scheduled), ["scheduled-health", "scheduled-refresh"]);
}

#[test]
fn authorize_may_not_use_the_key_and_has_no_client_secret() {
    let functions = functions();
    let authorize = functions.get("authorize").unwrap();
    assert_eq!(authorize.kms, Use::None);
    let secrets = [Secret::AttemptKey, Secret::AuditKey, Secret::Callers];
    assert_eq!(authorize.secrets, BTreeSet::from(secrets));
    for name in JOBS {
        assert_eq!(
            functions.get(name).unwrap().secrets,
            BTreeSet::from([Secret::AuditKey, Secret::ClientSecrets])
        );
    }
}

#[test]
fn a_request_is_given_up_before_the_platform_does() {
    let ends_first = |function: &Function| u64::from(function.timeout) > REQUEST_TIMEOUT.as_secs();
    for (name, function) in functions().iter().filter(|(_, function)| function.is_endpoint()) {
        assert!(ends_first(function), "{name}");
    }
}
