//! Reads a TOML document into a type; what does not fit is named by its key and line.
//!
//! By way of JSON values: TOML's own deserializer is compiled anew, and large, for every type that it is asked for.

use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use serde_path_to_error::{Path, Segment};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key of a document, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The key, as a path; `(syntax)` where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// Reads a document. A date stands for its text.
///
/// # Errors
/// The first thing that does not fit.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    let syntax = |error: toml::de::Error| Misfit {
        key: "(syntax)".to_owned(),
        problem: with_line(text, error.message(), error.span().map(|span| span.start)),
    };
    let document = DeTable::parse(text).map_err(syntax)?;
    let value = table(document.get_ref(), "").map_err(|NoNumber { key, start }| Misfit {
        key,
        problem: with_line(text, "must be a finite number of 64 bits", Some(start)),
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let start = start_of(document.get_ref(), error.path());
        Misfit {
            key: named(error.path().to_string()),
            problem: with_line(text, &error.inner().to_string(), start),
        }
    })
}

/// A number that JSON can't say. As anything else, such as null, it would mean what nobody wrote.
struct NoNumber {
    key: String,
    start: usize,
}

fn table(table: &DeTable<'_>, inside: &str) -> Result<Value, NoNumber> {
    let dot = if inside.is_empty() { "" } else { "." };
    let entries = table.iter().map(|(key, each)| {
        let key = key.get_ref();
        Ok((key.to_string(), value(each, format!("{inside}{dot}{key}"))?))
    });
    entries.collect()
}

fn value(of: &Spanned<DeValue<'_>>, key: String) -> Result<Value, NoNumber> {
    let number = match of.get_ref() {
        DeValue::String(text) => return Ok(text.as_ref().into()),
        DeValue::Boolean(yes) => return Ok((*yes).into()),
        DeValue::Datetime(time) => return Ok(time.to_string().into()),
        DeValue::Table(inner) => return table(inner, &key),
        DeValue::Array(array) => {
            let each = array.iter().enumerate().map(|(n, each)| value(each, format!("{key}[{n}]")));
            return each.collect();
        }
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Into::into),
        DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64),
    };
    number.map(Value::Number).ok_or_else(|| NoNumber { key, start: of.span().start })
}

/// Where in the text that stands to which a path leads: as far as it leads to something.
fn start_of(document: &DeTable<'_>, path: &Path) -> Option<usize> {
    let mut start = None;
    let mut inside: Option<&DeValue<'_>> = None;
    for segment in path.iter() {
        let next = match (segment, inside) {
            (Segment::Map { key }, None) => document.get(key.as_str()),
            (Segment::Map { key }, Some(DeValue::Table(table))) => table.get(key.as_str()),
            (Segment::Seq { index }, Some(DeValue::Array(array))) => array.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        start = Some(next.span().start);
        inside = Some(next.get_ref());
    }
    start
}

/// A key may be empty in TOML, where it is written with its quotation marks.
fn named(path: String) -> String {
    if path.is_empty() { "\"\"".to_owned() } else { path }
}

fn with_line(text: &str, problem: &str, start: Option<usize>) -> String {
    match start.and_then(|start| text.get(..start)) {
        Some(before) => format!("{problem} (line {})", before.matches('\n').count() + 1),
        None => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Document {
        number: Option<i64>,
        float: Option<f64>,
        text: Option<String>,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        flag: bool,
    }

    #[test]
    fn what_toml_can_write_is_what_it_says() {
        for (text, number) in [("-7", -7), ("0x1F", 31), ("0o17", 15), ("0b11", 3), ("1_000", 1000)] {
            let read: Document = read(&format!("number = {text}")).unwrap();
            assert_eq!(read.number, Some(number), "{text}");
        }
        let read: Document = read("float = 1.5\ntext = 2026-11-28\ninner = [{ flag = true }]").unwrap();
        assert_eq!((read.float, read.text.as_deref()), (Some(1.5), Some("2026-11-28")));
        assert_eq!(read.inner, [Inner { flag: true }]);
    }

    #[test]
    fn a_number_that_is_none_is_refused_and_does_not_mean_unset_or_text() {
        for number in ["nan", "-nan", "inf", "-inf", "1e999", "99999999999999999999"] {
            for (text, key) in [
                (format!("text = {number}"), "text"),
                (format!("float = {number}"), "float"),
                (format!("inner = [{{ flag = true }}, {{ flag = {number} }}]"), "inner[1].flag"),
            ] {
                let misfit = read::<Document>(&text).unwrap_err();
                assert_eq!(misfit.key, key, "{text}");
                assert_eq!(misfit.problem, "must be a finite number of 64 bits (line 1)", "{text}");
            }
        }
    }

    #[test]
    fn names_key_and_line_of_what_does_not_fit() {
        for (text, key, line) in [
            ("number = 1\n\ntext = 7", "text", "(line 3)"),
            ("number = 99999999999999999999", "number", "must be a finite number of 64 bits (line 1)"),
            ("\n[[inner]]\nflag = true\n[[inner]]\nflag = 'x'", "inner[1].flag", "(line 5)"),
            ("\n[[inner]]\nflog = true", "inner[0].flog", "(line 3)"),
            ("a = 1\na = 2", "(syntax)", "(line 2)"),
        ] {
            let misfit = read::<Document>(text).unwrap_err();
            assert_eq!(misfit.key, key);
            assert!(misfit.problem.ends_with(line), "{text}: {}", misfit.problem);
        }
    }
}
