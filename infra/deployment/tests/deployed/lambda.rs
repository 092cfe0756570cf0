//! The same under Lambda: every function behind a runtime API, with the events that AWS sends.

use std::time::Duration;

use deployment::{Backend, scheduled};

use crate::harness::*;
use crate::life;

#[tokio::test]
async fn a_connection_lives_its_whole_life_under_lambda() {
    let Some(world) = Setup::default().in_lambda().start().await else { return };
    let health = world.api.get("/health").await.ok();
    assert_eq!(health["status"], "healthy", "{health}");
    for provider in ["slack", "gmail"] {
        life::live(&world, provider).await;
    }
    let stats = world.api.get("/api/v1/admin/stats").await.ok();
    assert_eq!(stats["activeConnections"], 2);
    // A page goes out as it is, a browser is sent on, and what is wrong is said in the same words.
    let home = json!({"userId": "bob", "provider": "gmail", "redirectUri": "https://app.example/done"});
    let callback = world.consented(home, &Consent::approve("bob")).await;
    assert!(world.api.get(&callback).await.sent_to().query().unwrap().contains("status=success"));
    world.api.get(&callback).await.refused(400, "state_invalid");
    world.api.post("/api/v1/tokens/get", &json!({"userId": 1})).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn jobs_take_a_schedulers_event_or_plain_input() {
    let Some(world) = Setup::default().in_lambda().start().await else { return };
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 6);
    for n in 0..4 {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 3599);
    until("the last refresh", async || {
        for (copy, input) in world
            .copies("scheduled-refresh")
            .zip([scheduled("refresh"), json!({"shard": 0, "of": 1, "limit": 2})])
        {
            let report = copy.run(&input).await;
            assert_eq!(
                (&report["job"], &report["failed"]),
                (&json!("scheduled-refresh"), &json!(0)),
                "{report}"
            );
        }
        (world.refreshes(Endpoint::GoogleToken) == 4).then_some(())
    })
    .await;
    for copy in world.copies("scheduled-health") {
        assert_eq!(copy.run(&scheduled("health")).await["complete"], true);
    }
}

#[tokio::test]
async fn a_job_stops_before_the_deadline_in_its_context_and_the_next_run_goes_on() {
    const USERS: u64 = 8;
    let Some(world) = Setup::default().in_lambda().var("CONCURRENCY", "1").start().await else { return };
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 6);
    for n in 0..USERS {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.sandbox.configure(|settings| {
        settings.google.access_token_seconds = 3599;
        settings.latency_ms.insert(Endpoint::GoogleToken, 1000);
    });
    // All are due when half of the last one's life is over.
    let due = world.sandbox.now_ms() + 3000;
    until("the last to be due", async || (world.sandbox.now_ms() > due).then_some(())).await;
    let copy = world.copies("scheduled-refresh").next().unwrap();
    let Backend::Lambda(runtime) = &copy.backend else { panic!("not under Lambda") };
    // Nothing new is begun in the last twelve seconds, or three quarters of so short a time.
    let mut stopped = 0;
    until("the last refresh", async || {
        let report = runtime.invoke(scheduled("refresh"), Duration::from_millis(13_500)).await.unwrap();
        assert_eq!(report["failed"], 0, "{report}");
        stopped += u32::from(report["complete"] == false);
        (world.refreshes(Endpoint::GoogleToken) == USERS).then_some(())
    })
    .await;
    assert!(stopped > 0, "every run says that it did everything");
    for n in 0..USERS {
        world.get("gmail", &format!("user-{n}")).await.ok();
    }
}
