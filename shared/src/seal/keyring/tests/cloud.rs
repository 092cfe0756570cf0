//! A key in a Cloud KMS of the test's own.

use std::sync::Arc;

use fake_kms::{DEFAULT_KEY, FakeKms, Fault, Key};
use tokio::net::TcpListener;
use url::Url;

use super::TestKey;
use crate::seal::{self, KeyWrap};

const ANOTHER_KEY: &str = "projects/fake/locations/global/keyRings/fake/cryptoKeys/another";

pub(super) struct Cloud {
    pub(super) kms: FakeKms,
    endpoint: Url,
}

impl Cloud {
    pub(super) async fn start() -> Arc<dyn TestKey> {
        Arc::new(Self::own().await)
    }

    pub(super) async fn own() -> Self {
        let kms = FakeKms::default();
        kms.set_key(ANOTHER_KEY, Key::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(kms.clone().serve(listener));
        Self { kms, endpoint }
    }

    fn key(&self, name: &str) -> Arc<dyn KeyWrap> {
        seal::open(&format!("gcpkms://{name}"), false, Some(&self.endpoint), &Arc::default()).unwrap()
    }
}

impl TestKey for Cloud {
    fn open(&self) -> Arc<dyn KeyWrap> {
        self.key(DEFAULT_KEY)
    }

    fn open_another(&self) -> Arc<dyn KeyWrap> {
        self.key(ANOTHER_KEY)
    }

    fn unwraps(&self) -> usize {
        usize::try_from(self.kms.counters().decrypt).unwrap()
    }

    fn attempts(&self) -> usize {
        4
    }

    fn set_away(&self, away: bool) {
        match away {
            true => self.kms.fault(Fault::refuse(503, "UNAVAILABLE").until_cleared()),
            false => self.kms.clear_faults(),
        }
    }
}
