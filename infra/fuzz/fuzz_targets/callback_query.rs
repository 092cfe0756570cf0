//! What a provider, or anybody, sends to the callback: read without a panic, and each parameter once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::flow::finish::{Callback, Twice};

fuzz_target!(|query: &str| {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let of = |name: &str| pairs.iter().filter(|(each, _)| each == name).collect::<Vec<_>>();
    match Callback::from_query(None, query) {
        Ok(callback) => {
            for (name, read) in [("state", &callback.state), ("error", &callback.error), ("iss", &callback.iss)] {
                let sent = of(name);
                assert!(sent.len() <= 1, "{name} came {} times", sent.len());
                assert_eq!(sent.first().map(|(_, value)| value), read.as_ref());
            }
            assert_eq!(of("code").len(), usize::from(callback.code.is_some()));
        }
        Err(Twice(name)) => assert!(of(&name).len() > 1, "{name} came once"),
    }
});
