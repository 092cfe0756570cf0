//! What can go wrong with one refresh, and which credentials it is armed for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::scenario::{Backend, CacheMode, Scenario};

/// What goes wrong with one refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// `kill -9` before the provider saw the request.
    KillBeforeSending,
    /// `kill -9` when the provider has answered and nobody has heard.
    KillAfterSending,
    /// `kill -9` with the answer in hand, while the store takes no write.
    KillBeforeSave,
    /// `kill -9` as soon as the store has the new version.
    KillAfterSave,
    /// SIGTERM while the request is under way.
    Terminate,
    /// SIGSTOP until the lease is over, before the provider saw the request.
    FreezeBeforeSending,
    /// The same with the answer on its way.
    FreezeAfterSending,
    /// The store takes none of this credential's new tokens for a while.
    RefuseSave,
    /// The same, and then `kill -9`.
    RefuseSaveAndKill,
    /// The connection ends before the provider saw the request.
    DropBefore,
    /// The connection ends after the provider has answered.
    DropAfter,
    /// 500 in the place of the provider.
    ErrorBefore,
    /// 500 in the place of its answer.
    ErrorAfter,
    /// 429 with `Retry-After`.
    TooMany,
    /// 200 with a page of HTML in the place of the provider.
    Html,
    /// 200 with half of the JSON.
    HalfJson,
    /// The connection ends in the middle of the answer.
    HalfAnswer,
    /// The answer comes when nobody waits any more.
    Late,
    /// The request reaches the provider when nobody waits any more.
    SentLate,
}

impl Fault {
    pub(crate) const ALL: [Self; 19] = [
        Self::KillBeforeSending,
        Self::KillAfterSending,
        Self::KillBeforeSave,
        Self::KillAfterSave,
        Self::Terminate,
        Self::FreezeBeforeSending,
        Self::FreezeAfterSending,
        Self::RefuseSave,
        Self::RefuseSaveAndKill,
        Self::DropBefore,
        Self::DropAfter,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::TooMany,
        Self::Html,
        Self::HalfJson,
        Self::HalfAnswer,
        Self::Late,
        Self::SentLate,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KillBeforeSending => "kill -9 before sending",
            Self::KillAfterSending => "kill -9 after sending",
            Self::KillBeforeSave => "kill -9 after the answer, before the save",
            Self::KillAfterSave => "kill -9 after the save",
            Self::Terminate => "SIGTERM while sending",
            Self::FreezeBeforeSending => "SIGSTOP past the lease, before sending",
            Self::FreezeAfterSending => "SIGSTOP past the lease, after sending",
            Self::RefuseSave => "the store refuses the save",
            Self::RefuseSaveAndKill => "the store refuses the save, then kill -9",
            Self::DropBefore => "hang-up before processing",
            Self::DropAfter => "answer dropped after processing",
            Self::ErrorBefore => "500 before processing",
            Self::ErrorAfter => "500 after processing",
            Self::TooMany => "429 with Retry-After",
            Self::Html => "HTML",
            Self::HalfJson => "truncated JSON",
            Self::HalfAnswer => "hang-up within the answer",
            Self::Late => "answer after the time-out",
            Self::SentLate => "request arrives after the time-out",
        }
    }

    /// Whether the process is killed or stopped.
    pub(crate) const fn strikes_the_process(self) -> bool {
        match self {
            Self::KillBeforeSending
            | Self::KillAfterSending
            | Self::KillBeforeSave
            | Self::KillAfterSave
            | Self::FreezeBeforeSending
            | Self::FreezeAfterSending
            | Self::RefuseSaveAndKill => true,
            Self::Terminate
            | Self::RefuseSave
            | Self::DropBefore
            | Self::DropAfter
            | Self::ErrorBefore
            | Self::ErrorAfter
            | Self::TooMany
            | Self::Html
            | Self::HalfJson
            | Self::HalfAnswer
            | Self::Late
            | Self::SentLate => false,
        }
    }

    /// Whether it makes sense there. A refused save needs a place to park tokens that stays: two outages at once are
    /// the one loss that is accepted in the cloud.
    pub(crate) fn fits(self, scenario: Scenario) -> bool {
        match self {
            Self::RefuseSave | Self::RefuseSaveAndKill => match scenario.backend {
                Backend::Sqlite => true,
                Backend::Firestore => scenario.cache == CacheMode::Redis,
            },
            Self::KillBeforeSending
            | Self::KillAfterSending
            | Self::KillBeforeSave
            | Self::KillAfterSave
            | Self::Terminate
            | Self::FreezeBeforeSending
            | Self::FreezeAfterSending
            | Self::DropBefore
            | Self::DropAfter
            | Self::ErrorBefore
            | Self::ErrorAfter
            | Self::TooMany
            | Self::Html
            | Self::HalfJson
            | Self::HalfAnswer
            | Self::Late
            | Self::SentLate => true,
        }
    }
}

/// The faults that wait for the next refresh of their credential.
#[derive(Default)]
pub(crate) struct Armed {
    waiting: Mutex<HashMap<usize, Fault>>,
    struck: Mutex<Vec<(usize, Fault)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Armed {
    pub(crate) fn arm(&self, credential: usize, fault: Fault) {
        lock(&self.waiting).insert(credential, fault);
    }

    /// What is to go wrong with this refresh.
    pub(crate) fn take(&self, credential: usize) -> Option<Fault> {
        lock(&self.waiting).remove(&credential)
    }

    /// Forgets what has not happened.
    pub(crate) fn disarm(&self) {
        lock(&self.waiting).clear();
    }

    /// It has happened.
    pub(crate) fn struck(&self, credential: usize, fault: Fault) {
        lock(&self.struck).push((credential, fault));
    }

    /// What has happened since this was asked last.
    pub(crate) fn take_struck(&self) -> Vec<(usize, Fault)> {
        std::mem::take(&mut lock(&self.struck))
    }
}
