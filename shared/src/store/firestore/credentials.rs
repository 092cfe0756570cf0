//! Credentials in Firestore: every rule about leases and versions is judged on what was read, and written only if that is still so.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gcloud_sdk::google::firestore::v1::Write;
use moka::sync::Cache as Map;

use super::connect::follow;
use super::documents::{
    self, ConnectionDoc, CredentialDoc, connection_path, credential_fields, credential_path,
};
use super::fields::{number, text, time};
use super::link::Committed;
use super::query::Query;
use super::write::When;
use super::{CONNECTIONS, CREDENTIALS, Firestore, TRIES, contended};
use crate::domain::{
    ConnectionId, Credential, CredentialId, Event, Lease, Sealed, Status, StatusReason, Timestamp,
};
use crate::store::{Credentials, Due, DueCursor, Leased, Release, Saved, StoreError};

/// The document that holds a credential.
#[derive(Clone)]
pub(super) enum Home {
    /// Its connection's.
    Connection(Box<ConnectionDoc>, Box<Credential>),
    /// Its own.
    Apart(Box<CredentialDoc>),
}

/// How long what was leased is remembered.
const LEASE: Duration = Duration::from_secs(20);

/// What a change makes of a credential.
enum Judged<T> {
    /// It stays as it is.
    Leave(T),
    /// It is written so, with an event; if it was still as it was read.
    Write(Box<Credential>, Option<Event>, T),
}

#[async_trait]
impl Credentials for Firestore {
    async fn credential(&self, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
        Ok(self.home(id).await?.map(|(home, _)| home.credential().clone()))
    }

    async fn users(&self, id: &CredentialId) -> Result<Vec<ConnectionId>, StoreError> {
        match id.owner() {
            Some(connection) => Ok(vec![connection]),
            None => Ok(self.user_docs(id).await?.into_iter().map(|doc| doc.connection.id).collect()),
        }
    }

    async fn lease(
        &self,
        id: &CredentialId,
        version: u64,
        owner: &str,
        length: Duration,
    ) -> Result<Leased, StoreError> {
        let mut asked: Option<Box<Credential>> = None;
        let leased = self
            .change(id, |stored, now| {
                if stored.version != version || stored.status != Status::Active {
                    return Judged::Leave(Leased::Moved(Box::new(stored.clone())));
                }
                if let Some(Lease { owner: holder, until }) = &stored.lease {
                    // The answer to our own write was lost.
                    if holder == owner
                        && let Some(before) = asked.take()
                    {
                        return Judged::Leave(Leased::Taken(before));
                    }
                    if *until > now {
                        return Judged::Leave(Leased::Held(until.since(now)));
                    }
                }
                let until = now + length;
                let leased = Credential {
                    lease: Some(Lease { owner: owner.to_owned(), until }),
                    intent_at: Some(now),
                    next_refresh_at: Some(until),
                    ..stored.clone()
                };
                asked = Some(Box::new(stored.clone()));
                Judged::Write(Box::new(leased), None, Leased::Taken(Box::new(stored.clone())))
            })
            .await?;
        Ok(leased.unwrap_or(Leased::Missing))
    }

    async fn save_refreshed(&self, credential: &Credential, event: &Event) -> Result<Saved, StoreError> {
        let saved = self
            .change_leased(&credential.id, |stored| {
                let same = (stored.version, &stored.access, &stored.refresh)
                    == (credential.version, &credential.access, &credential.refresh);
                if same {
                    return Judged::Leave(Saved::Done);
                }
                if stored.version.checked_add(1) != Some(credential.version) {
                    return Judged::Leave(Saved::Fenced(Box::new(stored.clone())));
                }
                let new = Credential {
                    failures: 0,
                    last_failure: None,
                    lease: None,
                    intent_at: None,
                    ..credential.clone()
                };
                Judged::Write(Box::new(new), Some(event.clone()), Saved::Done)
            })
            .await?;
        Ok(saved.unwrap_or(Saved::Missing))
    }

    async fn release(&self, release: &Release) -> Result<(), StoreError> {
        self.change_leased(&release.id, |stored| {
            if stored.lease.as_ref().is_none_or(|lease| lease.owner != release.owner) {
                return Judged::Leave(());
            }
            let free = Credential {
                lease: None,
                intent_at: release.intent_at,
                next_refresh_at: release.next_refresh_at,
                failures: release.failures,
                last_failure: release.last_failure.clone(),
                ..stored.clone()
            };
            Judged::Write(Box::new(free), release.event.clone(), ())
        })
        .await
        .map(drop)
    }

    async fn condemn(
        &self,
        id: &CredentialId,
        version: u64,
        reason: StatusReason,
        event: &Event,
    ) -> Result<Option<Vec<ConnectionId>>, StoreError> {
        let condemned = self
            .change(id, |stored, _| {
                if stored.version != version {
                    return Judged::Leave(false);
                }
                let dead = Credential {
                    status: reason.status(),
                    status_reason: Some(reason),
                    next_refresh_at: None,
                    lease: None,
                    intent_at: None,
                    ..stored.clone()
                };
                if dead == *stored {
                    return Judged::Leave(true);
                }
                Judged::Write(Box::new(dead), Some(event.clone()), true)
            })
            .await?;
        if condemned == Some(true) { self.users(id).await.map(Some) } else { Ok(None) }
    }

    async fn due_refreshes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<&DueCursor>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let query = |collection| {
            Query::of(collection)
                .equal("refreshShard", number(shard.into()))
                .less("nextRefreshAt", time(before))
                .ascending("nextRefreshAt")
                .limit(limit)
        };
        let (mut own, mut apart) = (query(CONNECTIONS), query(CREDENTIALS));
        if let Some((at, id)) = after {
            // Every connection's id is before a shared credential's: hexadecimal digits before an `s`.
            let connection = id.owner().map_or_else(|| "s".to_owned(), |owner| owner.to_string());
            own = own.after(Some(time(*at)), connection);
            apart = apart.after(Some(time(*at)), id.as_str());
        }
        let (own, apart) = tokio::try_join!(self.query(own), self.query(apart))?;
        let mut due = Vec::with_capacity(own.len() + apart.len());
        for found in &own {
            due.extend(documents::connection(found)?.own);
        }
        for found in &apart {
            due.push(documents::credential(found)?.credential);
        }
        due.sort_by(|a, b| (a.next_refresh_at, &a.id).cmp(&(b.next_refresh_at, &b.id)));
        due.truncate(limit);
        let mut all = Vec::with_capacity(due.len());
        for credential in due {
            let connection_id = match credential.id.owner() {
                Some(owner) => Some(owner),
                None => self.first_user(&credential.id).await?,
            };
            all.push(Due { credential, connection_id });
        }
        Ok(all)
    }

    async fn reseal(
        &self,
        id: &CredentialId,
        old: (Option<&Sealed>, Option<&Sealed>),
        new: (Option<&Sealed>, Option<&Sealed>),
    ) -> Result<bool, StoreError> {
        let resealed = self
            .change(id, |stored, _| {
                let tokens = |of: &Credential| (of.access.clone(), of.refresh.clone());
                if tokens(stored) != (old.0.cloned(), old.1.cloned()) {
                    return Judged::Leave(false);
                }
                let (access, refresh) = (new.0.cloned(), new.1.cloned());
                Judged::Write(Box::new(Credential { access, refresh, ..stored.clone() }), None, true)
            })
            .await?;
        Ok(resealed == Some(true))
    }
}

impl Home {
    fn credential(&self) -> &Credential {
        match self {
            Self::Connection(_, own) => own,
            Self::Apart(doc) => &doc.credential,
        }
    }

    /// The same document as it stands once `new` is written.
    fn written(self, new: &Credential, update_time: prost_types::Timestamp) -> Self {
        let when = When::Unchanged(update_time);
        match self {
            Self::Connection(doc, _) => {
                Self::Connection(Box::new(ConnectionDoc { when, ..*doc }), Box::new(new.clone()))
            }
            Self::Apart(doc) => {
                Self::Apart(Box::new(CredentialDoc { credential: new.clone(), when, ..*doc }))
            }
        }
    }
}

/// What this process has leased, as it then stood in the store: whoever saves need not read it once more. Judged by
/// its update time, so that somebody else's write in between is seen.
pub(super) struct Leases(Map<CredentialId, Arc<(Home, Timestamp)>>);

impl Default for Leases {
    fn default() -> Self {
        Self(Map::builder().max_capacity(4096).time_to_live(LEASE).build())
    }
}

impl Firestore {
    /// A credential's own document.
    pub(super) async fn credential_doc(
        &self,
        id: &CredentialId,
    ) -> Result<Option<CredentialDoc>, StoreError> {
        let found = self.get_one(credential_path(id)).await?;
        found.map(|found| documents::credential(&found)).transpose()
    }

    /// Where a credential is, and what time it was in the store when it was read.
    async fn home(&self, id: &CredentialId) -> Result<Option<(Home, Timestamp)>, StoreError> {
        if let Some(owner) = id.owner() {
            let path = connection_path(owner);
            let mut got = self.link.get(std::slice::from_ref(&path)).await?;
            let Some(found) = got.take(&path) else { return Ok(None) };
            let mut doc = documents::connection(&found)?;
            if let Some(own) = doc.own.take_if(|own| own.id == *id) {
                return Ok(Some((Home::Connection(Box::new(doc), Box::new(own)), got.at)));
            }
        }
        let path = credential_path(id);
        let mut got = self.link.get(std::slice::from_ref(&path)).await?;
        let Some(found) = got.take(&path) else { return Ok(None) };
        Ok(Some((Home::Apart(Box::new(documents::credential(&found)?)), got.at)))
    }

    /// Reads a credential, judges, and writes what was judged if it is still as it was read; else again.
    /// `None`: there is no such credential.
    async fn change<T>(
        &self,
        id: &CredentialId,
        judge: impl FnMut(&Credential, Timestamp) -> Judged<T> + Send,
    ) -> Result<Option<T>, StoreError> {
        self.change_from(None, id, judge).await
    }

    /// The same for whoever has the lease and asks for no time: begins with what was leased, if this process knows it.
    async fn change_leased<T>(
        &self,
        id: &CredentialId,
        mut judge: impl FnMut(&Credential) -> Judged<T> + Send,
    ) -> Result<Option<T>, StoreError> {
        self.change_from(self.leases.0.remove(id), id, |stored, _| judge(stored)).await
    }

    async fn change_from<T>(
        &self,
        mut known: Option<Arc<(Home, Timestamp)>>,
        id: &CredentialId,
        mut judge: impl FnMut(&Credential, Timestamp) -> Judged<T> + Send,
    ) -> Result<Option<T>, StoreError> {
        for tried in 0..TRIES {
            let read = match known.take() {
                Some(known) => Some(Arc::unwrap_or_clone(known)),
                None => self.home(id).await?,
            };
            let Some((home, at)) = read else { return Ok(None) };
            let (new, event, answer) = match judge(home.credential(), self.time.at(at)) {
                Judged::Leave(answer) => return Ok(Some(answer)),
                Judged::Write(new, event, answer) => (new, event, answer),
            };
            let to_keep = new.lease.is_some().then(|| home.clone());
            let mut writes = self.writes(home, &new, at).await?;
            writes.extend(event.iter().map(|event| self.event_write(event)));
            if let Committed::Done(update_time) = self.link.commit(writes).await? {
                if let (Some(home), Some(update_time)) = (to_keep, update_time) {
                    self.leases.0.insert(id.clone(), Arc::new((home.written(&new, update_time), at)));
                }
                return Ok(Some(answer));
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    /// Writes a credential where it is, and its status to the connections of which it is the default.
    async fn writes(&self, home: Home, new: &Credential, at: Timestamp) -> Result<Vec<Write>, StoreError> {
        let changed =
            home.credential().status != new.status || home.credential().status_reason != new.status_reason;
        match home {
            Home::Connection(mut doc, _) => {
                if changed {
                    follow(&mut doc, new, self.time.at(at));
                }
                doc.own = Some(new.clone());
                let (path, when) = (connection_path(doc.connection.id), doc.when);
                Ok(vec![self.put(&path, doc.into_fields(), when)])
            }
            Home::Apart(doc) => {
                let path = credential_path(&new.id);
                let mut writes = vec![self.put(&path, credential_fields(doc.fields, new), doc.when)];
                if changed {
                    writes.extend(self.carried(new, None, self.time.at(at)).await?);
                }
                Ok(writes)
            }
        }
    }

    /// The lowest id of the connections that use a shared credential.
    async fn first_user(&self, id: &CredentialId) -> Result<Option<ConnectionId>, StoreError> {
        let query = Query::of(CONNECTIONS).contains("credentialIds", text(id.as_str())).limit(1);
        let found = self.query(query).await?;
        found.first().map(|found| Ok(documents::connection(found)?.connection.id)).transpose()
    }
}
