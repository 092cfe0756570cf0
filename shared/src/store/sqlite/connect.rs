//! Connecting in SQLite: a connection with its credentials, all or nothing.

use rusqlite::{Connection as Db, named_params, params};

use super::sql::{Columns, exists, json, malformed, name, one, run};
use super::{connections, credentials, journal};
use crate::domain::{Connection, Credential, Event, Status, StatusReason, Timestamp};
use crate::store::{Connect, StoreError, shard_of};

/// See [`crate::store::Connections::connect`].
pub(super) fn connect(
    db: &Db,
    connection: &Connection,
    next_probe_at: Timestamp,
    events: &[Event],
) -> Result<Connect, StoreError> {
    let id = connection.id.to_string();
    if connection.credentials.is_empty() {
        return Err(malformed("connection", &id, "it has no credential"));
    }
    if !fits(db, connection, &id)? {
        return Ok(Connect::Conflict);
    }
    upsert(db, connection, &id, next_probe_at)?;
    for credential in &connection.credentials {
        credentials::put(db, credential)?;
        run(
            db,
            "INSERT INTO connection_credentials (connection_id, kind, credential_id, position) \
             VALUES (?1, ?2, ?3, 0) ON CONFLICT DO UPDATE SET credential_id = excluded.credential_id",
            params![id, name(credential.kind), credential.id.as_str()],
        )?;
        if credential.status == Status::Active {
            carry(db, credential, Some(&id), connection.updated_at)?;
        }
    }
    // The default is the first that is active, bot before user: a kept one that is dead comes last.
    run(
        db,
        "UPDATE connection_credentials AS mine SET position = ( \
             SELECT count(*) FROM connection_credentials l \
             JOIN credentials k ON k.id = l.credential_id \
             JOIN credentials m ON m.id = mine.credential_id \
             WHERE l.connection_id = mine.connection_id \
               AND (k.status <> 'active', l.kind) < (m.status <> 'active', mine.kind)) \
         WHERE connection_id = ?1",
        [&id],
    )?;
    journal::record(db, events)?;
    Ok(Connect::Done)
}

/// Whether nobody else holds the place, and every credential is one version above the stored one.
fn fits(db: &Db, connection: &Connection, id: &str) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM connections WHERE {} AND id <> ?6", connections::PLACE);
    let account = &connection.account;
    let place = [
        connection.tenant_id.as_str(),
        connection.user_id.as_str(),
        connection.provider.as_str(),
        account.team_id.as_deref().unwrap_or_default(),
        &account.user_id,
        id,
    ];
    if exists(db, &sql, place)? {
        return Ok(false);
    }
    for credential in &connection.credentials {
        let stored =
            one(db, "SELECT id, version FROM credentials WHERE id = ?1", [credential.id.as_str()], |row| {
                Columns::after(row, 0, "credential").number::<u64>()
            })?;
        if stored.unwrap_or(0).checked_add(1) != Some(credential.version) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn upsert(db: &Db, connection: &Connection, id: &str, next_probe_at: Timestamp) -> Result<(), StoreError> {
    let Connection { account, health, revoked, .. } = connection;
    let revoked = revoked.as_ref();
    let at_provider = revoked.map(|each| json(&each.at_provider)).transpose()?;
    run(
        db,
        "INSERT INTO connections (id, shard, tenant_id, user_id, provider, account_id, team_id, \
             email, requested_scopes, status, status_reason, created_at, updated_at, health, \
             health_error, health_checked_at, revoked_at, revoked_by, revoked_reason, \
             revoked_at_provider, next_probe_at) \
         VALUES (:id, :shard, :tenant, :user, :provider, :account, :team, :email, :scopes, \
             :status, :reason, :created, :updated, :health, :error, :checked, :revoked, :by, :why, \
             :at_provider, :probe) \
         ON CONFLICT (id) DO UPDATE SET tenant_id = :tenant, user_id = :user, provider = :provider, \
             account_id = :account, team_id = :team, email = :email, requested_scopes = :scopes, \
             status = :status, status_reason = :reason, created_at = :created, \
             updated_at = :updated, health = :health, health_error = :error, \
             health_checked_at = :checked, revoked_at = :revoked, revoked_by = :by, \
             revoked_reason = :why, revoked_at_provider = :at_provider, next_probe_at = :probe",
        named_params! {
            ":id": id,
            ":shard": shard_of(id),
            ":tenant": connection.tenant_id.as_str(),
            ":user": connection.user_id.as_str(),
            ":provider": connection.provider.as_str(),
            ":account": account.user_id,
            ":team": account.team_id,
            ":email": account.email,
            ":scopes": json(&connection.requested_scopes)?,
            ":status": name(connection.status),
            ":reason": connection.status_reason.map(name),
            ":created": connection.created_at.millis(),
            ":updated": connection.updated_at.millis(),
            ":health": health.status.map(name),
            ":error": health.error,
            ":checked": health.checked_at.map(Timestamp::millis),
            ":revoked": revoked.map(|each| each.at.millis()),
            ":by": revoked.and_then(|each| each.by.as_deref()),
            ":why": revoked.and_then(|each| each.reason.as_deref()),
            ":at_provider": at_provider,
            ":probe": next_probe_at.millis(),
        },
    )
    .map(drop)
}

/// Gives the credential's status to the connections of which it is the default (but `except`), unless
/// they were revoked here.
pub(super) fn carry(
    db: &Db,
    credential: &Credential,
    except: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    run(
        db,
        "UPDATE connections SET status = ?2, status_reason = ?3, updated_at = ?4 \
         WHERE id IN (SELECT connection_id FROM connection_credentials \
                      WHERE credential_id = ?1 AND position = 0) \
           AND id IS NOT ?5 AND status_reason IS NOT ?6 \
           AND (status <> ?2 OR status_reason IS NOT ?3)",
        params![
            credential.id.as_str(),
            name(credential.status),
            credential.status_reason.map(name),
            at.millis(),
            except,
            name(StatusReason::RevokedByCaller),
        ],
    )
    .map(drop)
}
