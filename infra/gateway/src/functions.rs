//! `terraform/functions.yaml`: read, and held against its own rules.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::function::{Exposure, Function};
use crate::route::{Route, Table};

const LISTED: &str = include_str!("../../../terraform/functions.yaml");

/// Every function by its name.
#[derive(Clone, Debug)]
pub struct Functions(BTreeMap<String, Function>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    functions: BTreeMap<String, Function>,
}

/// What is wrong with a list.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// No YAML, or a field that is missing, unknown or of another kind.
    #[error("functions.yaml: {0}")]
    Unreadable(#[from] serde_saphyr::Error),
    /// Each begins with the function and the field.
    #[error("functions.yaml:{}", .0.iter().map(|each| format!("\n  {each}")).collect::<String>())]
    Wrong(Vec<String>),
}

impl Functions {
    /// The list as it was when this was built.
    ///
    /// # Errors
    /// When it can't be used, which a test finds out first.
    pub fn listed() -> Result<Self, FunctionsError> {
        Self::read(LISTED)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// What is wrong with it: all of it, but for the first thing that can't be read at all.
    pub fn read(text: &str) -> Result<Self, FunctionsError> {
        let File { functions } = serde_saphyr::from_str(text)?;
        let mut wrong = Vec::new();
        let mut taken = BTreeMap::new();
        for (name, function) in &functions {
            wrong.extend(function.problems().into_iter().map(|problem| format!("{name}: {problem}")));
            for route in &function.routes {
                if let Some(other) = taken.insert(route, name) {
                    wrong.push(format!("{name}: routes: {route} is {other}'s already"));
                }
            }
        }
        if wrong.is_empty() { Ok(Self(functions)) } else { Err(FunctionsError::Wrong(wrong)) }
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Function)> {
        self.0.iter().map(|(name, function)| (name.as_str(), function))
    }

    /// Every route, and whose it is.
    pub fn routes(&self) -> impl Iterator<Item = (&str, Exposure, &Route)> {
        self.iter().flat_map(|(name, function)| {
            function.routes.iter().map(move |route| (name, function.exposure, route))
        })
    }

    /// The same, to look requests up in.
    #[must_use]
    pub fn table(&self) -> Table {
        self.routes().map(|(name, _, route)| (route.clone(), name.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "
functions:
  read:
    exposure: public
    routes: [GET /one, 'GET /one/{id}', GET /one/spelt-out]
    timeout: 35
    memory: 256
    concurrency: 80
    store: write
    kms: none
    cache: use
    secrets: [attempt-key, audit-key, callers]
";
    const JOB: &str = "
  sweep:
    exposure: scheduled
    schedule: \"*/30 * * * *\"
    shards: 1
    timeout: 600
    deadline: 540
    memory: 512
    concurrency: 1
    store: write
    kms: use
    cache: use
    secrets: [audit-key, client-secrets]
";

    /// What is said of a list in which something was replaced.
    fn said(from: &str, to: &str) -> String {
        let whole = format!("{ENDPOINT}{}", JOB.trim_start_matches('\n'));
        assert!(whole.contains(from), "{from}");
        Functions::read(&whole.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn a_request_is_for_the_route_that_spells_out_more() {
        let table = Functions::read(ENDPOINT).unwrap().table();
        for (path, route) in
            [("/one", "/one"), ("/one/two", "/one/{id}"), ("/one/spelt-out", "/one/spelt-out")]
        {
            let (found, function) = table.answering("GET", path).unwrap();
            assert_eq!((found.path.as_str(), function), (route, "read"), "{path}");
        }
        for (method, path) in [("POST", "/one"), ("GET", "/"), ("GET", "/one/"), ("GET", "/one/two/three")] {
            assert!(table.answering(method, path).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (from, to, name) in [
            ("memory: 256", "memory: 256\n    memroy: 1", "memroy"),
            ("exposure: public", "exposure: open", "open"),
            ("store: write", "store: read-all", "read-all"),
            ("kms: none", "kms: decrypt", "decrypt"),
            ("cache: use", "cache: true", "cache"),
            ("callers]", "callers, database]", "database"),
            ("functions:", "funktions:", "funktions"),
            ("GET /one,", "GETS /one,", "GETS /one"),
            ("timeout: 35\n    ", "", "timeout"),
            ("timeout: 35", "timeout: 35\n    timeout: 36", "timeout"),
        ] {
            let said = said(from, to);
            assert!(said.contains(name), "{from} → {to}: {said}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_by_function_and_field() {
        for (from, to, begins) in [
            ("routes: [GET /one, 'GET /one/{id}', GET /one/spelt-out]", "routes: []", "read: routes: "),
            ("[GET /one, ", "[GET /one, GET /one, ", "read: routes: GET /one is read's already"),
            ("memory: 256", "memory: 256\n    shards: 2", "read: shards: "),
            ("memory: 256", "memory: 256\n    schedule: 7 * * * *", "read: schedule: "),
            ("memory: 256", "memory: 256\n    deadline: 30", "read: deadline: "),
            ("memory: 256", "memory: 1024", "read: memory: "),
            ("timeout: 35", "timeout: 901", "read: timeout: "),
            ("concurrency: 80", "concurrency: 0", "read: concurrency: "),
            ("[attempt-key, audit-key, callers]", "[audit-key, callers]", "read: secrets: "),
            ("[attempt-key, audit-key, callers]", "[attempt-key, callers]", "read: secrets: "),
            ("[attempt-key, audit-key, callers]", "[attempt-key, audit-key]", "read: secrets: "),
            ("callers]", "callers, client-secrets]", "read: secrets: client-secrets"),
            ("shards: 1", "shards: 17", "sweep: shards: "),
            ("shards: 1", "shards: 1\n    routes: [POST /]", "route"),
            ("shards: 1", "shards: 1\n    routes: [POST /run]", "sweep: routes: "),
            ("deadline: 540", "deadline: 600", "sweep: deadline: "),
            ("*/30 * * * *", "*/30 * * *", "sweep: schedule: "),
            ("*/30 * * * *", "*/30 * * * MON", "sweep: schedule: "),
            ("[audit-key, client-secrets]", "[audit-key, callers]", "sweep: secrets: "),
        ] {
            let said = said(from, to);
            assert!(said.contains(begins), "{from} → {to}: {said}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let error = Functions::read(
            &format!("{ENDPOINT}{}", JOB.trim_start_matches('\n')).replace("memory: ", "memory: 9"),
        );
        let FunctionsError::Wrong(wrong) = error.unwrap_err() else { panic!("it was read") };
        assert_eq!(wrong.len(), 2, "{wrong:?}");
    }
}
