//! Token answers of a provider that is broken or hostile: read by the rules of every provider file, without a panic and never as an empty token.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::provider::{ProviderClient, Providers, Timeouts};
use shared::secret::ExposeSecret as _;

static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| Providers::load(None).expect("the built-in files"));

fuzz_target!(|answer: &[u8]| {
    let Ok(answer) = serde_json::from_slice(answer) else { return };
    let client = ProviderClient::new(Timeouts::default());
    for provider in PROVIDERS.iter() {
        if let Ok(answer) = client.read_code_answer(provider, &answer) {
            assert!(!answer.tokens.is_empty(), "{}: an answer without a token", provider.id());
            assert!(answer.tokens.iter().all(|token| !token.access.expose_secret().is_empty()));
        }
    }
});
