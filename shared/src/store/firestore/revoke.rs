//! Beginning a revocation in Firestore: who else depends on a credential or a grant is asked before the commit, and whoever asks at the same time is in its way.
//!
//! A query is no condition of a commit. So a revocation that leaves a shared credential alone writes to its
//! document all the same, and one that erases tokens writes to the document of their grant: of two that saw
//! each other, one loses and looks again. What else changes who uses a credential (a connect, a verdict on it)
//! writes to the credential by itself.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use gcloud_sdk::google::firestore::v1::Write;

use super::documents::{
    self, ConnectionDoc, CredentialDoc, connection_path, credential_fields, credential_path,
};
use super::fields::{Fields, name, text, time};
use super::link::Committed;
use super::query::Query;
use super::write::When;
use super::{CONNECTIONS, CREDENTIALS, Firestore, GRANTS, digest_id, path};
use crate::domain::{
    Connection, ConnectionId, Credential, CredentialId, Event, PendingRevocation, ProviderRevocation,
    Revoked, Status, StatusReason,
};
use crate::store::StoreError;

/// How long a provider is asked; the document of a grant is of no use after that.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);
/// How many users of a shared credential are read at once: mostly the first one that is found decides.
const USERS: usize = 20;

impl Firestore {
    /// See [`crate::store::Revocations::begin_revocation`]. The connection as it is then; `None`: others wrote
    /// in between.
    pub(super) async fn try_revoke(
        &self,
        mut doc: ConnectionDoc,
        revoked: &Revoked,
        event: &Event,
    ) -> Result<Option<Connection>, StoreError> {
        let mut apart = self.apart(&doc).await?;
        if doc.connection.status_reason == Some(StatusReason::RevokedByCaller) {
            return doc.join(&credentials(apart)).map(Some);
        }
        let id = doc.connection.id;
        let all: Vec<Credential> =
            doc.credential_ids.iter().filter_map(|id| find(&doc, &apart, id)).cloned().collect();
        // Before anything is asked: what happens after this read is noticed.
        let mut writes = self.grants_touched(&all, revoked).await?;
        let (mut results, mut erased) = (BTreeMap::new(), Vec::new());
        for credential in &all {
            if self.is_used_elsewhere(&credential.id, id).await? {
                results.insert(credential.kind, ProviderRevocation::Shared);
                writes.extend(apart.get(&credential.id).map(|shared| self.touched(shared)));
            } else if credential.access.is_none() && credential.refresh.is_none() {
                // Erased with another connection that shared it: there is nothing left to tell.
                results.insert(credential.kind, ProviderRevocation::AlreadyInvalid);
            } else {
                erased.push(credential);
            }
        }
        let ids: Vec<_> = erased.iter().map(|each| &each.id).collect();
        for credential in &erased {
            let result = if self.depends_on(&credential.grant_digest, &ids).await? {
                ProviderRevocation::Shared
            } else {
                writes.push(self.pending_write(&pending(id, credential, revoked)));
                ProviderRevocation::Pending
            };
            results.insert(credential.kind, result);
        }
        for credential in erased {
            if let Some(stored) = apart.get_mut(&credential.id) {
                stored.credential = without_tokens(credential);
                let fields = credential_fields(stored.fields.clone(), &stored.credential);
                writes.push(self.put(&credential_path(&credential.id), fields, stored.when));
            } else {
                doc.own = Some(without_tokens(credential));
            }
        }
        let connection = &mut doc.connection;
        connection.status = Status::Revoked;
        connection.status_reason = Some(StatusReason::RevokedByCaller);
        connection.updated_at = revoked.at;
        connection.revoked = Some(Revoked { at_provider: results, ..revoked.clone() });
        writes.push(self.put(&connection_path(id), doc.clone().into_fields(), doc.when));
        writes.push(self.event_write(event));
        match self.link.commit(writes).await? {
            Committed::Done(_) => doc.join(&credentials(apart)).map(Some),
            Committed::Conflict => Ok(None),
        }
    }

    /// Whether an active credential has this grant digest, but for those that are `erased`. Documents that
    /// an earlier service wrote have none, and an empty one is nobody's.
    pub(super) async fn depends_on(
        &self,
        digest: &str,
        erased: &[&CredentialId],
    ) -> Result<bool, StoreError> {
        if digest.is_empty() {
            return Ok(false);
        }
        for collection in [CONNECTIONS, CREDENTIALS] {
            let active = Query::of(collection)
                .equal("grantDigest", text(digest))
                .equal("credentialStatus", name(Status::Active))
                .limit(erased.len() + 1);
            for found in self.query(active).await? {
                let id = match collection {
                    CONNECTIONS => documents::connection(&found)?.own.map(|own| own.id),
                    _ => Some(documents::credential(&found)?.credential.id),
                };
                if id.is_some_and(|id| !erased.contains(&&id)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn is_used_elsewhere(&self, id: &CredentialId, by: ConnectionId) -> Result<bool, StoreError> {
        if id.owner().is_some() {
            return Ok(false);
        }
        let users = Query::of(CONNECTIONS).contains("credentialIds", text(id.as_str())).limit(USERS);
        let mut page = self.query(users.clone()).await?;
        loop {
            for found in &page {
                let user = documents::connection(found)?.connection;
                if user.id != by && user.status != Status::Revoked {
                    return Ok(true);
                }
            }
            match page.last() {
                Some(last) if page.len() == USERS => {
                    page = self.query(users.clone().after(None, last.id.as_str())).await?;
                }
                _ => return Ok(false),
            }
        }
    }

    /// The credentials of a connection that have documents of their own.
    async fn apart(&self, doc: &ConnectionDoc) -> Result<HashMap<CredentialId, CredentialDoc>, StoreError> {
        let paths: Vec<_> = doc.others().map(credential_path).collect();
        if paths.is_empty() {
            return Ok(HashMap::new());
        }
        let mut got = self.link.get(&paths).await?;
        let found = paths.iter().filter_map(|path| got.take(path));
        found.map(|found| documents::credential(&found).map(|doc| (doc.credential.id.clone(), doc))).collect()
    }

    /// Writes to the document of each grant, on condition that nobody has since this read.
    async fn grants_touched(&self, all: &[Credential], revoked: &Revoked) -> Result<Vec<Write>, StoreError> {
        let digests = all.iter().map(|each| each.grant_digest.as_str()).filter(|digest| !digest.is_empty());
        let mut paths: Vec<_> = digests.map(|digest| path(GRANTS, &digest_id(&[digest]))).collect();
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let mut got = self.link.get(&paths).await?;
        let touch = |path: &String| {
            let mut fields = Fields::default();
            fields.set("touched", text(self.ids.uuid().to_string()));
            fields.set("expireAt", time(revoked.at + GIVE_UP));
            self.put(path, fields, When::as_read(got.take(path).and_then(|found| found.update_time)))
        };
        Ok(paths.iter().map(touch).collect())
    }

    /// The same document with another mark: what does not change a document does not count as a write to it.
    fn touched(&self, shared: &CredentialDoc) -> Write {
        let mut fields = shared.fields.clone();
        fields.set("touched", text(self.ids.uuid().to_string()));
        self.put(&credential_path(&shared.credential.id), fields, shared.when)
    }
}

fn find<'a>(
    doc: &'a ConnectionDoc,
    apart: &'a HashMap<CredentialId, CredentialDoc>,
    id: &CredentialId,
) -> Option<&'a Credential> {
    let own = doc.own.as_ref().filter(|own| own.id == *id);
    own.or_else(|| apart.get(id).map(|doc| &doc.credential))
}

fn credentials(apart: HashMap<CredentialId, CredentialDoc>) -> HashMap<CredentialId, Credential> {
    apart.into_iter().map(|(id, doc)| (id, doc.credential)).collect()
}

/// The version rises: a refresh in flight is fenced out.
fn without_tokens(credential: &Credential) -> Credential {
    Credential {
        version: credential.version + 1,
        status: Status::Revoked,
        status_reason: Some(StatusReason::RevokedByCaller),
        access: None,
        refresh: None,
        next_refresh_at: None,
        lease: None,
        intent_at: None,
        ..credential.clone()
    }
}

fn pending(id: ConnectionId, credential: &Credential, revoked: &Revoked) -> PendingRevocation {
    PendingRevocation {
        connection_id: id,
        credential_id: credential.id.clone(),
        tenant_id: credential.tenant_id.clone(),
        provider: credential.provider.clone(),
        kind: credential.kind,
        version: credential.version,
        access: credential.access.clone(),
        refresh: credential.refresh.clone(),
        next_try_at: revoked.at,
        give_up_at: revoked.at + GIVE_UP,
    }
}
