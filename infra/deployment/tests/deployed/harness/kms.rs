//! The fake KMS on a port of its own, which can go away and come back.

use std::net::SocketAddr;

use fake_kms::{DEFAULT_KEY, Effect, FakeKms, Fault};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A KMS that somebody can talk to.
pub(crate) struct Kms {
    pub(crate) fake: FakeKms,
    address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Kms {
    pub(crate) async fn start() -> Self {
        let fake = FakeKms::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(fake.clone().serve(listener));
        Self { fake, address, serving }
    }

    /// Its key, as a `KEY_URL`.
    pub(crate) fn key_url(&self) -> String {
        format!("gcpkms://{DEFAULT_KEY}")
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Nobody listens any more, and connections that are open end with the next call.
    pub(crate) async fn go(&mut self) {
        self.serving.abort();
        // It is over when the port is free.
        let _ = (&mut self.serving).await;
        self.fake.fault(Fault::new(Effect::Drop).until_cleared());
    }

    /// It is there again.
    pub(crate) async fn come_back(&mut self) {
        self.fake.clear_faults();
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = tokio::spawn(self.fake.clone().serve(listener));
    }

    /// How often it was asked to unwrap.
    pub(crate) fn unwraps(&self) -> u64 {
        self.fake.counters().decrypt
    }
}
