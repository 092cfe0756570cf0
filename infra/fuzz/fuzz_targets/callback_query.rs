//! What a provider, or anybody, sends to the callback: each parameter is read once and as it was sent, or refused for coming twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::flow::finish::{Callback, Twice};
use shared::secret::ExposeSecret as _;

fuzz_target!(|query: &str| {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let sent = |name: &str| -> Vec<_> {
        pairs.iter().filter(|(each, _)| each == name).map(|(_, value)| value.as_str()).collect()
    };
    match Callback::from_query(None, query) {
        Ok(callback) => {
            for (name, read) in [
                ("state", callback.state.as_deref()),
                ("code", callback.code.as_ref().map(|code| code.expose_secret())),
                ("error", callback.error.as_deref()),
                ("iss", callback.iss.as_deref()),
            ] {
                assert!(sent(name).into_iter().eq(read), "{name} was read as {read:?}");
            }
        }
        Err(Twice(name)) => {
            assert!(["state", "code", "error", "iss"].contains(&name.as_str()), "{name} is nobody's");
            assert!(sent(&name).len() > 1, "{name} came once");
        }
    }
});
