//! Wrapped data keys in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection as Db, Row, params};

use super::sql::{Columns, all, int, one, run};
use super::{Sqlite, rows};
use crate::domain::{Credential, TenantId};
use crate::store::{DataKeys, KeyOwner, KeyUse, Page, StoreError, WrappedKey};

const KEY: &str = "SELECT id, owner, wrapped, created_at, active FROM data_keys WHERE";

#[async_trait]
impl DataKeys for Sqlite {
    async fn key(&self, id: &str) -> Result<Option<WrappedKey>, StoreError> {
        let id = id.to_owned();
        self.read(move |db| one(db, &format!("{KEY} id = ?1"), [id], |row| Ok(key_at(row)?.0))).await
    }

    async fn active_key(&self, owner: &KeyOwner) -> Result<Option<WrappedKey>, StoreError> {
        let owner = owner.as_text();
        self.read(move |db| active(db, &owner)).await
    }

    async fn add_key(&self, key: &WrappedKey, replaces: Option<&str>) -> Result<WrappedKey, StoreError> {
        let (key, replaces) = (key.clone(), replaces.map(str::to_owned));
        self.write(move |db| add(db, key, replaces.as_deref())).await
    }

    async fn key_uses(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyUse>, StoreError> {
        let owner = tenant.map(|tenant| KeyOwner::Tenant(tenant.clone()).as_text());
        self.read(move |db| {
            let which = if owner.is_some() { "owner = ?1" } else { "?1 IS NULL" };
            let sql = format!(
                "SELECT id, owner, wrapped, created_at, active, \
                 (SELECT count(*) FROM credentials WHERE access_key = data_keys.id) + \
                 (SELECT count(*) FROM credentials WHERE refresh_key = data_keys.id \
                  AND access_key IS NOT data_keys.id) \
                 FROM data_keys WHERE {which} ORDER BY created_at DESC, id"
            );
            all(db, &sql, [owner], |row| {
                let (key, mut columns) = key_at(row)?;
                Ok(KeyUse { key, active: columns.get()?, credentials: columns.number()? })
            })
        })
        .await
    }

    async fn sealed_with_old_keys(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Credential>, StoreError> {
        let limit = limit.max(1);
        let after = after.unwrap_or_default().to_owned();
        self.read(move |db| {
            let page = params![after, int(limit)];
            let items = all(db, &sealed_with_old_keys(), page, |row| rows::credential_at(row, 0))?;
            let next = items.last().filter(|_| items.len() == limit).map(|last| last.id.to_string());
            Ok(Page { items, next })
        })
        .await
    }

    async fn destroy_keys(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let owner = KeyOwner::Tenant(tenant.clone()).as_text();
        let tenant = tenant.as_str().to_owned();
        self.write(move |db| {
            run(db, "DELETE FROM pending_revocations WHERE tenant_id = ?1", [tenant])?;
            let gone = run(db, "DELETE FROM data_keys WHERE owner = ?1", [owner])?;
            Ok(u64::try_from(gone).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// By index: what it costs follows what old keys still seal, not what there is.
pub(super) fn sealed_with_old_keys() -> String {
    let old = "IN (SELECT id FROM data_keys WHERE active = 0) AND id > ?1";
    format!(
        "SELECT {} FROM (SELECT id FROM credentials WHERE access_key {old} UNION \
         SELECT id FROM credentials WHERE refresh_key {old} ORDER BY id LIMIT ?2) page \
         CROSS JOIN credentials k ON k.id = page.id ORDER BY k.id",
        rows::CREDENTIAL
    )
}

fn active(db: &Db, owner: &str) -> Result<Option<WrappedKey>, StoreError> {
    one(db, &format!("{KEY} owner = ?1 AND active = 1"), [owner], |row| Ok(key_at(row)?.0))
}

fn add(db: &Db, key: WrappedKey, replaces: Option<&str>) -> Result<WrappedKey, StoreError> {
    let owner = key.owner.as_text();
    // Where `replaces` was destroyed meanwhile there is no winner to answer with: the new key is it.
    if let Some(active) = active(db, &owner)?
        && Some(active.id.as_str()) != replaces
    {
        return Ok(active);
    }
    run(db, "UPDATE data_keys SET active = 0 WHERE owner = ?1 AND active = 1", [&owner])?;
    run(
        db,
        "INSERT INTO data_keys (id, owner, wrapped, created_at, active) VALUES (?1, ?2, ?3, ?4, 1)",
        params![key.id, owner, key.wrapped, key.created_at.millis()],
    )?;
    Ok(key)
}

/// The key, and the columns behind it.
fn key_at<'r>(row: &'r Row<'r>) -> Result<(WrappedKey, Columns<'r>), StoreError> {
    let mut columns = Columns::new(row, 0, "data key");
    let key = WrappedKey {
        id: columns.get()?,
        owner: owner(&mut columns)?,
        wrapped: columns.get()?,
        created_at: columns.time()?,
    };
    Ok((key, columns))
}

fn owner(columns: &mut Columns<'_>) -> Result<KeyOwner, StoreError> {
    let text: String = columns.get()?;
    KeyOwner::from_text(&text).ok_or_else(|| columns.malformed(&format!("{text} is no owner")))
}
