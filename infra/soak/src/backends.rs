//! What the processes depend on: a store, Redis, keys; and Redis coming and going.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fake_kms::{DEFAULT_KEY, FakeKms};
use shared::testing::firestore_emulator::FirestoreEmulator;
use shared::testing::redis_server::RedisServer;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Result;
use crate::prng::Prng;
use crate::scenario::{Backend, CacheMode, Scenario};

/// The key for attempts: there are no secrets here.
const ATTEMPT_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What there is; ends when it is dropped.
pub(crate) struct Backends {
    emulator: Option<FirestoreEmulator>,
    redis: Option<Arc<Mutex<RedisServer>>>,
    tasks: Vec<JoinHandle<()>>,
    /// The settings that lead there, but for Firestore's address.
    pub(crate) vars: Vec<(String, String)>,
}

impl Backends {
    /// Starts them; `None` when a part is missing on this machine, which is said.
    ///
    /// # Errors
    /// When one does not start, or, with `CI=true` in the environment, is missing.
    pub(crate) async fn start(scenario: Scenario, folder: &Path) -> Result<Option<Self>> {
        let mut backends = Self { emulator: None, redis: None, tasks: Vec::new(), vars: Vec::new() };
        let mut set = |name: &str, value: String| backends.vars.push((name.to_owned(), value));
        set("ATTEMPT_KEY", ATTEMPT_KEY.to_owned());
        set("DATA_DIR", folder.display().to_string());
        match scenario.cache {
            CacheMode::Without => set("CACHE_URL", "memory:".to_owned()),
            CacheMode::Redis | CacheMode::Flapping => {
                let Some(redis) = RedisServer::start()? else { return Ok(None) };
                set("CACHE_URL", redis.url());
                backends.redis = Some(Arc::new(Mutex::new(redis)));
            }
        }
        if scenario.backend == Backend::Firestore {
            let Some(emulator) = FirestoreEmulator::shared()? else { return Ok(None) };
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let set = |name: &str, value: String| (name.to_owned(), value);
            backends.vars.extend([
                set("STORE_URL", emulator.url()),
                set("KEY_URL", format!("gcpkms://{DEFAULT_KEY}")),
                set("KMS_ENDPOINT", format!("http://{}", listener.local_addr()?)),
            ]);
            backends.emulator = Some(emulator);
            backends.tasks.push(tokio::spawn(async move { drop(FakeKms::default().serve(listener).await) }));
        }
        Ok(Some(backends))
    }

    /// Where Firestore is, if it is the store.
    pub(crate) fn firestore(&self) -> Option<String> {
        self.emulator.as_ref().map(FirestoreEmulator::host)
    }

    /// From now on Redis comes and goes.
    pub(crate) fn flap(&mut self, seed: u64) {
        if let Some(redis) = &self.redis {
            self.tasks.push(tokio::spawn(flap(Arc::clone(redis), Prng::new(seed))));
        }
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn flap(redis: Arc<Mutex<RedisServer>>, mut prng: Prng) {
    loop {
        tokio::time::sleep(Duration::from_millis(prng.between(300, 2_500))).await;
        let away = Duration::from_millis(prng.between(20, 1_500));
        let killed = prng.chance(60);
        let redis = Arc::clone(&redis);
        // It blocks: starting takes some ten milliseconds.
        let flapped = tokio::task::spawn_blocking(move || {
            let mut redis = redis.lock().unwrap_or_else(PoisonError::into_inner);
            if killed {
                redis.kill()?;
                std::thread::sleep(away);
                redis.start_again()
            } else {
                redis.freeze()?;
                std::thread::sleep(away);
                redis.thaw()
            }
        });
        // Its port may be taken for a moment: then it is started with the next turn.
        drop(flapped.await);
    }
}
