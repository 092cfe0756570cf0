//! Exactly the members of every answer that callers depend on.

use crate::harness::*;

const VIEW: &str = "id userId tenantId provider providerUserId providerTeamId email tokenType expiresAt scopes \
    missingScopes credentials status statusReason statusActor createdAt updatedAt lastRefreshedAt lastHealthCheckAt \
    healthCheckStatus healthCheckError revokedAt revokedBy revokedReason";
const REPORT: &str = "runId job startedAt finishedAt complete processed successful failed skipped failures";

/// Fails unless it is RFC 3339 in UTC with milliseconds and `Z`.
fn is_time(value: &Value) {
    let text = value.as_str().unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{text}");
}

#[tokio::test]
async fn a_connect_answers_what_the_contract_fixes() {
    let world = World::start().await;
    let answer = world.authorize(json!({"userId": "alice", "provider": "slack"})).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let started = answer.ok();
    assert_eq!(keys(&started), words("authorizationUrl state expiresAt"));
    started["state"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    assert_eq!(started["expiresAt"], "2026-01-15T12:15:00.000Z", "15 minutes from the test clock's start");
    let url: url::Url = started["authorizationUrl"].as_str().unwrap().parse().unwrap();
    assert!(
        url.query_pairs()
            .any(|(name, value)| name == "state" && value == *started["state"].as_str().unwrap())
    );
    assert!(url.query_pairs().any(|(name, value)| name == "code_challenge_method" && value == "S256"));

    let callback = world.sandbox().consent(url.as_str(), &Consent::approve("alice")).unwrap();
    let connected = world.api().get(&callback).await.ok();
    assert_eq!(keys(&connected), words("status connectionId provider"));
    assert_eq!((&connected["status"], &connected["provider"]), (&json!("success"), &json!("slack")));

    let list = world.api().get("/api/v1/oauth/connections?userId=alice&tenantId=acme").await.ok();
    assert_eq!(keys(&list), words("connections nextCursor"));
    let view = &list["connections"][0];
    assert_eq!(keys(view), words(VIEW));
    assert_eq!(keys(&view["credentials"][0]), words("kind status expiresAt scopes"));
    for time in ["expiresAt", "createdAt", "updatedAt"] {
        is_time(&view[time]);
    }
    assert_eq!(view["providerUserId"], "U0ALICEACME");
    assert_eq!(view["providerTeamId"], "T0ACME");
    assert_eq!(view["email"], "alice@example.com");
    assert_eq!(view["tokenType"], "Bearer");
}

#[tokio::test]
async fn the_calls_of_services_answer_what_the_contract_fixes() {
    let world = World::start().await;
    let id = world.connect("slack", "alice").await;
    let answer = world.get("slack", "alice").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.ok();
    let members =
        "accessToken tokenType expiresAt scopes connectionId teamId tokenKind missingScopes refreshState";
    assert_eq!(keys(&token), words(members));
    assert_eq!((&token["tokenType"], &token["tokenKind"]), (&json!("Bearer"), &json!("bot")));
    assert_eq!((&token["teamId"], &token["connectionId"]), (&json!("T0ACME"), &json!(id)));
    is_time(&token["expiresAt"]);

    let refreshed = world.refresh(&id).await.ok();
    assert_eq!(keys(&refreshed), words("connectionId provider status expiresAt lastRefreshedAt"));
    is_time(&refreshed["lastRefreshedAt"]);

    let body = json!({"revokedBy": "ops", "reason": "left the company"});
    let revoked = world.api().post(&format!("/api/v1/tokens/revoke/{id}"), &body).await.ok();
    assert_eq!(keys(&revoked), words("connectionId status revokedAt providerRevocation"));
    assert_eq!(keys(&revoked["providerRevocation"]), ["bot", "user"]);
    let view = world.view(&id).await;
    assert_eq!(view["revokedAt"], revoked["revokedAt"]);
    assert_eq!((&view["revokedBy"], &view["revokedReason"]), (&json!("ops"), &json!("left the company")));
}

#[tokio::test]
async fn the_calls_of_operators_answer_what_the_contract_fixes() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let stats = world.api().get("/api/v1/admin/stats").await.ok();
    let members = "totalConnections activeConnections expiredConnections revokedConnections errorConnections byProvider";
    assert_eq!(keys(&stats), words(members));
    assert_eq!(keys(&stats["byProvider"]["slack"]), words("total active expired revoked error"));

    let list = world.api().get("/api/v1/admin/connections").await.ok();
    assert_eq!(keys(&list), words("connections nextCursor"));
    assert_eq!(keys(&list["connections"][0]), words(VIEW));
    let one = world.view(&id).await;
    assert_eq!(keys(&one), words(&format!("{VIEW} events tokensServed")));

    let check = world.check(&id).await.ok();
    assert_eq!(keys(&check), words("connectionId provider status checkedAt responseTime"));
    assert!(check["responseTime"].is_u64());
    let report = world.job("health/check-all").await;
    assert_eq!(keys(&report), words(REPORT));
    assert_eq!(report["job"], "scheduled-health");
    let report = world.job("refresh/expiring").await;
    assert_eq!(keys(&report), words(REPORT));
    let health = world.api().get("/api/v1/admin/health/stats").await.ok();
    assert_eq!(keys(&health), words("total healthy unhealthy neverChecked byProvider lastRun"));
    assert_eq!(keys(&health["byProvider"]["gmail"]), words("total healthy unhealthy neverChecked"));
    assert_eq!(keys(&health["lastRun"]), words(REPORT));

    let audit = world.api().get("/api/v1/admin/audit").await.ok();
    assert_eq!(keys(&audit), words("events nextCursor"));
    let keys_answer = world.api().get("/api/v1/admin/keys").await.ok();
    assert_eq!(keys(&keys_answer), words("keys toReseal"));
    let erased = world.api().delete("/api/v1/admin/tenants/acme").await.ok();
    assert_eq!(
        keys(&erased),
        words("tenantId connections providerRevocation dataKeysDestroyed backupsExpireAt")
    );
}

#[tokio::test]
async fn health_answers_what_the_contract_fixes() {
    let world = World::start().await;
    let health = world.api().get("/health").await.ok();
    assert_eq!(keys(&health), words("status service timestamp redis store kms"));
    assert_eq!((&health["status"], &health["store"]), (&json!("healthy"), &json!("connected")));
    assert_eq!(health["service"], "oauth-management-service");
    is_time(&health["timestamp"]);
}

#[tokio::test]
async fn a_token_that_does_not_expire_says_null() {
    let world = World::start().await;
    world.sandbox().configure(|settings| settings.slack.rotation = false);
    let id = world.connect("slack", "alice").await;
    let token = world.get("slack", "alice").await.ok();
    assert_eq!(token["expiresAt"], Value::Null);
    assert!(token.as_object().unwrap().contains_key("expiresAt"));
    world.refresh(&id).await.refused(409, "not_refreshable");
    world.advance(365 * 24 * 3600);
    assert_eq!(world.token("slack", "alice").await, token["accessToken"], "it goes on for years");
}
