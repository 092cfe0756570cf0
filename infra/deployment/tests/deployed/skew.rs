//! Clocks that disagree by five minutes: who may refresh is judged by the store's time, so it happens once.

use std::path::PathBuf;

use futures_util::future::join_all;

use crate::harness::*;

/// Shifts the wall clock of a process.
fn faketime() -> Option<String> {
    let library = format!("/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1", std::env::consts::ARCH);
    if PathBuf::from(&library).is_file() {
        return Some(library);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{library} is missing: install faketime");
    eprintln!("SKIPPED: there is no {library} to shift a clock with");
    None
}

#[tokio::test]
async fn processes_whose_clocks_disagree_by_five_minutes_refresh_once() {
    let Some(library) = faketime() else { return };
    let Some(mut world) = World::start().await else { return };
    for name in ["token-get", "scheduled-refresh"] {
        world.take(name);
        for shift in ["+0", "+300", "-300"] {
            let vars = [("LD_PRELOAD", library.as_str()), ("FAKETIME", shift), ("DONT_FAKE_MONOTONIC", "1")];
            world.start_copy_with(name, &vars).await;
        }
    }
    let said: Vec<i64> = join_all(world.copies("token-get").map(async |copy| {
        let health = Api::new(copy.base()).get("/health").await.ok();
        let said: shared::domain::Timestamp = serde_json::from_value(health["timestamp"].clone()).unwrap();
        said.millis()
    }))
    .await;
    assert!(
        said[1] - said[0] > 290_000 && said[0] - said[2] > 290_000,
        "the clocks are not shifted: {said:?}"
    );

    for (provider, endpoint) in [("gmail", Endpoint::GoogleToken), ("slack", Endpoint::SlackToken)] {
        let id = world.connect(provider, "alice").await;
        let old = world.token(provider, "alice").await;
        world.sandbox.reset_counters();
        // While one is asking, the others come.
        world.sandbox.fault(Fault::delay(endpoint, 2000).for_grant("refresh_token"));
        let path = format!("/api/v1/tokens/refresh/{id}");
        let answers = join_all((0..3).map(|_| world.api.post(&path, &Value::Null))).await;
        let told: Vec<_> = answers.into_iter().map(|answer| answer.ok()["expiresAt"].clone()).collect();
        assert!(told.iter().all(|each| each == &told[0]), "{told:?}");
        assert_eq!(world.refreshes(endpoint), 1, "{provider}");
        let served = world.new_token_everywhere(provider, "alice", &old).await;
        assert!(world.lives(provider, &served).await);
    }
}

#[tokio::test]
async fn sweeps_whose_clocks_disagree_by_five_minutes_refresh_each_token_once() {
    let Some(library) = faketime() else { return };
    let Some(mut world) = World::start().await else { return };
    world.take("scheduled-refresh");
    for shift in ["+300", "-300"] {
        let vars = [("LD_PRELOAD", library.as_str()), ("FAKETIME", shift), ("DONT_FAKE_MONOTONIC", "1")];
        world.start_copy_with("scheduled-refresh", &vars).await;
    }
    // Due now by the fast clock, in minutes by the slow one.
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 400);
    for n in 0..10 {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.sandbox.configure(|settings| {
        settings.google.access_token_seconds = 3599;
        settings.latency_ms.insert(Endpoint::GoogleToken, 300);
    });
    let runs = world.copies("scheduled-refresh").flat_map(|copy| (0..2).map(move |_| copy));
    for report in join_all(runs.map(async |copy| copy.run(&json!({})).await)).await {
        assert_eq!(report["failed"], 0, "{report}");
    }
    assert_eq!(world.refreshes(Endpoint::GoogleToken), 10);
    for n in 0..10 {
        let token = world.token("gmail", &format!("user-{n}")).await;
        assert!(world.lives("gmail", &token).await);
    }
}
