//! Connections and credentials as rows, each read in one statement with all that belongs to it.

use rusqlite::{Connection as Db, Params, Row};

use super::sql::{Columns, all, one};
use crate::domain::{
    Account, Connection, Credential, CredentialId, Health, Lease, Revoked, Sealed, Timestamp,
};
use crate::store::StoreError;

/// The columns of a credential, from `credentials k`, as [`credential_at`] reads them.
pub(super) const CREDENTIAL: &str = "k.id, k.tenant_id, k.provider, k.kind, k.version, k.status, \
    k.status_reason, k.access, k.refresh, k.scopes, k.issued_at, k.expires_at, k.live_until, \
    k.next_refresh_at, k.last_refreshed_at, k.failures, k.last_failure, k.lease_owner, \
    k.lease_until, k.intent_at, k.grant_digest, k.granted_at";
/// How many they are.
pub(super) const CREDENTIAL_WIDTH: usize = 22;

const CONNECTION: &str = "page.id, page.next_probe_at, page.tenant_id, page.user_id, \
    page.provider, page.account_id, page.team_id, page.email, page.requested_scopes, page.status, \
    page.status_reason, page.created_at, page.updated_at, page.health, page.health_error, \
    page.health_checked_at, page.revoked_at, page.revoked_by, page.revoked_reason, \
    page.revoked_at_provider";
const CONNECTION_WIDTH: usize = 20;

/// Reads a credential from the columns that begin at `start`.
pub(super) fn credential_at(row: &Row<'_>, start: usize) -> Result<Credential, StoreError> {
    let mut columns = Columns::new(row, start, "credential");
    Ok(Credential {
        id: columns.parsed()?,
        tenant_id: columns.parsed()?,
        provider: columns.parsed()?,
        kind: columns.named()?,
        version: columns.number()?,
        status: columns.named()?,
        status_reason: columns.named_or_none()?,
        access: columns.get::<Option<String>>()?.map(Sealed),
        refresh: columns.get::<Option<String>>()?.map(Sealed),
        scopes: columns.json()?,
        issued_at: columns.time()?,
        expires_at: columns.time_or_none()?,
        live_until: columns.times()?,
        next_refresh_at: columns.time_or_none()?,
        last_refreshed_at: columns.time_or_none()?,
        failures: columns.number()?,
        last_failure: columns.get()?,
        lease: match (columns.get()?, columns.time_or_none()?) {
            (Some(owner), Some(until)) => Some(Lease { owner, until }),
            _ => None,
        },
        intent_at: columns.time_or_none()?,
        grant_digest: columns.get()?,
        granted_at: columns.time_or_none()?,
    })
}

/// One credential by id.
pub(super) fn credential(db: &Db, id: &CredentialId) -> Result<Option<Credential>, StoreError> {
    let sql = format!("SELECT {CREDENTIAL} FROM credentials k WHERE k.id = ?1");
    one(db, &sql, [id.as_str()], |row| credential_at(row, 0))
}

fn connection_at(row: &Row<'_>) -> Result<(Timestamp, Connection), StoreError> {
    let mut columns = Columns::new(row, 0, "connection");
    let id = columns.parsed()?;
    let next_probe_at = columns.time()?;
    let connection = Connection {
        id,
        tenant_id: columns.parsed()?,
        user_id: columns.parsed()?,
        provider: columns.parsed()?,
        account: Account { user_id: columns.get()?, team_id: columns.get()?, email: columns.get()? },
        requested_scopes: columns.json()?,
        credentials: Vec::new(),
        status: columns.named()?,
        status_reason: columns.named_or_none()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
        health: Health {
            status: columns.named_or_none()?,
            error: columns.get()?,
            checked_at: columns.time_or_none()?,
        },
        revoked: match columns.time_or_none()? {
            None => None,
            Some(at) => {
                Some(Revoked { at, by: columns.get()?, reason: columns.get()?, at_provider: columns.json()? })
            }
        },
    };
    Ok((next_probe_at, connection))
}

/// The statement that reads the connections of `page` (a SELECT from `connections`) with their
/// credentials, the default first, in the order that `page` has.
pub(super) fn select(page: &str, order: &str) -> String {
    format!(
        "SELECT {CONNECTION}, {CREDENTIAL} \
         FROM (SELECT * FROM connections WHERE {page}) page \
         CROSS JOIN connection_credentials l ON l.connection_id = page.id \
         CROSS JOIN credentials k ON k.id = l.credential_id \
         ORDER BY {order}, l.position"
    )
}

/// Reads connections, each with the time its health check is due.
pub(super) fn connections(
    db: &Db,
    sql: &str,
    params: impl Params,
) -> Result<Vec<(Timestamp, Connection)>, StoreError> {
    let mut found: Vec<(Timestamp, Connection)> = Vec::new();
    // One row per credential; those of one connection follow each other.
    all(db, sql, params, |row| {
        let credential = credential_at(row, CONNECTION_WIDTH)?;
        let next = connection_at(row)?;
        match found.last_mut() {
            Some((_, last)) if last.id == next.1.id => last.credentials.push(credential),
            _ => {
                found.push(next);
                if let Some((_, last)) = found.last_mut() {
                    last.credentials.push(credential);
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// One connection by id.
pub(super) fn connection(db: &Db, id: &str) -> Result<Option<Connection>, StoreError> {
    let found = connections(db, &select("id = ?1", "page.id"), [id])?;
    Ok(found.into_iter().next().map(|(_, connection)| connection))
}

/// The data key that sealed a token: what stands between the first two dots (see `seal`).
pub(super) fn sealed_with(token: Option<&Sealed>) -> Option<&str> {
    token?.0.split('.').nth(1)
}
