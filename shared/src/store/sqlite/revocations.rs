//! Revocations in SQLite.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection as Db, Row, params};

use super::sql::{Columns, all, exists, int, json, name, one, run};
use super::{Sqlite, journal, rows};
use crate::domain::{
    Connection, ConnectionId, Credential, CredentialId, Event, PendingRevocation, ProviderRevocation,
    Revoked, Sealed, Status, StatusReason, Timestamp, TokenKind,
};
use crate::store::{Revocations, RevokeStarted, StoreError};

/// How long a provider is asked.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

const PENDING: &str = "SELECT credential_id, connection_id, tenant_id, provider, kind, version, \
    access, refresh, next_try_at, give_up_at FROM pending_revocations WHERE";

#[async_trait]
impl Revocations for Sqlite {
    async fn begin_revocation(
        &self,
        id: ConnectionId,
        revoked: &Revoked,
        event: &Event,
    ) -> Result<Option<RevokeStarted>, StoreError> {
        let (id, revoked, event) = (id.to_string(), revoked.clone(), event.clone());
        self.write(move |db| {
            let Some(connection) = rows::connection(db, &id)? else {
                return Ok(None);
            };
            if connection.status_reason != Some(StatusReason::RevokedByCaller) {
                begin(db, &id, &connection, &revoked)?;
                journal::record(db, &[event])?;
            }
            let pending =
                all(db, &format!("{PENDING} connection_id = ?1 ORDER BY kind, version"), [&id], pending_at)?;
            let now = rows::connection(db, &id)?;
            Ok(now.map(|connection| RevokeStarted { connection, pending }))
        })
        .await
    }

    async fn grant_in_use(&self, grant_digest: &str) -> Result<bool, StoreError> {
        let digest = grant_digest.to_owned();
        self.read(move |db| is_in_use(db, &digest)).await
    }

    async fn add_revocation(&self, pending: &PendingRevocation) -> Result<(), StoreError> {
        let pending = pending.clone();
        self.write(move |db| add(db, &pending)).await
    }

    async fn due_revocations(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingRevocation>, StoreError> {
        self.read(move |db| all(db, &due_revocations(), [now.millis(), int(limit)], pending_at)).await
    }

    async fn settle_revocation(
        &self,
        pending: &PendingRevocation,
        result: ProviderRevocation,
        event: &Event,
    ) -> Result<(), StoreError> {
        let (pending, event) = (pending.clone(), event.clone());
        self.write(move |db| settle(db, &pending, result, &event)).await
    }

    async fn postpone_revocation(
        &self,
        pending: &PendingRevocation,
        next_try_at: Timestamp,
    ) -> Result<(), StoreError> {
        let pending = pending.clone();
        self.write(move |db| {
            run(
                db,
                "UPDATE pending_revocations SET next_try_at = ?4 \
                 WHERE credential_id = ?1 AND version = ?2 AND mark = ?3",
                params![
                    pending.credential_id.as_str(),
                    int(pending.version),
                    pending.mark(),
                    next_try_at.millis()
                ],
            )
            .map(drop)
        })
        .await
    }
}

/// Oldest first.
pub(super) fn due_revocations() -> String {
    format!("{PENDING} next_try_at <= ?1 ORDER BY next_try_at, credential_id LIMIT ?2")
}

/// Marks the connection revoked, erases the tokens that nobody else uses, and notes whom to tell.
fn begin(db: &Db, id: &str, connection: &Connection, revoked: &Revoked) -> Result<(), StoreError> {
    let mut results = BTreeMap::new();
    let mut erased = Vec::new();
    for credential in &connection.credentials {
        if is_used_elsewhere(db, &credential.id, id)? {
            results.insert(credential.kind, ProviderRevocation::Shared);
        } else if credential.access.is_none() && credential.refresh.is_none() {
            // Erased with another connection that shared it: there is nothing left to tell.
            results.insert(credential.kind, ProviderRevocation::AlreadyInvalid);
        } else {
            erase(db, &credential.id)?;
            erased.push(credential);
        }
    }
    // After all of them are erased, so that two halves of this connection don't keep each other alive.
    for credential in erased {
        let result = if is_in_use(db, &credential.grant_digest)? {
            ProviderRevocation::Shared
        } else {
            add(db, &pending(connection.id, credential, revoked.at))?;
            ProviderRevocation::Pending
        };
        results.insert(credential.kind, result);
    }
    run(
        db,
        "UPDATE connections SET status = ?2, status_reason = ?3, updated_at = ?4, \
             revoked_at = ?4, revoked_by = ?5, revoked_reason = ?6, revoked_at_provider = ?7 \
         WHERE id = ?1",
        params![
            id,
            name(Status::Revoked),
            name(StatusReason::RevokedByCaller),
            revoked.at.millis(),
            revoked.by,
            revoked.reason,
            json(&results)?,
        ],
    )
    .map(drop)
}

fn is_used_elsewhere(db: &Db, id: &CredentialId, connection: &str) -> Result<bool, StoreError> {
    exists(
        db,
        "SELECT 1 FROM connection_credentials l JOIN connections c ON c.id = l.connection_id \
         WHERE l.credential_id = ?1 AND l.connection_id <> ?2 AND c.status <> 'revoked'",
        [id.as_str(), connection],
    )
}

fn is_in_use(db: &Db, grant_digest: &str) -> Result<bool, StoreError> {
    exists(db, "SELECT 1 FROM credentials WHERE grant_digest = ?1 AND status = 'active'", [grant_digest])
}

fn erase(db: &Db, id: &CredentialId) -> Result<(), StoreError> {
    run(
        db,
        "UPDATE credentials SET version = version + 1, status = ?2, status_reason = ?3, \
             access = NULL, refresh = NULL, access_key = NULL, refresh_key = NULL, \
             next_refresh_at = NULL, lease_owner = NULL, lease_until = NULL, intent_at = NULL \
         WHERE id = ?1",
        params![id.as_str(), name(Status::Revoked), name(StatusReason::RevokedByCaller)],
    )
    .map(drop)
}

fn pending(connection: ConnectionId, credential: &Credential, at: Timestamp) -> PendingRevocation {
    PendingRevocation {
        connection_id: connection,
        credential_id: credential.id.clone(),
        tenant_id: credential.tenant_id.clone(),
        provider: credential.provider.clone(),
        kind: credential.kind,
        version: credential.version,
        access: credential.access.clone(),
        refresh: credential.refresh.clone(),
        next_try_at: at,
        give_up_at: at + GIVE_UP,
    }
}

fn add(db: &Db, pending: &PendingRevocation) -> Result<(), StoreError> {
    run(
        db,
        "INSERT INTO pending_revocations (credential_id, version, connection_id, tenant_id, \
             provider, kind, access, refresh, next_try_at, give_up_at, mark) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        params![
            pending.credential_id.as_str(),
            int(pending.version),
            pending.connection_id.to_string(),
            pending.tenant_id.as_str(),
            pending.provider.as_str(),
            name(pending.kind),
            pending.access.as_ref().map(|token| &token.0),
            pending.refresh.as_ref().map(|token| &token.0),
            pending.next_try_at.millis(),
            pending.give_up_at.millis(),
            pending.mark(),
        ],
    )
    .map(drop)
}

fn pending_at(row: &Row<'_>) -> Result<PendingRevocation, StoreError> {
    let mut columns = Columns::new(row, 0, "pending revocation");
    Ok(PendingRevocation {
        credential_id: columns.parsed()?,
        connection_id: columns.parsed()?,
        tenant_id: columns.parsed()?,
        provider: columns.parsed()?,
        kind: columns.named()?,
        version: columns.number()?,
        access: columns.get::<Option<String>>()?.map(Sealed),
        refresh: columns.get::<Option<String>>()?.map(Sealed),
        next_try_at: columns.time()?,
        give_up_at: columns.time()?,
    })
}

fn settle(
    db: &Db,
    pending: &PendingRevocation,
    result: ProviderRevocation,
    event: &Event,
) -> Result<(), StoreError> {
    let settled = one(
        db,
        "DELETE FROM pending_revocations WHERE credential_id = ?1 AND version = ?2 AND mark = ?3 \
         RETURNING connection_id, kind",
        params![pending.credential_id.as_str(), int(pending.version), pending.mark()],
        |row| {
            let mut columns = Columns::new(row, 0, "pending revocation");
            Ok((columns.get::<String>()?, columns.named::<TokenKind>()?))
        },
    )?;
    // Nothing when somebody else has settled it.
    let Some((connection, kind)) = settled else {
        return Ok(());
    };
    journal::record(db, std::slice::from_ref(event))?;
    // The connection may be gone with its tenant, or connected again.
    let results = one(
        db,
        "SELECT id, revoked_at_provider FROM connections WHERE id = ?1 AND revoked_at IS NOT NULL",
        [&connection],
        |row| {
            let mut columns = Columns::after(row, 0, "connection");
            columns.json::<BTreeMap<TokenKind, ProviderRevocation>>()
        },
    )?;
    if let Some(mut results) = results {
        results.insert(kind, result);
        run(
            db,
            "UPDATE connections SET revoked_at_provider = ?2 WHERE id = ?1",
            params![connection, json(&results)?],
        )?;
    }
    Ok(())
}
