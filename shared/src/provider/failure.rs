//! Why a call to a provider failed: who must act, whether the provider may have acted, and what it said.

use std::time::Duration;

use crate::domain::{ProviderId, StatusReason};

/// A call to a provider that failed. It holds no token, no secret and no URL.
#[derive(Debug, thiserror::Error)]
#[error("the provider call failed: {class:?}, code {code:?}, status {status:?}, {outcome:?}")]
pub struct Failure {
    /// Who must act.
    pub class: FailureClass,
    /// The provider's own code: printable ASCII, at most 64 characters.
    pub code: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Whether the provider may have acted on the request.
    pub outcome: Outcome,
    /// What went wrong underneath, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The user: the grant is gone.
    User(StatusReason),
    /// The operator: the provider refuses our app, or the app is not configured.
    Operator,
    /// Nobody: we asked too often.
    RateLimited {
        /// When the provider wants to be asked again, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Nobody: the provider, or the way to it, is in trouble.
    Passing {
        /// When the provider wants to be asked again, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Nobody yet: the access token is not accepted; refresh it and ask again.
    Stale,
    /// The request itself was refused, in a way that says nothing about grant or app.
    Refused,
    /// The answer can't be understood.
    Malformed,
}

/// Whether the provider may have acted on the request: for a refresh, whether it may have spent the
/// refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It never got the request.
    NotSent,
    /// It got the request and refused it.
    Refused,
    /// It may have.
    Unknown,
}

/// The provider has no client id and secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider {0} has no client id and secret")]
pub struct NotConfigured(pub ProviderId);

impl Failure {
    /// A failure before anything was sent, or without any answer.
    pub(super) fn passing(
        outcome: Outcome,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            class: FailureClass::Passing { retry_after: None },
            code: None,
            status: None,
            outcome,
            source: Some(source.into()),
        }
    }

    /// A good status with an answer that can't be understood.
    pub(super) fn malformed(problem: &'static str) -> Self {
        Self {
            class: FailureClass::Malformed,
            code: None,
            status: None,
            outcome: Outcome::Unknown,
            source: Some(problem.into()),
        }
    }

    /// A call that the operator must make possible; nothing was sent.
    pub(super) fn operator(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            class: FailureClass::Operator,
            code: None,
            status: None,
            outcome: Outcome::NotSent,
            source: Some(source.into()),
        }
    }
}
