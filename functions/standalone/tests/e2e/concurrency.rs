//! Many at once: one refresh, one connection, one use of a state.

use std::time::Duration;

use futures_util::future::join_all;

use crate::harness::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_on_an_expired_token_cause_one_refresh_and_get_the_same_token() {
    let world = World::start().await;
    for (provider, endpoint) in [("slack", Endpoint::SlackToken), ("gmail", Endpoint::GoogleToken)] {
        world.connect(provider, "alice").await;
        world.advance(13 * 3600);
        // All of them come while the first is still asking.
        world.sandbox().fault(Fault::delay(endpoint, 300).for_grant("refresh_token"));
        let answers = join_all((0..200).map(|_| world.get(provider, "alice"))).await;
        let tokens: Vec<_> =
            answers.into_iter().map(|answer| answer.ok()["accessToken"].to_string()).collect();
        assert!(tokens.iter().all(|each| *each == tokens[0]), "{provider}");
        let counters = world.sandbox().counters();
        assert_eq!(counters.grant_type(endpoint, "refresh_token"), 1, "{provider}");
        assert_eq!(counters.most_presentations, 1, "{provider}");
        world.sandbox().reset_counters();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_two_processes_cause_one_refresh() {
    let world = World::start().await;
    let other = world.another_service().await;
    world.connect("slack", "alice").await;
    world.advance(13 * 3600);
    world.sandbox().fault(Fault::delay(Endpoint::SlackToken, 300).for_grant("refresh_token"));
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let (here, there) = (world.api(), &other.api);
    let answers =
        join_all((0..40).map(|i| if i % 2 == 0 { here } else { there }.post("/api/v1/tokens/get", &body)))
            .await;
    let tokens: Vec<_> = answers.into_iter().map(|answer| answer.ok()["accessToken"].to_string()).collect();
    assert!(tokens.iter().all(|each| *each == tokens[0]));
    assert_eq!(world.sandbox().counters().grant_type(Endpoint::SlackToken, "refresh_token"), 1);
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_elsewhere_that_takes_too_long_is_said_with_the_time_it_may_take_yet() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.advance(3600);
    let store = &world.ctx().store;
    let connection = store.connection(id.parse().unwrap()).await.unwrap().unwrap();
    let (credential, lease) = (&connection.credentials[0], Duration::from_secs(15));
    store.lease(&credential.id, credential.version, "somebody else", lease).await.unwrap();
    let waited = async {
        // It looks several times a second; each time, a second has passed.
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.advance(1);
        }
    };
    let answer = tokio::select! {
        answer = world.get("gmail", "alice") => answer,
        () = waited => unreachable!("it never ends"),
    };
    let problem = answer.refused(503, "refresh_in_progress");
    let left = problem["retryAfter"].as_u64().unwrap();
    assert!((1..=7).contains(&left), "8 s of the lease's 15 have passed: {problem}");
    assert_eq!(problem["actor"], "caller");
    // A token that lives is served meanwhile; the sweep leaves it to whoever has it.
    assert_eq!(world.sandbox().counters().grant_type(Endpoint::GoogleToken, "refresh_token"), 0);
    world.advance(15);
    world.get("gmail", "alice").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_expiring_pressed_twice_at_once_keeps_to_the_providers_limits() {
    let world = World::start().await;
    let other = world.another_service().await;
    world.connect("slack", "alice").await;
    world.connect("gmail", "alice").await;
    // Three rounds in which Slack's two tokens and Google's one are due each time.
    for _ in 0..3 {
        world.advance(42_000);
        let slack = world.token("slack", "alice").await;
        world.sandbox().configure(|settings| {
            settings.latency_ms = [(Endpoint::SlackToken, 50), (Endpoint::GoogleToken, 50)].into();
        });
        let press = |api: &Api| {
            let api = api.clone();
            async move { api.post("/api/v1/admin/refresh/expiring", &Value::Null).await.ok() }
        };
        let (one, two) = tokio::join!(press(world.api()), press(&other.api));
        assert_eq!((&one["failed"], &two["failed"]), (&json!(0), &json!(0)), "{one} {two}");
        world.sandbox().configure(|settings| settings.latency_ms.clear());
        // The token that a service got just before is one of the two that Slack lets live.
        assert!(world.lives("slack", &slack).await, "the third newest was served");
    }
    let counters = world.sandbox().counters();
    let refreshes = |endpoint| counters.grant_type(endpoint, "refresh_token");
    assert_eq!(
        (refreshes(Endpoint::SlackToken), refreshes(Endpoint::GoogleToken)),
        (6, 3),
        "each once a round"
    );
    assert_eq!(counters.outcome(Endpoint::SlackToken, "invalid_refresh_token"), 0);
    let list = world.api().get("/api/v1/admin/connections?status=active").await.ok();
    assert_eq!(list["connections"].as_array().unwrap().len(), 2);
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callbacks_of_one_account_end_in_one_connection() {
    let world = World::start().await;
    for provider in providers() {
        let body = json!({"userId": "alice", "provider": provider});
        let mut callbacks = Vec::new();
        for _ in 0..50 {
            callbacks.push(world.consented(body.clone(), &Consent::approve("alice")).await);
        }
        let answers = join_all(callbacks.iter().map(|callback| world.api().get(callback))).await;
        let ids: Vec<_> = answers.into_iter().map(|answer| answer.ok()["connectionId"].to_string()).collect();
        assert!(ids.iter().all(|each| *each == ids[0]), "{provider}: {ids:?}");
        let list = world.api().get(&format!("/api/v1/admin/connections?provider={provider}")).await.ok();
        assert_eq!(list["connections"].as_array().unwrap().len(), 1, "{provider}");
        world.get(&provider, "alice").await.ok();
        world.advance(13 * 3600);
        world.get(&provider, "alice").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_arrives_twenty_times_at_once_is_used_once() {
    let world = World::start().await;
    for (provider, endpoint) in [("slack", Endpoint::SlackToken), ("gmail", Endpoint::GoogleToken)] {
        let callback = world
            .consented(json!({"userId": "alice", "provider": provider}), &Consent::approve("alice"))
            .await;
        let answers = join_all((0..20).map(|_| world.api().get(&callback))).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((good.len(), bad.len()), (1, 19), "{provider}");
        for answer in bad {
            answer.refused(400, "state_invalid");
        }
        assert_eq!(world.sandbox().counters().calls(endpoint), 1);
        world.get(provider, "alice").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_in_the_middle_of_a_refresh_leaves_nothing_alive() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.advance(3600);
    world.sandbox().fault(Fault::delay(Endpoint::GoogleToken, 200).for_grant("refresh_token"));
    let (token, revoked) = tokio::join!(world.get("gmail", "alice"), async {
        while world.sandbox().counters().endpoints[&Endpoint::GoogleToken].in_flight == 0 {
            tokio::task::yield_now().await;
        }
        world.revoke(&id).await
    });
    revoked.ok();
    token.refused(409, "reauthorization_required");
    world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    world.advance(11 * 60);
    world.job("health/check-all").await;
    let again = world.revoke(&id).await.ok();
    assert!(
        ["revoked", "already_invalid"].contains(&again["providerRevocation"]["user"].as_str().unwrap()),
        "{again}"
    );
    assert_eq!(world.sandbox().counters().outcome(Endpoint::GoogleRevoke, "ok"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_cancels_no_refresh() {
    let world = World::start().await;
    world.connect("slack", "alice").await;
    world.advance(13 * 3600);
    world.sandbox().fault(Fault::delay(Endpoint::SlackToken, 200).for_grant("refresh_token"));
    {
        let call = world.get("slack", "alice");
        let arrived = async {
            while world.sandbox().counters().endpoints[&Endpoint::SlackToken].in_flight == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = call => panic!("answered before it was hung up"),
            () = arrived => {}
        }
    }
    assert_eq!(world.get("slack", "alice").await.ok()["tokenKind"], "bot");
    assert_eq!(world.sandbox().counters().grant_type(Endpoint::SlackToken, "refresh_token"), 1);
    assert_eq!(world.service.stop().await, std::process::ExitCode::SUCCESS);
}
