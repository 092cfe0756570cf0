//! Revocations in Firestore: what the provider has still to be told. How one begins stands in `revoke`.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use gcloud_sdk::google::firestore::v1::Write;

use super::documents::connection_path;
use super::fields::{Fields, json, name, number, text, time, unsigned};
use super::link::Snapshot;
use super::query::Query;
use super::write::When;
use super::{Firestore, REVOCATIONS, TRIES, contended, path};
use crate::domain::{ConnectionId, Event, PendingRevocation, ProviderRevocation, Revoked, Sealed, Timestamp};
use crate::store::{Revocations, RevokeStarted, SHARDS, StoreError, shard_of};

#[async_trait]
impl Revocations for Firestore {
    async fn begin_revocation(
        &self,
        id: ConnectionId,
        revoked: &Revoked,
        event: &Event,
    ) -> Result<Option<RevokeStarted>, StoreError> {
        for tried in 0..TRIES {
            let Some(doc) = self.connection_doc(id).await? else { return Ok(None) };
            if let Some(connection) = self.try_revoke(doc, revoked, event).await? {
                let of_connection = Query::of(REVOCATIONS).equal("connectionId", text(id.to_string()));
                let mut pending = pending_all(&self.query(of_connection).await?)?;
                pending.sort_by_key(|each| (each.kind, each.version));
                return Ok(Some(RevokeStarted { connection, pending }));
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    async fn grant_in_use(&self, grant_digest: &str) -> Result<bool, StoreError> {
        self.depends_on(grant_digest, &[]).await
    }

    async fn add_revocation(&self, pending: &PendingRevocation) -> Result<(), StoreError> {
        // What is there already may have been put off meanwhile, and stays.
        for tried in 0..TRIES {
            if self.get_one(pending_path(pending)).await?.is_some() {
                return Ok(());
            }
            if self.link.commit(vec![self.pending_write(pending)]).await?.is_done() {
                return Ok(());
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    async fn due_revocations(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingRevocation>, StoreError> {
        let of_shard = |shard: u8| {
            Query::of(REVOCATIONS)
                .equal("shard", number(shard.into()))
                .at_most("nextTryAt", time(now))
                .ascending("nextTryAt")
                .limit(limit)
        };
        let found = try_join_all((0..SHARDS).map(|shard| self.query(of_shard(shard)))).await?.concat();
        let mut due = pending_all(&found)?;
        due.sort_by(|one, other| {
            (one.next_try_at, &one.credential_id, one.version).cmp(&(
                other.next_try_at,
                &other.credential_id,
                other.version,
            ))
        });
        due.truncate(limit);
        Ok(due)
    }

    async fn settle_revocation(
        &self,
        pending: &PendingRevocation,
        result: ProviderRevocation,
        event: &Event,
    ) -> Result<(), StoreError> {
        let place = pending_path(pending);
        for tried in 0..TRIES {
            // Nothing when somebody else has settled it.
            let Some(found) = self.get_one(place.clone()).await? else { return Ok(()) };
            let settled = read(&found)?;
            let mut writes =
                vec![self.delete(&place, When::as_read(found.update_time)), self.event_write(event)];
            // The connection may be gone with its tenant, or connected again.
            if let Some(doc) = self.connection_doc(settled.connection_id).await?
                && let Some(revoked) = &doc.connection.revoked
            {
                let mut results = revoked.at_provider.clone();
                results.insert(settled.kind, result);
                let mut fields = doc.fields;
                fields.set("revokedAtProvider", json(&results));
                writes.push(self.put(&connection_path(settled.connection_id), fields, doc.when));
            }
            if self.link.commit(writes).await?.is_done() {
                return Ok(());
            }
            self.lost(tried).await;
        }
        Err(contended())
    }

    async fn postpone_revocation(
        &self,
        pending: &PendingRevocation,
        next_try_at: Timestamp,
    ) -> Result<(), StoreError> {
        let place = pending_path(pending);
        for tried in 0..TRIES {
            let Some(mut found) = self.get_one(place.clone()).await? else { return Ok(()) };
            found.fields.set("nextTryAt", time(next_try_at));
            let when = When::as_read(found.update_time);
            let write = self.put(&place, found.fields, when);
            if self.link.commit(vec![write]).await?.is_done() {
                return Ok(());
            }
            self.lost(tried).await;
        }
        Err(contended())
    }
}

impl Firestore {
    /// Writes a pending revocation that is not there yet.
    pub(super) fn pending_write(&self, pending: &PendingRevocation) -> Write {
        let mut fields = Fields::default();
        fields.set("connectionId", text(pending.connection_id.to_string()));
        fields.set("credentialId", text(pending.credential_id.as_str()));
        fields.set("tenantId", text(pending.tenant_id.as_str()));
        fields.set("provider", text(pending.provider.as_str()));
        fields.set("tokenKind", name(pending.kind));
        fields.set("version", unsigned(pending.version));
        let token = |token: &Option<Sealed>| token.as_ref().map(|token| text(token.0.as_str()));
        fields.set_or_remove("encryptedAccessToken", token(&pending.access));
        fields.set_or_remove("encryptedRefreshToken", token(&pending.refresh));
        fields.set("shard", number(shard_of(pending.credential_id.as_str()).into()));
        fields.set("nextTryAt", time(pending.next_try_at));
        fields.set("giveUpAt", time(pending.give_up_at));
        self.put(&pending_path(pending), fields, When::Absent)
    }
}

fn pending_path(of: &PendingRevocation) -> String {
    path(REVOCATIONS, &format!("{}.{}.{}", of.credential_id, of.version, of.mark()))
}

fn pending_all(found: &[Snapshot]) -> Result<Vec<PendingRevocation>, StoreError> {
    found.iter().map(read).collect()
}

fn read(of: &Snapshot) -> Result<PendingRevocation, StoreError> {
    let read = of.fields.of("pending revocation", &of.id);
    Ok(PendingRevocation {
        connection_id: read.parsed("connectionId")?,
        credential_id: read.parsed("credentialId")?,
        tenant_id: read.parsed("tenantId")?,
        provider: read.parsed("provider")?,
        kind: read.named("tokenKind")?,
        version: u64::try_from(read.number("version")?).unwrap_or(0),
        access: read.text_or_none("encryptedAccessToken")?.map(Sealed),
        refresh: read.text_or_none("encryptedRefreshToken")?.map(Sealed),
        next_try_at: read.time("nextTryAt")?,
        give_up_at: read.time("giveUpAt")?,
    })
}
