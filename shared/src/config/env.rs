//! The variables by name, each readable from a file or a secret too, and everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::{Zeroize as _, Zeroizing};

use super::ConfigError;
use crate::access::Callers;

/// Where an empty value, its own or that of `…_FILE` or `…_SECRET`, is not the same as none: the default would be another
/// store, another key, another degree of trust. Everywhere else an empty value, as templates leave it behind, counts as unset.
const NEVER_EMPTY: [&str; 10] = [
    "STORE_URL",
    "CACHE_URL",
    "KEY_URL",
    "ATTEMPT_KEY",
    "AUTH",
    "CALLERS",
    "GATEWAY",
    "AUDIT",
    "AUDIT_KEY",
    "SANDBOX",
];

/// The variables, and what is wrong with them so far.
pub(super) struct Env {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
    /// How many of them are known before any setting is read.
    from_the_first: usize,
    /// By the name of the variable that names a secret: what it says.
    brought: BTreeMap<String, Brought>,
    /// Such variables that were asked for before.
    wanted: BTreeSet<String>,
}

/// The text of a secret, or why there is none.
pub(super) type Brought = Result<Zeroizing<String>, String>;

/// From where a setting comes.
#[derive(Clone, Copy)]
enum Source {
    Value,
    File,
    Secret,
}

impl Env {
    pub(super) fn new(values: impl Iterator<Item = (String, String)>) -> Self {
        let mut env = Self {
            values: values.collect(),
            problems: Vec::new(),
            from_the_first: 0,
            brought: BTreeMap::new(),
            wanted: BTreeSet::new(),
        };
        for name in NEVER_EMPTY
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("{name}_FILE"), format!("{name}_SECRET")])
        {
            if env.values.get(&name).is_some_and(String::is_empty) {
                env.problem(format!("{name} is set but empty; unset it to mean the default"));
            }
        }
        env.values.retain(|_, value| !value.is_empty());
        env.from_the_first = env.problems.len();
        env
    }

    /// Whether a variable is set, itself, by a file or by a secret.
    pub(super) fn has(&self, name: &str) -> bool {
        [name, &format!("{name}_FILE"), &format!("{name}_SECRET")]
            .iter()
            .any(|name| self.values.contains_key(*name))
    }

    /// What a variable says that is for others than us, and never a secret of ours.
    #[cfg(feature = "cloud")]
    pub(super) fn plain(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value of a variable, or the trimmed content of the file that `NAME_FILE` names, or of the secret that `NAME_SECRET` names.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.source(name)? {
            (Source::Value, value) => Some(value),
            (Source::File, path) => self.file(&format!("{name}_FILE"), &path),
            (Source::Secret, _) => self.secret(&format!("{name}_SECRET")),
        }
    }

    /// From where a setting comes, and what the variable says that tells so.
    fn source(&mut self, name: &str) -> Option<(Source, String)> {
        let sources = [("", Source::Value), ("_FILE", Source::File), ("_SECRET", Source::Secret)];
        let named = sources.map(|(end, source)| (format!("{name}{end}"), source));
        let given: Vec<_> = named.iter().filter(|(name, _)| self.values.contains_key(name)).collect();
        match given[..] {
            [] => None,
            [(name, source)] => self.values.get(name).map(|value| (*source, value.clone())),
            _ => {
                let names: Vec<_> = given.iter().map(|(name, _)| name.as_str()).collect();
                let problem = format!("{} are both set", names.join(" and "));
                self.problem(problem);
                None
            }
        }
    }

    fn file(&mut self, name: &str, path: &str) -> Option<String> {
        match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(content) if content.trim().is_empty() => {
                self.problem(format!("{name}: {path} is empty"));
                None
            }
            Ok(content) => Some(content.trim().to_owned()),
            Err(error) => {
                self.problem(format!("{name}: {path} can't be read: {error}"));
                None
            }
        }
    }

    /// What the secret says that the variable `name` names. One that was not brought yet is noted, to be brought.
    fn secret(&mut self, name: &str) -> Option<String> {
        match self.brought.get(name) {
            Some(Ok(value)) => Some(value.to_string()),
            Some(Err(problem)) => {
                let problem = format!("{name}: {problem}");
                self.problem(problem);
                None
            }
            None => {
                self.wanted.insert(name.to_owned());
                self.problem(format!("{name}: secrets are read when a process starts"));
                None
            }
        }
    }

    /// The secrets that were asked for: by the variable's name, what it says.
    pub(super) fn wanted(&self) -> BTreeMap<String, String> {
        let named = |name: &String| Some((name.clone(), self.values.get(name)?.clone()));
        self.wanted.iter().filter_map(named).collect()
    }

    /// Takes the values of secrets, or why there is none, and forgets what was wrong without them.
    pub(super) fn bring(&mut self, secrets: BTreeMap<String, Brought>) {
        self.brought = secrets;
        self.problems.truncate(self.from_the_first);
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

    /// Who may call: the text of `CALLERS` or of the secret that `CALLERS_SECRET` names, or the file that `CALLERS_FILE` names, which is
    /// read again while we run.
    pub(super) fn callers(&mut self) -> Option<Callers> {
        Some(match self.source("CALLERS")? {
            (Source::Value, text) => Callers::Text(text),
            (Source::File, path) => Callers::File(path.into()),
            // Where there is no text, that is the problem, and not that nobody said who may call.
            (Source::Secret, _) => Callers::Text(self.secret("CALLERS_SECRET").unwrap_or_default()),
        })
    }

    /// The ids in `PROVIDER_<ID>_…`, as they stand there.
    pub(super) fn provider_ids(&self) -> BTreeSet<String> {
        let of = |name: &str| {
            let rest = name.strip_prefix("PROVIDER_")?;
            ["_CLIENT_ID", "_CLIENT_SECRET", "_ORIGIN"]
                .iter()
                .flat_map(|setting| {
                    [setting.to_string(), format!("{setting}_FILE"), format!("{setting}_SECRET")]
                })
                .find_map(|setting| rest.strip_suffix(&setting))
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
    pub(super) fn finish(&self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.error()) }
    }
}

/// Secrets are among the values. The process's own environment keeps them; what came from a file or a secret is not in it.
impl Drop for Env {
    fn drop(&mut self) {
        self.values.values_mut().for_each(|value| value.zeroize());
    }
}
