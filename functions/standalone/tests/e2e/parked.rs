//! A store that takes no tokens costs no grant: what a provider has rotated is parked, and saved by whoever refreshes next.

use shared::testing::redis_server::RedisServer;

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
    let parked = || std::fs::read_dir(world.folder.path().join("parked")).unwrap().count();
    assert_eq!(parked(), 1, "kept for whoever still has the lease of the version before");

    world.advance(43_200);
    let next = other.api.post("/api/v1/tokens/get", &body).await.ok();
    assert_eq!(next["refreshState"], "refreshed", "the rotated refresh token was saved too");
    assert_eq!(world.sandbox().counters().most_presentations, 1, "no refresh token was used twice");

    world.advance(43_200);
    world.job("refresh/expiring").await;
    assert_eq!(parked(), 0, "for a day");
}

/// Alice's refreshed tokens, which the store would not take, and what is stored instead; then it takes everything again.
async fn parked(world: &World) -> (String, shared::domain::Credential) {
    let id = world.connect("gmail", "alice").await;
    world.advance(3600);
    let db = refuse_saves(world);
    world.get("gmail", "alice").await.ok();
    allow_saves(&db);
    let stored = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
    (id, stored.credentials[0].clone())
}

#[tokio::test]
async fn a_revocation_reaches_what_was_parked_too() {
    let world = World::start().await;
    let (id, _) = parked(&world).await;
    let token = world.token("gmail", "alice").await;
    // Google ends the whole grant with either token; the one that is parked must be told of all the same.
    world.sandbox().fault(Fault::respond(Endpoint::GoogleRevoke, 503));
    world.revoke(&id).await.ok();
    assert!(world.lives("gmail", &token).await, "the provider did not hear of the first");
    world.job("refresh/expiring").await;
    assert!(!world.lives("gmail", &token).await);
    assert_eq!(std::fs::read_dir(world.folder.path().join("parked")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_grant_that_was_given_up_lives_again_when_its_tokens_were_parked() {
    let world = World::start().await;
    let (id, stored) = parked(&world).await;
    // Somebody who could not see what was parked had asked with the spent token.
    let reason = shared::domain::StatusReason::RefreshOutcomeUnknown;
    let event = shared::domain::Event {
        at: shared::testing::TestClock::START,
        kind: shared::domain::EventKind::GrantEnded,
        tenant_id: None,
        provider: None,
        connection_id: None,
        credential_id: None,
        detail: None,
        by: None,
        request_id: None,
    };
    world.ctx().store.condemn(&stored.id, stored.version, reason, &event).await.unwrap().unwrap();
    assert_eq!(world.view(&id).await["status"], "expired");
    world.job("refresh/expiring").await;
    assert_eq!(world.view(&id).await["status"], "active");
    world.get("gmail", "alice").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_machine_has_parked_survives_a_redis_that_is_emptied() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = Setup::default().var("CACHE_URL", &redis.url()).start().await;
    let id = world.connect("slack", "alice").await;
    world.advance(43_200);
    let db = refuse_saves(&world);
    let served = world.get("slack", "alice").await.ok();
    redis.say("FLUSHALL").unwrap();

    allow_saves(&db);
    // Past the grace in which the old refresh token would still do.
    world.advance(120);
    let adopted = world.get("slack", "alice").await.ok();
    assert_eq!(adopted["accessToken"], served["accessToken"], "what was parked, not asked for again");
    assert_eq!(world.view(&id).await["status"], "active");
    assert_eq!(world.sandbox().counters().most_presentations, 1, "no refresh token was used twice");
}
