//! Cloud KMS: never on the hot path, at most once for a tenant and process, and away without harm to what is unwrapped.

use fake_kms::{Effect, Fault as KmsFault};
use futures_util::{StreamExt as _, stream};

use crate::harness::*;

#[tokio::test]
async fn a_warm_call_asks_no_kms_and_a_cold_process_asks_once_for_each_tenant() {
    const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
    let Some(mut world) = World::start().await else { return };
    let of = |tenant: &str, user: &str| json!({"userId": user, "tenantId": tenant, "provider": "gmail"});
    for tenant in TENANTS {
        for user in ["alice", "bob"] {
            world.connect_as(of(tenant, user), &Consent::approve(user)).await;
        }
    }
    // Processes that come from nothing, with whatever is in Redis and with nothing there.
    let copies = world.take("token-get").len() as u64;
    for _ in 0..copies {
        world.start_copy("token-get").await;
    }
    let before = world.kms.unwraps();
    for _ in 0..2 * copies {
        for tenant in TENANTS {
            for user in ["alice", "bob"] {
                world.get_as(of(tenant, user)).await.ok();
            }
        }
    }
    let cold = world.kms.unwraps() - before;
    assert!(cold <= copies * TENANTS.len() as u64, "{cold} unwraps by {copies} processes");

    world.kms.fake.reset();
    stream::iter(0..1000)
        .map(|n| world.get_as(of(TENANTS[n % TENANTS.len()], "alice")))
        .buffer_unordered(16)
        .for_each(|answer| async { drop(answer.ok()) })
        .await;
    let calls = world.kms.fake.counters();
    assert_eq!((calls.encrypt, calls.decrypt), (0, 0), "a warm call asks nobody");
}

#[tokio::test]
async fn a_warm_call_reads_no_document_and_a_cold_one_only_documents_by_name() {
    let setup = Setup::default().var("LOG", "info,shared::store::firestore=debug");
    let Some(mut world) = setup.start().await else { return };
    for provider in ["gmail", "slack"] {
        world.connect(provider, "alice").await;
    }
    // What an earlier service could have left is looked for once; from then on selections are complete.
    world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
    world.take("token-get");
    let fresh = world.start_copy("token-get").await;
    assert!(fresh.log().contains("listening"));
    world.redis.say("FLUSHALL").unwrap();
    let calls = |world: &World| -> Vec<Value> {
        let log = world.copies("token-get").next().unwrap().log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["counter"] == "firestore").collect()
    };
    for provider in ["gmail", "slack"] {
        world.token(provider, "alice").await;
    }
    let cold = calls(&world);
    assert!(!cold.is_empty());
    assert!(cold.iter().all(|call| call["call"] != "query"), "{cold:#?}");

    for n in 0..1000 {
        world.token(["gmail", "slack"][n % 2], "alice").await;
    }
    // Counts of served tokens are written once a minute.
    let warm = calls(&world).split_off(cold.len());
    let reads: u64 = warm.iter().map(|call| call["reads"].as_u64().unwrap()).sum();
    assert_eq!(reads, 0, "{warm:#?}");
    println!(
        "cold: {} reads for two connections; 1,000 warm calls: {} commits",
        cold.iter().map(|call| call["reads"].as_u64().unwrap()).sum::<u64>(),
        warm.len()
    );
}

#[tokio::test]
async fn a_kms_that_refuses_harms_nobody_whose_key_is_unwrapped() {
    trouble(|world| world.kms.fake.fault(KmsFault::refuse(503, "UNAVAILABLE").until_cleared())).await;
}

#[tokio::test]
async fn a_kms_that_does_not_answer_in_time_harms_nobody_whose_key_is_unwrapped() {
    trouble(|world| world.kms.fake.fault(KmsFault::new(Effect::Slow(60_000)).until_cleared())).await;
}

async fn trouble(begins: impl FnOnce(&World)) {
    let Some(mut world) = World::start().await else { return };
    let id = connected(&world).await;
    begins(&world);
    during(&mut world, &id).await;
    world.kms.fake.clear_faults();
    after(&world).await;
}

#[tokio::test]
async fn a_kms_that_is_gone_harms_nobody_whose_key_is_unwrapped() {
    let Some(mut world) = World::start().await else { return };
    let id = connected(&world).await;
    world.kms.go().await;
    during(&mut world, &id).await;
    world.kms.come_back().await;
    after(&world).await;
}

/// A connection whose tenant's key every copy of `token-get` has in memory.
async fn connected(world: &World) -> String {
    let id = world.connect("gmail", "alice").await;
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }
    id
}

/// What the contract promises while KMS is away.
async fn during(world: &mut World, id: &str) {
    // What is unwrapped goes on, refreshes included.
    for answer in world.get_everywhere("gmail", "alice").await {
        answer.ok();
    }
    let before = world.token("gmail", "alice").await;
    world.refresh(id).await.ok();
    assert_ne!(world.token("gmail", "alice").await, before);
    // A good answer counts for some seconds.
    let health = until("bad health", async || {
        let health = world.api.get("/health").await.ok();
        (health["kms"] == "unreachable").then_some(health)
    })
    .await;
    assert_eq!(health["status"], "degraded");

    // A process that comes from nothing starts, and says what it lacks.
    world.take("token-get");
    let fresh = world.start_copy("token-get").await;
    let own = Api::new(fresh.base());
    assert_eq!(own.get("/health").await.ok()["kms"], "unreachable");
    world.get("gmail", "alice").await.refused(503, "key_unavailable");
    assert_eq!(world.view(id).await["status"], "active", "no connection is touched");

    // `authorize` has no use for KMS; what the callback can't seal is refused.
    let body = json!({"userId": "bob", "tenantId": "globex", "provider": "gmail"});
    let callback = world.consented(body.clone(), &Consent::approve("bob")).await;
    world.api.get(&callback).await.refused(503, "key_unavailable");
    world.get_as(body).await.refused(404, "connection_not_found");
}

/// It comes back, and nobody has to be started anew.
async fn after(world: &World) {
    until("alice's token", async || (world.get("gmail", "alice").await.status == 200).then_some(())).await;
    until("good health", async || (world.api.get("/health").await.ok()["status"] == "healthy").then_some(()))
        .await;
    let body = json!({"userId": "bob", "tenantId": "globex", "provider": "gmail"});
    world.connect_as(body.clone(), &Consent::approve("bob")).await;
    world.get_as(body).await.ok();
}
