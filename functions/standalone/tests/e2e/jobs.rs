//! What the jobs do, and what they leave alone: sweeps, checks, pending revocations, keys, tenants.

use std::time::Duration;

use shared::flow::sweep::{self, Bounds, Share};

use crate::harness::*;

const BOUNDS: Bounds = Bounds::all(Duration::from_secs(60), 32);

fn counts(report: &Value) -> [u64; 4] {
    ["processed", "successful", "failed", "skipped"].map(|name| report[name].as_u64().unwrap())
}

fn refreshes(world: &World, endpoint: Endpoint) -> u64 {
    world.sandbox().counters().grant_type(endpoint, "refresh_token")
}

#[tokio::test]
async fn a_sweep_refreshes_what_is_due_and_nothing_when_it_is_pressed_again() {
    let world = World::start().await;
    world.connect("gmail", "alice").await;
    world.connect("slack", "alice").await;
    world.advance(1000);
    world.connect("gmail", "bob").await;
    // A token of an hour is due after half of its life: alice's is, bob's is not, Slack's is not for hours.
    world.advance(900);
    let report = world.job("refresh/expiring").await;
    assert_eq!(counts(&report), [1, 1, 0, 0]);
    assert_eq!((&report["complete"], &report["failures"]), (&json!(true), &json!([])));
    assert_eq!(counts(&world.job("refresh/expiring").await), [0, 0, 0, 0]);
    assert_eq!(refreshes(&world, Endpoint::GoogleToken), 1);

    // Within an hour of its end Slack's bot and user token are due.
    world.advance(11 * 3600 + 60);
    world.job("refresh/expiring").await;
    assert_eq!(refreshes(&world, Endpoint::SlackToken), 2);
    world.get("slack", "alice").await.ok();
}

#[tokio::test]
async fn two_runs_at_once_refresh_each_token_once() {
    let world = World::start().await;
    let other = world.another_service().await;
    for n in 0..20 {
        world.connect("slack", &format!("user-{n}")).await;
    }
    world.advance(11 * 3600 + 1800);
    world.sandbox().configure(|settings| {
        settings.latency_ms.insert(Endpoint::SlackToken, 20);
    });
    let runs = tokio::join!(sweep::refresh(world.ctx(), BOUNDS), sweep::refresh(&other.ctx, BOUNDS));
    let (one, two) = (runs.0.unwrap(), runs.1.unwrap());
    assert_eq!((one.failed, two.failed), (0, 0));
    // Twenty people's; the bot that they share got twenty tokens by being installed, and Slack lets two live.
    assert_eq!(refreshes(&world, Endpoint::SlackToken), 20);
    assert_eq!(world.sandbox().counters().most_presentations, 1);
    other.stop().await;
}

#[tokio::test]
async fn shares_of_a_run_do_everything_once_between_them() {
    let world = World::start().await;
    for n in 0..24 {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.advance(2000);
    let mut processed = 0;
    for index in 0..3 {
        let bounds = Bounds { share: Share::new(index, 3).unwrap(), ..BOUNDS };
        let report = sweep::refresh(world.ctx(), bounds).await.unwrap();
        assert!(report.complete && report.processed < 24, "{report:?}");
        processed += report.processed;
    }
    assert_eq!(processed, 24);
    assert_eq!(refreshes(&world, Endpoint::GoogleToken), 24);
}

#[tokio::test]
async fn a_run_takes_no_more_than_its_limit_and_says_that_there_is_more() {
    let world = World::start().await;
    for n in 0..5 {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.advance(2000);
    let limited = Bounds { limit: std::num::NonZeroU64::new(3), ..BOUNDS };
    for (processed, complete) in [(3, false), (2, true)] {
        let report = sweep::refresh(world.ctx(), limited).await.unwrap();
        assert_eq!((report.processed, report.complete), (processed, complete));
    }
}

#[tokio::test]
async fn a_run_that_meets_its_deadline_stops_and_the_next_goes_on() {
    let world = Setup::default().var("DEADLINE", "1s").var("CONCURRENCY", "2").start().await;
    for n in 0..30 {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.advance(2000);
    world.sandbox().configure(|settings| {
        settings.latency_ms.insert(Endpoint::GoogleToken, 100);
    });
    let mut done = 0;
    let mut runs = 0;
    loop {
        let report = world.job("refresh/expiring").await;
        done += report["successful"].as_u64().unwrap();
        runs += 1;
        if report["complete"] == true {
            break;
        }
        assert!(runs < 30, "it gets on");
    }
    assert!(runs > 1, "the first run met its deadline");
    assert_eq!((done, refreshes(&world, Endpoint::GoogleToken)), (30, 30), "each once");
}

#[tokio::test]
async fn a_sweep_leaves_dead_grants_and_lists_what_failed() {
    let world = World::start().await;
    let gone = world.connect("gmail", "alice").await;
    world.connect("gmail", "bob").await;
    let google = sandbox_provider::Provider::Google;
    world.sandbox().revoke(&Revoke::Grant { provider: google, account: "alice".to_owned() });
    world.advance(2000);
    let report = world.job("refresh/expiring").await;
    assert_eq!(counts(&report), [2, 1, 1, 0]);
    let failure = json!([{"connectionId": gone, "code": "reauthorization_required"}]);
    assert_eq!(report["failures"], failure);
    world.advance(2000);
    assert_eq!(counts(&world.job("refresh/expiring").await), [1, 1, 0, 0], "the dead one is not asked again");
}

#[tokio::test]
async fn a_check_of_all_tells_the_living_from_the_dead() {
    let world = World::start().await;
    let dead = world.connect("gmail", "alice").await;
    let fine = world.connect("gmail", "bob").await;
    let slack = world.connect("slack", "alice").await;
    let google = sandbox_provider::Provider::Google;
    world.sandbox().revoke(&Revoke::Grant { provider: google, account: "alice".to_owned() });
    let report = world.job("health/check-all").await;
    assert_eq!(counts(&report), [3, 2, 1, 0]);
    assert_eq!(report["failures"][0]["connectionId"], dead.as_str());
    assert_eq!(world.view(&dead).await["healthCheckStatus"], "unhealthy");
    for id in [fine, slack] {
        assert_eq!(world.view(&id).await["healthCheckStatus"], "healthy");
    }
    let stats = world.api().get("/api/v1/admin/health/stats").await.ok();
    assert_eq!((&stats["total"], &stats["healthy"], &stats["unhealthy"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(stats["lastRun"]["runId"], report["runId"]);
}

#[tokio::test]
async fn the_hourly_check_takes_what_is_due() {
    let world = World::start().await;
    world.connect("gmail", "alice").await;
    let run = sweep::health(world.ctx(), BOUNDS, false).await.unwrap();
    assert_eq!(run.processed, 0, "nothing is due at birth");
    world.advance(3601);
    let run = sweep::health(world.ctx(), BOUNDS, false).await.unwrap();
    assert_eq!((run.processed, run.successful), (1, 1));
    let run = sweep::health(world.ctx(), BOUNDS, false).await.unwrap();
    assert_eq!(run.processed, 0);
}

#[tokio::test]
async fn a_check_while_the_provider_is_down_is_skipped_and_changes_no_verdict() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.check(&id).await.ok();
    let before = world.view(&id).await;
    world.advance(120);
    for fault in [
        Fault::respond(Endpoint::GoogleProfile, 503),
        Fault::rate_limited(Endpoint::GoogleProfile, 5),
        Fault::drop_before(Endpoint::GoogleProfile),
        Fault::respond(Endpoint::GoogleProfile, 200).text("<html>"),
    ] {
        world.sandbox().fault(fault);
        assert_eq!(counts(&world.job("health/check-all").await), [1, 0, 0, 1]);
        world.advance(3600);
        world.sandbox().fault(Fault::respond(Endpoint::GoogleToken, 503));
    }
    let after = world.view(&id).await;
    for member in ["status", "healthCheckStatus", "lastHealthCheckAt"] {
        assert_eq!(after[member], before[member], "{member}");
    }
}

#[tokio::test]
async fn a_revocation_that_the_provider_did_not_hear_is_retried_until_it_does() {
    for (provider, endpoint) in [("gmail", Endpoint::GoogleRevoke), ("slack", Endpoint::SlackAuthRevoke)] {
        let world = World::start().await;
        let id = world.connect(provider, "alice").await;
        world.sandbox().fault(Fault::respond(endpoint, 503).times(1000));
        let revoked = world.revoke(&id).await.ok();
        for (kind, result) in revoked["providerRevocation"].as_object().unwrap() {
            assert_eq!(result, "pending", "{provider} {kind}");
        }
        world.get(provider, "alice").await.refused(409, "reauthorization_required");
        world.job("health/check-all").await;
        let tried = world.sandbox().counters().calls(endpoint);
        world.job("health/check-all").await;
        assert_eq!(world.sandbox().counters().calls(endpoint), tried, "{provider}: not at once again");
        world.advance(3600);
        world.job("health/check-all").await;
        assert!(world.sandbox().counters().calls(endpoint) > tried, "{provider}: an hour later");

        world.sandbox().clear_faults();
        world.advance(3600);
        world.job("health/check-all").await;
        let settled = world.revoke(&id).await.ok();
        for (kind, result) in settled["providerRevocation"].as_object().unwrap() {
            assert_eq!(result, "revoked", "{provider} {kind}");
        }
        let calls = world.sandbox().counters().calls(endpoint);
        world.advance(3600);
        world.job("health/check-all").await;
        assert_eq!(world.sandbox().counters().calls(endpoint), calls, "{provider}: settled is settled");
    }
}

#[tokio::test]
async fn a_revocation_is_given_up_after_a_day_and_says_pending() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.sandbox().fault(Fault::respond(Endpoint::GoogleRevoke, 503).times(1000));
    world.revoke(&id).await.ok();
    world.advance(24 * 3600);
    world.job("health/check-all").await;
    let calls = world.sandbox().counters().calls(Endpoint::GoogleRevoke);
    world.advance(3600);
    world.job("health/check-all").await;
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleRevoke), calls);
    assert_eq!(world.revoke(&id).await.ok()["providerRevocation"], json!({"user": "pending"}));
}

#[tokio::test]
async fn a_reconnect_while_a_revocation_is_pending_is_not_revoked_by_it() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.sandbox().fault(Fault::respond(Endpoint::GoogleRevoke, 503));
    world.revoke(&id).await.ok();
    assert_eq!(world.connect("gmail", "alice").await, id);
    world.advance(1200);
    world.job("health/check-all").await;
    assert_eq!(world.check(&id).await.ok()["status"], "healthy");
    assert_eq!(world.sandbox().counters().outcome(Endpoint::GoogleRevoke, "ok"), 0);
}

#[tokio::test]
async fn rotated_keys_seal_again_and_every_token_is_served_as_before() {
    let world = World::start().await;
    for provider in providers() {
        world.connect(&provider, "alice").await;
    }
    let before = (world.token("slack", "alice").await, world.token("gmail", "alice").await);
    let rotated = world.api().post("/api/v1/admin/keys/rotate", &Value::Null).await.ok();
    assert_eq!(rotated["toReseal"], 3, "a bot, a user, a gmail");
    let of_acme = |answer: &Value| {
        let keys = answer["keys"].as_array().unwrap().clone();
        keys.into_iter().filter(|key| key["tenantId"] == "acme").collect::<Vec<_>>()
    };
    assert_eq!(of_acme(&rotated).len(), 2);
    assert_eq!(of_acme(&rotated).iter().filter(|key| key["active"] == true).count(), 1);

    let other = world.another_service().await;
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"});
    let read = other.api.post("/api/v1/tokens/get", &body).await.ok();
    assert_eq!(read["accessToken"], before.1, "the old key still opens");
    world.job("refresh/expiring").await;
    let after = world.api().get("/api/v1/admin/keys?tenantId=acme").await.ok();
    assert_eq!(after["toReseal"], 0);
    let other = world.another_service().await;
    for (provider, token) in [("slack", &before.0), ("gmail", &before.1)] {
        let body = json!({"userId": "alice", "tenantId": "acme", "provider": provider});
        assert_eq!(other.api.post("/api/v1/tokens/get", &body).await.ok()["accessToken"], *token);
    }
    world.advance(13 * 3600);
    for provider in providers() {
        world.get(&provider, "alice").await.ok();
    }
}

#[tokio::test]
async fn an_erased_tenant_is_gone_here_and_at_the_provider_and_nobody_else_is() {
    let world = World::start().await;
    for account in ["alice", "bob"] {
        world.connect("gmail", account).await;
    }
    world.connect("slack", "alice").await;
    let globex = json!({"userId": "carol", "tenantId": "globex", "provider": "gmail"});
    world.connect_as(globex.clone(), &Consent::approve("carol")).await;

    let erased = world.api().delete("/api/v1/admin/tenants/acme").await.ok();
    assert_eq!((&erased["tenantId"], &erased["connections"]), (&json!("acme"), &json!(3)));
    assert_eq!(erased["providerRevocation"]["revoked"], 4, "{erased}");
    assert_eq!(erased["dataKeysDestroyed"], 1);
    for provider in providers() {
        world.get(&provider, "alice").await.refused(404, "connection_not_found");
    }
    let keys = world.api().get("/api/v1/admin/keys?tenantId=acme").await.ok();
    assert_eq!(keys["keys"], json!([]));
    let audit = world.api().get("/api/v1/admin/audit?tenantId=acme").await.ok();
    assert_eq!(audit["events"].as_array().unwrap().len(), 1, "that it was erased, and nothing more: {audit}");
    assert_eq!(world.api().get("/api/v1/admin/stats").await.ok()["totalConnections"], 1);
    world.get_as(globex).await.ok();

    let again = world.api().delete("/api/v1/admin/tenants/acme").await.ok();
    assert_eq!((&again["connections"], &again["dataKeysDestroyed"]), (&json!(0), &json!(0)));
    // It may come back as new.
    world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    world
        .api()
        .delete(&format!("/api/v1/admin/tenants/{}", "x".repeat(257)))
        .await
        .refused(400, "invalid_request");
}
