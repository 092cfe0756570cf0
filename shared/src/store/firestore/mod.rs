//! The store in the cloud: Firestore. Every change is one conditional commit; nothing is locked, and no transaction is left open.
//!
//! A change reads the documents it is about, judges, and commits all its writes on condition that none of
//! those documents was written in between; after a conflict it starts again. What the documents are and why
//! is in `docs/decisions/0009`.

mod adoption;
mod connect;
mod connections;
mod credentials;
mod documents;
mod fields;
mod journal;
mod keys;
mod link;
mod one_time;
mod query;
mod revocations;
mod revoke;
mod selection;
mod tenants;
#[cfg(test)]
mod tests;
mod timeline;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;

use self::link::{Link, Place};
use super::{Store, StoreError};
use crate::clock::{Clock, Ids};
use crate::domain::Timestamp;
use crate::google::Google;

/// The connections, as an earlier service left them or as we write them. The name is given.
const CONNECTIONS: &str = "oauth_connections";
/// Credentials that no connection's document holds: shared ones, and the second of a connection.
const CREDENTIALS: &str = "oauth_credentials";
/// Which connections a user has at a provider; one document a user and provider.
const SELECTIONS: &str = "oauth_selections";
/// What is taken once.
const ONE_TIME: &str = "oauth_one_time";
/// Data keys, wrapped.
const DATA_KEYS: &str = "oauth_data_keys";
/// The active data key of each owner.
const KEY_OWNERS: &str = "oauth_key_owners";
/// Revocations that the provider has still to be told of.
const REVOCATIONS: &str = "oauth_revocations";
/// Touched by every revocation of a grant, so that two at once see each other.
const GRANTS: &str = "oauth_grants";
/// What happened.
const EVENTS: &str = "oauth_events";
/// Counts of served tokens by connection and day.
const SERVED: &str = "oauth_served";
/// Last runs of jobs, and how far the adoption has come.
const RUNS: &str = "oauth_runs";

/// How often a change that lost against another one is tried again.
const TRIES: u32 = 12;

/// A Firestore database.
pub(super) struct Firestore {
    link: Link,
    time: Time,
    ids: Arc<dyn Ids>,
    leases: credentials::Leases,
    /// Whether no document of an earlier service is left: once it is so, it stays so.
    adopted: AtomicBool,
}

/// By whose clock leases are judged.
enum Time {
    /// Firestore's own, as every read says it.
    Stores,
    /// A test's.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests move the time"))]
    Clock(Arc<dyn Clock>),
}

impl Time {
    /// What time it was when something was read.
    fn at(&self, read: Timestamp) -> Timestamp {
        match self {
            Self::Stores => read,
            Self::Clock(clock) => clock.now(),
        }
    }
}

impl Firestore {
    /// Understands `//PROJECT/DATABASE`; connects to nobody yet.
    pub(super) fn open(name: &str, google: &Arc<Google>, ids: Arc<dyn Ids>) -> Result<Self, StoreError> {
        let unusable = || StoreError::Unavailable("it must be firestore://PROJECT/DATABASE".into());
        let (project, database) =
            name.strip_prefix("//").and_then(|name| name.split_once('/')).ok_or_else(unusable)?;
        let fits = |part: &str| {
            !part.is_empty()
                && part.chars().all(|each| each.is_ascii_alphanumeric() || "-_.:()".contains(each))
        };
        if !fits(project) || !fits(database) {
            return Err(unusable());
        }
        let place = Place {
            project: project.to_owned(),
            database: database.to_owned(),
            emulator: google.firestore_emulator.clone(),
        };
        Ok(Self {
            link: Link::new(place, Arc::clone(google)),
            time: Time::Stores,
            ids,
            leases: credentials::Leases::default(),
            adopted: AtomicBool::new(false),
        })
    }

    /// One document.
    async fn get_one(&self, path: String) -> Result<Option<link::Snapshot>, StoreError> {
        let mut got = self.link.get(std::slice::from_ref(&path)).await?;
        Ok(got.take(&path))
    }
}

/// The path of a document.
fn path(collection: &str, id: &str) -> String {
    format!("{collection}/{id}")
}

/// A document id made of texts that may hold any character: their digest, each behind its length.
fn digest_id(parts: &[&str]) -> String {
    use base64::Engine as _;
    let mut whole = Vec::new();
    for part in parts {
        whole.extend_from_slice(part.len().to_string().as_bytes());
        whole.push(b':');
        whole.extend_from_slice(part.as_bytes());
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

impl Firestore {
    /// Waits a little before a change that lost is tried again: those who came together would lose together again.
    async fn lost(&self, tried: u32) {
        let mut random = [0_u8; 2];
        // Without randomness they wait for the same time.
        let _ = self.ids.fill(&mut random);
        let part = u64::from(u16::from_be_bytes(random)) % (8 << tried.min(6));
        tokio::time::sleep(Duration::from_millis(2 + part)).await;
    }
}

/// Others wrote to the same documents, again and again.
fn contended() -> StoreError {
    StoreError::Unavailable(format!("others wrote to the same documents {TRIES} times in a row").into())
}

#[async_trait]
impl Store for Firestore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.get_one(path(RUNS, "ping")).await.map(drop)
    }

    /// Firestore deletes by its own time-to-live policies (`expireAt` of each collection, see
    /// `firestore.indexes.json`), usually within a day; until then what has ended is not answered.
    async fn purge(&self, _now: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}
