//! Callers files: an operator's typing error must never grant more than it says, nor end the process.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::access::{ApiKey, Surroundings, read};
use shared::domain::ProviderId;

static PROVIDERS: LazyLock<BTreeSet<ProviderId>> =
    LazyLock::new(|| ["slack", "gmail"].map(|id| id.parse().expect("an id")).into());

fuzz_target!(|text: &str| {
    let around = Surroundings { providers: &PROVIDERS, loopback: false };
    match read(text, &around) {
        // A text that never says so grants nothing to everybody.
        Ok(policy) => assert!(text.contains('*') || !policy.grants_all(), "{text}"),
        Err(misfits) => assert!(!misfits.is_empty() && misfits.iter().all(|each| !each.key.is_empty())),
    }
    let _ = ApiKey::presented(text);
});
