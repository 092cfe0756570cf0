//! Counts the rows that are written to a store, whoever writes them: by triggers in a copy that nobody is timed on.

use std::path::Path;

use rusqlite::Connection as Db;

use crate::Result;

const TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const KINDS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// Counts from now on, in every table.
pub(super) fn watch(data: &Path) -> Result<()> {
    watch_in(&open(data)?)
}

/// What was written where, and how many rows: `credentials: UPDATE`. Nothing of what was not.
pub(super) fn written(data: &Path) -> Result<Vec<(String, u64)>> {
    written_in(&open(data)?)
}

fn open(data: &Path) -> Result<Db> {
    Ok(Db::open(data.join("store.db"))?)
}

fn watch_in(db: &Db) -> Result<()> {
    let tables: Vec<String> =
        db.prepare(TABLES)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    db.execute_batch("CREATE TABLE rows_written (what TEXT PRIMARY KEY, count INTEGER NOT NULL)")?;
    for table in tables {
        for kind in KINDS {
            // Within the same transaction: what is rolled back is not counted.
            db.execute_batch(&format!(
                "INSERT INTO rows_written VALUES ('{table}: {kind}', 0); \
                 CREATE TRIGGER rows_{table}_{kind} AFTER {kind} ON {table} BEGIN \
                     UPDATE rows_written SET count = count + 1 WHERE what = '{table}: {kind}'; END"
            ))?;
        }
    }
    Ok(())
}

fn written_in(db: &Db) -> Result<Vec<(String, u64)>> {
    let mut counts = db.prepare("SELECT what, count FROM rows_written WHERE count > 0 ORDER BY what")?;
    let rows = counts.query_map([], |row| Ok((row.get(0)?, u64::from(row.get::<_, u32>(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_is_kept_counts_and_none_that_is_rolled_back() {
        let db = Db::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE a (x PRIMARY KEY); CREATE TABLE b (x); INSERT INTO a VALUES (1), (2)")
            .unwrap();
        watch_in(&db).unwrap();
        assert_eq!(written_in(&db).unwrap(), []);
        db.execute_batch(
            "INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET x = 3; \
             INSERT INTO b VALUES (1), (2); DELETE FROM b WHERE x = 2; \
             BEGIN; SAVEPOINT s; UPDATE a SET x = x + 10; ROLLBACK TO s; RELEASE s; COMMIT",
        )
        .unwrap();
        let written = written_in(&db).unwrap();
        let written: Vec<_> = written.iter().map(|(what, count)| (what.as_str(), *count)).collect();
        assert_eq!(written, [("a: UPDATE", 1), ("b: DELETE", 1), ("b: INSERT", 2)]);
    }
}
