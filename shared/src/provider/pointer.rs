//! A place in a JSON answer (RFC 6901), and what is read there.

use serde::Deserialize;
use serde_json::Value;

/// A JSON pointer; empty for the whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

/// The text is not a JSON pointer.
#[derive(Debug, thiserror::Error)]
#[error("must be empty or start with a slash, such as /team/id")]
pub struct NotAPointer;

impl TryFrom<String> for Pointer {
    type Error = NotAPointer;

    fn try_from(text: String) -> Result<Self, NotAPointer> {
        if text.is_empty() || text.starts_with('/') { Ok(Self(text)) } else { Err(NotAPointer) }
    }
}

impl Pointer {
    /// As written.
    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands there.
    pub(super) fn find<'a>(&self, answer: &'a Value) -> Option<&'a Value> {
        answer.pointer(&self.0)
    }

    /// The text that stands there, unless it is empty.
    pub(super) fn text<'a>(&self, answer: &'a Value) -> Option<&'a str> {
        self.find(answer)?.as_str().filter(|text| !text.is_empty())
    }

    /// The error code that stands there: a text, or a number but zero, which is how some providers write that
    /// all is well.
    pub(super) fn code(&self, answer: &Value) -> Option<String> {
        let number = || self.find(answer)?.as_i64().filter(|number| *number != 0);
        self.text(answer).map(str::to_owned).or_else(|| number().map(|number| number.to_string()))
    }

    /// The identifier that stands there: some providers write a number.
    pub(super) fn identifier(&self, answer: &Value) -> Option<String> {
        self.text(answer)
            .map(str::to_owned)
            .or_else(|| self.find(answer)?.as_u64().map(|number| number.to_string()))
    }
}

/// A condition on an answer: the value at a place.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// The place.
    pub at: Pointer,
    /// The value that must stand there.
    pub is: Value,
}

impl Marker {
    /// Whether `answer` has it.
    pub(super) fn holds(&self, answer: &Value) -> bool {
        self.at.find(answer) == Some(&self.is)
    }
}
