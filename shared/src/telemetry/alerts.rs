//! Holds that every line which an alert looks for is one that the code writes, and that every alert has its entry in the runbook.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::Code;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// The text of every file with this extension below a folder, tests left out.
fn all(folder: &str, extension: &str) -> Vec<String> {
    let (mut texts, mut folders) = (Vec::new(), vec![PathBuf::from(ROOT).join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !name.starts_with('.') && name != "tests" && name != "target" {
                folders.push(path);
            } else if name.ends_with(extension) && name != "tests.rs" {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// The lines that alerts look for, which stand in the YAML as JSON, one each.
fn looked_for() -> Vec<Map<String, Value>> {
    let alerts = text("terraform/alerts.yaml");
    let lines: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- {")).collect();
    assert!(lines.len() > 20, "{}", lines.len());
    lines.into_iter().map(|line| serde_json::from_str(&format!("{{{line}")).expect(line)).collect()
}

/// Names of the alerts: the keys below `alerts:`.
fn names() -> BTreeSet<String> {
    let alerts = text("terraform/alerts.yaml");
    let (_, alerts) = alerts.split_once("\nalerts:\n").unwrap();
    let key = |line: &str| Some(line.strip_prefix("  ")?.strip_suffix(':')?.to_owned());
    alerts.lines().filter_map(key).filter(|name| !name.starts_with(' ')).collect()
}

/// What follows each occurrence of `mark`, as long as it is a name.
fn named_after(mark: &str, text: &str) -> BTreeSet<String> {
    let name = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
        rest[..end.unwrap_or(rest.len())].trim_end_matches('-').to_owned()
    };
    text.split(mark).skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_line_that_an_alert_looks_for_is_written_at_its_level() {
    let mut code = all("shared/src", ".rs");
    code.extend(all("functions", ".rs"));
    for line in looked_for() {
        let Some(message) = line.get("message").and_then(Value::as_str) else { continue };
        let quoted = format!("{}\"", Value::from(message).to_string().trim_end_matches('"'));
        let level = line["level"].as_str().unwrap().to_lowercase();
        let written = code.iter().any(|text| {
            text.match_indices(&quoted).any(|(at, _)| {
                let macros = text[..at].rsplit_once("tracing::").map(|(_, call)| call);
                macros.is_some_and(|call| call.starts_with(&format!("{level}!")))
            })
        });
        assert!(written, "no {level} line says: {message}");
    }
}

#[test]
fn every_field_that_an_alert_looks_at_has_a_value_that_the_code_gives_it() {
    let code = all("shared/src", ".rs").concat();
    for line in looked_for() {
        for (field, value) in &line {
            let known = match (field.as_str(), value) {
                ("level" | "message", Value::String(_)) => true,
                ("code" | "outcome" | "audit.outcome", Value::String(code)) => {
                    Code::ALL.iter().any(|known| known.as_str() == code)
                }
                // A Rust name, written by `?reason`.
                ("reason", Value::String(name)) => code.contains(&format!("StatusReason::{name}")),
                ("audit.call", Value::String(call)) => code.contains(&format!("=> \"{call}\"")),
                ("target", Value::String(target)) => target == "audit",
                ("complete" | "parked", Value::Bool(_)) => code.contains(&format!("{field} = ")),
                _ => false,
            };
            assert!(known, "{field}: {value}");
        }
    }
}

#[test]
fn every_alert_has_an_entry_in_the_runbook_and_every_entry_an_alert() {
    let runbook = text("docs/operations.md");
    let entries = named_after("\n### alert: ", &runbook);
    let modules = all("terraform/modules", ".tf").concat();
    let mut alerts = names();
    for mark in ["#alert-", "\"alert-"] {
        alerts.extend(named_after(mark, &modules));
    }
    assert!(alerts.len() > 20, "{alerts:?}");
    assert_eq!(entries, alerts);
}
