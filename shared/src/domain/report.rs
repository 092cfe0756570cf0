//! The report of a job run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConnectionId, Timestamp};

/// The jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Refreshes what is due.
    ScheduledRefresh,
    /// Checks what is connected, and retries revocations.
    ScheduledHealth,
}

impl Job {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScheduledRefresh => "scheduled-refresh",
            Self::ScheduledHealth => "scheduled-health",
        }
    }
}

/// One connection that a run could not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobFailure {
    /// Which; for a shared credential, one of its connections.
    pub connection_id: Option<ConnectionId>,
    /// The public error code.
    pub code: String,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// The run.
    #[schema(value_type = String, format = "uuid")]
    pub run_id: uuid::Uuid,
    /// The job.
    pub job: Job,
    /// When it started.
    pub started_at: Timestamp,
    /// When it stopped.
    pub finished_at: Timestamp,
    /// Whether everything that was due when it started was looked at; `false`: the next run goes on.
    pub complete: bool,
    /// How many were looked at: successful + failed + skipped.
    pub processed: u64,
    /// How many went well.
    pub successful: u64,
    /// How many did not.
    pub failed: u64,
    /// How many needed nothing, were somebody else's, or met a passing failure that says nothing about them.
    pub skipped: u64,
    /// The first twenty failures.
    pub failures: Vec<JobFailure>,
}

impl JobReport {
    /// How many failures a report lists.
    pub const LISTED_FAILURES: usize = 20;

    /// A report of nothing yet.
    #[must_use]
    pub const fn new(run_id: uuid::Uuid, job: Job, started_at: Timestamp) -> Self {
        Self {
            run_id,
            job,
            started_at,
            finished_at: started_at,
            complete: false,
            processed: 0,
            successful: 0,
            failed: 0,
            skipped: 0,
            failures: Vec::new(),
        }
    }
}
