//! What a refresh costs in Firestore, counted from the log of the job: reads and writes are billed one by one.

use crate::harness::*;

#[tokio::test]
async fn a_refreshed_connection_costs_at_most_two_reads_and_three_writes() {
    const DUE: usize = 120;
    let setup = Setup::default().var("LOG", "info,shared::store::firestore=debug");
    let Some(mut world) = setup.start().await else { return };
    world.sandbox.configure(|settings| settings.google.access_token_seconds = 1);
    for number in 0..DUE {
        world.connect("gmail", &format!("user-{number}")).await;
    }
    // What is done once (what an earlier service left, what has ended) is done by another process.
    world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
    world.take("scheduled-refresh");
    world.start_copy("scheduled-refresh").await;
    until("the tokens to be dead", async || {
        let now = world.api.get("/health").await.ok()["timestamp"].as_str().unwrap().to_owned();
        let dead =
            world.api.get(&format!("/api/v1/admin/connections?expiringBefore={now}&limit=200")).await.ok();
        (dead["connections"].as_array().unwrap().len() == DUE).then_some(())
    })
    .await;
    let billed = |world: &World| -> (u64, u64) {
        let log = world.copies("scheduled-refresh").next().unwrap().log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let calls: Vec<_> = lines.filter(|line| line["counter"] == "firestore").collect();
        let sum = |what: &str| calls.iter().map(|call| call[what].as_u64().unwrap()).sum();
        (sum("reads"), sum("writes"))
    };
    let before = billed(&world);
    let report = world.copies("scheduled-refresh").next().unwrap().run(&json!({})).await;
    let after = billed(&world);
    let refreshed = report["successful"].as_u64().unwrap();
    assert_eq!(report["successful"], DUE, "{report}");
    // Sixteen shards of two collections are asked, found or not; the run's report is kept.
    let (reads, writes) = (after.0 - before.0, after.1 - before.1);
    println!("{refreshed} refreshed: {reads} reads, {writes} writes");
    assert!(reads <= 2 * refreshed + 80, "{reads} reads for {refreshed}");
    assert!(writes <= 3 * refreshed + 20, "{writes} writes for {refreshed}");
}
