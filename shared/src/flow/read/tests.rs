//! A token that an earlier service sealed: served, and cached so that no hit needs the KMS.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_kms::{DEFAULT_KEY, FakeKms, Fault};
use tokio::net::TcpListener;

use super::*;
use crate::app::{Parts, build};
use crate::config::Config;
use crate::domain::Sealed;
use crate::seal;
use crate::secret::{ExposeSecret as _, SecretBytes};
use crate::store::Connect;
use crate::testing::{TestClock, TestIds, build as made};

const TOKEN: &str = "ya29.canary";

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test looks at what was served")]
async fn what_an_earlier_service_sealed_is_cached_sealed_anew() {
    let kms = FakeKms::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(kms.clone().serve(listener));
    let key_url = format!("gcpkms://{DEFAULT_KEY}");
    let attempt_key = STANDARD.encode([7; 32]);
    let config = Config::from_vars([
        ("STORE_URL", "sqlite::memory:"),
        ("KEY_URL", &key_url),
        ("KMS_ENDPOINT", &endpoint),
        ("ATTEMPT_KEY", &attempt_key),
    ])
    .unwrap();
    let parts = Parts {
        clock: Arc::new(TestClock::new()),
        ids: Arc::new(TestIds::new()),
        single_process: true,
        name: "test",
    };
    let ctx = build(config, parts).unwrap();

    let key = seal::open(&key_url, false, Some(&endpoint.parse().unwrap()), &Arc::default()).unwrap();
    let sealed = key.wrap(&SecretBytes::new(TOKEN.as_bytes().to_vec()), b"").await.unwrap();
    let mut connection = made::connection(1);
    connection.credentials[0].access = Some(Sealed(STANDARD.encode(sealed)));
    assert_eq!(ctx.store.connect(&connection, made::NOW, &[]).await.unwrap(), Connect::Done);

    let request = ReadRequest {
        who: LookupKey {
            tenant_id: connection.tenant_id.clone(),
            user_id: connection.user_id.clone(),
            provider: connection.provider.clone(),
        },
        narrowing: Narrowing::default(),
        token_kind: None,
        minimum: Duration::from_secs(300),
        required_scopes: Vec::new(),
    };
    assert_eq!(read(&ctx, &request).await.unwrap().access.expose_secret(), TOKEN);

    let calls = kms.counters();
    kms.fault(Fault::refuse(503, "UNAVAILABLE").until_cleared());
    assert_eq!(read(&ctx, &request).await.unwrap().access.expose_secret(), TOKEN);
    assert_eq!(kms.counters(), calls, "a hit asks no KMS");
}
