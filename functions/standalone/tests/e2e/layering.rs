//! Who may import whom, read from the source: the directions of the design hold without anybody's attention.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Every Rust file of a folder, by its path from the root of the repository.
fn files(folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(Path::new(ROOT)).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

fn all() -> BTreeMap<String, String> {
    let mut all = files("shared");
    all.extend(files("functions"));
    all.extend(files("infra"));
    all
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/")
        || name.ends_with("/tests.rs")
        || name.contains("/contract/")
        || name.ends_with("/contract.rs")
        || name.contains("/testing/")
}

/// The code of a file without its comments and its test module.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = product.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of `shared` that a file names.
fn modules(name: &str, text: &str) -> Vec<String> {
    let crate_name = if name.starts_with("shared/") { "crate::" } else { "shared::" };
    let code = code(text);
    let named = code.match_indices(crate_name).filter(|(at, _)| {
        let before = code[..*at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && before != '_' && before != ':')
    });
    let word = |at: usize| {
        let rest = &code[at + crate_name.len()..];
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    named.map(|(at, _)| word(at)).filter(|word| !word.is_empty()).collect()
}

/// What each part of `shared` may name of the others.
const MAY: [(&str, &str); 12] = [
    ("aws/", "aws domain secret clock"),
    ("access/", "access domain secret clock config limit"),
    ("domain/", "domain secret error"),
    ("provider/", "provider domain secret error clock config"),
    ("store/", "store domain secret error clock google"),
    ("cache/", "cache store domain secret error clock"),
    ("seal/", "seal store domain secret error clock google"),
    ("audit/", "audit domain secret clock"),
    ("limit", "limit cache domain clock"),
    ("flow/", "flow access limit audit domain provider seal store cache clock secret error config telemetry"),
    ("clock.rs", "domain"),
    ("error.rs", ""),
];

#[test]
fn the_parts_of_shared_name_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for (name, text) in files("shared/src") {
        let inside = name.strip_prefix("shared/src/").unwrap();
        let Some((_, may)) = MAY.iter().find(|(part, _)| inside.starts_with(part)) else { continue };
        if is_test(&name) {
            continue;
        }
        for module in
            modules(&name, &text).iter().filter(|module| !may.split(' ').any(|each| each == *module))
        {
            wrong.push(format!("{name} names crate::{module}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Crates that only one kind of file may know.
const CRATES: [(&str, &[&str]); 10] = [
    ("rusqlite::", &["shared/src/store/sqlite/"]),
    // `cache/mod.rs` names its own folder.
    ("redis::", &["shared/src/cache/redis/", "shared/src/cache/mod.rs"]),
    (
        "moka::",
        &[
            "shared/src/access/seen.rs",
            "shared/src/cache/memory/",
            "shared/src/seal/keyring.rs",
            "shared/src/store/firestore/",
        ],
    ),
    (
        "reqwest::",
        &[
            "shared/src/access/fetch.rs",
            "shared/src/aws/secrets.rs",
            "shared/src/provider/send.rs",
            "shared/src/provider/client.rs",
            "shared/src/provider/resolver.rs",
            "shared/src/telemetry/otlp.rs",
        ],
    ),
    ("jsonwebtoken::", &["shared/src/access/issuer.rs", "shared/src/access/key_set.rs"]),
    ("aws_lc_rs::aead", &["shared/src/seal/"]),
    ("toml::", &["shared/src/config/document.rs"]),
    ("lambda_http::", &["shared/src/entry/"]),
    ("hyper::", &["shared/src/entry/port/"]),
    ("google_cloud", &["shared/src/store/firestore/", "shared/src/seal/gcp_kms", "shared/src/google.rs"]),
];

#[test]
fn only_a_backend_names_its_library() {
    let mut wrong = Vec::new();
    let mut sources = files("shared/src");
    sources.extend(files("functions"));
    for (name, text) in sources.iter().filter(|(name, _)| !is_test(name)) {
        let code = code(text);
        for (library, homes) in CRATES {
            let named = code
                .match_indices(library)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if named && !homes.iter().any(|home| name.starts_with(home)) {
                wrong.push(format!("{name} names {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_domain_knows_no_input_or_output() {
    const MAY: [&str; 10] =
        ["std", "serde", "serde_json", "chrono", "uuid", "utoipa", "thiserror", "crate", "super", "self"];
    for (name, text) in files("shared/src/domain") {
        let code = code(&text);
        for line in code
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub use ").or(line.trim().strip_prefix("use ")))
        {
            let root: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let own = name.ends_with("/mod.rs");
            assert!(MAY.contains(&root.as_str()) || own, "{name}: use {line}");
        }
        for word in ["std::fs", "std::net", "std::env", "tokio", "SystemTime", "Instant", "async fn"] {
            assert!(!code.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn functions_are_transport_only() {
    for (name, text) in files("functions").iter().filter(|(name, _)| !is_test(name)) {
        let code = code(text);
        for word in [
            "SELECT ",
            "INSERT ",
            "UPDATE ",
            "DELETE FROM",
            "sqlite",
            "reqwest",
            "aws_lc_rs",
            "tokio::fs",
            "std::fs",
        ] {
            assert!(!code.contains(word), "{name} has {word}");
        }
        let group = name.split('/').nth(1).unwrap();
        if group == "standalone" {
            continue;
        }
        for module in modules(name, text) {
            let may =
                ["entry", "access", "clock", "http", "flow", "domain", "error", "store", "cache", "secret"];
            assert!(may.contains(&module.as_str()), "{name} names shared::{module}");
        }
        if name.ends_with("/main.rs") {
            assert!(text.lines().count() <= 15, "{name} is more than a beginning");
        }
    }
}

#[test]
fn secrets_are_opened_only_where_they_are_sealed_sent_read_or_answered() {
    let homes = [
        "shared/src/seal/",
        "shared/src/provider/",
        "shared/src/cache/",
        "shared/src/app.rs",
        "shared/src/audit/key.rs",
        "shared/src/aws/",
        "shared/src/flow/complete.rs",
        "shared/src/google.rs",
        "functions/token-get/src/get.rs",
        "infra/bench/src/measure/guard.rs",
        "infra/fuzz/",
        "infra/operator/src/api_key.rs",
        "infra/schemathesis/",
    ];
    for (name, text) in all().iter().filter(|(name, _)| !is_test(name)) {
        let opens = code(text).contains(".expose_secret()");
        assert!(!opens || homes.iter().any(|home| name.starts_with(home)), "{name} opens a secret");
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short_enough_to_read() {
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for (name, text) in all() {
        if !text.starts_with("//! ") {
            wrong.push(format!("{name} does not begin with what it is for"));
        }
        if is_test(&name) {
            continue;
        }
        lengths.push(text.lines().count());
        if text.lines().count() > 400 {
            wrong.push(format!("{name} has {} lines", text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    lengths.sort_unstable();
    let (median, p90) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(median <= 120 && p90 <= 300, "median {median}, p90 {p90}");
}

#[test]
fn rules_are_kept_or_broken_with_a_reason() {
    for (name, text) in all() {
        let code = code(&text);
        let allow = concat!("#[all", "ow(");
        assert!(!code.contains(allow) && !code.contains(&allow.replace('#', "#!")), "{name} has {allow}");
        for (at, _) in code.match_indices(concat!("[exp", "ect(")) {
            let end = code[at..].find(")]").unwrap_or(code.len() - at);
            assert!(code[at..at + end].contains("reason ="), "{name}: an expectation without a reason");
        }
    }
}
