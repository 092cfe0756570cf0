//! The fields of a document: read by name, each checked, and written as Firestore's own types.

use std::collections::{BTreeMap, HashMap};

use gcloud_sdk::google::firestore::v1::value::ValueType;
use gcloud_sdk::google::firestore::v1::{ArrayValue, MapValue, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::Timestamp;
use crate::store::StoreError;

/// A document's fields.
#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct Fields(pub(super) HashMap<String, Value>);

pub(super) fn value(of: ValueType) -> Value {
    Value { value_type: Some(of) }
}

pub(super) fn text(text: impl Into<String>) -> Value {
    value(ValueType::StringValue(text.into()))
}

/// For a given field that has no value and must be there.
pub(super) fn null() -> Value {
    value(ValueType::NullValue(0))
}

pub(super) fn number(number: i64) -> Value {
    value(ValueType::IntegerValue(number))
}

pub(super) fn time(at: Timestamp) -> Value {
    value(ValueType::TimestampValue(to_wire(at)))
}

pub(super) fn bytes(bytes: Vec<u8>) -> Value {
    value(ValueType::BytesValue(bytes))
}

pub(super) fn list(values: Vec<Value>) -> Value {
    value(ValueType::ArrayValue(ArrayValue { values }))
}

pub(super) fn map(fields: Fields) -> Value {
    value(ValueType::MapValue(MapValue { fields: fields.0 }))
}

/// The name that a value of a closed list has in the API.
pub(super) fn name(of: impl Serialize) -> Value {
    let name = serde_json::to_value(of).ok().and_then(|name| name.as_str().map(str::to_owned));
    text(name.unwrap_or_default())
}

/// Milliseconds: what is finer in a document that an earlier service wrote is cut off.
pub(super) fn from_wire(at: &prost_types::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.seconds.saturating_mul(1000).saturating_add(i64::from(at.nanos) / 1_000_000))
}

fn to_wire(at: Timestamp) -> prost_types::Timestamp {
    let millis = at.millis();
    let nanos = i32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    prost_types::Timestamp { seconds: millis.div_euclid(1000), nanos }
}

impl Fields {
    /// Sets a field.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Sets a field, or takes it away: a field that is absent is in no index.
    pub(super) fn set_or_remove(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => self.set(name, value),
            None => {
                self.0.remove(name);
            }
        }
    }

    /// A reader that names the document in its errors.
    pub(super) fn of<'a>(&'a self, what: &'static str, id: &'a str) -> Reader<'a> {
        Reader { fields: self, what, id }
    }
}

/// Reads fields; what is absent and what is null are the same.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    fields: &'a Fields,
    what: &'static str,
    id: &'a str,
}

impl Reader<'_> {
    /// What is stored is not what we write.
    pub(super) fn malformed(&self, problem: impl Into<String>) -> StoreError {
        StoreError::Malformed { what: self.what, id: self.id.to_owned(), problem: problem.into() }
    }

    fn wrong(&self, name: &str, wanted: &str) -> StoreError {
        self.malformed(format!("{name} is not {wanted}"))
    }

    fn missing(&self, name: &str) -> StoreError {
        self.malformed(format!("{name} is missing"))
    }

    fn raw(&self, name: &str) -> Option<&ValueType> {
        let held = self.fields.0.get(name)?.value_type.as_ref()?;
        (!matches!(held, ValueType::NullValue(_))).then_some(held)
    }

    /// A copy of the fields, to fill in what is not there.
    pub(super) fn cloned(&self) -> Fields {
        self.fields.clone()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    pub(super) fn text_or_none(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self.raw(name) {
            None => Ok(None),
            Some(ValueType::StringValue(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<String, StoreError> {
        self.text_or_none(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text that is an identifier.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError> {
        self.text(name)?.parse().map_err(|_| self.wrong(name, "an identifier"))
    }

    pub(super) fn parsed_or_none<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        if self.has(name) { self.parsed(name).map(Some) } else { Ok(None) }
    }

    /// A value of a closed list, by its name in the API.
    pub(super) fn named_or_none<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let Some(text) = self.text_or_none(name)? else { return Ok(None) };
        serde_json::from_value(text.into()).map(Some).map_err(|_| self.wrong(name, "a value that we know"))
    }

    pub(super) fn named<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        self.named_or_none(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn number_or_none(&self, name: &str) -> Result<Option<i64>, StoreError> {
        match self.raw(name) {
            None => Ok(None),
            Some(ValueType::IntegerValue(number)) => Ok(Some(*number)),
            Some(_) => Err(self.wrong(name, "a whole number")),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, StoreError> {
        self.number_or_none(name)?.ok_or_else(|| self.missing(name))
    }

    /// A time: Firestore's own, or RFC 3339 text, as an earlier service may have written it.
    pub(super) fn time_or_none(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        match self.raw(name) {
            None => Ok(None),
            Some(ValueType::TimestampValue(at)) => Ok(Some(from_wire(at))),
            Some(ValueType::StringValue(text)) => {
                text.parse().map(Some).map_err(|_| self.wrong(name, "a time"))
            }
            Some(_) => Err(self.wrong(name, "a time")),
        }
    }

    pub(super) fn time(&self, name: &str) -> Result<Timestamp, StoreError> {
        self.time_or_none(name)?.ok_or_else(|| self.missing(name))
    }

    fn values(&self, name: &str) -> Result<&[Value], StoreError> {
        match self.raw(name) {
            None => Ok(&[]),
            Some(ValueType::ArrayValue(list)) => Ok(&list.values),
            Some(_) => Err(self.wrong(name, "a list")),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let text = |value: &Value| match &value.value_type {
            Some(ValueType::StringValue(text)) => Ok(text.clone()),
            _ => Err(self.wrong(name, "a list of texts")),
        };
        self.values(name)?.iter().map(text).collect()
    }

    pub(super) fn times(&self, name: &str) -> Result<Vec<Timestamp>, StoreError> {
        let time = |value: &Value| match &value.value_type {
            Some(ValueType::TimestampValue(at)) => Ok(from_wire(at)),
            _ => Err(self.wrong(name, "a list of times")),
        };
        self.values(name)?.iter().map(time).collect()
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        match self.raw(name) {
            None => Err(self.missing(name)),
            Some(ValueType::BytesValue(bytes)) => Ok(bytes.clone()),
            Some(_) => Err(self.wrong(name, "bytes")),
        }
    }

    /// A list of maps.
    pub(super) fn maps(&self, name: &str) -> Result<Vec<Fields>, StoreError> {
        let fields = |value: &Value| match &value.value_type {
            Some(ValueType::MapValue(map)) => Ok(Fields(map.fields.clone())),
            _ => Err(self.wrong(name, "a list of maps")),
        };
        self.values(name)?.iter().map(fields).collect()
    }

    /// A small map or list, kept as JSON in a text.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, StoreError> {
        let Some(text) = self.text_or_none(name)? else { return Ok(T::default()) };
        serde_json::from_str(&text).map_err(|_| self.wrong(name, "JSON that we write"))
    }
}

/// JSON in a text, for maps whose keys nobody queries.
pub(super) fn json<K: Serialize + Ord, V: Serialize>(of: &BTreeMap<K, V>) -> Value {
    text(serde_json::to_string(of).unwrap_or_default())
}

/// A list of texts.
pub(super) fn texts<'a>(of: impl IntoIterator<Item = &'a str>) -> Value {
    list(of.into_iter().map(text).collect())
}

/// An unsigned number; past what Firestore holds it is the largest.
pub(super) fn unsigned(of: u64) -> Value {
    number(i64::try_from(of).unwrap_or(i64::MAX))
}
