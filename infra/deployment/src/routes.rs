//! Which path belongs to which function: what a gateway is told.

/// The functions that answer requests.
pub const ENDPOINTS: [&str; 4] = ["authorize", "callback", "token-get", "admin"];

/// The functions that a scheduler calls; no gateway reaches them.
pub const JOBS: [&str; 2] = ["scheduled-refresh", "scheduled-health"];

/// Where a path begins, and who answers it; the first that fits.
const ROUTES: [(&str, &str); 10] = [
    ("/api/v1/oauth/callback", "callback"),
    ("/api/v1/oauth/complete", "callback"),
    ("/api/v1/oauth/", "authorize"),
    ("/api/v1/connect/", "authorize"),
    ("/connect", "authorize"),
    ("/api/v1/tokens/", "token-get"),
    ("/api/v1/admin/", "admin"),
    ("/health", "admin"),
    ("/docs", "admin"),
    ("/openapi.json", "admin"),
];

/// The function that answers a path, if any does.
#[must_use]
pub fn function_of(path: &str) -> Option<&'static str> {
    ROUTES.iter().find(|(begins, _)| path.starts_with(begins)).map(|(_, function)| *function)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_public_path_reaches_the_function_that_answers_it() {
        let functions =
            [authorize::endpoints(), callback::endpoints(), token_get::endpoints(), admin::endpoints()];
        let document: serde_json::Value = serde_json::from_str(&standalone::openapi()).unwrap();
        let mut public: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
        for (name, endpoints) in ENDPOINTS.into_iter().zip(functions) {
            for path in endpoints.document(Default::default()).paths.paths.keys() {
                assert_eq!(function_of(path), Some(name), "{path}");
                public.remove(path);
            }
        }
        // What every function answers for its own probes, the gateway asks of `admin`.
        assert_eq!(public.into_iter().collect::<Vec<_>>(), ["/health"]);
        assert_eq!(function_of("/health"), Some("admin"));
    }

    #[test]
    fn what_is_nobodys_goes_nowhere() {
        for path in ["/", "/api/v1/oauth", "/api/v2/tokens/get", "/_sandbox"] {
            assert_eq!(function_of(path), None, "{path}");
        }
    }
}
