//! What the service knows: connections, credentials, attempts; pure state, no I/O, time passed in.

mod alarm;
mod attempt;
mod connection;
mod credential;
mod event;
mod id;
mod rate;
pub mod refresh;
mod report;
mod revocation;
mod scope;
mod time;

pub use alarm::{Alarm, Rule};
pub use attempt::{Attempt, Browser, Completion, Parked};
pub use connection::{Account, Connection, Health, HealthStatus, Revoked, Status, StatusReason};
pub use credential::{Credential, Lease, RefreshState, Sealed, TokenKind, lives_for};
pub use event::{Event, EventKind};
pub use id::{AttemptId, ConnectionId, CredentialId, IdentifierError, ProviderId, TenantId, UserId};
pub use rate::{ParseRateError, Rate, Step};
pub use refresh::Rotation;
pub use report::{Job, JobFailure, JobReport};
pub use revocation::{PendingRevocation, ProviderRevocation};
pub use scope::{Scopes, missing};
pub use time::{ParseTimestampError, Timestamp};
