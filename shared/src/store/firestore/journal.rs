//! Events, counts and reports in Firestore.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gcloud_sdk::google::firestore::v1::Write;

use super::fields::{Fields, name, number, text, time};
use super::link::{Committed, Snapshot};
use super::query::Query;
use super::timeline::{Place, Timeline, moment};
use super::write::{BATCH, When};
use super::{EVENTS, Firestore, RUNS, SERVED, TRIES, contended, path};
use crate::domain::{Alarm, ConnectionId, Event, Job, JobReport, Rule, Timestamp};
use crate::store::{EventFilter, Journal, Page, SHARDS, StoreError, shard_of};

/// How long events and counts are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Counts the events of this process: of two in one millisecond the later one is the newer. It stands in the
/// microseconds, so that no index is needed for it.
static TOLD: AtomicU32 = AtomicU32::new(0);

#[async_trait]
impl Journal for Firestore {
    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        for batch in events.chunks(BATCH) {
            self.commit_always(batch.iter().map(|event| self.event_write(event)).collect()).await?;
        }
        Ok(())
    }

    async fn raise(&self, rule: &Rule, subject: &str, event: &Event) -> Result<bool, StoreError> {
        let place = path(RUNS, &format!("alarm.{}", rule.key));
        for tried in 0..TRIES {
            let found = self.get_one(place.clone()).await?;
            let (alarm, when) = match &found {
                None => (Alarm::default(), When::Absent),
                Some(found) => {
                    let read = found.fields.of("alarm", &found.id);
                    let alarm = serde_json::from_str(&read.text("alarm")?);
                    (
                        alarm.map_err(|error| read.malformed(error.to_string()))?,
                        When::as_read(found.update_time),
                    )
                }
            };
            let Some((next, raised)) = alarm.sees(rule, subject, event.at) else { return Ok(false) };
            let json = serde_json::to_string(&next).map_err(|error| StoreError::Unavailable(error.into()))?;
            let mut fields = Fields::default();
            fields.set("alarm", text(json));
            let mut writes = vec![self.put(&place, fields, when)];
            writes.extend(raised.then(|| self.event_write(event)));
            match self.link.commit(writes).await? {
                Committed::Done(_) => return Ok(raised),
                Committed::Conflict => self.lost(tried).await,
            }
        }
        Err(contended())
    }

    async fn events(
        &self,
        filter: &EventFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, StoreError> {
        let limit = limit.max(1);
        let after = after.map(Place::parse).transpose()?;
        let oldest = self.now().await? - KEPT;
        let since = filter.since.map_or(oldest, |since| since.max(oldest));
        let queries = queries(filter).into_iter().map(|query| {
            let query = query.at_least("at", time(since)).descending("at");
            match filter.before {
                Some(before) => query.less("at", time(before.max(oldest))),
                None => query,
            }
        });
        let mut timeline = Timeline::new(queries.collect(), after, limit);
        let mut items = Vec::new();
        let mut last = None;
        while let Some((place, event)) = timeline.next(self).await? {
            if !fits(filter, &event) {
                continue;
            }
            if items.len() == limit {
                return Ok(Page { items, next: last.map(|last: Place| last.to_string()) });
            }
            last = Some(place);
            items.push(event);
        }
        Ok(Page { items, next: None })
    }

    /// A count whose answer is lost may be counted twice: it is a statistic.
    async fn count_served(&self, counts: &[(ConnectionId, i64, u64)]) -> Result<(), StoreError> {
        for batch in counts.chunks(BATCH) {
            let add = |(id, day, count): &(ConnectionId, i64, u64)| {
                let mut fields = Fields::default();
                fields.set("connectionId", text(id.to_string()));
                fields.set("day", number(*day));
                fields.set("expireAt", time(Timestamp::from_day(day + 1) + KEPT));
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                self.add(&path(SERVED, &format!("{id}.{day}")), fields, "count", count)
            };
            self.commit_always(batch.iter().map(add).collect()).await?;
        }
        Ok(())
    }

    async fn served(&self, id: ConnectionId, since_day: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let query = Query::of(SERVED)
            .equal("connectionId", text(id.to_string()))
            .at_least("day", number(since_day))
            .ascending("day");
        let count = |found: &Snapshot| {
            let read = found.fields.of("count of served tokens", &found.id);
            Ok((read.number("day")?, u64::try_from(read.number("count")?).unwrap_or(0)))
        };
        self.query(query).await?.iter().map(count).collect()
    }

    async fn save_run(&self, report: &JobReport) -> Result<(), StoreError> {
        let mut fields = Fields::default();
        let json = serde_json::to_string(report).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        fields.set("report", text(json));
        let write = self.put(&path(RUNS, report.job.as_str()), fields, When::Always);
        self.commit_always(vec![write]).await
    }

    async fn last_run(&self, job: Job) -> Result<Option<JobReport>, StoreError> {
        let Some(found) = self.get_one(path(RUNS, job.as_str())).await? else { return Ok(None) };
        let read = found.fields.of("job report", &found.id);
        let report = serde_json::from_str(&read.text("report")?);
        report.map(Some).map_err(|error| read.malformed(error.to_string()))
    }
}

impl Firestore {
    /// Writes an event, as part of whatever it tells of. Saying the same write twice is saying it once.
    pub(super) fn event_write(&self, event: &Event) -> Write {
        let id = self.ids.uuid();
        let order = TOLD.fetch_add(1, Ordering::Relaxed);
        let mut fields = Fields::default();
        fields.set("at", moment(event.at, order));
        fields.set("shard", number(shard_of(&id.to_string()).into()));
        fields.set("expireAt", time(event.at + KEPT));
        fields.set("kind", name(event.kind));
        fields.set_or_remove("tenantId", event.tenant_id.as_ref().map(|id| text(id.as_str())));
        fields.set_or_remove("provider", event.provider.as_ref().map(|id| text(id.as_str())));
        fields.set_or_remove("connectionId", event.connection_id.map(|id| text(id.to_string())));
        fields.set_or_remove("credentialId", event.credential_id.as_ref().map(|id| text(id.as_str())));
        fields.set_or_remove("detail", event.detail.as_deref().map(text));
        fields.set_or_remove("by", event.by.as_deref().map(text));
        fields.set_or_remove("requestId", event.request_id.as_deref().map(text));
        self.put(&path(EVENTS, &id.to_string()), fields, When::Always)
    }

    /// What time it is, as the store says.
    pub(super) async fn now(&self) -> Result<Timestamp, StoreError> {
        let got = self.link.get(&[path(RUNS, "ping")]).await?;
        Ok(self.time.at(got.at))
    }
}

/// What an event is about spreads its index by itself; lists of all, or of a tenant, are spread by shards.
fn queries(filter: &EventFilter) -> Vec<Query> {
    let query = || Query::of(EVENTS);
    if let Some((connection, credentials)) = &filter.about {
        let credentials = credentials.iter().map(|id| query().equal("credentialId", text(id.as_str())));
        let connection = query().equal("connectionId", text(connection.to_string()));
        return credentials.chain([connection]).collect();
    }
    let of_shard = |shard: u8| {
        let query = query().equal("shard", number(shard.into()));
        match &filter.tenant_id {
            Some(tenant) => query.equal("tenantId", text(tenant.as_str())),
            None => query,
        }
    };
    (0..SHARDS).map(of_shard).collect()
}

/// What the indexes leave to us.
fn fits(filter: &EventFilter, event: &Event) -> bool {
    let tenant = filter.tenant_id.is_none() || filter.tenant_id == event.tenant_id;
    let provider = filter.provider.is_none() || filter.provider == event.provider;
    tenant && provider && filter.kind.is_none_or(|kind| kind == event.kind)
}
