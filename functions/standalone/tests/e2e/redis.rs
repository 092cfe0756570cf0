//! Redis as the shared cache: it makes calls fast, and its absence costs no call.

use std::time::Duration;

use shared::testing::redis_server::{Guard, RedisServer};

use crate::harness::*;

async fn world(redis: &RedisServer) -> World {
    let setup = Setup::default().var("CACHE_URL", &redis.url());
    // Without TLS there is nobody to trust, and it is refused.
    let tls = redis.url().starts_with("rediss:");
    if tls { setup.var("CACHE_CA", redis.ca()).start().await } else { setup.start().await }
}

async fn health(world: &World) -> Value {
    world.api().get("/health").await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_life_of_a_connection_is_the_same_with_redis() {
    let managed = Guard { user: Some("oauth"), password: Some("p@ss:/w#rd"), ..Guard::TLS };
    for guard in [Guard::default(), managed] {
        let Some(redis) = RedisServer::guarded(guard).unwrap() else { return };
        let world = world(&redis).await;
        assert_eq!(health(&world).await["redis"], "connected");
        for provider in providers() {
            let id = world.connect(&provider, "alice").await;
            let first = world.token(&provider, "alice").await;
            assert_eq!(world.token(&provider, "alice").await, first);
            world.refresh(&id).await.ok();
            assert_ne!(world.token(&provider, "alice").await, first, "{provider}: dropped on refresh");
            world.check(&id).await.ok();
            world.revoke(&id).await.ok();
            world.get(&provider, "alice").await.refused(409, "reauthorization_required");
            assert_eq!(world.connect(&provider, "alice").await, id);
            world.get(&provider, "alice").await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_not_to_be_trusted_or_does_not_trust_us_costs_speed_and_no_call() {
    let guard = Guard { password: Some("right"), ..Guard::TLS };
    let Some(redis) = RedisServer::guarded(guard).unwrap() else { return };
    let wrong_password = redis.url().replace("right", "wrong");
    for (url, authority) in [(wrong_password, Some(redis.ca())), (redis.url(), None)] {
        let setup = Setup::default().var("CACHE_URL", &url);
        let setup = authority.into_iter().fold(setup, |setup, pem| setup.var("CACHE_CA", pem));
        let world = setup.start().await;
        let health = health(&world).await;
        assert_eq!((&health["status"], &health["redis"]), (&json!("degraded"), &json!("unreachable")));
        let id = world.connect("slack", "alice").await;
        world.get("slack", "alice").await.ok();
        world.refresh(&id).await.ok();
        world.revoke(&id).await.ok();
        world.get("slack", "alice").await.refused(409, "reauthorization_required");
    }
    assert_eq!(redis.say("DBSIZE").unwrap(), ":0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_changes_another_sees_at_once() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    let other = world.another_service().await;
    let id = world.connect("gmail", "alice").await;
    let me = json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"});
    let old = other.api.post("/api/v1/tokens/get", &me).await.ok();
    world.refresh(&id).await.ok();
    let new = other.api.post("/api/v1/tokens/get", &me).await.ok();
    assert_ne!(new["accessToken"], old["accessToken"]);
    world.revoke(&id).await.ok();
    other.api.post("/api/v1/tokens/get", &me).await.refused(409, "reauthorization_required");
    // A connect that one begins the other finishes.
    let callback =
        world.consented(json!({"userId": "bob", "provider": "slack"}), &Consent::approve("bob")).await;
    other.api.get(&callback.replace(&world.api().base, &other.api.base)).await.ok();
    world.get("slack", "bob").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_in_the_middle_costs_speed_and_no_call() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    let id = world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    // Begun with Redis there, so its state is there alone.
    let lost = world.consented(json!({"userId": "bob", "provider": "gmail"}), &Consent::approve("bob")).await;

    redis.kill().unwrap();
    world.get("gmail", "alice").await.ok();
    world.refresh(&id).await.ok();
    let token = world.token("gmail", "alice").await;
    assert_eq!(world.check(&id).await.ok()["status"], "healthy");
    let degraded = health(&world).await;
    assert_eq!((&degraded["status"], &degraded["redis"]), (&json!("degraded"), &json!("unreachable")));
    // Nobody says that a state is unknown when what may hold it can't be read.
    world.api().get(&lost).await.refused(503, "store_unavailable");
    // What begins now is kept in the store, and can be finished with Redis away or back.
    for provider in providers() {
        world.connect(&provider, "carol").await;
    }
    let across =
        world.consented(json!({"userId": "dave", "provider": "gmail"}), &Consent::approve("dave")).await;
    world.revoke(&id).await.ok();
    world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert!(!token.is_empty());

    redis.start_again().unwrap();
    world.api().get(&across).await.ok();
    world.get("gmail", "dave").await.ok();
    world.get("gmail", "alice").await.refused(409, "reauthorization_required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_holds_no_call_up_for_long() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    world.connect("gmail", "alice").await;
    redis.freeze().unwrap();
    for _ in 0..5 {
        world.get("gmail", "alice").await.ok();
    }
    world.connect("slack", "alice").await;
    assert_eq!(health(&world).await["redis"], "unreachable");
    redis.thaw().unwrap();
    world.get("slack", "alice").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_redis_took_without_an_answer_is_used_once_all_the_same() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    world.get("gmail", "alice").await.refused(404, "connection_not_found");
    assert_eq!(health(&world).await["redis"], "connected");
    // What is sent to it now it takes when it goes on: by then it was given up, and the store was asked.
    redis.freeze().unwrap();
    let callback =
        world.consented(json!({"userId": "alice", "provider": "gmail"}), &Consent::approve("alice")).await;
    redis.thaw().unwrap();
    let states = r#"EVAL "return #redis.call('KEYS', 'oauth:state:*')" 0"#;
    while redis.say(states).unwrap() != ":1" {
        tokio::task::yield_now().await;
    }
    world.api().get(&callback).await.ok();
    world.api().get(&callback).await.refused(400, "state_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_redis_is_filled_again() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    world.connect("slack", "alice").await;
    let token = world.token("slack", "alice").await;
    redis.kill().unwrap();
    redis.start_again().unwrap();
    assert_eq!(world.token("slack", "alice").await, token);
    assert_eq!(world.token("slack", "alice").await, token);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_redis_forgets_no_revocation() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    let other = world.another_service().await;
    let id = world.connect("slack", "alice").await;
    let me = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    other.api.post("/api/v1/tokens/get", &me).await.ok();
    world.revoke(&id).await.ok();
    // The other one still believes its selection, and finds neither a token nor a tombstone.
    assert_eq!(redis.say("FLUSHALL").unwrap(), "+OK");
    for api in [&other.api, world.api()] {
        api.post("/api/v1/tokens/get", &me).await.refused(409, "reauthorization_required");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_starts_without_its_redis() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    redis.kill().unwrap();
    let world = world(&redis).await;
    assert_eq!(health(&world).await["status"], "degraded");
    world.connect("slack", "alice").await;
    world.get("slack", "alice").await.ok();
    redis.start_again().unwrap();
    world.get("slack", "alice").await.ok();
}

#[tokio::test]
async fn a_token_that_may_be_spent_waits_for_a_redis_that_may_hold_the_next() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let world = world(&redis).await;
    let id = world.connect("slack", "alice").await;
    world.advance(43_200);
    // Somebody took the lease, and nobody knows what became of it.
    let store = &world.ctx().store;
    let connection = store.connection(id.parse().unwrap()).await.unwrap().unwrap();
    for each in &connection.credentials {
        store.lease(&each.id, each.version, "somebody who died", Duration::from_secs(15)).await.unwrap();
    }
    world.advance(16);
    redis.freeze().unwrap();
    world.get("slack", "alice").await.refused(503, "refresh_in_progress");
    assert_eq!(
        world.sandbox().counters().grant_type(Endpoint::SlackToken, "refresh_token"),
        0,
        "nothing was sent"
    );
    // After an hour it is taken for wiped.
    world.advance(3600);
    world.get("slack", "alice").await.ok();
}
