//! Limits over caches that are alone, shared, away and back; a real Redis is started where one is shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;

use super::*;
use crate::cache;
use crate::domain::Timestamp;
use crate::testing::TestClock;
use crate::testing::redis_server::RedisServer;

/// A process.
struct Process {
    limiter: Limiter,
    cache: Arc<dyn Cache>,
    clock: Arc<TestClock>,
}

impl Process {
    fn alone() -> Self {
        let clock = Arc::new(TestClock::new());
        Self::with(cache::open("memory:", None, clock.clone(), true).unwrap(), &clock)
    }

    fn sharing(server: &RedisServer, clock: &Arc<TestClock>) -> Self {
        Self::with(cache::patient_redis(&server.url(), clock.clone()), clock)
    }

    /// With the time-outs that count in production.
    fn impatient(url: &str) -> Self {
        let clock = Arc::new(TestClock::new());
        Self::with(cache::open(url, None, clock.clone(), true).unwrap(), &clock)
    }

    fn with(cache: Arc<dyn Cache>, clock: &Arc<TestClock>) -> Self {
        Self { limiter: Limiter::new(), cache, clock: Arc::clone(clock) }
    }

    async fn admit(&self, asks: &[Ask]) -> Verdict {
        self.limiter.admit(&*self.cache, &*self.clock, asks).await
    }

    async fn admits(&self, asks: &[Ask]) -> bool {
        matches!(self.admit(asks).await, Verdict::Admitted(_))
    }

    /// How many of so many calls, one after the other, are admitted.
    async fn admits_of(&self, calls: usize, asks: &[Ask]) -> usize {
        let mut admitted = 0;
        for _ in 0..calls {
            admitted += usize::from(self.admits(asks).await);
        }
        admitted
    }
}

fn ask(scope: Scope, who: &str, rate: &str) -> Ask {
    Ask { scope, class: Class::Tokens, who: who.to_owned(), rate: rate.parse().unwrap() }
}

/// How often a script was run.
fn scripts(server: &RedisServer) -> u64 {
    let stats = server.say("INFO commandstats").unwrap();
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls="));
    calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn alone_a_call_is_counted_against_all_of_its_limits_and_the_tightest_is_told() {
    let one = Process::alone();
    assert_eq!(one.admit(&[]).await, Verdict::Admitted(None));
    let asks = [
        ask(Scope::Caller, "a", "600/min"),
        ask(Scope::Tenant, "t", "60/min"),
        ask(Scope::User, "u", "30/min"),
    ];
    let Verdict::Admitted(Some(standing)) = one.admit(&asks).await else { panic!() };
    assert_eq!(
        (standing.scope, standing.remaining, standing.reset),
        (Scope::User, 4, Duration::from_secs(2))
    );
    assert_eq!(one.admits_of(10, &asks).await, 4);
    let Verdict::Refused(standing, wait) = one.admit(&asks).await else { panic!() };
    assert_eq!((standing.scope, standing.remaining, wait), (Scope::User, 0, Duration::from_secs(2)));

    one.clock.advance(wait);
    assert_eq!(one.admits_of(10, &asks).await, 1);
    assert!(
        one.admits(&[Ask { class: Class::Admin, ..asks[2].clone() }]).await,
        "other calls of the same user"
    );
    assert!(
        one.admits(&[Ask { scope: Scope::Caller, ..asks[2].clone() }]).await,
        "a caller of the same name"
    );
}

#[tokio::test]
async fn a_user_who_is_refused_does_not_eat_what_the_tenant_has() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    for one in [Process::alone(), Process::sharing(&server, &Arc::default())] {
        let tenant = ask(Scope::Tenant, "t", "3600/h burst 100");
        let both = [tenant.clone(), ask(Scope::User, "u", "3600/h burst 20")];
        assert_eq!(one.admits_of(500, &both).await, 20);
        assert_eq!(one.admits_of(500, &[tenant]).await, 80);
    }
}

#[tokio::test]
async fn two_processes_never_let_more_through_than_one_may_and_little_less() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::default();
    let processes = [Process::sharing(&server, &clock), Process::sharing(&server, &clock)];
    let asks = [ask(Scope::Caller, "a", "3600/h burst 100")];
    let mut admitted = 0;
    for second in 0..400 {
        for process in &processes {
            admitted += process.admits_of(5, &asks).await;
        }
        assert!(admitted <= 100 + second, "{admitted} after {second} s");
        clock.advance(Duration::from_secs(1));
    }
    assert!(admitted >= 450, "{admitted}");
}

#[tokio::test]
async fn what_one_process_rarely_needs_is_not_kept_from_another() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::default();
    let asks = [ask(Scope::Caller, "a", "3600/h burst 1000")];
    for _ in 0..50 {
        assert!(Process::sharing(&server, &clock).admits(&asks).await);
    }
    let last = Process::sharing(&server, &clock);
    assert_eq!(last.admits_of(1500, &asks).await, 950);
}

#[tokio::test]
async fn a_busy_process_asks_redis_for_a_few_of_its_calls() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let one = Process::sharing(&server, &Arc::default());
    let caller = ask(Scope::Caller, "a", "36000/h burst 1000");
    let tenant = ask(Scope::Tenant, "t", "36000/h burst 10000");
    assert_eq!(one.admits_of(1000, &[caller, tenant]).await, 1000);
    assert!(scripts(&server) < 30, "{}", scripts(&server));
}

#[tokio::test]
async fn a_flood_that_is_refused_is_no_flood_on_redis() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let one = Process::sharing(&server, &Arc::default());
    let asks = [ask(Scope::Caller, "a", "3600/h burst 100"), ask(Scope::User, "u", "3600/h burst 200")];
    assert_eq!(one.admits_of(10_000, &asks).await, 100);
    assert!(scripts(&server) < 60, "{}", scripts(&server));

    let before = scripts(&server);
    let others = [ask(Scope::Caller, "b", "3600/h burst 100")];
    let verdicts = join_all((0..10_000).map(|_| one.admits(&others))).await;
    assert_eq!(verdicts.into_iter().filter(|admitted| *admitted).count(), 100);
    assert!(scripts(&server) - before < 30, "all at once: {}", scripts(&server) - before);

    one.clock.advance(Duration::from_millis(500));
    let Verdict::Refused(standing, wait) = one.admit(&asks).await else { panic!() };
    assert_eq!((standing.scope, wait), (Scope::Caller, Duration::from_millis(500)));
    one.clock.advance(wait);
    assert_eq!(one.admits_of(10, &asks).await, 1);
}

#[tokio::test]
async fn a_redis_that_is_killed_leaves_the_same_limits_and_no_error() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let one = Process::sharing(&server, &Arc::default());
    let asks = [ask(Scope::Caller, "a", "3600/h burst 10"), ask(Scope::User, "u", "3600/h burst 20")];
    assert_eq!(one.admits_of(4, &asks).await, 4);
    server.kill().unwrap();
    assert_eq!(one.admits_of(100, &asks).await, 10, "a burst of this process's own");
    let mut admitted = 0;
    for _ in 0..60 {
        one.clock.advance(Duration::from_secs(1));
        admitted += one.admits_of(10, &asks).await;
    }
    assert_eq!(admitted, 60);
    server.start_again().unwrap();
    one.clock.advance(Duration::from_secs(1));
    assert!(one.admits(&asks).await);
    assert_eq!(scripts(&server), 1, "it is asked again");
}

#[tokio::test]
async fn a_redis_that_hangs_leaves_the_same_limits() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let one = Process::impatient(&server.url());
    let asks = [ask(Scope::Caller, "a", "3600/h burst 10")];
    one.admit(&asks).await;
    server.freeze().unwrap();
    let verdicts = join_all((0..100).map(|_| one.admits(&asks)));
    let verdicts =
        tokio::time::timeout(Duration::from_secs(5), verdicts).await.expect("it is bounded in time");
    let admitted = verdicts.into_iter().filter(|admitted| *admitted).count();
    // A busy machine may have been late for the first one already.
    assert!((9..=10).contains(&admitted), "{admitted}");
    server.thaw().unwrap();
}

#[tokio::test]
async fn the_log_says_once_a_minute_that_the_cache_is_away() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer({
        let log = log.clone();
        move || log.clone()
    });
    let _listening = tracing::subscriber::set_default(lines.finish());
    let away = Process::impatient("redis://127.0.0.1:1");
    for second in 0..90 {
        assert!(away.admits(&[ask(Scope::Caller, &second.to_string(), "60/min")]).await);
        away.clock.advance(Duration::from_secs(1));
    }
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.matches("WARN shared::limit: each process limits calls by itself").count(), 2, "{said}");
}

/// What the log says in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn made_up_users_take_bounded_memory() {
    let away = Process::impatient("redis://127.0.0.1:1");
    for number in 0..30_000 {
        let asks = [ask(Scope::User, &number.to_string(), "60/min")];
        assert!(away.admits(&asks).await);
    }
    assert!(away.limiter.allotments.len() <= 20_000);
    assert_eq!(
        away.limiter.fallback.len(),
        30_000,
        "what limits them is kept longer than what saves questions"
    );
}

/// A wall clock that goes back, over a monotonic one that does not.
struct SetBack(AtomicU64);

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        TestClock::START - self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn alone_a_wall_clock_that_goes_back_changes_nothing() {
    let clock = Arc::new(SetBack(AtomicU64::new(0)));
    let cache = cache::open("memory:", None, clock.clone(), true).unwrap();
    let limiter = Limiter::new();
    let asks = [ask(Scope::Caller, "a", "3600/h burst 1")];
    for _ in 0..100 {
        assert!(matches!(limiter.admit(&*cache, &*clock, &asks).await, Verdict::Admitted(_)));
    }
}

#[test]
fn the_gates_let_calls_run_on_several_threads() {
    fn is_send<T: Send>(_: T) {}
    let one = Process::alone();
    is_send(one.admit(&[]));
}
