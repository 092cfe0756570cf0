//! Which connection a caller means, and whose grant it is: never a guess, and nobody else's loss.

use crate::harness::*;

/// Whether the provider accepts a token.
async fn lives(world: &World, provider: &str, token: &str) -> bool {
    let path = if provider == "slack" { "/api/auth.test" } else { "/v1/userinfo" };
    let url = format!("{}{path}", world.provider.origin);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    let good = answer.status().is_success();
    let said: Value = answer.json().await.unwrap();
    good && said["ok"] != json!(false)
}

fn in_team(team: &str) -> Value {
    json!({"userId": "alice", "provider": "slack", "teamId": team})
}

#[tokio::test]
async fn a_second_workspace_is_a_second_connection_and_a_call_that_fits_both_names_them() {
    let world = World::start().await;
    let acme = world.connect("slack", "alice").await;
    let globex = Consent::approve("alice").in_workspace("T0GLOBEX");
    let globex = world.connect_as(json!({"userId": "alice", "provider": "slack"}), &globex).await;
    assert_ne!(acme, globex);

    let problem = world.get("slack", "alice").await.refused(409, "connection_ambiguous");
    let mut candidates = problem["candidates"].as_array().unwrap().clone();
    candidates.sort_by_key(|each| each["teamId"].to_string());
    assert_eq!(
        candidates,
        [
            json!({"connectionId": acme, "teamId": "T0ACME", "email": "alice@example.com"}),
            json!({"connectionId": globex, "teamId": "T0GLOBEX", "email": "alice@example.com"}),
        ]
    );
    assert_eq!(world.get_as(in_team("T0GLOBEX")).await.ok()["connectionId"], globex.as_str());
    let by_id = json!({"userId": "alice", "provider": "slack", "connectionId": acme});
    assert_eq!(world.get_as(by_id).await.ok()["teamId"], "T0ACME");
    let by_account = json!({"userId": "alice", "provider": "slack", "providerUserId": "U0ALICEGLOBEX"});
    assert_eq!(world.get_as(by_account).await.ok()["connectionId"], globex.as_str());
    world.get_as(in_team("T0INITHQ")).await.refused(404, "connection_not_found");

    // A revoked one never matches, unless it is what was asked for.
    world.revoke(&acme).await.ok();
    assert_eq!(world.get("slack", "alice").await.ok()["connectionId"], globex.as_str());
    world.get_as(in_team("T0ACME")).await.refused(409, "reauthorization_required");
}

#[tokio::test]
async fn an_installation_in_an_organisation_is_known_by_the_organisation() {
    let world = World::start().await;
    let consent = Consent::approve("alice").in_workspace("E0INITECH");
    let id = world.connect_as(json!({"userId": "alice", "provider": "slack"}), &consent).await;
    assert_eq!(world.view(&id).await["providerTeamId"], "E0INITECH");
    assert_eq!(world.get("slack", "alice").await.ok()["teamId"], "E0INITECH");
}

#[tokio::test]
async fn two_google_accounts_are_two_connections_and_the_account_selects() {
    let world = World::start().await;
    let body = json!({"userId": "alice", "provider": "gmail"});
    let private = world.connect_as(body.clone(), &Consent::approve("alice")).await;
    let work = world.connect_as(body, &Consent::approve("bob")).await;
    world.get("gmail", "alice").await.refused(409, "connection_ambiguous");
    for id in [private, work] {
        let account = world.view(&id).await["providerUserId"].clone();
        let body = json!({"userId": "alice", "provider": "gmail", "providerUserId": account});
        assert_eq!(world.get_as(body).await.ok()["connectionId"], id.as_str());
    }
}

#[tokio::test]
async fn the_same_account_again_is_the_same_connection() {
    let world = World::start().await;
    for provider in providers() {
        let first = world.connect(&provider, "alice").await;
        let token = world.token(&provider, "alice").await;
        assert_eq!(world.connect(&provider, "alice").await, first);
        assert_ne!(world.token(&provider, "alice").await, token, "{provider}: the newest token is served");
    }
    assert_eq!(world.api().get("/api/v1/admin/stats").await.ok()["totalConnections"], 2);
    assert_eq!(world.events("reconnected").await.len(), 2);
}

#[tokio::test]
async fn a_reconnect_as_another_account_is_refused_and_the_old_connection_untouched() {
    let world = World::start().await;
    for provider in providers() {
        let id = world.connect(&provider, "alice").await;
        let before = world.view(&id).await;
        let token = world.token(&provider, "alice").await;
        let body = json!({"userId": "alice", "provider": provider, "connectionId": id});
        let callback = world.consented(body.clone(), &Consent::approve("bob")).await;
        world.api().get(&callback).await.refused(409, "identity_mismatch");
        let after = world.view(&id).await;
        for member in ["status", "email", "updatedAt", "expiresAt", "scopes"] {
            assert_eq!(after[member], before[member], "{provider}: {member}");
        }
        assert_eq!(world.token(&provider, "alice").await, token);
        assert!(lives(&world, &provider, &token).await, "{provider}: alice's token still works");
        // As oneself it works, in place.
        assert_eq!(world.connect_as(body, &Consent::approve("alice")).await, id);
    }
    // Bob's own grant at Google came to nothing, and nobody depends on it: it is gone there too.
    assert_eq!(world.sandbox().counters().outcome(Endpoint::GoogleRevoke, "ok"), 1);
    // The bot that came with it in Slack is alice's too.
    assert_eq!(world.api().get("/api/v1/admin/stats").await.ok()["totalConnections"], 2);
}

#[tokio::test]
async fn a_bot_belongs_to_its_workspace_and_goes_with_its_last_connection() {
    let world = World::start().await;
    let alice = world.connect("slack", "alice").await;
    let first = world.token("slack", "alice").await;
    let bob = world.connect("slack", "bob").await;
    let bot = world.token("slack", "bob").await;
    assert_ne!(bot, first);
    assert_eq!(world.token("slack", "alice").await, bot, "both are served the newest token of the bot");

    // Slack lets two tokens live; a third would end the oldest.
    let problem = world.refresh(&alice).await.refused(409, "refresh_too_soon");
    assert!(problem["retryAfter"].as_u64().unwrap() > 3600, "{problem}");
    world.advance(12 * 3600);
    world.refresh(&alice).await.ok();
    let newest = world.token("slack", "bob").await;
    assert_eq!(world.token("slack", "alice").await, newest, "what one refreshes serves the other");
    assert_eq!(world.sandbox().counters().grant_type(Endpoint::SlackToken, "refresh_token"), 1);

    let revoked = world.revoke(&alice).await.ok();
    assert_eq!(revoked["providerRevocation"]["bot"], "shared");
    assert_ne!(revoked["providerRevocation"]["user"], "shared", "her own token is not");
    world.get("slack", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(world.token("slack", "bob").await, newest);
    assert!(lives(&world, "slack", &newest).await);

    let revoked = world.revoke(&bob).await.ok();
    assert_eq!(revoked["providerRevocation"]["bot"], "revoked");
    assert!(!lives(&world, "slack", &newest).await, "with the last one the bot is gone");
}

#[tokio::test]
async fn a_cached_bot_token_is_dropped_when_a_colleague_refreshes_it() {
    let world = World::start().await;
    let alice = world.connect("slack", "alice").await;
    world.connect("slack", "bob").await;
    world.advance(12 * 3600 - 400);
    let old = world.token("slack", "bob").await;
    world.advance(200);
    // Bob's is cached; alice's call asks for more life than it has left and gets a new one.
    let body = json!({"userId": "alice", "provider": "slack", "minTtlSeconds": 3000});
    let blocked = world.get_as(body).await.ok();
    assert_eq!(
        (&blocked["accessToken"], &blocked["refreshState"]),
        (&json!(old), &json!("current")),
        "two live already"
    );
    world.advance(200);
    world.refresh(&alice).await.ok();
    assert_eq!(world.token("slack", "bob").await, world.token("slack", "alice").await);
}

#[tokio::test]
async fn a_user_token_is_chosen_by_its_kind() {
    let world = World::start().await;
    let id = world.connect("slack", "alice").await;
    let kind = |kind: &str| json!({"userId": "alice", "provider": "slack", "tokenKind": kind});
    let bot = world.get_as(kind("bot")).await.ok();
    let user = world.get_as(kind("user")).await.ok();
    assert_eq!((&bot["tokenKind"], &user["tokenKind"]), (&json!("bot"), &json!("user")));
    assert_ne!(bot["accessToken"], user["accessToken"]);
    assert_eq!(user["scopes"], json!(["channels:write", "search:read"]));
    // Each is refreshed by itself.
    let path = format!("/api/v1/tokens/refresh/{id}");
    world.api().post(&path, &json!({"tokenKind": "user"})).await.ok();
    assert_eq!(world.get_as(kind("bot")).await.ok()["accessToken"], bot["accessToken"]);
    assert_ne!(world.get_as(kind("user")).await.ok()["accessToken"], user["accessToken"]);

    world.connect("gmail", "alice").await;
    let body = json!({"userId": "alice", "provider": "gmail", "tokenKind": "bot"});
    world.get_as(body).await.refused(409, "token_kind_unavailable");
    // A connection for a user token alone has it as its default.
    let body = json!({"userId": "carol", "provider": "slack", "userScopes": ["search:read"]});
    world.connect_as(body, &Consent::approve("carol")).await;
    assert_eq!(world.get("slack", "carol").await.ok()["tokenKind"], "user");
}

#[tokio::test]
async fn a_google_grant_that_two_tenants_share_outlives_the_first_revocation() {
    let world = World::start().await;
    let here = world.connect("gmail", "alice").await;
    let body = json!({"userId": "alice", "tenantId": "globex", "provider": "gmail"});
    let there = world.connect_as(body.clone(), &Consent::approve("alice")).await;
    assert_eq!(world.revoke(&here).await.ok()["providerRevocation"], json!({"user": "shared"}));
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleRevoke), 0);
    assert_eq!(world.check(&there).await.ok()["status"], "healthy");
    let token = world.get_as(body).await.ok()["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(world.revoke(&there).await.ok()["providerRevocation"], json!({"user": "revoked"}));
    assert!(!lives(&world, "gmail", &token).await);
}

#[tokio::test]
async fn a_slack_bot_that_two_tenants_share_outlives_the_first_revocation() {
    let world = World::start().await;
    let here = world.connect("slack", "alice").await;
    let body = json!({"userId": "bob", "tenantId": "globex", "provider": "slack"});
    let there = world.connect_as(body, &Consent::approve("bob")).await;
    assert_eq!(world.revoke(&here).await.ok()["providerRevocation"]["bot"], "shared");
    assert_eq!(world.check(&there).await.ok()["status"], "healthy");
    assert_eq!(world.revoke(&there).await.ok()["providerRevocation"]["bot"], "revoked");
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_missing_and_refused_where_required() {
    let world = World::start().await;
    let send = "https://www.googleapis.com/auth/gmail.send";
    let id = world
        .connect_as(json!({"userId": "alice", "provider": "gmail"}), &Consent::approve("alice").without(send))
        .await;
    let token = world.get("gmail", "alice").await.ok();
    assert_eq!(token["missingScopes"], json!([send]));
    assert_eq!(world.view(&id).await["missingScopes"], json!([send]));
    let body = json!({"userId": "alice", "provider": "gmail", "requiredScopes": [send]});
    let problem = world.get_as(body.clone()).await.refused(409, "scope_missing");
    assert_eq!(problem["authorizeHint"]["connectionId"], id.as_str());
    // The hint asks for what is missing; after it, it is there.
    world.connect_as(problem["authorizeHint"].clone(), &Consent::approve("alice")).await;
    world.get_as(body).await.ok();
}

/// Whoever can write to Redis can write what it likes into a selection.
#[tokio::test]
async fn a_selection_that_names_somebody_elses_connection_serves_nothing() {
    use shared::cache::LookupKey;

    let world = World::start().await;
    let key = |tenant: &str, user: &str| LookupKey {
        tenant_id: tenant.parse().unwrap(),
        user_id: user.parse().unwrap(),
        provider: "gmail".parse().unwrap(),
    };
    let id = world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    let hers = world.ctx().cache.lookup(&key("acme", "alice")).await.unwrap().unwrap();
    let id = id.parse().unwrap();
    for (tenant, user) in [("globex", "mallory"), ("acme", "mallory"), ("globex", "alice")] {
        world.ctx().cache.put_lookup(&key(tenant, user), hers.clone()).await.unwrap();
        world.ctx().cache.drop_tokens(id).await.unwrap();
        let asked = json!({"userId": user, "tenantId": tenant, "provider": "gmail"});
        world.get_as(asked).await.refused(404, "connection_not_found");
    }
    world.get("gmail", "alice").await.ok();
}
