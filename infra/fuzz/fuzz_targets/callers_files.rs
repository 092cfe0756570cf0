//! Callers files, read beside what they literally say: whatever an operator mistypes, nobody may do more than a table names.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::access::{ApiKey, Call, Names, Policy, Surroundings, read};
use shared::domain::{ProviderId, TenantId};
use toml::{Table, Value};

const CALLS: [Call; 7] = [
    Call::Authorize,
    Call::Connections,
    Call::Complete,
    Call::Sessions,
    Call::TokensGet,
    Call::TokensRefresh,
    Call::TokensRevoke,
];

static PROVIDERS: LazyLock<BTreeSet<ProviderId>> =
    LazyLock::new(|| ["slack", "gmail"].map(|id| id.parse().expect("an id")).into());

static ACME: LazyLock<TenantId> = LazyLock::new(|| "acme".parse().expect("an id"));

fuzz_target!(|text: &str| {
    match read(text, &Surroundings { providers: &PROVIDERS, loopback: false }) {
        Ok(policy) => compare(&policy, &text.parse().expect("what was read is TOML")),
        Err(misfits) => assert!(!misfits.is_empty() && misfits.iter().all(|each| !each.key.is_empty())),
    }
    if let Some((id, _)) = ApiKey::presented(text) {
        assert!(text.len() == 60 && text.starts_with(&format!("omk_{id}_")), "{text}");
    }
});

fn compare(policy: &Policy, said: &Table) {
    let tables = list(said, "services");
    assert_eq!(policy.services().len(), tables.len());
    for (service, table) in policy.services().zip(&tables) {
        for call in CALLS {
            for provider in PROVIDERS.iter() {
                let granted = list(table, "grants").iter().any(|grant| {
                    names(grant, "calls", &[call.as_str()])
                        && names(grant, "tenants", &["*", ACME.as_str()])
                        && names(grant, "providers", &["*", provider.as_str()])
                });
                let may = service.may(call, &ACME, Some(provider));
                assert_eq!(may.is_ok(), granted, "{} {call:?} {provider}: {may:?}", service.name);
            }
        }
    }
    let tables = list(said, "operators");
    assert_eq!(policy.operators().len(), tables.len());
    for (operator, table) in policy.operators().zip(&tables) {
        assert_eq!(table["admin"].as_str(), operator.right.as_str().strip_prefix("admin."));
        let all = !table.contains_key("tenants") || names(table, "tenants", &["*"]);
        assert_eq!(operator.tenants == Names::All, all, "{}", operator.name);
        assert_eq!(operator.tenants.has(&ACME), all || names(table, "tenants", &[ACME.as_str()]));
    }
}

/// The tables of a list.
fn list<'a>(table: &'a Table, key: &str) -> Vec<&'a Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table).collect()
}

/// Whether a list has one of some names.
fn names(table: &Table, key: &str, some: &[&str]) -> bool {
    let named = table[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    named.into_iter().any(|name| some.contains(&name))
}
