//! Firestore away, from the start or in the middle: what is cached goes on, the rest says so, and it comes back by itself.

use crate::harness::*;

async fn healthy(world: &World) {
    until("good health", async || (world.api.get("/health").await.status == 200).then_some(())).await;
}

async fn unhealthy(world: &World) {
    let health = until("bad health", async || {
        Some(world.api.get("/health").await).filter(|answer| answer.status == 503)
    })
    .await
    .json();
    assert_eq!((&health["status"], &health["store"]), (&json!("unhealthy"), &json!("unreachable")));
}

#[tokio::test]
async fn functions_start_without_a_store_say_so_and_find_it_when_it_comes() {
    let Some(mut world) = Setup::default().own_emulator().prepare().await else { return };
    world.emulator.kill().unwrap();
    for name in functions(true) {
        world.start_copy(name).await;
    }
    unhealthy(&world).await;
    world.get("gmail", "alice").await.refused(503, "store_unavailable");
    // The attempt is in Redis; the connection has nowhere to go.
    let alice = json!({"userId": "alice", "provider": "gmail"});
    let callback = world.consented(alice, &Consent::approve("alice")).await;
    world.api.get(&callback).await.refused(503, "store_unavailable");

    world.emulator.start_again().unwrap();
    healthy(&world).await;
    world.get("gmail", "alice").await.refused(404, "connection_not_found");
    world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
}

#[tokio::test]
async fn a_store_that_stops_in_the_middle_leaves_cached_tokens_and_loses_no_grant() {
    let Some(mut world) = Setup::default().own_emulator().start().await else { return };
    let id = world.connect("gmail", "alice").await;
    world.connect("slack", "alice").await;
    world.connect("gmail", "bob").await;
    let token = world.token("gmail", "alice").await;
    // Every copy has the tenant's key in memory: without, the cached token can't be opened.
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }

    // It hangs: connections stay open, nothing is answered.
    world.emulator.freeze().unwrap();
    for answer in world.get_everywhere("gmail", "alice").await {
        assert_eq!(answer.ok()["accessToken"], token.as_str());
    }
    unhealthy(&world).await;
    world.refresh(&id).await.refused(503, "store_unavailable");
    assert_eq!(world.refreshes(Endpoint::GoogleToken), 0, "nothing is spent that can't be saved");
    world.get("slack", "alice").await.refused(503, "store_unavailable");

    world.emulator.thaw().unwrap();
    healthy(&world).await;
    until("a refresh", async || (world.refresh(&id).await.status == 200).then_some(())).await;
    let token = world.token("gmail", "alice").await;
    assert!(world.lives("gmail", &token).await);
    world.get("slack", "alice").await.ok();

    // It is gone: nobody listens.
    world.get("gmail", "alice").await.ok();
    world.emulator.kill().unwrap();
    for answer in world.get_everywhere("gmail", "alice").await {
        assert_eq!(answer.ok()["accessToken"], token.as_str());
    }
    unhealthy(&world).await;
    world.get("gmail", "bob").await.refused(503, "store_unavailable");
    // The emulator keeps nothing, so that this is another, empty one.
    world.emulator.start_again().unwrap();
    healthy(&world).await;
    world.connect("gmail", "carol").await;
    world.get("gmail", "carol").await.ok();
}

#[tokio::test]
async fn what_the_provider_gave_while_the_store_hung_is_saved_when_it_is_back() {
    let Some(mut world) = Setup::default().own_emulator().start().await else { return };
    let id = world.connect("slack", "alice").await;
    let before = world.token("slack", "alice").await;
    // Asked with the store there, answered with it hanging.
    world.sandbox.reset_counters();
    world.sandbox.fault(Fault::delay(Endpoint::SlackToken, 1500).for_grant("refresh_token"));
    // Past the gateway, which would give up first.
    let url = format!("{}/api/v1/tokens/refresh/{id}", world.copies("token-get").next().unwrap().base());
    let refresh = tokio::spawn(world.api.request(reqwest::Method::POST, &url).send());
    until("the call", async || (world.sandbox.counters().calls(Endpoint::SlackToken) == 1).then_some(()))
        .await;
    world.emulator.freeze().unwrap();
    // The tokens are parked, for the single-use one is spent, and whoever waits for them gets them.
    let answer = refresh.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    world.emulator.thaw().unwrap();

    until("the new token", async || {
        let answer = world.get("slack", "alice").await;
        let sweep = world.copies("scheduled-refresh").next().unwrap();
        sweep.run(&json!({})).await;
        (answer.status == 200 && answer.json()["accessToken"] != before.as_str()).then_some(())
    })
    .await;
    let token = world.token("slack", "alice").await;
    assert!(world.lives("slack", &token).await);
    assert_eq!(world.sandbox.counters().most_presentations, 1, "nobody had to ask again");
    assert_eq!(world.view(&id).await["status"], "active");
}

#[tokio::test]
async fn what_is_parked_is_not_given_up_while_redis_does_not_answer() {
    let Some(mut world) = Setup::default().own_emulator().start().await else { return };
    let id = world.connect("slack", "alice").await;
    let before = world.token("slack", "alice").await;
    world.sandbox.reset_counters();
    world.sandbox.fault(Fault::delay(Endpoint::SlackToken, 1500).for_grant("refresh_token"));
    // Past the gateway, which would give up first.
    let url = format!("{}/api/v1/tokens/refresh/{id}", world.copies("token-get").next().unwrap().base());
    let refresh = tokio::spawn(world.api.request(reqwest::Method::POST, &url).send());
    until("the call", async || (world.sandbox.counters().calls(Endpoint::SlackToken) == 1).then_some(()))
        .await;
    world.emulator.freeze().unwrap();
    assert_eq!(refresh.await.unwrap().unwrap().status(), 200, "parked in Redis");
    world.emulator.thaw().unwrap();

    // Where they are can't be read; the old refresh token is spent, and its grace over.
    world.redis.freeze().unwrap();
    world.sandbox.advance(300);
    let report = until("a refresh that is put off", async || {
        let report = world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
        (report["processed"] == 1).then_some(report)
    })
    .await;
    assert_eq!(report["successful"], 0, "{report}");
    assert_eq!(world.view(&id).await["status"], "active", "not to know is not to know that it is lost");

    world.redis.thaw().unwrap();
    until("the new token", async || {
        world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
        let answer = world.get("slack", "alice").await;
        (answer.status == 200 && answer.json()["accessToken"] != before.as_str()).then_some(())
    })
    .await;
    assert!(world.lives("slack", &world.token("slack", "alice").await).await);
    assert_eq!(world.view(&id).await["status"], "active");
}
