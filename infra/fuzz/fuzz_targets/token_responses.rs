//! Token answers of a provider that is broken or hostile, by the rules of every provider file: a token is one that was sent, and can be sent on.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::provider::{ProviderClient, Providers, Reach, Timeouts};
use shared::secret::ExposeSecret as _;

static PROVIDERS: LazyLock<Providers> =
    LazyLock::new(|| Providers::load(None, Reach::Internet).expect("the built-in files"));
static CLIENT: LazyLock<ProviderClient> = LazyLock::new(|| ProviderClient::new(Timeouts::default()));

/// The longest life that is believed: a century.
const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

fuzz_target!(|answer: &[u8]| {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return };
    for provider in PROVIDERS.iter() {
        let Ok(read) = CLIENT.read_code_answer(provider, &answer) else { continue };
        assert!(!read.tokens.is_empty(), "{}: an answer without a token", provider.id());
        assert_eq!(read.raw(), &answer);
        for token in &read.tokens {
            let access = token.access.expose_secret();
            assert!(holds(&answer, access), "{}: a token that nobody sent", provider.id());
            assert!(
                !access.is_empty() && access.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                "{access:?} fits in no header"
            );
            let refresh = token.refresh.as_ref().map(|refresh| refresh.expose_secret());
            assert!(refresh.is_none_or(|refresh| !refresh.is_empty() && holds(&answer, refresh)));
            assert!(
                token.expires_in.is_none_or(|life| !life.is_zero() && life <= LONGEST),
                "{:?}",
                token.expires_in
            );
            assert!(token.scopes.iter().flatten().all(|scope| !scope.is_empty()), "{:?}", token.scopes);
        }
    }
});

/// Whether a text stands anywhere in an answer.
fn holds(answer: &Value, text: &str) -> bool {
    match answer {
        Value::String(each) => each == text,
        Value::Array(list) => list.iter().any(|each| holds(each, text)),
        Value::Object(fields) => fields.values().any(|each| holds(each, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
