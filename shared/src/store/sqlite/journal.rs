//! Events, counts and reports in SQLite.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection as Db, Row, params, params_from_iter};

use super::Sqlite;
use super::sql::{Columns, all, int, json, malformed, name, one, run};
use crate::domain::{Alarm, ConnectionId, Event, Job, JobReport, Rule, Timestamp};
use crate::store::{EventFilter, Journal, Page, StoreError};

#[async_trait]
impl Journal for Sqlite {
    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        let events = events.to_vec();
        self.write(move |db| record(db, &events)).await
    }

    async fn raise(&self, rule: &Rule, subject: &str, event: &Event) -> Result<bool, StoreError> {
        let (rule, subject, event) = (rule.clone(), subject.to_owned(), event.clone());
        self.write(move |db| {
            let alarm = one(db, "SELECT key, alarm FROM alarms WHERE key = ?1", [&rule.key], |row| {
                Columns::after(row, 0, "alarm").json::<Alarm>()
            })?;
            let Some((next, raised)) = alarm.unwrap_or_default().sees(&rule, &subject, event.at) else {
                return Ok(false);
            };
            run(
                db,
                "INSERT INTO alarms (key, alarm) VALUES (?1, ?2) \
                 ON CONFLICT DO UPDATE SET alarm = excluded.alarm",
                params![rule.key, json(&next)?],
            )?;
            if raised {
                record(db, std::slice::from_ref(&event))?;
            }
            Ok(raised)
        })
        .await
    }

    async fn events(
        &self,
        filter: &EventFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, StoreError> {
        let limit = limit.max(1);
        let after = after.map(cursor).transpose()?;
        let (sql, values) = events(filter, after, limit);
        self.read(move |db| {
            let mut found = all(db, &sql, params_from_iter(values), event_at)?;
            let more = found.len() > limit;
            found.truncate(limit);
            let next =
                found.last().filter(|_| more).map(|(seq, event)| format!("{}.{seq}", event.at.millis()));
            let items = found.into_iter().map(|(_, event)| event).collect();
            Ok(Page { items, next })
        })
        .await
    }

    async fn count_served(&self, counts: &[(ConnectionId, i64, u64)]) -> Result<(), StoreError> {
        let counts = counts.to_vec();
        self.write(move |db| {
            for (id, day, count) in counts {
                run(
                    db,
                    "INSERT INTO served (connection_id, day, count) VALUES (?1, ?2, ?3) \
                     ON CONFLICT DO UPDATE SET count = count + excluded.count",
                    params![id.to_string(), day, int(count)],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn served(&self, id: ConnectionId, since_day: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        self.read(move |db| {
            all(
                db,
                "SELECT connection_id, day, count FROM served \
                 WHERE connection_id = ?1 AND day >= ?2 ORDER BY day",
                params![id.to_string(), since_day],
                |row| {
                    let mut columns = Columns::after(row, 0, "count of served tokens");
                    Ok((columns.get()?, columns.number()?))
                },
            )
        })
        .await
    }

    async fn save_run(&self, report: &JobReport) -> Result<(), StoreError> {
        let (job, report) = (report.job.as_str(), json(report)?);
        self.write(move |db| {
            let sql = "INSERT INTO runs (job, report) VALUES (?1, ?2) \
                       ON CONFLICT DO UPDATE SET report = excluded.report";
            run(db, sql, params![job, report]).map(drop)
        })
        .await
    }

    async fn last_run(&self, job: Job) -> Result<Option<JobReport>, StoreError> {
        self.read(move |db| {
            one(db, "SELECT job, report FROM runs WHERE job = ?1", [job.as_str()], |row| {
                let mut columns = Columns::after(row, 0, "job report");
                columns.json()
            })
        })
        .await
    }
}

/// Writes events, as part of whatever they tell of.
pub(super) fn record(db: &Db, events: &[Event]) -> Result<(), StoreError> {
    for event in events {
        run(
            db,
            "INSERT INTO events \
             (at, kind, tenant_id, provider, connection_id, credential_id, detail, caused_by, request_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                event.at.millis(),
                name(event.kind),
                event.tenant_id.as_ref().map(|id| id.as_str()),
                event.provider.as_ref().map(|id| id.as_str()),
                event.connection_id.map(|id| id.to_string()),
                event.credential_id.as_ref().map(|id| id.as_str()),
                event.detail,
                event.by,
                event.request_id,
            ],
        )?;
    }
    Ok(())
}

/// The time and row of the last event of the page before.
type Cursor = (i64, i64);

fn cursor(text: &str) -> Result<Cursor, StoreError> {
    text.split_once('.')
        .and_then(|(at, seq)| Some((at.parse().ok()?, seq.parse().ok()?)))
        .ok_or_else(|| malformed("cursor", text, "it does not come from a page of events"))
}

pub(super) fn events(filter: &EventFilter, after: Option<Cursor>, limit: usize) -> (String, Vec<Value>) {
    let mut sql = "SELECT seq, at, kind, tenant_id, provider, connection_id, credential_id, detail, \
                   caused_by, request_id FROM events WHERE true"
        .to_owned();
    let mut values = Vec::new();
    if let Some((connection, credentials)) = &filter.about {
        let marks = vec!["?"; credentials.len()].join(", ");
        sql.push_str(&format!(" AND (connection_id = ? OR credential_id IN ({marks}))"));
        values.push(Value::Text(connection.to_string()));
        values.extend(credentials.iter().map(|id| Value::Text(id.to_string())));
    }
    // What an event is about narrows most: the plus keeps the other indexes out of it.
    let plus = if filter.about.is_some() { "+" } else { "" };
    let mut fits = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {plus}{column} ?"));
            values.push(value);
        }
    };
    let millis = |time: Timestamp| Value::Integer(time.millis());
    fits("tenant_id =", filter.tenant_id.as_ref().map(|id| Value::Text(id.to_string())));
    fits("provider =", filter.provider.as_ref().map(|id| Value::Text(id.to_string())));
    fits("kind =", filter.kind.map(|kind| Value::Text(name(kind))));
    fits("at >=", filter.since.map(millis));
    fits("at <", filter.before.map(millis));
    if let Some((at, seq)) = after {
        sql.push_str(&format!(" AND ({plus}at, seq) < (?, ?)"));
        values.extend([Value::Integer(at), Value::Integer(seq)]);
    }
    sql.push_str(&format!(" ORDER BY {plus}at DESC, seq DESC LIMIT ?"));
    values.push(Value::Integer(int(limit).saturating_add(1)));
    (sql, values)
}

fn event_at(row: &Row<'_>) -> Result<(i64, Event), StoreError> {
    let mut columns = Columns::new(row, 0, "event");
    let seq = columns.get()?;
    let event = Event {
        at: columns.time()?,
        kind: columns.named()?,
        tenant_id: columns.parsed_or_none()?,
        provider: columns.parsed_or_none()?,
        connection_id: columns.parsed_or_none()?,
        credential_id: columns.parsed_or_none()?,
        detail: columns.get()?,
        by: columns.get()?,
        request_id: columns.get()?,
    };
    Ok((seq, event))
}
