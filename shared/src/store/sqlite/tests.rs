//! The contract, and what only this backend promises.

use std::sync::Arc;

use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;

use super::{Sqlite, connections, credentials, journal, keys, revocations, rows};
use crate::clock::Clock;
use crate::domain::{Event, EventKind, Status};
use crate::store::contract::journal::attempt;
use crate::store::contract::{Opened, store_contract};
use crate::store::{
    Connect, Connections, Credentials, EventFilter, Filter, Journal, Leased, OneTimes, Store, StoreError,
};
use crate::testing::{TestClock, build};

mod in_a_file {
    async fn open(clock: super::Arc<dyn super::Clock>) -> Option<super::Opened> {
        let folder = super::TempDir::new().unwrap();
        let store = super::open_in(&folder, clock);
        Some((super::Arc::new(store), Box::new(folder)))
    }
    super::store_contract!(super::open);
}

mod in_memory {
    async fn open(clock: super::Arc<dyn super::Clock>) -> Option<super::Opened> {
        let store = super::Sqlite::open(":memory:", clock).unwrap();
        Some((super::Arc::new(store), Box::new(())))
    }
    super::store_contract!(super::open);
}

fn path(folder: &TempDir) -> String {
    folder.path().join("data").join("store.db").to_str().unwrap().to_owned()
}

fn open_in(folder: &TempDir, clock: Arc<dyn Clock>) -> Sqlite {
    Sqlite::open(&path(folder), clock).unwrap()
}

fn open(folder: &TempDir) -> Sqlite {
    open_in(folder, Arc::new(TestClock::new()))
}

async fn connect(store: &Sqlite, numbers: impl IntoIterator<Item = u32>) {
    let connections: Vec<_> = numbers.into_iter().map(build::connection).collect();
    let connects = connections.iter().map(|each| store.connect(each, build::NOW, &[]));
    for written in join_all(connects).await {
        assert_eq!(written.unwrap(), Connect::Done);
    }
}

async fn count(store: &Sqlite) -> u64 {
    store.tallies(&[build::provider("gmail")]).await.unwrap().iter().map(|tally| tally.count).sum()
}

#[tokio::test]
async fn two_handles_on_one_file_interleave() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (open(&folder), open(&folder));
    tokio::join!(connect(&one, 1..=50), connect(&two, 51..=100));
    assert_eq!((count(&one).await, count(&two).await), (100, 100));

    // Both go for the same leases; one gets each.
    let length = Duration::from_secs(30);
    let ids: Vec<_> = (1..=50).map(|number| build::credential(number).id).collect();
    let (first, second) = tokio::join!(
        join_all(ids.iter().map(|id| one.lease(id, 1, "one", length))),
        join_all(ids.iter().map(|id| two.lease(id, 1, "two", length))),
    );
    for (first, second) in first.into_iter().zip(second) {
        let [first, second] = [first, second].map(|leased| matches!(leased.unwrap(), Leased::Taken(_)));
        assert!(first != second);
    }
}

#[test]
fn several_processes_may_make_the_file_at_once() {
    let folder = TempDir::new().unwrap();
    for _ in 0..2 {
        let at_once = std::sync::Barrier::new(8);
        let begin = || {
            at_once.wait();
            drop(open(&folder));
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }
}

#[tokio::test]
async fn a_store_opened_again_has_everything() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    connect(&store, 1..=20).await;
    drop(store);
    let store = open(&folder);
    let all = store.list(&Filter::default(), None, 100).await.unwrap();
    assert_eq!(all.items, (1..=20).map(build::connection).collect::<Vec<_>>());
}

#[tokio::test]
async fn dropping_the_store_finishes_what_is_queued() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    for number in 1..=300 {
        let connection = build::connection(number);
        let mut hung_up = Box::pin(store.connect(&connection, build::NOW, &[]));
        // Polled once, so that it is queued, and then forgotten.
        let mut context = Context::from_waker(Waker::noop());
        assert!(hung_up.as_mut().poll(&mut context).is_pending());
    }
    drop(store);
    assert_eq!(count(&open(&folder)).await, 300);
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    connect(&store, 1..=20).await;
    // What is on the disk at this moment, without the courtesy of a close.
    let crashed = TempDir::new().unwrap();
    std::fs::create_dir(crashed.path().join("data")).unwrap();
    for end in ["", "-wal"] {
        std::fs::copy(path(&folder) + end, path(&crashed) + end).unwrap();
    }
    assert_eq!(count(&open(&crashed)).await, 20);
}

#[test]
fn a_database_of_a_newer_build_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder));
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let refused = Sqlite::open(&path(&folder), Arc::new(TestClock::new())).err().unwrap();
    let StoreError::Unavailable(cause) = refused else { unreachable!() };
    assert_eq!(
        cause.to_string(),
        "the database has schema version 99, and this build knows versions up to 3: run the newer build"
    );
}

#[tokio::test]
async fn an_event_of_an_earlier_build_is_read_without_who_caused_it() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    db.execute_batch(include_str!("schema.sql")).unwrap();
    db.execute_batch(include_str!("schema-2.sql")).unwrap();
    db.execute("INSERT INTO events (at, kind, detail) VALUES (0, 'alert', 'old')", []).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    drop(db);

    let store = open(&folder);
    let new = build::event(EventKind::Alert, &build::connection(1));
    store.record(std::slice::from_ref(&new)).await.unwrap();
    let read = store.events(&EventFilter::default(), None, 10).await.unwrap().items;
    assert_eq!(read[0], new);
    assert_eq!((read[1].detail.as_deref(), &read[1].by, &read[1].request_id), (Some("old"), &None, &None));
}

#[test]
fn no_path_and_a_folder_are_refused() {
    let folder = TempDir::new().unwrap();
    for path in ["", folder.path().to_str().unwrap()] {
        assert!(Sqlite::open(path, Arc::new(TestClock::new())).is_err());
    }
}

#[tokio::test]
async fn a_purge_deletes_what_has_ended_and_says_how_much() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    connect(&store, 1..=1).await;
    let connection = build::connection(1);
    let now = build::NOW + Duration::from_secs(100 * 24 * 60 * 60);
    let edge = now - Duration::from_secs(90 * 24 * 60 * 60);
    let event = build::event(EventKind::Refreshed, &connection);
    let old = Event { at: edge - Duration::from_millis(1), ..event.clone() };
    store.record(&[old, Event { at: edge, ..event }]).await.unwrap();
    let counts = [(connection.id, edge.day() - 1, 1), (connection.id, edge.day(), 2)];
    store.count_served(&counts).await.unwrap();
    for (id, expires_at) in [("ended", now), ("runs", now + Duration::from_millis(1))] {
        store.put_once(&attempt(id, expires_at)).await.unwrap();
    }
    assert_eq!(store.purge(now).await.unwrap(), 3);
    assert_eq!(store.purge(now).await.unwrap(), 0);
    assert_eq!(store.served(connection.id, 0).await.unwrap(), [(edge.day(), 2)]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    connect(&store, 1..=1).await;
    for (end, mode) in [("", 0o600), ("-wal", 0o600), ("-shm", 0o600)] {
        let file = std::fs::metadata(path(&folder) + end).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let reports: Vec<_> = (1..=2000).map(|number| [(build::connection_id(number), 1, 1)]).collect();
    let before = wal_commits(&folder);
    for written in join_all(reports.iter().map(|report| store.count_served(report))).await {
        written.unwrap();
    }
    let groups = wal_commits(&folder) - before;
    assert!((1..=50).contains(&groups), "{groups} commits");
}

/// How many commits are in the write-ahead log (<https://www.sqlite.org/fileformat.html#the_write_ahead_log>):
/// a frame that ends a commit says how many pages the database has then.
fn wal_commits(folder: &TempDir) -> usize {
    let log = std::fs::read(path(folder) + "-wal").unwrap();
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let salt = &log[16..24];
    let frames = log[32..].chunks_exact(24 + page);
    frames.filter(|frame| frame[4..8] != [0; 4] && &frame[8..16] == salt).count()
}

#[tokio::test]
async fn a_job_that_fails_or_panics_undoes_itself_only() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let add = |name: &'static str, end: fn() -> Result<(), StoreError>| {
        store.write(move |db| {
            super::sql::run(db, "INSERT INTO runs VALUES (?1, '')", [name])?;
            end()
        })
    };
    let fails = || Err(StoreError::Unavailable("no".into()));
    let panics = || panic!("a bug");
    let outcomes = join_all([
        add("first", || Ok(())),
        add("second", fails),
        add("third", panics),
        add("fourth", || Ok(())),
        add("fourth", || Ok(())),
    ])
    .await;
    let done: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, false, true, false]);

    let names = store.read(|db| {
        super::sql::all(db, "SELECT job FROM runs ORDER BY job", [], |row| {
            Ok(row.get::<_, String>(0).unwrap())
        })
    });
    assert_eq!(names.await.unwrap(), ["first".to_owned(), "fourth".to_owned()]);
    // A panic of a reader leaves the others at work.
    for _ in 0..10 {
        assert!(store.read(|_| -> Result<(), StoreError> { panic!("a bug") }).await.is_err());
    }
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn a_file_that_another_process_keeps_locked_is_unavailable_until_it_lets_go() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    store.write(|db| db.busy_timeout(Duration::ZERO).map_err(super::sql::unavailable)).await.unwrap();
    let other = rusqlite::Connection::open(path(&folder)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.connect(&build::connection(1), build::NOW, &[]).await;
    let Err(StoreError::Unavailable(cause)) = refused else { unreachable!() };
    assert_eq!(cause.to_string(), "database is locked");
    // Readers don't wait for it.
    assert_eq!(count(&store).await, 0);
    other.execute_batch("ROLLBACK").unwrap();
    connect(&store, 1..=1).await;
}

#[tokio::test]
async fn a_row_that_is_not_ours_is_named() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    connect(&store, 1..=1).await;
    let id = build::connection_id(1);
    let spoil = |sql: &'static str| store.write(move |db| super::sql::run(db, sql, []));
    spoil("UPDATE credentials SET scopes = 'mail'").await.unwrap();
    let error = store.connection(id).await.unwrap_err();
    let what = format!("the stored credential {id}.user can't be read: ");
    assert!(error.to_string().starts_with(&what), "{error}");

    spoil("UPDATE credentials SET scopes = '[]'").await.unwrap();
    spoil("UPDATE connections SET status = 'gone'").await.unwrap();
    let error = store.connection(id).await.unwrap_err();
    let what = format!("the stored connection {id} can't be read: ");
    assert!(error.to_string().starts_with(&what), "{error}");
}

#[tokio::test]
async fn what_runs_often_reads_by_index() {
    let about = (build::connection_id(1), vec![build::credential(1).id, build::credential(2).id]);
    let about = EventFilter { about: Some(about), ..EventFilter::default() };
    let tenant = EventFilter { tenant_id: Some(build::tenant("acme")), ..EventFilter::default() };
    let everything = EventFilter { since: Some(build::NOW), ..EventFilter::default() };
    let events = |filter: &EventFilter| journal::events(filter, Some((1, 1)), 10).0;
    let of_tenant =
        Filter { tenant_id: Some(build::tenant("acme")), status: Some(Status::Active), ..Filter::default() };
    let of_user = Filter { user_id: Some(build::user("ann")), ..of_tenant.clone() };
    let broken = Filter { status: Some(Status::Error), ..Filter::default() };
    let list = |filter: &Filter| rows::select(&connections::page(filter, None, 10).0, "page.id");
    for (index, statement) in [
        ("autoindex_connections_1 (id=?", rows::select("id = ?1", "page.id")),
        ("account_id=?", rows::select(connections::PLACE, "page.id")),
        (
            "connections_place (tenant_id=? AND user_id=? AND provider=?",
            rows::select(connections::SELECTION, connections::BY_ID),
        ),
        (
            "connections_probe (shard=? AND (next_probe_at,id)>(?,?) AND next_probe_at<?",
            rows::select(connections::DUE_PROBES, "page.next_probe_at, page.id"),
        ),
        ("connections_tenant (tenant_id=? AND id>?", list(&of_tenant)),
        ("connections_user (user_id=? AND tenant_id=? AND id>?", list(&of_user)),
        ("connections_status (status=? AND id>?", list(&broken)),
        (
            "autoindex_credentials_1 (id=?",
            format!("SELECT {} FROM credentials k WHERE k.id = ?1", rows::CREDENTIAL),
        ),
        (
            "credentials_due (shard=? AND (next_refresh_at,id)>(?,?) AND next_refresh_at<?",
            credentials::due_refreshes(),
        ),
        ("credentials_refresh_key (refresh_key=? AND id>?", keys::sealed_with_old_keys()),
        ("pending_revocations_due (next_try_at<?", revocations::due_revocations()),
        ("events_connection (connection_id=?", events(&about)),
        ("events_credential (credential_id=?", events(&about)),
        ("events_tenant (tenant_id=? AND at<?", events(&tenant)),
        ("events_time (at>? AND at<?", events(&everything)),
    ] {
        let plan = plan(&statement).await;
        assert!(plan.iter().any(|step| step.contains(index)), "{index}: {statement}\n{plan:#?}");
        // A page in memory is scanned; and old keys are what that work is about.
        let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
        let fine = |step: &&String| **step == "SCAN page" || step.contains("data_keys_old");
        assert!(scans.clone().all(|step| fine(&step)), "{statement}\n{plan:#?}");
    }
}

/// How SQLite would run the statement.
async fn plan(statement: &str) -> Vec<String> {
    let store = Sqlite::open(":memory:", Arc::new(TestClock::new())).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN {statement}");
    let plan = store.read(move |db| {
        let mut statement = db.prepare(&sql).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get(3).unwrap());
        }
        Ok(plan)
    });
    plan.await.unwrap()
}
