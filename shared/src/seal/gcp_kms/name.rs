//! What `KEY_URL` and `KMS_ENDPOINT` may be.

use url::{Host, Url};

/// The names between which a key's own stand.
const LEVELS: [&str; 4] = ["projects", "locations", "keyRings", "cryptoKeys"];

/// The resource name in `//projects/P/locations/L/keyRings/R/cryptoKeys/K`.
pub(super) fn key_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("//")?;
    let mut segments = name.split('/');
    let fits = LEVELS.iter().all(|level| {
        segments.next() == Some(level)
            && segments.next().is_some_and(|id| !id.is_empty() && id.chars().all(|c| is_of_an_id(level, c)))
    });
    (fits && segments.next().is_none()).then_some(name)
}

/// Projects may belong to a domain: `example.com:project`.
fn is_of_an_id(level: &str, c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || level == "projects" && matches!(c, '.' | ':')
}

/// Whether data keys may go there: in clear only to this machine.
pub(super) fn is_safe(endpoint: &Url) -> bool {
    endpoint.scheme() == "https"
        || match endpoint.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_name_of_a_key() {
        for name in [
            "projects/p/locations/global/keyRings/r/cryptoKeys/k",
            "projects/example.com:p-1/locations/europe-west3/keyRings/R_1/cryptoKeys/K-2",
        ] {
            assert_eq!(key_name(&format!("//{name}")), Some(name));
        }
    }

    #[test]
    fn refuses_what_names_no_key_or_only_one_version_of_it() {
        for name in [
            "//",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
            "//projects/p/locations/l/keyRings/r",
            "//projects/p/locations/l/keyRings/r/cryptoKeys/",
            "//projects/p/locations/l/keyRings/r/cryptoKeys/k/",
            "//projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            "//projects/p/locations/l/keyrings/r/cryptokeys/k",
            "//projects/p/locations/l/keyRings/r/cryptoKeys/k:decrypt",
            "//projects/p/locations/../keyRings/r/cryptoKeys/k",
        ] {
            assert_eq!(key_name(name), None, "{name}");
        }
    }

    #[test]
    fn sends_data_keys_in_clear_to_this_machine_only() {
        let is_safe = |url: &str| is_safe(&Url::parse(url).unwrap());
        for url in ["https://kms.example.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"] {
            assert!(is_safe(url), "{url}");
        }
        for url in ["http://kms.example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
