//! Names the field that a caller got wrong, from serde's words, without repeating its value.

use serde::de::DeserializeOwned;

use super::respond::{FieldProblem, Problem};

const WHOLE_NUMBER: &str = "must be a whole number in range";

/// Parses a JSON body. The fast parser first: naming the field costs, and only a refusal needs it.
///
/// # Errors
/// `invalid_request` with the field that is wrong.
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match name::<T>(bytes) {
        Some(FieldProblem { field, problem }) => Problem::field(field, problem),
        None => Problem::field("body", json_words(&error)),
    })
}

/// Parses the body once more to learn where it is wrong; `None` when it is no JSON, or has a tail.
fn name<T: DeserializeOwned>(bytes: &[u8]) -> Option<FieldProblem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let error = serde_path_to_error::deserialize::<_, T>(&mut json).err()?;
    let cause = error.inner();
    if !cause.is_data() {
        return None;
    }
    let message = cause.to_string();
    let place = format!(" at line {} column {}", cause.line(), cause.column());
    Some(field_problem(error.path(), message.strip_suffix(&place).unwrap_or(&message)))
}

fn json_words(error: &serde_json::Error) -> String {
    if error.is_eof() && error.column() == 0 {
        return "must not be empty".to_owned();
    }
    format!("is not valid JSON (line {}, column {})", error.line(), error.column())
}

/// Turns a path and serde's message into a field and what is wrong with it.
///
/// serde names a missing or repeated field in its message and not in the path, and repeats the value of
/// one that has the wrong type: a value may be a secret in the wrong place, so it is left out.
pub(super) fn field_problem(path: &serde_path_to_error::Path, message: &str) -> FieldProblem {
    let parent = match path.to_string() {
        root if root == "." => String::new(),
        path => path,
    };
    let child = |name: &str| match parent.as_str() {
        "" => name.to_owned(),
        parent => format!("{parent}.{name}"),
    };
    let quoted = |start: &str| message.strip_prefix(start)?.split('`').next();
    let whole = || if parent.is_empty() { "body".to_owned() } else { parent.clone() };
    let (field, problem) = if let Some(name) = quoted("missing field `") {
        (child(name), "is missing".to_owned())
    } else if let Some(name) = quoted("duplicate field `") {
        (child(name), "is given twice".to_owned())
    } else if message.starts_with("unknown field `") {
        (whole(), "is not known here".to_owned())
    } else if is_number_error(message) {
        (whole(), WHOLE_NUMBER.to_owned())
    } else if message.starts_with("invalid ") || message.starts_with("unknown variant ") {
        (whole(), wanted(message))
    } else {
        (whole(), message.to_owned())
    };
    FieldProblem { field, problem }
}

/// What should stand there, in a caller's words: theirs is an object, not a `struct`.
fn wanted(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        None => "is not valid".to_owned(),
        Some((_, "u8" | "u16" | "u32" | "u64" | "usize" | "i64")) => WHOLE_NUMBER.to_owned(),
        Some((_, "a sequence")) => "must be a list".to_owned(),
        Some((_, wanted)) if wanted.starts_with("struct ") => "must be an object".to_owned(),
        Some((_, wanted)) => format!("must be {wanted}"),
    }
}

/// What `str::parse` says of a number in a query.
fn is_number_error(message: &str) -> bool {
    message.starts_with("invalid digit ")
        || message.starts_with("number too ")
        || message.starts_with("cannot parse integer")
}
