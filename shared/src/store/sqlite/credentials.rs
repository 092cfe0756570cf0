//! Credentials in SQLite: every rule about leases and versions is judged on the writer's thread, inside the transaction.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection as Db, ToSql, named_params, params};

use super::sql::{Columns, all, int, json, millis, name, run};
use super::{Sqlite, connect, journal, rows};
use crate::domain::{
    ConnectionId, Credential, CredentialId, Event, Lease, Sealed, Status, StatusReason, Timestamp,
};
use crate::store::{Credentials, Due, DueCursor, Leased, Release, Saved, StoreError, shard_of};

#[async_trait]
impl Credentials for Sqlite {
    async fn credential(&self, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
        let id = id.clone();
        self.read(move |db| rows::credential(db, &id)).await
    }

    async fn users(&self, id: &CredentialId) -> Result<Vec<ConnectionId>, StoreError> {
        let id = id.clone();
        self.read(move |db| users(db, &id)).await
    }

    async fn lease(
        &self,
        id: &CredentialId,
        version: u64,
        owner: &str,
        length: Duration,
    ) -> Result<Leased, StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        let clock = Arc::clone(&self.clock);
        self.write(move |db| lease(db, &id, version, &owner, clock.now(), length)).await
    }

    async fn save_refreshed(&self, credential: &Credential, event: &Event) -> Result<Saved, StoreError> {
        let (credential, event) = (credential.clone(), event.clone());
        self.write(move |db| save(db, &credential, &event)).await
    }

    async fn release(&self, release: &Release) -> Result<(), StoreError> {
        let release = release.clone();
        self.write(move |db| {
            let held = run(
                db,
                "UPDATE credentials SET lease_owner = NULL, lease_until = NULL, intent_at = ?3, \
                     next_refresh_at = ?4, failures = ?5, last_failure = ?6 \
                 WHERE id = ?1 AND lease_owner = ?2",
                params![
                    release.id.as_str(),
                    release.owner,
                    release.intent_at.map(Timestamp::millis),
                    release.next_refresh_at.map(Timestamp::millis),
                    release.failures,
                    release.last_failure,
                ],
            )?;
            if held == 1 {
                journal::record(db, release.event.as_slice())?;
            }
            Ok(())
        })
        .await
    }

    async fn condemn(
        &self,
        id: &CredentialId,
        version: u64,
        reason: StatusReason,
        event: &Event,
    ) -> Result<Option<Vec<ConnectionId>>, StoreError> {
        let (id, event) = (id.clone(), event.clone());
        self.write(move |db| condemn(db, &id, version, reason, &event)).await
    }

    async fn due_refreshes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<&DueCursor>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at.millis(), id.to_string()));
        self.read(move |db| {
            let params = params![shard, before.millis(), at, id, int(limit)];
            all(db, &due_refreshes(), params, |row| {
                let credential = rows::credential_at(row, 0)?;
                let mut user = Columns::new(row, rows::CREDENTIAL_WIDTH, "connection");
                Ok(Due { credential, connection_id: user.parsed_or_none()? })
            })
        })
        .await
    }

    async fn reseal(
        &self,
        id: &CredentialId,
        old: (Option<&Sealed>, Option<&Sealed>),
        new: (Option<&Sealed>, Option<&Sealed>),
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        let [old_access, old_refresh, access, refresh] =
            [old.0, old.1, new.0, new.1].map(<Option<&Sealed>>::cloned);
        self.write(move |db| {
            let text = |token: &Option<Sealed>| token.as_ref().map(|token| token.0.clone());
            let done = run(
                db,
                "UPDATE credentials SET access = ?4, refresh = ?5, access_key = ?6, refresh_key = ?7 \
                 WHERE id = ?1 AND access IS ?2 AND refresh IS ?3",
                params![
                    id.as_str(),
                    text(&old_access),
                    text(&old_refresh),
                    text(&access),
                    text(&refresh),
                    rows::sealed_with(access.as_ref()),
                    rows::sealed_with(refresh.as_ref()),
                ],
            )?;
            Ok(done == 1)
        })
        .await
    }
}

/// Active ones of a shard, after the cursor, each with the lowest id of the connections that use it.
pub(super) fn due_refreshes() -> String {
    format!(
        "SELECT {}, (SELECT min(connection_id) FROM connection_credentials WHERE credential_id = k.id) \
         FROM credentials k WHERE k.shard = ?1 AND k.status = 'active' AND k.next_refresh_at < ?2 \
         AND (k.next_refresh_at, k.id) > (?3, ?4) ORDER BY k.next_refresh_at, k.id LIMIT ?5",
        rows::CREDENTIAL
    )
}

/// What a credential is written as: without lease and intent.
const SET: &str = "version = :version, status = :status, status_reason = :reason, access = :access, refresh = :refresh, \
    scopes = :scopes, granted_at = :granted, issued_at = :issued, expires_at = :expires, live_until = :live, \
    next_refresh_at = :next, last_refreshed_at = :last, failures = :failures, last_failure = :failure, \
    lease_owner = NULL, lease_until = NULL, intent_at = NULL";

/// Writes a credential as it is, but without lease and intent.
pub(super) fn put(db: &Db, credential: &Credential) -> Result<(), StoreError> {
    let insert = format!(
        "INSERT INTO credentials (id, shard, tenant_id, provider, kind, version, status, \
             status_reason, access, refresh, scopes, issued_at, expires_at, live_until, \
             next_refresh_at, last_refreshed_at, failures, last_failure, grant_digest, granted_at) \
         VALUES (:id, :shard, :tenant, :provider, :kind, :version, :status, :reason, :access, \
             :refresh, :scopes, :issued, :expires, :live, :next, :last, :failures, :failure, :digest, \
             :granted) \
         ON CONFLICT (id) DO UPDATE SET {SET}"
    );
    let place = named_params! {
        ":shard": shard_of(credential.id.as_str()),
        ":tenant": credential.tenant_id.as_str(),
        ":provider": credential.provider.as_str(),
        ":kind": name(credential.kind),
        ":digest": credential.grant_digest,
    };
    write(db, &insert, credential, place)?;
    mark(db, credential)
}

/// Writes the next version of an active credential; `false`: it is not active, or its version is another.
fn replace(db: &Db, credential: &Credential) -> Result<bool, StoreError> {
    let update = format!(
        "UPDATE credentials SET {SET} WHERE id = :id AND version = :version - 1 AND status = 'active'"
    );
    let written = write(db, &update, credential, &[])? == 1;
    if written {
        mark(db, credential)?;
    }
    Ok(written)
}

fn write(
    db: &Db,
    sql: &str,
    credential: &Credential,
    place: &[(&str, &dyn ToSql)],
) -> Result<usize, StoreError> {
    let params = named_params! {
        ":id": credential.id.as_str(),
        ":version": int(credential.version),
        ":status": name(credential.status),
        ":reason": credential.status_reason.map(name),
        ":access": credential.access.as_ref().map(|token| &token.0),
        ":refresh": credential.refresh.as_ref().map(|token| &token.0),
        ":scopes": json(&credential.scopes)?,
        ":issued": credential.issued_at.millis(),
        ":expires": credential.expires_at.map(Timestamp::millis),
        ":live": millis(&credential.live_until)?,
        ":next": credential.next_refresh_at.map(Timestamp::millis),
        ":last": credential.last_refreshed_at.map(Timestamp::millis),
        ":failures": credential.failures,
        ":failure": credential.last_failure,
        ":granted": credential.granted_at.map(Timestamp::millis),
    };
    run(db, sql, &*[params, place].concat())
}

/// Notes what the indexes go by. Apart, and only when they differ: naming an indexed column rewrites its index, equal or
/// not, and a refresh hardly ever changes these.
fn mark(db: &Db, credential: &Credential) -> Result<(), StoreError> {
    run(
        db,
        "UPDATE credentials SET access_key = ?2, refresh_key = ?3, grant_digest = ?4 \
         WHERE id = ?1 AND (access_key IS NOT ?2 OR refresh_key IS NOT ?3 OR grant_digest <> ?4)",
        params![
            credential.id.as_str(),
            rows::sealed_with(credential.access.as_ref()),
            rows::sealed_with(credential.refresh.as_ref()),
            credential.grant_digest,
        ],
    )
    .map(drop)
}

fn lease(
    db: &Db,
    id: &CredentialId,
    version: u64,
    owner: &str,
    now: Timestamp,
    length: Duration,
) -> Result<Leased, StoreError> {
    let Some(before) = rows::credential(db, id)? else {
        return Ok(Leased::Missing);
    };
    if before.version != version || before.status != Status::Active {
        return Ok(Leased::Moved(Box::new(before)));
    }
    if let Some(Lease { until, .. }) = before.lease
        && until > now
    {
        return Ok(Leased::Held(until.since(now)));
    }
    run(
        db,
        "UPDATE credentials SET lease_owner = ?2, lease_until = ?3, next_refresh_at = ?3, \
             intent_at = ?4 WHERE id = ?1",
        params![id.as_str(), owner, (now + length).millis(), now.millis()],
    )?;
    Ok(Leased::Taken(Box::new(before)))
}

fn save(db: &Db, credential: &Credential, event: &Event) -> Result<Saved, StoreError> {
    let new = Credential { failures: 0, last_failure: None, ..credential.clone() };
    if replace(db, &new)? {
        journal::record(db, std::slice::from_ref(event))?;
        return Ok(Saved::Done);
    }
    let Some(stored) = rows::credential(db, &credential.id)? else {
        return Ok(Saved::Missing);
    };
    let same = |stored: &Credential| {
        (stored.version, &stored.access, &stored.refresh)
            == (credential.version, &credential.access, &credential.refresh)
    };
    if same(&stored) {
        return Ok(Saved::Done);
    }
    if stored.version.checked_add(1) != Some(credential.version) {
        return Ok(Saved::Fenced(Box::new(stored)));
    }
    // Somebody took the grant for dead while this refresh was under way: it is not.
    put(db, &new)?;
    connect::carry(db, &new, None, event.at)?;
    journal::record(db, std::slice::from_ref(event))?;
    Ok(Saved::Done)
}

fn condemn(
    db: &Db,
    id: &CredentialId,
    version: u64,
    reason: StatusReason,
    event: &Event,
) -> Result<Option<Vec<ConnectionId>>, StoreError> {
    let Some(stored) = rows::credential(db, id)?.filter(|stored| stored.version == version) else {
        return Ok(None);
    };
    let dead = Credential { status: reason.status(), status_reason: Some(reason), ..stored };
    run(
        db,
        "UPDATE credentials SET status = ?2, status_reason = ?3, next_refresh_at = NULL, \
             lease_owner = NULL, lease_until = NULL, intent_at = NULL WHERE id = ?1",
        params![id.as_str(), name(dead.status), dead.status_reason.map(name)],
    )?;
    connect::carry(db, &dead, None, event.at)?;
    journal::record(db, std::slice::from_ref(event))?;
    users(db, id).map(Some)
}

fn users(db: &Db, id: &CredentialId) -> Result<Vec<ConnectionId>, StoreError> {
    all(
        db,
        "SELECT connection_id FROM connection_credentials WHERE credential_id = ?1 \
         ORDER BY connection_id",
        [id.as_str()],
        |row| Columns::new(row, 0, "connection").parsed(),
    )
}
