//! Provider files from `PROVIDERS_DIR`: what is accepted sends secrets by TLS only, and what is not is named by its key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::provider::check_file;

fuzz_target!(|text: &str| {
    let name = text.split("id = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    match check_file(&format!("{name}.toml"), text) {
        Ok(hosts) => {
            for url in hosts {
                let loopback = url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]");
                assert!(url.scheme() == "https" || loopback, "{url}");
            }
        }
        Err(problems) => assert!(problems.iter().all(|each| !each.key.is_empty() && !each.problem.is_empty())),
    }
});
