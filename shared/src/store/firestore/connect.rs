//! Connecting in Firestore: a connection with its credentials and its place, in one commit or not at all.

use std::collections::HashMap;

use super::documents::{
    ConnectionDoc, CredentialDoc, connection as connection_doc, connection_path,
    credential as credential_doc, credential_fields, credential_path,
};
use super::fields::{Fields, null, texts, time};
use super::link::Committed;
use super::selection::{Selection, selection_path};
use super::write::When;
use super::{Firestore, TRIES, contended};
use crate::domain::{Connection, ConnectionId, Credential, CredentialId, Event, Status, Timestamp};
use crate::store::{Connect, StoreError};

impl Firestore {
    /// See [`crate::store::Connections::connect`].
    pub(super) async fn connect_all(
        &self,
        connection: &Connection,
        next_probe_at: Timestamp,
        events: &[Event],
    ) -> Result<Connect, StoreError> {
        for tried in 0..TRIES {
            match self.try_connect(connection, next_probe_at, events).await? {
                Some(done) => return Ok(done),
                None => self.lost(tried).await,
            }
        }
        Err(contended())
    }

    /// `None`: others wrote in between; what is there has to be judged anew.
    async fn try_connect(
        &self,
        connection: &Connection,
        next_probe_at: Timestamp,
        events: &[Event],
    ) -> Result<Option<Connect>, StoreError> {
        let place = selection_path(&connection.tenant_id, &connection.user_id, &connection.provider);
        let own_path = connection_path(connection.id);
        let mut paths = vec![own_path.clone(), place.clone()];
        paths.extend(connection.credentials.iter().map(|each| credential_path(&each.id)));
        let mut got = self.link.get(&paths).await?;
        let stored = got.take(&own_path).map(|found| connection_doc(&found)).transpose()?;
        let mut selection = Selection::read(got.take(&place))?;
        if selection.holder(&connection.account).is_some_and(|holder| holder.id != connection.id) {
            return Ok(Some(Connect::Conflict));
        }
        let mut apart = HashMap::new();
        for credential in &connection.credentials {
            if let Some(found) = got.take(&credential_path(&credential.id)) {
                apart.insert(credential.id.clone(), credential_doc(&found)?);
            }
        }
        if !fits(connection, stored.as_ref(), &apart) {
            return Ok(Some(Connect::Conflict));
        }
        // What is kept counts for the order, and so its document is part of what is judged.
        self.read_kept(stored.as_ref(), &mut apart).await?;

        let doc = merged(connection, stored, &apart, next_probe_at);
        let mut writes = vec![];
        for credential in &connection.credentials {
            if doc.own.as_ref().is_some_and(|own| own.id == credential.id) {
                continue;
            }
            let (base, when, was) = match apart.remove(&credential.id) {
                Some(stored) => (stored.fields, stored.when, Some(stored.credential.status)),
                None => (Fields::default(), When::Absent, None),
            };
            let path = credential_path(&credential.id);
            writes.push(self.put(&path, credential_fields(base, &settled(credential)), when));
            // Only what was dead has connections to wake; a large workspace is not read for every consent.
            if credential.status == Status::Active && was.is_some_and(|was| was != Status::Active) {
                let at = connection.updated_at;
                writes.extend(self.carried(credential, Some(connection.id), at).await?);
            }
        }
        selection.put(&doc);
        let when = selection.when;
        writes.push(self.put(&place, selection.into_fields(connection), when));
        let when = doc.when;
        writes.push(self.put(&own_path, doc.into_fields(), when));
        writes.extend(events.iter().map(|event| self.event_write(event)));
        match self.link.commit(writes).await? {
            Committed::Done(_) => Ok(Some(Connect::Done)),
            Committed::Conflict => Ok(None),
        }
    }

    async fn read_kept(
        &self,
        stored: Option<&ConnectionDoc>,
        apart: &mut HashMap<CredentialId, CredentialDoc>,
    ) -> Result<(), StoreError> {
        let Some(stored) = stored else { return Ok(()) };
        let kept = stored.others().filter(|id| !apart.contains_key(*id));
        let paths: Vec<_> = kept.map(credential_path).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let mut got = self.link.get(&paths).await?;
        for found in paths.iter().filter_map(|path| got.take(path)) {
            let doc = credential_doc(&found)?;
            apart.insert(doc.credential.id.clone(), doc);
        }
        Ok(())
    }
}

/// Whether every credential is one version above the stored one.
fn fits(
    connection: &Connection,
    stored: Option<&ConnectionDoc>,
    apart: &HashMap<CredentialId, CredentialDoc>,
) -> bool {
    connection.credentials.iter().all(|each| {
        let own = stored.and_then(|stored| stored.own.as_ref()).filter(|own| own.id == each.id);
        let version =
            own.or_else(|| apart.get(&each.id).map(|doc| &doc.credential)).map_or(0, |old| old.version);
        version.checked_add(1) == Some(each.version)
    })
}

/// The document as it will be: what the consent brought, what it did not bring and is kept, the default first.
fn merged(
    connection: &Connection,
    stored: Option<ConnectionDoc>,
    apart: &HashMap<CredentialId, CredentialDoc>,
    next_probe_at: Timestamp,
) -> ConnectionDoc {
    let (own, kept, base) = match stored {
        // The bot that an earlier service kept with the connection is the workspace's from now on.
        Some(doc) => {
            let dropped = doc.earlier
                && doc.own.as_ref().is_some_and(|own| {
                    connection.credentials.iter().any(|each| each.kind == own.kind && each.id != own.id)
                });
            let kept: Vec<_> = doc.credential_ids.iter().filter(|_| !dropped).cloned().collect();
            (doc.own.clone().filter(|_| !dropped), kept, Some(doc))
        }
        None => (None, Vec::new(), None),
    };
    let is_own = |each: &&Credential| match &own {
        Some(own) => each.id == own.id,
        None => each.id.owner() == Some(connection.id),
    };
    let own = connection.credentials.iter().find(is_own).map(settled).or(own);
    let mut all: Vec<(bool, crate::domain::TokenKind, CredentialId)> = Vec::new();
    for id in connection.credentials.iter().map(|each| &each.id).chain(&kept) {
        let now = connection.credentials.iter().chain(&own).chain(apart.values().map(|doc| &doc.credential));
        let Some(credential) = now.into_iter().find(|each| each.id == *id) else { continue };
        if all.iter().all(|(_, _, known)| known != id) {
            all.push((credential.status != Status::Active, credential.kind, id.clone()));
        }
    }
    // The first that is active, bot before user: a kept one that is dead comes last.
    all.sort();
    let mut doc = ConnectionDoc {
        connection: connection.clone(),
        own,
        credential_ids: all.into_iter().map(|(_, _, id)| id).collect(),
        next_probe_at: Some(next_probe_at),
        earlier: false,
        fields: base.as_ref().map(|doc| doc.fields.clone()).unwrap_or_default(),
        when: base.map_or(When::Absent, |doc| doc.when),
    };
    if doc.own.is_none()
        && let Some(default) = connection.credentials.first()
    {
        clear_own(&mut doc.fields, default);
    }
    doc
}

/// Of a connection with nothing of its own, the given fields say what its default was when it was connected.
fn clear_own(fields: &mut Fields, default: &Credential) {
    for gone in [
        "tokenKind",
        "encryptedRefreshToken",
        "credentialVersion",
        "credentialStatus",
        "credentialStatusReason",
        "issuedAt",
        "liveUntil",
        "nextRefreshAt",
        "refreshShard",
        "refreshFailures",
        "lastRefreshFailure",
        "leaseOwner",
        "leaseUntil",
        "intentAt",
        "grantDigest",
        "keyIds",
    ] {
        fields.set_or_remove(gone, None);
    }
    fields.set("scopes", texts(default.scopes.iter().map(String::as_str)));
    fields.set("expiresAt", default.expires_at.map_or_else(null, time));
}

/// As it is written by a consent: leases and intents on it end.
fn settled(credential: &Credential) -> Credential {
    Credential { lease: None, intent_at: None, ..credential.clone() }
}

impl Firestore {
    /// Writes that give a shared credential's status to the connections of which it is the default (but
    /// `except`), unless they were revoked here.
    pub(super) async fn carried(
        &self,
        credential: &Credential,
        except: Option<ConnectionId>,
        at: Timestamp,
    ) -> Result<Vec<gcloud_sdk::google::firestore::v1::Write>, StoreError> {
        let mut writes = Vec::new();
        for mut doc in self.user_docs(&credential.id).await? {
            if Some(doc.connection.id) == except || !follow(&mut doc, credential, at) {
                continue;
            }
            let (path, when) = (connection_path(doc.connection.id), doc.when);
            writes.push(self.put(&path, doc.into_fields(), when));
        }
        Ok(writes)
    }
}

/// Gives a connection the status of its default credential, unless it was revoked here. Returns whether that
/// changes anything.
pub(super) fn follow(doc: &mut ConnectionDoc, credential: &Credential, at: Timestamp) -> bool {
    let is_default = doc.credential_ids.first() == Some(&credential.id);
    let connection = &mut doc.connection;
    let now = (credential.status, credential.status_reason);
    if !is_default || connection.revoked.is_some() || (connection.status, connection.status_reason) == now {
        return false;
    }
    (connection.status, connection.status_reason) = now;
    connection.updated_at = at;
    true
}
