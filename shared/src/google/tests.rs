//! Credentials that are configured as text, exchanged at a stand-in for Google's token service.

use axum::routing::post;
use axum::{Form, Json, Router};
use google_cloud_auth::credentials::CacheableResource;
use serde_json::{Value, json};

use super::*;

/// A token service that gives a token for the subject token `theirs`, and its address.
async fn token_service() -> String {
    async fn exchange(Form(form): Form<std::collections::BTreeMap<String, String>>) -> Json<Value> {
        assert_eq!(form["subject_token"], "theirs");
        assert_eq!(form["scope"], SCOPE);
        Json(json!({
            "access_token": "googles",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        }))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/token", post(exchange));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v1/token")
}

#[tokio::test]
async fn credentials_that_are_configured_are_exchanged_and_no_file_or_metadata_server_is_asked() {
    let theirs = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(theirs.path(), "theirs").unwrap();
    let configured = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_service().await,
        "credential_source": { "file": theirs.path() },
    });
    let google = Google::new(None, Some(configured.to_string().into()));
    let headers = google.credentials().unwrap().headers(Default::default()).await.unwrap();
    let CacheableResource::New { data, .. } = headers else { panic!("nothing is cached yet") };
    assert_eq!(data["authorization"], "Bearer googles");
}

#[test]
fn credentials_that_lack_something_are_an_error_when_first_used() {
    let google = Google::new(None, Some(r#"{"type":"external_account"}"#.into()));
    assert!(google.credentials().is_err());
}
