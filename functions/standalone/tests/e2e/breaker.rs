//! A provider that fails for everybody is left alone, tried by one, and used again; one that fails for one user is not.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::flow::sweep;

use crate::harness::*;

async fn connect_all(world: &World, count: u32) -> Vec<String> {
    let mut users = Vec::new();
    for number in 0..count {
        let user = format!("user-{number}");
        world.connect("gmail", &user).await;
        users.push(user);
    }
    users
}

fn refreshes(world: &World) -> u64 {
    world.sandbox().counters().grant_type(Endpoint::GoogleToken, "refresh_token")
}

fn down(world: &World) {
    let fault = Fault::respond(Endpoint::GoogleToken, 503).for_grant("refresh_token");
    world.sandbox().fault(fault.times(1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_fails_for_everybody_is_left_alone_then_tried_by_one() {
    let world = World::start().await;
    let users = connect_all(&world, 12).await;
    world.advance(3600);
    down(&world);
    for user in &users {
        let problem = world.get("gmail", user).await.refused(503, "provider_unavailable");
        let wait = problem["retryAfter"].as_u64().unwrap();
        assert!((1..=5).contains(&wait), "{problem}");
    }
    assert_eq!(refreshes(&world), 5, "the others were not sent");

    // Half open: one of those who come at once tries, and finds it still down.
    world.advance(6);
    let asked = join_all(users[5..].iter().map(|user| world.get("gmail", user))).await;
    asked.into_iter().for_each(|answer| drop(answer.refused(503, "provider_unavailable")));
    assert_eq!(refreshes(&world), 6);

    world.sandbox().clear_faults();
    world.advance(11);
    for user in &users[6..] {
        world.get("gmail", user).await.ok();
    }
    world.advance(300);
    for user in &users {
        world.get("gmail", user).await.ok();
    }
}

#[tokio::test]
async fn a_user_whose_refresh_always_fails_keeps_nobody_else_from_theirs() {
    let world = World::start().await;
    let users = connect_all(&world, 3).await;
    world.advance(3600);
    for _ in 0..8 {
        let fault = Fault::respond(Endpoint::GoogleToken, 500).for_grant("refresh_token");
        world.sandbox().fault(fault);
        world.get("gmail", &users[0]).await.refused(503, "provider_unavailable");
        world.advance(301);
    }
    for user in &users[1..] {
        world.get("gmail", user).await.ok();
    }
}

#[tokio::test]
async fn a_token_that_lives_is_served_while_its_provider_is_left_alone_and_other_providers_are_used() {
    let world = World::start().await;
    let users = connect_all(&world, 7).await;
    world.connect("slack", "alice").await;
    world.advance(3400);
    down(&world);
    for user in &users {
        assert_eq!(world.get("gmail", user).await.ok()["refreshState"], "failing");
    }
    assert_eq!(refreshes(&world), 5);
    world.advance(43_200);
    world.get("slack", "alice").await.ok();
}

#[tokio::test]
async fn an_app_that_is_refused_is_raised_once_and_asked_for_by_no_more_than_a_few() {
    let world = World::start().await;
    let other = world.another_service().await;
    let users = connect_all(&world, 12).await;
    world
        .sandbox()
        .configure(|settings| settings.google.clients[0].client_secrets = vec!["other".to_owned()]);
    world.advance(3600);
    let body = |user: &String| json!({"userId": user, "tenantId": "acme", "provider": "gmail"});
    for user in &users {
        for api in [world.api(), &other.api] {
            let answer = api.post("/api/v1/tokens/get", &body(user)).await;
            let problem = answer.refused(502, "provider_misconfigured");
            assert_eq!(problem["actor"], "operator");
        }
    }
    assert!(refreshes(&world) <= 10, "five for each process, not {}", refreshes(&world));
    let alerts = world.events("alert").await;
    assert_eq!(alerts.len(), 1, "one for the app, whichever process saw it: {alerts:?}");
    let list = world.api().get("/api/v1/admin/connections?status=active").await.ok();
    assert_eq!(list["connections"].as_array().unwrap().len(), 12, "no connection is touched");
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_puts_off_what_a_failing_provider_owes_does_the_others_and_goes_on_when_it_may() {
    let world = World::start().await;
    connect_all(&world, 40).await;
    world.connect("slack", "alice").await;
    world.advance(41_000);
    down(&world);
    let ctx = Arc::clone(world.ctx());
    let bounds = sweep::Bounds::all(Duration::from_secs(300), 1);
    let run = tokio::spawn(async move { sweep::refresh(&ctx, bounds).await.unwrap() });
    // Until nothing is under way, Slack's bot and user token included: time that passes between a lease and its save would end it.
    let (mut failed, mut quiet) = (0, 0);
    while quiet < 10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        failed = world.events("refresh_failed").await.len();
        let saved = failed >= 5 && failed as u64 == refreshes(&world);
        quiet = if saved && world.events("refreshed").await.len() == 2 { quiet + 1 } else { 0 };
    }
    assert!(failed <= 6, "one more may have been let through before the fifth had failed, not {failed}");
    assert!(!run.is_finished(), "it waits for the provider");
    world.sandbox().clear_faults();
    world.advance(10);
    let report = run.await.unwrap();
    assert!(report.complete, "{report:?}");
    // Those that failed have their own time to wait; everything else was done in this run.
    assert_eq!((report.failed as usize, report.skipped), (failed, 0), "{report:?}");
    assert_eq!(refreshes(&world), 40);
}
