//! Events of several queries as one list, newest first: each query is read a page ahead.

use std::collections::VecDeque;
use std::fmt;
use std::ops::RangeInclusive;

use futures_util::future::try_join_all;
use gcloud_sdk::google::firestore::v1::Value;
use gcloud_sdk::google::firestore::v1::value::ValueType;
use uuid::Uuid;

use super::Firestore;
use super::fields::{from_wire, value};
use super::link::Snapshot;
use super::query::Query;
use crate::domain::{Event, Timestamp};
use crate::store::StoreError;

/// The largest page of one query.
const LARGEST: usize = 300;

/// When an event was: to the millisecond as it says, and behind that the order in which it was written.
pub(super) fn moment(at: Timestamp, order: u32) -> Value {
    at_micros(at.millis().saturating_mul(1000).saturating_add(i64::from(order % 1000)))
}

fn at_micros(micros: i64) -> Value {
    let nanos = i32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0) * 1000;
    value(ValueType::TimestampValue(prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }))
}

/// What Firestore takes for a time: the years 1 to 9999, in microseconds since 1970.
const TIMES: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Where an event stands: microseconds since 1970, then its document's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(i64, Uuid);

impl Place {
    /// Reads a cursor.
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        let read = || {
            let (at, id) = text.split_once('.')?;
            let at = at.parse().ok().filter(|at| TIMES.contains(at))?;
            Some(Self(at, id.parse().ok()?))
        };
        read().ok_or_else(|| StoreError::Malformed {
            what: "cursor",
            id: text.to_owned(),
            problem: "it does not come from a page of events".to_owned(),
        })
    }

    /// What comes after it in a query.
    fn begin(self, query: Query) -> Query {
        query.after(Some(at_micros(self.0)), self.1.to_string())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Several queries, each newest first.
pub(super) struct Timeline(Vec<Line>);

struct Line {
    query: Query,
    read: VecDeque<(Place, Event)>,
    /// How much is read next; 0: there is no more.
    page: usize,
}

impl Timeline {
    /// What comes after a place, of which about `limit` will be wanted.
    pub(super) fn new(queries: Vec<Query>, after: Option<Place>, limit: usize) -> Self {
        let page = (limit / queries.len().max(1) + 5).min(LARGEST);
        let line = |query| Line {
            query: match after {
                Some(after) => after.begin(query),
                None => query,
            },
            read: VecDeque::new(),
            page,
        };
        Self(queries.into_iter().map(line).collect())
    }

    /// The next event; one that several queries find comes once.
    pub(super) async fn next(&mut self, store: &Firestore) -> Result<Option<(Place, Event)>, StoreError> {
        let empty = self.0.iter_mut().filter(|line| line.read.is_empty() && line.page > 0);
        try_join_all(empty.map(|line| line.read_on(store))).await?;
        let newest = self.0.iter().filter_map(|line| line.read.front()).map(|(place, _)| *place).max();
        let mut found = None;
        for line in &mut self.0 {
            if line.read.front().map(|(place, _)| *place) == newest {
                found = line.read.pop_front().or(found);
            }
        }
        Ok(found)
    }
}

impl Line {
    async fn read_on(&mut self, store: &Firestore) -> Result<(), StoreError> {
        let found = store.query(self.query.clone().limit(self.page)).await?;
        self.page = if found.len() < self.page { 0 } else { (self.page * 2).min(LARGEST) };
        self.read = found.iter().map(event).collect::<Result<_, _>>()?;
        if let Some((last, _)) = self.read.back() {
            self.query = last.begin(self.query.clone());
        }
        Ok(())
    }
}

fn event(of: &Snapshot) -> Result<(Place, Event), StoreError> {
    let read = of.fields.of("event", &of.id);
    let id = of.id.parse().map_err(|_| read.malformed("its name is not an id"))?;
    let Some(ValueType::TimestampValue(at)) = of.fields.0.get("at").and_then(|at| at.value_type.as_ref())
    else {
        return Err(read.malformed("at is not a time"));
    };
    let micros = at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1000);
    let event = Event {
        at: from_wire(at),
        kind: read.named("kind")?,
        tenant_id: read.parsed_or_none("tenantId")?,
        provider: read.parsed_or_none("provider")?,
        connection_id: read.parsed_or_none("connectionId")?,
        credential_id: read.parsed_or_none("credentialId")?,
        detail: read.text_or_none("detail")?,
        by: read.text_or_none("by")?,
        request_id: read.text_or_none("requestId")?,
    };
    Ok((Place(micros, id), event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_time_that_the_store_takes_and_an_id() {
        let id = Uuid::from_u128(7);
        for at in [*TIMES.start(), -1, 0, 1_760_000_000_000_000, *TIMES.end()] {
            let place = Place(at, id);
            assert!(Place::parse(&place.to_string()).is_ok_and(|read| read == place), "{place}");
        }
        let past_the_end = format!("{}.{id}", TIMES.end() + 1);
        let for_ever = format!("{}.{id}", i64::MAX);
        for wrong in ["", ".", "1", "1.", "1.x", &format!("x.{id}"), &past_the_end, &for_ever] {
            assert!(
                matches!(Place::parse(wrong), Err(StoreError::Malformed { what: "cursor", .. })),
                "{wrong}"
            );
        }
    }
}
