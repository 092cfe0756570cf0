//! The life of a connection, for every provider of the build: a new provider file is driven by being there.

use crate::harness::*;

#[tokio::test]
async fn every_provider_connects_serves_refreshes_is_checked_revoked_and_connected_again() {
    for provider in providers() {
        live(&provider).await;
    }
}

async fn live(provider: &str) {
    let world = World::start().await;
    let me = json!({"userId": "alice", "provider": provider});
    world.get(provider, "alice").await.refused(404, "connection_not_found");

    let id = world.connect(provider, "alice").await;
    let first = world.get(provider, "alice").await.ok();
    assert_eq!(first["connectionId"], id.as_str());
    assert_eq!(first["refreshState"], "current");
    assert_eq!(first["missingScopes"], json!([]));
    assert_eq!(
        world.token(provider, "alice").await,
        first["accessToken"],
        "a second call serves the same token"
    );

    world.advance(60);
    let refreshed = world.refresh(&id).await.ok();
    assert_eq!((&refreshed["status"], &refreshed["connectionId"]), (&json!("active"), &json!(id)));
    let second = world.get(provider, "alice").await.ok();
    assert_ne!(second["accessToken"], first["accessToken"], "a refreshed token is served at once");
    assert_eq!(second["expiresAt"], refreshed["expiresAt"]);

    // Past its end, the next call refreshes by itself.
    world.advance(13 * 3600);
    let third = world.get(provider, "alice").await.ok();
    assert_eq!(third["refreshState"], "refreshed");
    assert_ne!(third["accessToken"], second["accessToken"]);

    let checked = world.check(&id).await.ok();
    assert_eq!(checked["status"], "healthy");
    assert_eq!(world.view(&id).await["healthCheckStatus"], "healthy");

    let revoked = world.revoke(&id).await.ok();
    assert_eq!(revoked["status"], "revoked");
    for (kind, result) in revoked["providerRevocation"].as_object().unwrap() {
        assert_eq!(result, "revoked", "{kind}");
    }
    let again = world.revoke(&id).await.ok();
    assert_eq!(again, revoked, "revoking twice answers the same");
    let problem = world.get(provider, "alice").await.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "revoked_by_caller");
    assert_eq!(problem["connectionId"], id.as_str());
    world.check(&id).await.refused(409, "reauthorization_required");
    world.refresh(&id).await.refused(409, "reauthorization_required");

    // The hint is the body to send.
    let hint = problem["authorizeHint"].clone();
    assert_eq!(hint["userId"], me["userId"]);
    let back = world.connect_as(hint, &Consent::approve("alice")).await;
    assert_eq!(back, id, "{provider} is connected again in place");
    let fourth = world.get(provider, "alice").await.ok();
    assert_ne!(fourth["accessToken"], third["accessToken"]);
    let view = world.view(&id).await;
    assert_eq!((&view["status"], &view["revokedAt"]), (&json!("active"), &Value::Null));
    assert_eq!(world.check(&id).await.ok()["status"], "healthy");
}
