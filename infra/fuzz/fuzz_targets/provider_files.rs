//! Provider files from `PROVIDERS_DIR`: what is accepted sends secrets by TLS only and to no private address, and what is not is named by its key.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use shared::provider::check_file;
use url::Host;

fuzz_target!(|text: &str| {
    let id = text.split("id = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    match check_file(&format!("{id}.toml"), text) {
        Ok(addresses) => {
            assert!(addresses.len() >= 3, "authorization, token and health at least");
            for url in addresses {
                let safe = (url.scheme(), url.username(), url.password(), url.fragment());
                assert_eq!(safe, ("https", "", None, None), "{url}");
                match url.host().expect("https has a host") {
                    Host::Domain(name) => assert!(!name.contains(['{', '}', '%']), "{url}"),
                    Host::Ipv4(address) => assert!(!is_private(address.into()), "{url}"),
                    Host::Ipv6(address) => assert!(!is_private(address.into()), "{url}"),
                }
            }
        }
        Err(problems) => {
            assert!(problems.iter().all(|each| !each.key.is_empty() && !each.problem.is_empty()));
        }
    }
});

/// The best known ones, as the standard library sees them.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()
        }
    }
}
