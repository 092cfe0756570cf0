//! Brings a database to the schema that this build knows, one version at a time.

use rusqlite::{Connection as Db, TransactionBehavior};

use super::sql::unavailable;
use crate::store::StoreError;

/// One script per version, in order; a released one is never edited.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema.sql"), include_str!("schema-2.sql"), include_str!("schema-3.sql")];

/// The database was written by a newer build.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database has schema version {found}, and this build knows versions up to {known}: run the newer build"
)]
struct TooNew {
    found: usize,
    known: usize,
}

/// Runs what is missing, in one transaction: of several processes that start at once, one does it. Where
/// nothing is, as at nearly every start, nobody is waited for and nothing is flushed to the disk.
///
/// # Errors
/// When the database is newer than this build, or can't be written.
pub(super) fn migrate(db: &mut Db) -> Result<(), StoreError> {
    let known = MIGRATIONS.len();
    if version(db)? == known {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    let found = version(&transaction)?;
    let Some(missing) = MIGRATIONS.get(found..) else {
        return Err(StoreError::Unavailable(Box::new(TooNew { found, known })));
    };
    for script in missing {
        transaction.execute_batch(script).map_err(unavailable)?;
    }
    transaction
        .pragma_update(None, "user_version", i64::try_from(known).unwrap_or(i64::MAX))
        .map_err(unavailable)?;
    transaction.commit().map_err(unavailable)
}

fn version(db: &Db) -> Result<usize, StoreError> {
    let found =
        db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)).map_err(unavailable)?;
    Ok(found.try_into().unwrap_or(usize::MAX))
}
