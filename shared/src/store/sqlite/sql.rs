//! Runs statements and reads rows, so that the files beside it hold SQL and little else.

use std::str::FromStr;

use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection as Db, Params, Row};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::store::StoreError;

/// The database did not do it.
pub(super) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// What is stored is not what we write.
pub(super) fn malformed(what: &'static str, id: &str, problem: &(impl ToString + ?Sized)) -> StoreError {
    StoreError::Malformed { what, id: id.to_owned(), problem: problem.to_string() }
}

/// Changes rows; says how many.
pub(super) fn run(db: &Db, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    db.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(unavailable)
}

/// Reads all rows.
pub(super) fn all<T>(
    db: &Db,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(unavailable)?;
    let mut rows = statement.query(params).map_err(unavailable)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unavailable)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Reads the first row, if there is one.
pub(super) fn one<T>(
    db: &Db,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = db.prepare_cached(sql).map_err(unavailable)?;
    let mut rows = statement.query(params).map_err(unavailable)?;
    rows.next().map_err(unavailable)?.map(read).transpose()
}

/// Whether there is such a row.
pub(super) fn exists(db: &Db, sql: &str, params: impl Params) -> Result<bool, StoreError> {
    one(db, sql, params, |_| Ok(())).map(|row| row.is_some())
}

/// A number as the database knows it: signed. Ours stay far below the edge.
pub(super) fn int(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The name of an enum's variant, as in the API. (One with data has none; there is no such in the domain.)
pub(super) fn name(variant: impl Serialize) -> String {
    let quoted = serde_json::to_string(&variant).unwrap_or_default();
    quoted.trim_matches('"').to_owned()
}

/// A list or map as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| malformed("value", "", &error))
}

/// A list of times as JSON numbers.
pub(super) fn millis(times: &[Timestamp]) -> Result<String, StoreError> {
    json(&times.iter().map(|time| time.millis()).collect::<Vec<_>>())
}

/// The columns of a row, taken one after the other in the order of the SELECT.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    what: &'static str,
    id: usize,
    next: usize,
}

impl<'r> Columns<'r> {
    /// Starts at column `id`, which holds the id that an error will name.
    pub(super) const fn new(row: &'r Row<'r>, id: usize, what: &'static str) -> Self {
        Self { row, what, id, next: id }
    }

    /// The same, beginning after the id.
    pub(super) const fn after(row: &'r Row<'r>, id: usize, what: &'static str) -> Self {
        Self { row, what, id, next: id + 1 }
    }

    /// What is wrong with this row.
    pub(super) fn malformed(&self, problem: &(impl ToString + ?Sized)) -> StoreError {
        let id = self.row.get::<_, Value>(self.id).unwrap_or(Value::Null);
        let id = match id {
            Value::Text(id) => id,
            Value::Integer(id) => id.to_string(),
            Value::Null | Value::Real(_) | Value::Blob(_) => "?".to_owned(),
        };
        malformed(self.what, &id, problem)
    }

    /// A value as the database has it.
    pub(super) fn get<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let value = self.row.get(self.next).map_err(|error| self.malformed(&error))?;
        self.next += 1;
        Ok(value)
    }

    /// A number that is not negative.
    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let number: i64 = self.get()?;
        T::try_from(number).map_err(|_| self.malformed(&format!("{number} is out of range")))
    }

    /// A time.
    pub(super) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.get().map(Timestamp::from_millis)
    }

    /// A time, or none.
    pub(super) fn time_or_none(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.get::<Option<i64>>().map(|time| time.map(Timestamp::from_millis))
    }

    /// An identifier.
    pub(super) fn parsed<T: FromStr<Err: ToString>>(&mut self) -> Result<T, StoreError> {
        let text: String = self.get()?;
        text.parse().map_err(|error: T::Err| self.malformed(&error.to_string()))
    }

    /// An identifier, or none.
    pub(super) fn parsed_or_none<T: FromStr<Err: ToString>>(&mut self) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get()?;
        text.map(|text| text.parse()).transpose().map_err(|error: T::Err| self.malformed(&error.to_string()))
    }

    /// The variant of an enum, by its name.
    pub(super) fn named<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text: String = self.get()?;
        variant(&text).map_err(|error| self.malformed(&error))
    }

    /// The variant of an enum, or none.
    pub(super) fn named_or_none<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get()?;
        text.map(|text| variant(&text)).transpose().map_err(|error| self.malformed(&error))
    }

    /// A list or map from JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text: String = self.get()?;
        serde_json::from_str(&text).map_err(|error| self.malformed(&error))
    }

    /// A list of times from JSON numbers.
    pub(super) fn times(&mut self) -> Result<Vec<Timestamp>, StoreError> {
        let millis: Vec<i64> = self.json()?;
        Ok(millis.into_iter().map(Timestamp::from_millis).collect())
    }
}

fn variant<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, serde::de::value::Error> {
    let text: StrDeserializer<'t, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text)
}
