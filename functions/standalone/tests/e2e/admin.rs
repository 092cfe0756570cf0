//! What operators see: counts that add up, lists that never end early, and what happened.

use crate::harness::*;

#[tokio::test]
async fn stats_add_up_through_the_life_of_connections() {
    let world = World::start().await;
    let stats = || async { world.api().get("/api/v1/admin/stats").await.ok() };
    assert_eq!(stats().await["totalConnections"], 0);
    let revoked = world.connect("gmail", "alice").await;
    world.connect("gmail", "bob").await;
    world.connect("slack", "alice").await;
    world.revoke(&revoked).await.ok();
    let google = sandbox_provider::Provider::Google;
    world.sandbox().revoke(&Revoke::Grant { provider: google, account: "bob".to_owned() });
    world.advance(3600);
    world.get("gmail", "bob").await.refused(409, "reauthorization_required");
    let now = stats().await;
    assert_eq!(
        now,
        json!({
            "totalConnections": 3, "activeConnections": 1, "expiredConnections": 1, "revokedConnections": 1,
            "errorConnections": 0,
            "byProvider": {
                "gmail": {"total": 2, "active": 0, "expired": 1, "revoked": 1, "error": 0},
                "slack": {"total": 1, "active": 1, "expired": 0, "revoked": 0, "error": 0},
            },
        })
    );
    world.api().delete("/api/v1/admin/tenants/acme").await.ok();
    assert_eq!(stats().await["totalConnections"], 0);
}

/// Follows the cursors; fails when a page is short before the end.
async fn pages(world: &World, path: &str, name: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.api().get(&format!("{path}limit={limit}{cursor}")).await.ok();
        let items = page[name].as_array().unwrap().clone();
        all.extend(items.clone());
        match page["nextCursor"].as_str() {
            Some(next) => {
                assert_eq!(items.len(), limit, "a page is never silently short");
                cursor = format!("&cursor={next}");
            }
            None => return all,
        }
    }
}

#[tokio::test]
async fn lists_give_everything_once_in_pages_of_any_size() {
    let world = World::start().await;
    for n in 0..7 {
        world
            .connect_as(
                json!({"userId": "alice", "provider": "gmail"}),
                &Consent::approve(&format!("account-{n}")),
            )
            .await;
    }
    world.connect("slack", "bob").await;
    for (path, name, total) in [
        ("/api/v1/admin/connections?", "connections", 8),
        ("/api/v1/admin/connections?provider=gmail&", "connections", 7),
        ("/api/v1/oauth/connections?userId=alice&tenantId=acme&", "connections", 7),
        ("/api/v1/admin/audit?kind=connected&", "events", 8),
        ("/api/v1/admin/audit?kind=connected&provider=gmail&", "events", 7),
    ] {
        let whole = pages(&world, path, name, 200).await;
        assert_eq!(whole.len(), total, "{path}");
        for limit in [1, 3, 7, 8] {
            assert_eq!(pages(&world, path, name, limit).await, whole, "{path} by {limit}");
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_by_everything_that_they_offer() {
    let world = World::start().await;
    let alice = world.connect("gmail", "alice").await;
    let bob = world.connect("gmail", "bob").await;
    let slack = world.connect("slack", "alice").await;
    let body = json!({"userId": "alice", "tenantId": "globex", "provider": "gmail"});
    let globex = world.connect_as(body, &Consent::approve("carol")).await;
    world.revoke(&bob).await.ok();
    world.check(&slack).await.ok();
    let cases = [
        ("tenantId=acme", vec![&alice, &bob, &slack]),
        ("tenantId=globex", vec![&globex]),
        ("userId=alice", vec![&alice, &slack, &globex]),
        ("provider=slack", vec![&slack]),
        ("status=revoked", vec![&bob]),
        ("status=active&tenantId=acme", vec![&alice, &slack]),
        ("healthCheckStatus=healthy", vec![&slack]),
        ("expiringBefore=2026-01-15T14:00:00Z&status=active", vec![&alice, &globex]),
        ("expiringBefore=2026-01-15T14:00:00%2B01:00&status=active", vec![&alice, &globex]),
        ("tenantId=nobody", vec![]),
    ];
    for (query, mut wanted) in cases {
        let list = world.api().get(&format!("/api/v1/admin/connections?{query}")).await.ok();
        let found: Vec<_> =
            list["connections"].as_array().unwrap().iter().map(|each| each["id"].as_str().unwrap()).collect();
        wanted.sort();
        assert_eq!(found, wanted, "{query}");
    }
}

#[tokio::test]
async fn a_connection_is_shown_with_what_happened_to_it() {
    let world = World::start().await;
    let id = world.connect("slack", "alice").await;
    world.connect("slack", "bob").await;
    for _ in 0..3 {
        world.get("slack", "alice").await.ok();
    }
    world.check(&id).await.ok();
    world.advance(12 * 3600);
    world.refresh(&id).await.ok();
    world.revoke(&id).await.ok();
    let view = world.view(&id).await;
    let kinds: Vec<_> =
        view["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.last(), Some(&"connected"), "newest first");
    for kind in ["connected", "health", "refreshed", "revoked", "provider_revocation"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    assert_eq!(view["tokensServed"], json!([{"day": "2026-01-15T00:00:00.000Z", "count": 3}]));
}
