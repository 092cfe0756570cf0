//! Ten fixed seeds of the soak: of ten scenarios one round without faults and one with them.
//!
//! `make test-deployed` builds the functions and runs these; `make soak` goes through hundreds of such rounds.

use soak::{SCENARIOS, Scenario};

/// Rounds of one scenario lie that far apart; of three, one is without faults.
const PERIOD: u64 = SCENARIOS.len() as u64;

/// Plays the quiet round of a seed, and the next round of its scenario.
async fn keeps_its_promises(seed: u64) {
    assert!(Scenario::is_quiet(seed) && !Scenario::is_quiet(seed + PERIOD));
    let report = soak::rounds([seed, seed + PERIOD], 1).await;
    report.print();
    assert!(report.broken().is_empty(), "{report}");
}

macro_rules! seeds {
    ($($name:ident: $scenario:literal, $seed:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            assert_eq!(SCENARIOS[Scenario::index_of($seed)].to_string(), $scenario);
            keeps_its_promises($seed).await;
        }
    )*};
}

seeds! {
    a_family_with_redis: "oidc-provider, single_use; SQLite, Redis", 0;
    strict_without_redis: "sandbox, single_use; SQLite, no Redis", 1;
    grace_with_redis_flapping: "sandbox, single_use_with_grace; SQLite, Redis flapping", 2;
    a_family_in_firestore: "oidc-provider, single_use; Firestore, Redis", 3;
    sliding_without_redis: "sandbox, sliding; SQLite, no Redis", 4;
    fixed_with_redis_flapping: "sandbox, none; SQLite, Redis flapping", 5;
    a_family_with_redis_flapping: "oidc-provider, single_use; SQLite, Redis flapping", 6;
    grace_in_firestore_with_redis_flapping: "sandbox, single_use_with_grace; Firestore, Redis flapping", 7;
    a_family_without_redis: "oidc-provider, single_use; SQLite, no Redis", 8;
    strict_with_redis: "sandbox, single_use; SQLite, Redis", 9;
}
