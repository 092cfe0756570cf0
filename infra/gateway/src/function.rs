//! One function of the list: who reaches it, by which routes or when, and what it may use.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::route::Route;

/// An entry of the list. What each field means stands at the head of `terraform/functions.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub exposure: Exposure,
    #[serde(default)]
    pub routes: Vec<Route>,
    pub schedule: Option<String>,
    pub shards: Option<u8>,
    /// Seconds.
    pub timeout: u32,
    /// Seconds.
    pub deadline: Option<u32>,
    /// MiB.
    pub memory: u32,
    pub concurrency: u32,
    pub store: Store,
    pub kms: Use,
    pub cache: Use,
    pub secrets: BTreeSet<Secret>,
}

/// Who reaches a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// Everybody, through the gateway.
    Public,
    /// Whom the platform lets in.
    Internal,
    /// The scheduler.
    Scheduled,
}

/// What a function does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    Write,
    None,
}

/// Whether a function uses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    Use,
    None,
}

/// A secret that a function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    AttemptKey,
    AuditKey,
    Callers,
    /// One for each provider.
    ClientSecrets,
}

impl Function {
    /// Whether it answers requests; otherwise it is a job.
    #[must_use]
    pub fn is_endpoint(&self) -> bool {
        self.exposure != Exposure::Scheduled
    }

    /// What is wrong with it, in words that begin with the field.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, words: &str| {
            if !holds {
                wrong.push(words.to_owned());
            }
        };
        if self.is_endpoint() {
            must(!self.routes.is_empty(), "routes: what is public or internal has some");
            must(self.schedule.is_none(), "schedule: only what is scheduled has one");
            must(self.shards.is_none(), "shards: only what is scheduled has them");
            must(
                self.deadline.is_none(),
                "deadline: only what is scheduled has one; a request has the time-out",
            );
            must(
                self.secrets.contains(&Secret::AttemptKey),
                "secrets: what is public or internal needs attempt-key",
            );
            must(
                self.secrets.contains(&Secret::Callers),
                "secrets: what is public or internal needs callers",
            );
        } else {
            must(self.routes.is_empty(), "routes: what is scheduled has none");
            must(
                self.schedule.as_deref().is_some_and(is_cron),
                "schedule: five fields, of which the last is *",
            );
            // As many as there are in the store: `shared::store::SHARDS`.
            must(self.shards.is_some_and(|shards| (1..=16).contains(&shards)), "shards: from 1 to 16");
            must(
                self.deadline.is_some_and(|deadline| deadline < self.timeout),
                "deadline: less than timeout",
            );
            must(!self.secrets.contains(&Secret::Callers), "secrets: what is scheduled has no callers");
        }
        must(
            (1..=900).contains(&self.timeout),
            "timeout: from 1 to 900 seconds, which is all that Lambda gives",
        );
        must((128..=512).contains(&self.memory), "memory: from 128 to 512 MiB");
        must((1..=1000).contains(&self.concurrency), "concurrency: from 1 to 1000");
        must(self.secrets.contains(&Secret::AuditKey), "secrets: every function needs audit-key");
        must(
            self.kms == Use::Use || !self.secrets.contains(&Secret::ClientSecrets),
            "secrets: client-secrets are for what may use the key: who can't seal a token gets none",
        );
        wrong
    }
}

/// Minute, hour, day, month and `*`; what the two clouds say alike.
fn is_cron(schedule: &str) -> bool {
    let fields: Vec<_> = schedule.split(' ').collect();
    let plain = |field: &&str| {
        !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit() || b"*/,-".contains(&byte))
    };
    fields.len() == 5 && fields.iter().all(plain) && fields[4] == "*"
}
