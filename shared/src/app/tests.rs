//! What a process needs in order to be built, by what it is there for.

use super::*;

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
async fn the_attempt_key_follows_from_a_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = built(&[("STORE_URL", "sqlite::memory:"), ("DATA_DIR", folder.path().to_str().unwrap())]);
    assert!(may_serve_endpoints(&here.unwrap()).is_ok());
}
