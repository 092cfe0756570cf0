//! Connections in SQLite.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection as Db, params, params_from_iter};

use super::sql::{Columns, all, int, malformed, name, run};
use super::{Sqlite, connect, journal, rows};
use crate::domain::{Account, Connection, ConnectionId, Event, ProviderId, TenantId, Timestamp, UserId};
use crate::store::{Connect, Connections, Filter, HealthWrite, Page, StoreError, Tally};

/// Of one account.
pub(super) const PLACE: &str = "tenant_id = ?1 AND user_id = ?2 AND provider = ?3 \
     AND ifnull(team_id, '') = ?4 AND account_id = ?5";
/// Of a user at a provider.
pub(super) const SELECTION: &str = "tenant_id = ?1 AND user_id = ?2 AND provider = ?3";
/// The plus keeps the planner from an index that has the order and little else.
pub(super) const BY_ID: &str = "+page.id";
/// Of one shard, after the cursor.
pub(super) const DUE_PROBES: &str = "shard = ?1 AND status = 'active' AND next_probe_at < ?2 \
     AND (next_probe_at, id) > (?3, ?4) ORDER BY next_probe_at, id LIMIT ?5";

#[async_trait]
impl Connections for Sqlite {
    async fn connect(
        &self,
        connection: &Connection,
        next_probe_at: Timestamp,
        events: &[Event],
    ) -> Result<Connect, StoreError> {
        let (connection, events) = (connection.clone(), events.to_vec());
        self.write(move |db| connect::connect(db, &connection, next_probe_at, &events)).await
    }

    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        self.read(move |db| rows::connection(db, &id.to_string())).await
    }

    async fn find(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
        account: &Account,
    ) -> Result<Option<Connection>, StoreError> {
        let place = [
            tenant.as_str(),
            user.as_str(),
            provider.as_str(),
            account.team_id.as_deref().unwrap_or_default(),
            &account.user_id,
        ]
        .map(str::to_owned);
        self.read(move |db| {
            let found = rows::connections(db, &rows::select(PLACE, "page.id"), place)?;
            Ok(found.into_iter().next().map(|(_, connection)| connection))
        })
        .await
    }

    async fn select(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
    ) -> Result<Vec<Connection>, StoreError> {
        let who = [tenant.as_str(), user.as_str(), provider.as_str()].map(str::to_owned);
        self.read(move |db| {
            let sql = rows::select(SELECTION, BY_ID);
            let found = rows::connections(db, &sql, who)?;
            Ok(found.into_iter().map(|(_, connection)| connection).collect())
        })
        .await
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Connection>, StoreError> {
        let limit = limit.max(1);
        let after = after.map(cursor).transpose()?;
        let (page, values) = page(filter, after.as_deref(), limit);
        self.read(move |db| {
            let sql = rows::select(&page, "page.id");
            let found = rows::connections(db, &sql, params_from_iter(values))?;
            let mut items: Vec<_> = found.into_iter().map(|(_, connection)| connection).collect();
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).map(|last| last.id.to_string());
            Ok(Page { items, next })
        })
        .await
    }

    async fn due_probes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<(Timestamp, ConnectionId)>,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Connection)>, StoreError> {
        self.read(move |db| {
            let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at.millis(), id.to_string()));
            let sql = rows::select(DUE_PROBES, "page.next_probe_at, page.id");
            rows::connections(db, &sql, params![shard, before.millis(), at, id, int(limit)])
        })
        .await
    }

    async fn set_health(&self, write: &HealthWrite) -> Result<bool, StoreError> {
        let write = write.clone();
        self.write(move |db| set_health(db, &write)).await
    }

    async fn tallies(&self, providers: &[ProviderId]) -> Result<Vec<Tally>, StoreError> {
        self.read(|db| {
            let sql = "SELECT provider, status, nullif(health, ''), count FROM tallies WHERE count > 0";
            all(db, sql, [], |row| {
                let mut columns = Columns::new(row, 0, "tally");
                Ok(Tally {
                    provider: columns.parsed()?,
                    status: columns.named()?,
                    health: columns.named_or_none()?,
                    count: columns.number()?,
                })
            })
        })
        .await
        .map(|all: Vec<Tally>| all.into_iter().filter(|tally| providers.contains(&tally.provider)).collect())
    }

    async fn delete_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let tenant = tenant.as_str().to_owned();
        self.write(move |db| {
            let tenant = [tenant.as_str()];
            run(
                db,
                "DELETE FROM served WHERE connection_id IN \
                 (SELECT id FROM connections WHERE tenant_id = ?1)",
                tenant,
            )?;
            let gone = run(db, "DELETE FROM connections WHERE tenant_id = ?1", tenant)?;
            run(db, "DELETE FROM credentials WHERE tenant_id = ?1", tenant)?;
            run(db, "DELETE FROM one_time WHERE tenant_id = ?1", tenant)?;
            run(db, "DELETE FROM events WHERE tenant_id = ?1", tenant)?;
            Ok(u64::try_from(gone).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// The id of the last connection of the page before.
fn cursor(text: &str) -> Result<String, StoreError> {
    text.parse::<ConnectionId>()
        .map(|id| id.to_string())
        .map_err(|_| malformed("cursor", text, "it does not come from a page of connections"))
}

pub(super) fn page(filter: &Filter, after: Option<&str>, limit: usize) -> (String, Vec<Value>) {
    let mut page = "id > ?".to_owned();
    let mut values = vec![Value::Text(after.unwrap_or_default().to_owned())];
    let mut equal = |column: &str, value: Option<String>| {
        if let Some(value) = value {
            page.push_str(&format!(" AND {column} = ?"));
            values.push(Value::Text(value));
        }
    };
    equal("tenant_id", filter.tenant_id.as_ref().map(ToString::to_string));
    equal("user_id", filter.user_id.as_ref().map(ToString::to_string));
    equal("provider", filter.provider.as_ref().map(ToString::to_string));
    // The plus keeps the index of the statuses for lists over all tenants and users.
    let narrow = filter.tenant_id.is_some() || filter.user_id.is_some();
    equal(if narrow { "+status" } else { "status" }, filter.status.map(name));
    equal("health", filter.health.map(name));
    if let Some(end) = filter.expiring_before {
        page.push_str(
            " AND EXISTS (SELECT 1 FROM connection_credentials l JOIN credentials k \
             ON k.id = l.credential_id WHERE l.connection_id = connections.id \
             AND l.position = 0 AND k.expires_at < ?)",
        );
        values.push(Value::Integer(end.millis()));
    }
    page.push_str(" ORDER BY id LIMIT ?");
    values.push(Value::Integer(int(limit).saturating_add(1)));
    (page, values)
}

fn set_health(db: &Db, write: &HealthWrite) -> Result<bool, StoreError> {
    let id = write.connection_id.to_string();
    let (credential, version) = &write.tested;
    let due = run(
        db,
        "UPDATE connections SET next_probe_at = ?4 WHERE id = ?1 AND status <> 'revoked' \
         AND EXISTS (SELECT 1 FROM credentials WHERE id = ?2 AND version = ?3)",
        params![id, credential.as_str(), int(*version), write.next_probe_at.millis()],
    )?;
    if due == 0 {
        return Ok(false);
    }
    if let Some((verdict, error)) = &write.verdict {
        run(
            db,
            "UPDATE connections SET health = ?2, health_error = ?3, health_checked_at = ?4 \
             WHERE id = ?1",
            params![id, name(verdict), error, write.checked_at.millis()],
        )?;
    }
    journal::record(db, write.event.as_slice())?;
    Ok(true)
}
