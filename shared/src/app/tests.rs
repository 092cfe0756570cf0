//! What a process needs in order to be built, by what it is there for.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::domain::Sealed;
use crate::error::Code;
use crate::seal::Place;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const IN_THE_CLOUD: [(&str, &str); 2] = [
    ("STORE_URL", "sqlite::memory:"),
    ("KEY_URL", "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k"),
];

fn built(vars: &[(&str, &str)]) -> Result<Arc<Context>, BuildError> {
    build(Config::from_vars(vars.iter().copied()).unwrap(), Parts::system("test", false))
}

#[tokio::test]
async fn a_process_without_the_attempt_key_does_jobs_and_serves_no_endpoints() {
    let job = built(&[&IN_THE_CLOUD[..], &[("AUDIT_KEY", KEY)]].concat()).unwrap();
    let refused = may_serve_endpoints(&job).unwrap_err().to_string();
    assert!(refused.starts_with("ATTEMPT_KEY is required"), "{refused}");
    let endpoints = built(&[&IN_THE_CLOUD[..], &[("ATTEMPT_KEY", KEY)]].concat()).unwrap();
    assert!(may_serve_endpoints(&endpoints).is_ok());
}

#[tokio::test]
async fn an_audit_log_needs_a_key_of_its_own_or_the_attempt_key() {
    let refused = built(&IN_THE_CLOUD).err().unwrap().to_string();
    assert!(refused.starts_with("ATTEMPT_KEY is required") && refused.contains("AUDIT_KEY"), "{refused}");
}

#[tokio::test]
async fn a_function_that_has_no_key_is_healthy_without_and_seals_and_opens_nothing() {
    let vars = [("STORE_URL", "sqlite::memory:"), ("KEY_URL", "none"), ("ATTEMPT_KEY", KEY)];
    let ctx = built(&vars).unwrap();
    let router = crate::http::health_endpoint().into_router(&ctx);
    let answer = router.oneshot(Request::get("/health").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
    let health: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&health["status"], &health["kms"]),
        (&"healthy".into(), &"not_configured".into()),
        "{health}"
    );

    let unavailable = ctx.keyring.digest(&["client", "account"]).await.unwrap_err();
    assert_eq!(unavailable.code(), Code::KeyUnavailable);
    // What an earlier service sealed is not said to be broken, either.
    let tenant = "acme".parse().unwrap();
    let place = Place::Parked { tenant: &tenant, id: "1" };
    let refused = ctx.keyring.open(&place, &Sealed("AAAA".to_owned())).await.err().unwrap();
    assert_eq!(refused.code(), Code::KeyUnavailable);
    // Nothing follows from no key.
    let refused = built(&vars[..2]).err().unwrap().to_string();
    assert!(refused.starts_with("ATTEMPT_KEY is required"), "{refused}");
}

#[tokio::test]
async fn the_attempt_key_follows_from_a_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = built(&[("STORE_URL", "sqlite::memory:"), ("DATA_DIR", folder.path().to_str().unwrap())]);
    assert!(may_serve_endpoints(&here.unwrap()).is_ok());
}
