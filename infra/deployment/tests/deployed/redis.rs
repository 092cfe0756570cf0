//! Redis between several processes: away it costs speed, and no copy serves what another one has revoked for long.

use crate::harness::*;

async fn redis_is(world: &World, said: &str) {
    until(said, async || (world.api.get("/health").await.ok()["redis"] == said).then_some(())).await;
}

#[tokio::test]
async fn redis_killed_costs_no_call_and_what_comes_back_empty_is_filled() {
    let Some(mut world) = World::start().await else { return };
    let id = world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    let bob = json!({"userId": "bob", "provider": "gmail"});
    let lost = world.consented(bob.clone(), &Consent::approve("bob")).await;

    world.redis.kill().unwrap();
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }
    redis_is(&world, "unreachable").await;
    // Its state was in Redis alone: nobody says that it is unknown while Redis can't be asked.
    world.api.get(&lost).await.refused(503, "store_unavailable");
    // What begins now is kept in the store.
    world.connect("slack", "carol").await;
    let old = world.token("gmail", "alice").await;
    world.refresh(&id).await.ok();
    world.new_token_everywhere("gmail", "alice", &old).await;
    let across = world.consented(bob, &Consent::approve("bob")).await;
    world.revoke(&id).await.ok();
    world.refused_everywhere("gmail", "alice").await;

    world.redis.start_again().unwrap();
    redis_is(&world, "connected").await;
    world.api.get(&across).await.ok();
    world.api.get(&lost).await.refused(400, "state_invalid");
    for user in ["bob", "alice"] {
        for answer in world.get_everywhere("gmail", user).await {
            assert_eq!(answer.status, if user == "bob" { 200 } else { 409 }, "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_redis_that_hangs_costs_no_call_and_a_revocation_is_late_by_no_more_than_promised() {
    let Some(world) = World::start().await else { return };
    let id = world.connect("gmail", "alice").await;
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }
    world.redis.freeze().unwrap();
    redis_is(&world, "unreachable").await;
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }
    world.connect("slack", "carol").await;
    // Redis can't be told of this one.
    world.revoke(&id).await.ok();
    world.refused_everywhere("gmail", "alice").await;

    world.redis.thaw().unwrap();
    redis_is(&world, "connected").await;
    world.get("slack", "carol").await.ok();
    // The selection that it remembers from before ends by itself after half a minute.
    world.refused_everywhere("gmail", "alice").await;
}

#[tokio::test]
async fn functions_start_without_redis_and_find_it_when_it_comes() {
    let Some(mut world) = Setup::default().prepare().await else { return };
    world.redis.kill().unwrap();
    for name in functions(true) {
        world.start_copy(name).await;
    }
    assert_eq!(world.api.get("/health").await.ok()["status"], "degraded");
    world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    world.redis.start_again().unwrap();
    redis_is(&world, "connected").await;
    world.get("gmail", "alice").await.ok();
}
