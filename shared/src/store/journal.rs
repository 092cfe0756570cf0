//! What the store keeps for people to read: events, counts of served tokens, reports of job runs.

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::domain::{
    ConnectionId, CredentialId, Event, EventKind, Job, JobReport, ProviderId, Rule, TenantId, Timestamp,
};

/// Events, counts and reports.
#[async_trait]
pub trait Journal {
    /// Writes events.
    async fn record(&self, events: &[Event]) -> Result<(), StoreError>;

    /// Notes that `subject` shows what an alarm is about. Once as many as its rule needs have shown it, `event` is recorded,
    /// and not again while the alarm stands. Returns whether it was recorded now. One atomic step: of several
    /// processes that see the same, one raises it.
    async fn raise(&self, rule: &Rule, subject: &str, event: &Event) -> Result<bool, StoreError>;

    /// A page of events that fit the filter, newest first.
    async fn events(
        &self,
        filter: &EventFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, StoreError>;

    /// Adds to the counts of served tokens, by connection and day (days since 1970 in UTC).
    async fn count_served(&self, counts: &[(ConnectionId, i64, u64)]) -> Result<(), StoreError>;

    /// The counts of a connection since a day, oldest first.
    async fn served(&self, id: ConnectionId, since_day: i64) -> Result<Vec<(i64, u64)>, StoreError>;

    /// Keeps the report of a run as its job's last one.
    async fn save_run(&self, report: &JobReport) -> Result<(), StoreError>;

    /// The last report of a job.
    async fn last_run(&self, job: Job) -> Result<Option<JobReport>, StoreError>;
}

/// Which events a list shows; an empty filter shows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// At this provider.
    pub provider: Option<ProviderId>,
    /// Of this connection, or of one of these credentials.
    pub about: Option<(ConnectionId, Vec<CredentialId>)>,
    /// Of this kind.
    pub kind: Option<EventKind>,
    /// At or after this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub before: Option<Timestamp>,
}
