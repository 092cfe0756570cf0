//! `kill -9` between any two writes of a callback and of a refresh: nothing half is served, no grant is lost.

use std::time::Duration;

use deployment::Backend;
use fake_kms::{Effect, Fault as KmsFault};
use tokio::task::JoinHandle;

use crate::harness::*;

/// What is said to a caller whose process may be killed: nothing, or a status.
fn in_flight(request: reqwest::RequestBuilder) -> JoinHandle<Option<u16>> {
    tokio::spawn(async move { request.send().await.ok().map(|answer| answer.status().as_u16()) })
}

fn base(world: &World, name: &str) -> String {
    let Some(Backend::Http(base)) = world.copies(name).map(|each| each.backend.clone()).last() else {
        panic!("no copy of {name} listens")
    };
    base
}

/// Kills the copies of a function, and starts one.
async fn replace(world: &mut World, name: &'static str) {
    for mut process in world.take(name) {
        process.kill();
    }
    world.start_copy(name).await;
}

/// Starts a callback that goes to its function past the gateway.
async fn call_back(world: &World, body: &Value, consent: &Consent) -> (String, JoinHandle<Option<u16>>) {
    let callback = world.consented(body.clone(), consent).await;
    let path = callback.strip_prefix(&world.api.base).unwrap().to_owned();
    let url = format!("{}{path}", base(world, "callback"));
    (callback, in_flight(reqwest::Client::new().get(url).header("accept", "application/json")))
}

async fn called(world: &World, endpoint: Endpoint, times: u64) {
    until("the call", async || (world.sandbox.counters().calls(endpoint) >= times).then_some(())).await;
}

/// After a killed callback: the state is used up, nothing is connected, and the user can start again.
async fn nothing_came_of_it(world: &World, body: &Value, callback: &str, consent: &Consent) {
    world.api.get(callback).await.refused(400, "state_invalid");
    world.get_as(body.clone()).await.refused(404, "connection_not_found");
    world.connect_as(body.clone(), consent).await;
    world.get_as(body.clone()).await.ok();
}

#[tokio::test]
async fn a_callback_killed_before_its_write_leaves_no_half_connection() {
    let Some(mut world) = World::start().await else { return };
    let alice = Consent::approve("alice");
    // Its state taken, and the provider not reached; reached, and its answer lost; asked who it is.
    for (provider, endpoint, fault) in [
        ("gmail", Endpoint::GoogleToken, Fault::delay(Endpoint::GoogleToken, 60_000)),
        ("gmail", Endpoint::GoogleToken, Fault::delay(Endpoint::GoogleToken, 60_000).after_processing()),
        ("slack", Endpoint::SlackUsersInfo, Fault::delay(Endpoint::SlackUsersInfo, 60_000)),
    ] {
        let user = format!("alice-{}", world.sandbox.counters().log.len());
        let body = json!({"userId": user, "provider": provider});
        let before = world.sandbox.counters().calls(endpoint);
        world.sandbox.fault(fault);
        let (callback, flight) = call_back(&world, &body, &alice).await;
        called(&world, endpoint, before + 1).await;
        replace(&mut world, "callback").await;
        assert_eq!(flight.await.unwrap(), None);
        nothing_came_of_it(&world, &body, &callback, &alice).await;
    }
    // Everything known, and the tenant's first data key being wrapped.
    let body = json!({"userId": "alice", "tenantId": "globex", "provider": "gmail"});
    world.kms.fake.reset();
    world.kms.fake.fault(KmsFault::new(Effect::Slow(60_000)));
    let (callback, flight) = call_back(&world, &body, &alice).await;
    until("the wrapping", async || (world.kms.fake.counters().encrypt >= 1).then_some(())).await;
    replace(&mut world, "callback").await;
    assert_eq!(flight.await.unwrap(), None);
    nothing_came_of_it(&world, &body, &callback, &alice).await;
}

#[tokio::test]
async fn a_callback_killed_at_any_moment_leaves_a_whole_connection_or_none() {
    let Some(mut world) = World::start().await else { return };
    for moment in 0..16 {
        let user = format!("user-{moment}");
        let body = json!({"userId": user, "provider": "slack"});
        let consent = Consent::approve(&user).in_workspace(&format!("T0{moment}"));
        let (callback, flight) = call_back(&world, &body, &consent).await;
        tokio::time::sleep(Duration::from_millis(moment * 6)).await;
        replace(&mut world, "callback").await;
        let answered = flight.await.unwrap() == Some(200);

        let again = world.api.get(&callback).await;
        let got = world.get_as(body.clone()).await;
        let said = format!("killed after {} ms: {} {}", moment * 6, again.status, got.text());
        if again.status == 200 {
            assert!(!answered, "a state is taken once; {said}");
            got.ok();
        } else {
            again.refused(400, "state_invalid");
            match got.status {
                200 => {
                    assert!(
                        world.lives("slack", got.json()["accessToken"].as_str().unwrap()).await,
                        "{said}"
                    );
                }
                _ => {
                    assert!(!answered, "{said}");
                    got.refused(404, "connection_not_found");
                    world.connect_as(body.clone(), &consent).await;
                }
            }
        }
        // Both halves, and a working refresh.
        for kind in ["bot", "user"] {
            let body = json!({"userId": user, "provider": "slack", "tokenKind": kind});
            let token = world.get_as(body).await.ok()["accessToken"].as_str().unwrap().to_owned();
            assert!(world.lives("slack", &token).await, "{said}");
        }
        let list = format!("/api/v1/oauth/connections?tenantId=acme&userId={user}");
        let connections = world.api.get(&list).await.ok();
        assert_eq!(connections["connections"].as_array().unwrap().len(), 1, "{said}");
    }
}

#[tokio::test]
async fn a_refresh_killed_before_or_after_the_provider_rotated_loses_no_grant() {
    let Some(mut world) = World::start().await else { return };
    let mut killed = Vec::new();
    for (provider, endpoint, after) in [
        ("slack", Endpoint::SlackToken, false),
        ("slack", Endpoint::SlackToken, true),
        ("gmail", Endpoint::GoogleToken, false),
        ("gmail", Endpoint::GoogleToken, true),
    ] {
        let user = format!("{provider}-{after}");
        let body = json!({"userId": user, "provider": provider});
        let consent = Consent::approve(&user);
        let consent = if provider == "slack" {
            consent.in_workspace(if after { "T0GLOBEX" } else { "T0ACME" })
        } else {
            consent
        };
        let id = world.connect_as(body, &consent).await;
        killed.push((provider, user, id, endpoint, after));
    }
    let mut flights = Vec::new();
    for (_, _, id, endpoint, after) in &killed {
        let fault = Fault::delay(*endpoint, 60_000).for_grant("refresh_token");
        let before = world.sandbox.counters().calls(*endpoint);
        world.sandbox.fault(if *after { fault.after_processing() } else { fault });
        let url = format!("{}/api/v1/tokens/refresh/{id}", base(&world, "token-get"));
        flights.push(in_flight(world.api.request(reqwest::Method::POST, &url)));
        called(&world, *endpoint, before + 1).await;
    }
    replace(&mut world, "token-get").await;
    for flight in flights {
        assert_eq!(flight.await.unwrap(), None);
    }

    let mut old = Vec::new();
    for (provider, user, ..) in &killed {
        // Serve while valid: the lease that nobody holds any more is no caller's trouble.
        let token = world.token(provider, user).await;
        assert!(world.lives(provider, &token).await, "{user}");
        old.push(token);
    }
    // When the leases are over, a sweep finds what was meant to be refreshed.
    until("the refreshes", async || {
        let report = world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
        assert_eq!(report["failed"], 0, "{report}");
        for ((provider, user, ..), old) in killed.iter().zip(&old) {
            if world.token(provider, user).await == *old {
                return None;
            }
        }
        Some(())
    })
    .await;
    for (provider, user, id, ..) in &killed {
        let token = world.token(provider, user).await;
        assert!(world.lives(provider, &token).await, "{user}");
        assert_eq!(world.view(id).await["status"], "active", "{user}");
    }
    assert!(world.sandbox.counters().most_presentations <= 2, "a single-use token is presented again once");
}

#[tokio::test]
async fn a_refresh_killed_at_any_moment_loses_no_grant() {
    let Some(mut world) = World::start().await else { return };
    // Due at half of their life, so that the sweep comes to them whatever was written.
    world.sandbox.configure(|settings| settings.slack.access_token_seconds = 20);
    let mut users = Vec::new();
    for moment in 0..10_u64 {
        let user = format!("user-{moment}");
        let consent = Consent::approve(&user).in_workspace(&format!("T0{moment}"));
        let id = world.connect_as(json!({"userId": user, "provider": "slack"}), &consent).await;
        let url = format!("{}/api/v1/tokens/refresh/{id}", base(&world, "token-get"));
        let flight = in_flight(world.api.request(reqwest::Method::POST, &url));
        tokio::time::sleep(Duration::from_millis(moment * 5)).await;
        replace(&mut world, "token-get").await;
        flight.await.unwrap();
        users.push((user, id));
    }
    world.sandbox.configure(|settings| settings.slack.access_token_seconds = 43_200);
    until("long-lived tokens", async || {
        let report = world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
        assert_eq!(report["failed"], 0, "{report}");
        for (_, id) in &users {
            let view = world.view(id).await;
            assert_eq!(view["status"], "active", "{view}");
            let lives =
                |each: &Value| each["expiresAt"].as_str().unwrap() > view["updatedAt"].as_str().unwrap();
            if !view["credentials"].as_array().unwrap().iter().all(lives) {
                return None;
            }
        }
        Some(())
    })
    .await;
    for (user, _) in &users {
        for kind in ["bot", "user"] {
            let body = json!({"userId": user, "provider": "slack", "tokenKind": kind});
            let token = world.get_as(body).await.ok()["accessToken"].as_str().unwrap().to_owned();
            assert!(world.lives("slack", &token).await, "{user}: {kind}");
        }
    }
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_finishes_what_it_has_begun() {
    let Some(mut world) = World::start().await else { return };
    let id = world.connect("slack", "alice").await;
    let before = world.token("slack", "alice").await;
    world.sandbox.reset_counters();
    world.sandbox.fault(Fault::delay(Endpoint::SlackToken, 1000).for_grant("refresh_token"));
    let url = format!("{}/api/v1/tokens/refresh/{id}", base(&world, "token-get"));
    let flight = in_flight(world.api.request(reqwest::Method::POST, &url));
    called(&world, Endpoint::SlackToken, 1).await;
    for mut process in world.take("token-get") {
        process.signal("TERM");
        assert!(process.ended().await.success(), "{}", process.log());
    }
    assert_eq!(flight.await.unwrap(), Some(200));
    world.start_copy("token-get").await;
    assert_ne!(world.token("slack", "alice").await, before);
    for name in functions(true) {
        for mut process in world.take(name) {
            process.signal("TERM");
            assert!(process.ended().await.success(), "{}", process.log());
        }
    }
}
