//! Reads a TOML document into a type; what does not fit is named by its key and line.

use serde::de::DeserializeOwned;

/// A key of a document, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The key, as a path; `(syntax)` where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// Reads a document.
///
/// # Errors
/// The first thing that does not fit.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    let misfit = |key: String, error: &toml::de::Error| Misfit { key, problem: with_line(text, error) };
    let document = toml::Deserializer::parse(text).map_err(|error| misfit("(syntax)".to_owned(), &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| misfit(named(error.path().to_string()), error.inner()))
}

/// A key may be empty in TOML, where it is written with its quotation marks.
fn named(path: String) -> String {
    if path.is_empty() { "\"\"".to_owned() } else { path }
}

fn with_line(text: &str, error: &toml::de::Error) -> String {
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("{} (line {line})", error.message())
        }
        None => error.message().to_owned(),
    }
}
