//! The variables by name, each readable from a file too, and everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::{Zeroize as _, Zeroizing};

use super::ConfigError;
use crate::access::Callers;

/// Where an empty value is not the same as none: the default would be another store, another key, another
/// degree of trust. Everywhere else an empty value, as templates leave it behind, counts as unset.
const NEVER_EMPTY: [&str; 11] = [
    "STORE_URL",
    "CACHE_URL",
    "KEY_URL",
    "ATTEMPT_KEY",
    "AUTH",
    "CALLERS",
    "CALLERS_FILE",
    "GATEWAY",
    "AUDIT",
    "AUDIT_KEY",
    "SANDBOX",
];

/// The variables, and what is wrong with them so far.
pub(super) struct Env {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Env {
    pub(super) fn new(values: impl Iterator<Item = (String, String)>) -> Self {
        let mut env = Self { values: values.collect(), problems: Vec::new() };
        for name in NEVER_EMPTY {
            if env.values.get(name).is_some_and(String::is_empty) {
                env.problem(format!("{name} is set but empty; unset it to mean the default"));
            }
        }
        env.values.retain(|_, value| !value.is_empty());
        env
    }

    /// Whether a variable is set, itself or by a file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.values.contains_key(&format!("{name}_FILE"))
    }

    /// The value of a variable, or the trimmed content of the file that `NAME_FILE` names.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let file = format!("{name}_FILE");
        match (self.values.get(name).cloned(), self.values.get(&file).cloned()) {
            (None, None) => None,
            (Some(value), None) => Some(value),
            (Some(_), Some(_)) => {
                self.problem(format!("{name} and {file} are both set"));
                None
            }
            (None, Some(path)) => match std::fs::read_to_string(&path).map(Zeroizing::new) {
                Ok(content) if content.trim().is_empty() => {
                    self.problem(format!("{file}: {path} is empty"));
                    None
                }
                Ok(content) => Some(content.trim().to_owned()),
                Err(error) => {
                    self.problem(format!("{file}: {path} can't be read: {error}"));
                    None
                }
            },
        }
    }

    /// The value as `parse` understands it. `parse` never repeats a value that may be secret.
    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = Zeroizing::new(self.text(name)?);
        parse(&text).map_err(|problem| self.problem(format!("{name} {problem}"))).ok()
    }

    /// Who may call: the text of `CALLERS`, or the file that `CALLERS_FILE` names, which is read again while we run.
    pub(super) fn callers(&mut self) -> Option<Callers> {
        match (self.values.get("CALLERS").cloned(), self.values.get("CALLERS_FILE").cloned()) {
            (Some(_), Some(_)) => {
                self.problem("CALLERS and CALLERS_FILE are both set");
                None
            }
            (text, file) => text.map(Callers::Text).or_else(|| file.map(|path| Callers::File(path.into()))),
        }
    }

    /// The ids in `PROVIDER_<ID>_…`, as they stand there.
    pub(super) fn provider_ids(&self) -> BTreeSet<String> {
        let of = |name: &str| {
            let rest = name.strip_prefix("PROVIDER_")?;
            let rest = rest.strip_suffix("_FILE").unwrap_or(rest);
            ["_CLIENT_ID", "_CLIENT_SECRET", "_ORIGIN"]
                .iter()
                .find_map(|setting| rest.strip_suffix(setting))
                .map(str::to_owned)
        };
        self.values.keys().filter_map(|name| of(name)).collect()
    }

    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    pub(super) fn error(&self) -> ConfigError {
        ConfigError { problems: self.problems.clone() }
    }

    /// The error, if anything is wrong.
    pub(super) fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.error()) }
    }
}

/// Secrets are among the values. The process's own environment keeps them; a file that `NAME_FILE` names does not.
impl Drop for Env {
    fn drop(&mut self) {
        self.values.values_mut().for_each(|value| value.zeroize());
    }
}
