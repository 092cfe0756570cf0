//! One-time entries in SQLite.

use async_trait::async_trait;
use rusqlite::params;

use super::Sqlite;
use super::sql::{Columns, one, run};
use crate::domain::Timestamp;
use crate::store::{OneTime, OneTimes, Space, StoreError};

#[async_trait]
impl OneTimes for Sqlite {
    async fn put_once(&self, entry: &OneTime) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.write(move |db| {
            run(
                db,
                "INSERT INTO one_time (space, id, tenant_id, sealed, expires_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
                     tenant_id = excluded.tenant_id, sealed = excluded.sealed, \
                     expires_at = excluded.expires_at",
                params![
                    entry.space.as_str(),
                    entry.id,
                    entry.tenant_id.as_str(),
                    entry.sealed,
                    entry.expires_at.millis(),
                ],
            )
            .map(drop)
        })
        .await
    }

    async fn take_once(&self, space: Space, id: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let id = id.to_owned();
        self.write(move |db| {
            let taken = one(
                db,
                "DELETE FROM one_time WHERE space = ?1 AND id = ?2 RETURNING id, sealed, expires_at",
                params![space.as_str(), id],
                |row| {
                    let mut columns = Columns::after(row, 0, "one-time entry");
                    Ok((columns.get()?, columns.time()?))
                },
            )?;
            Ok(taken.filter(|(_, end)| *end > now).map(|(sealed, _)| sealed))
        })
        .await
    }
}
