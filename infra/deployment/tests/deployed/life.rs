//! What the service promises, kept by several copies of each function behind a gateway.

use futures_util::future::join_all;

use crate::harness::*;

/// One connection's life, seen by every copy at once.
pub(crate) async fn live(world: &World, provider: &str) {
    world.get(provider, "alice").await.refused(404, "connection_not_found");
    let id = world.connect(provider, "alice").await;
    let first = world.token(provider, "alice").await;
    assert!(world.lives(provider, &first).await);
    for answer in world.get_everywhere(provider, "alice").await {
        let answer = answer.ok();
        assert_eq!((&answer["accessToken"], &answer["connectionId"]), (&json!(first), &json!(id)));
    }

    let refreshed = world.refresh(&id).await.ok();
    assert_eq!(refreshed["status"], "active");
    let second = world.new_token_everywhere(provider, "alice", &first).await;
    assert!(world.lives(provider, &second).await);

    let check = world.api.post(&format!("/api/v1/admin/health/check/{id}"), &Value::Null).await.ok();
    assert_eq!(check["status"], "healthy");
    assert_eq!(world.view(&id).await["healthCheckStatus"], "healthy");

    let revoked = world.revoke(&id).await.ok();
    for (kind, result) in revoked["providerRevocation"].as_object().unwrap() {
        assert_eq!(result, "revoked", "{provider}: {kind}");
    }
    assert!(!world.lives(provider, &second).await);
    world.refused_everywhere(provider, "alice").await;
    assert_eq!(world.connect(provider, "alice").await, id, "{provider} is connected again in place");
    world.new_token_everywhere(provider, "alice", &second).await;
}

#[tokio::test]
async fn a_connection_lives_its_whole_life_through_the_gateway() {
    let Some(world) = World::start().await else { return };
    let health = world.api.get("/health").await.ok();
    assert_eq!(health["status"], "healthy", "{health}");
    for provider in ["slack", "gmail"] {
        live(&world, provider).await;
    }
}

#[tokio::test]
async fn two_workspaces_and_both_halves_of_each_are_told_apart() {
    let Some(world) = World::start().await else { return };
    let body = json!({"userId": "alice", "provider": "slack"});
    let acme = world.connect_as(body.clone(), &Consent::approve("alice")).await;
    let globex = Consent::approve("alice").in_workspace("T0GLOBEX");
    let globex = world.connect_as(body, &globex).await;
    assert_ne!(acme, globex);
    world.get("slack", "alice").await.refused(409, "connection_ambiguous");

    let mut tokens = Vec::new();
    for team in ["T0ACME", "T0GLOBEX"] {
        for kind in ["bot", "user"] {
            let body = json!({"userId": "alice", "provider": "slack", "teamId": team, "tokenKind": kind});
            let answer = world.get_as(body).await.ok();
            assert_eq!((&answer["teamId"], &answer["tokenKind"]), (&json!(team), &json!(kind)));
            tokens.push(answer["accessToken"].as_str().unwrap().to_owned());
        }
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    world.revoke(&acme).await.ok();
    assert!(!world.lives("slack", &tokens[0]).await && !world.lives("slack", &tokens[1]).await);
    let one = |answer: &Answer| answer.status == 200 && answer.json()["connectionId"] == globex.as_str();
    // A process believes for two seconds which connections there are.
    until("one choice", async || world.get_everywhere("slack", "alice").await.iter().all(one).then_some(()))
        .await;
}

#[tokio::test]
async fn a_connection_that_is_to_be_confirmed_waits_for_the_person_who_started() {
    let Some(world) = World::start().await else { return };
    let body = json!({
        "userId": "alice", "provider": "gmail", "completion": "confirm", "redirectUri": "https://app.example/done",
    });
    let callback = world.consented(body, &Consent::approve("alice")).await;
    let home = world.api.get(&callback).await.sent_to();
    let (_, completion) = home.query_pairs().find(|(name, _)| name == "completion").unwrap();
    let complete = |user: &str| json!({"completion": completion, "userId": user, "tenantId": "acme"});
    world.get("gmail", "alice").await.refused(404, "connection_not_found");
    let view = world.api.post("/api/v1/oauth/complete", &complete("alice")).await.ok();
    assert_eq!(world.get("gmail", "alice").await.ok()["connectionId"], view["id"]);
    let again = world.api.post("/api/v1/oauth/complete", &complete("alice")).await;
    again.refused(400, "completion_invalid");
}

#[tokio::test]
async fn operators_see_what_there_is_and_rotate_keys_under_it() {
    let Some(world) = World::start().await else { return };
    for user in ["alice", "bob", "carol"] {
        world.connect("gmail", user).await;
    }
    let id = world.connect("slack", "alice").await;
    let stats = world.api.get("/api/v1/admin/stats").await.ok();
    assert_eq!((&stats["totalConnections"], &stats["activeConnections"]), (&json!(4), &json!(4)));
    assert_eq!(stats["byProvider"]["gmail"]["active"], 3);
    let page = world.api.get("/api/v1/admin/connections?provider=gmail&limit=2").await.ok();
    let rest = format!(
        "/api/v1/admin/connections?provider=gmail&limit=2&cursor={}",
        page["nextCursor"].as_str().unwrap()
    );
    let rest = world.api.get(&rest).await.ok();
    assert_eq!((rest["connections"].as_array().unwrap().len(), &rest["nextCursor"]), (1, &Value::Null));
    let audit = world.api.get("/api/v1/admin/audit?kind=connected").await.ok();
    assert_eq!(audit["events"].as_array().unwrap().len(), 4);

    // New keys at once; what is sealed with the old ones is sealed again by the job, and every token stays.
    let token = world.token("gmail", "bob").await;
    let rotated = world.api.post("/api/v1/admin/keys/rotate", &Value::Null).await.ok();
    assert_ne!(rotated["toReseal"], 0);
    let sweep = world.copies("scheduled-refresh").next().unwrap();
    until("re-sealing", async || {
        sweep.run(&json!({})).await;
        let keys = world.api.get("/api/v1/admin/keys").await.ok();
        (keys["toReseal"] == 0).then_some(())
    })
    .await;
    assert_eq!(world.token("gmail", "bob").await, token);
    assert_eq!(world.view(&id).await["status"], "active");

    let checked = world.api.post("/api/v1/admin/health/check-all", &Value::Null).await.ok();
    assert_eq!((&checked["processed"], &checked["successful"]), (&json!(4), &json!(4)));
    assert_eq!(world.api.get("/api/v1/admin/health/stats").await.ok()["healthy"], 4);
}

#[tokio::test]
async fn several_sweeps_at_once_refresh_everything_once() {
    const USERS: usize = 20;
    let Some(world) = World::start().await else { return };
    // Due at half of their life, and only once: what is issued from then on lives long.
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 6);
    for n in 0..USERS {
        world.connect("gmail", &format!("user-{n}")).await;
    }
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 3599);

    until("the last refresh", async || {
        // Both copies do both halves: shards share the work, and nothing depends on who takes which.
        let runs = world.copies("scheduled-refresh").flat_map(|copy| {
            (0..2).map(move |shard| async move { copy.run(&json!({"shard": shard, "of": 2})).await })
        });
        for report in join_all(runs).await {
            assert_eq!((&report["failed"], &report["complete"]), (&json!(0), &json!(true)), "{report}");
        }
        (world.refreshes(Endpoint::GoogleToken) >= USERS as u64).then_some(())
    })
    .await;
    assert_eq!(world.refreshes(Endpoint::GoogleToken), USERS as u64);
    for n in 0..USERS {
        let user = format!("user-{n}");
        let token = world.token("gmail", &user).await;
        assert!(world.lives("gmail", &token).await, "{user}");
    }
    let health = world.copies("scheduled-health").next().unwrap().run(&json!({})).await;
    assert_eq!((&health["job"], &health["complete"]), (&json!("scheduled-health"), &json!(true)));
}
