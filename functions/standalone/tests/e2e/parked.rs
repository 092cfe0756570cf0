//! A store that takes no tokens costs no grant: what a provider has rotated is parked, and saved by whoever refreshes next.

use crate::harness::*;

/// Makes the store refuse new tokens, as a full disk would, until `allow_saves`.
fn refuse_saves(world: &World) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(world.folder.path().join("store.db")).unwrap();
    db.execute_batch(
        "CREATE TRIGGER full BEFORE UPDATE OF access ON credentials BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .unwrap();
    db
}

fn allow_saves(db: &rusqlite::Connection) {
    db.execute_batch("DROP TRIGGER full").unwrap();
}

#[tokio::test]
async fn tokens_that_the_store_would_not_take_are_served_and_saved_later() {
    let world = World::start().await;
    let id = world.connect("slack", "alice").await;
    world.advance(43_200);
    let db = refuse_saves(&world);
    let served = world.get("slack", "alice").await.ok();
    assert_eq!(served["refreshState"], "refreshed");
    let parked: Vec<_> = std::fs::read_dir(world.folder.path().join("parked")).unwrap().collect();
    assert_eq!(parked.len(), 1);

    // The process is gone, and so is the grace in which the old refresh token would still do.
    allow_saves(&db);
    let other = world.another_service().await;
    world.advance(120);
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let adopted = other.api.post("/api/v1/tokens/get", &body).await.ok();
    assert_eq!(adopted["accessToken"], served["accessToken"], "what was parked, not asked for again");
    assert_eq!(world.view(&id).await["status"], "active");
    assert_eq!(std::fs::read_dir(world.folder.path().join("parked")).unwrap().count(), 0);

    world.advance(43_200);
    let next = other.api.post("/api/v1/tokens/get", &body).await.ok();
    assert_eq!(next["refreshState"], "refreshed", "the rotated refresh token was saved too");
    assert_eq!(world.sandbox().counters().most_presentations, 1, "no refresh token was used twice");
}
