//! A process that was frozen past its lease comes back with an answer when another has given the grant up.

use crate::harness::*;

/// A provider where a used refresh token is dead at once.
async fn strict() -> (tempfile::TempDir, World) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = include_str!("../../../../shared/providers/slack.toml");
    let strict = file.replace("rotation = \"single_use_with_grace\"", "rotation = \"single_use\"");
    assert_ne!(strict, file);
    std::fs::write(folder.path().join("slack.toml"), strict).unwrap();
    let world = Setup::default().var("PROVIDERS_DIR", folder.path().to_str().unwrap()).start().await;
    world.sandbox().configure(|settings| settings.slack.refresh_grace_seconds = 0);
    (folder, world)
}

/// Alice's token, asked for by two processes: the answer to the first comes late, and the second finds hers spent.
/// What `meanwhile` does happens before the late answer comes; answers what the first one says.
async fn late(world: &World, meanwhile: impl FnOnce()) -> Answer {
    let other = world.another_service().await;
    world.advance(43_201);
    let answer_late = Fault::delay(Endpoint::SlackToken, 3_000).after_processing();
    world.sandbox().fault(answer_late.for_grant("refresh_token"));
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let (first, ()) = tokio::join!(world.get("slack", "alice"), async {
        while world.sandbox().counters().grant_type(Endpoint::SlackToken, "refresh_token") == 0 {
            tokio::task::yield_now().await;
        }
        world.advance(16);
        let second = other.api.post("/api/v1/tokens/get", &body).await;
        let problem = second.refused(409, "reauthorization_required");
        assert_eq!(problem["statusReason"], "refresh_outcome_unknown");
        meanwhile();
    });
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_brings_back_a_grant_that_was_given_up() {
    let (_folder, world) = strict().await;
    let id = world.connect("slack", "alice").await;
    late(&world, || ()).await.ok();
    assert_eq!(world.view(&id).await["status"], "active");
    world.refresh(&id).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_whose_tokens_died_of_the_reuse_brings_nothing_back() {
    let (_folder, world) = strict().await;
    let id = world.connect("slack", "alice").await;
    // As a provider does that kills a family when one of its tokens is used again.
    let killed = Revoke::Uninstall { workspace: "T0ACME".to_owned() };
    let first = late(&world, || assert!(world.sandbox().revoke(&killed))).await;
    let problem = first.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "refresh_outcome_unknown");
    let view = world.view(&id).await;
    assert_eq!(
        (&view["status"], &view["statusReason"]),
        (&json!("expired"), &json!("refresh_outcome_unknown"))
    );
}
