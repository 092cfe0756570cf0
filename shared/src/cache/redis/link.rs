//! The connection to Redis: made when first needed, given up at the first time-out, and not tried for a
//! moment after a failure, so that a dead Redis costs milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::{MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, RedisError,
    RedisResult, TlsCertificates,
};

use super::super::{CacheError, OpenCacheError};
use super::trouble::{Dead, Refused, is_broken, is_demoted, refused};
use crate::clock::Clock;

/// How long Redis may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// To accept a connection, greeting and password included.
    pub(super) connect: Duration,
    /// The same with TLS: two more round trips, and arithmetic on what may be a thirteenth of a core (Lambda).
    pub(super) connect_tls: Duration,
    /// To answer a command.
    pub(super) respond: Duration,
}

pub(super) const LIMITS: Limits = Limits {
    connect: Duration::from_millis(200),
    connect_tls: Duration::from_millis(500),
    respond: Duration::from_millis(50),
};

/// How long Redis is taken for dead after it could not be reached.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it is left alone after it has refused us, which only an operator can change.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);
/// Networks forget connections that are silent for some minutes (350 s on AWS), and a command sent into one
/// that is forgotten costs its whole time-out: before that, a new one is made.
const IDLE: Duration = Duration::from_secs(60);
/// How often the log says that Redis is in trouble.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// When a command is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Unless Redis is taken for dead: what only makes things quicker.
    Up,
    /// Always: without it something would be wrong for a while.
    Always,
    /// Always, but never a second time: it may have been carried out although no answer came.
    AlwaysOnce,
}

/// One connection for all commands.
///
/// redis-rs has a `ConnectionManager`, which keeps a connection whose commands time out (a flow that a NAT
/// has forgotten, for one), and answers the first command after an outage with the old failure.
pub(super) struct Link {
    client: Client,
    clock: Arc<dyn Clock>,
    config: AsyncConnectionConfig,
    /// How long a connection may take to be made.
    connect_within: Duration,
    state: Mutex<State>,
    /// The log has said that Redis is in trouble, and not yet that it is over.
    troubled: AtomicBool,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Times are on the monotonic clock. When the connection was last used.
    used: Duration,
    /// Until when Redis is taken for dead.
    dead_until: Duration,
    /// Until when it is left alone altogether.
    refused_until: Duration,
    /// When the log last said that it is in trouble.
    told: Option<Duration>,
}

/// A connection, or the attempt to get one that all commands wait for together.
type Connection = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

impl Link {
    /// Understands `url`; the error does not repeat it, as it may hold a password.
    pub(super) fn open(
        url: &str,
        authority: Option<&str>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Self, OpenCacheError> {
        // `#insecure` is the library's way to switch verification off.
        if url.contains('#') {
            return Err(OpenCacheError::Insecure);
        }
        // Without it, small commands wait for the answers of earlier ones (RFC 896).
        let tcp = TcpSettings::default().set_nodelay(true);
        let not_understood = |error: RedisError| OpenCacheError::Url(error.category().to_owned());
        let address = url.into_connection_info().map_err(not_understood)?.set_tcp_settings(tcp);
        let tls = matches!(address.addr(), ConnectionAddr::TcpTls { .. });
        let client = match authority {
            None => Client::open(address).map_err(not_understood)?,
            Some(_) if !tls => return Err(unusable("is set, but CACHE_URL does not begin with rediss://")),
            Some(pem) if !pem.contains("-----BEGIN CERTIFICATE-----") => {
                return Err(unusable("holds no certificate in PEM"));
            }
            Some(pem) => {
                let trusted = TlsCertificates { client_tls: None, root_cert: Some(pem.as_bytes().to_vec()) };
                Client::build_with_tls(address, trusted).map_err(|error| unusable(&error.to_string()))?
            }
        };
        let connect_within = if tls { limits.connect_tls } else { limits.connect };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_within))
            .set_response_timeout(Some(limits.respond));
        Ok(Self {
            client,
            clock,
            config,
            connect_within,
            state: Mutex::default(),
            troubled: AtomicBool::new(false),
        })
    }

    /// Sends a command and waits for its answer, within the limits.
    pub(super) async fn send<T: FromRedisValue>(&self, when: When, command: &Cmd) -> Result<T, CacheError> {
        if when == When::AlwaysOnce {
            // A connection that was closed while it was idle is found out by what may be sent twice.
            let () = self.send_again(When::Always, &redis::cmd("PING")).await?;
        }
        self.send_again(when, command).await
    }

    async fn send_again<T: FromRedisValue>(&self, when: When, command: &Cmd) -> Result<T, CacheError> {
        let mut result = self.try_send(when, command).await?;
        if let Err(error) = &result {
            // The server has closed a connection that was idle, or was started anew.
            let again = error.is_connection_dropped() && when != When::AlwaysOnce;
            // It has become a replica, and has done nothing: the name leads to another server by now.
            if again || is_demoted(error) {
                result = self.try_send(when, command).await?;
            }
        }
        match result {
            Ok(answer) => {
                if self.troubled.load(Ordering::Relaxed) && self.troubled.swap(false, Ordering::Relaxed) {
                    tracing::info!("Redis answers again");
                }
                Ok(answer)
            }
            Err(error) => Err(self.judge(error)),
        }
    }

    /// Sends what nobody misses: once, and whatever is said to it, Redis is used as before. A user may lack the right.
    pub(super) async fn mention(&self, command: &Cmd) -> Result<(), CacheError> {
        let said: RedisResult<redis::Value> = self.try_send(When::Up, command).await?;
        said.map(drop).map_err(|error| CacheError(error.into()))
    }

    /// Opens a connection of its own that listens to a channel; `None` when Redis is away.
    pub(super) async fn subscribe(&self, channel: &str) -> Option<PubSub> {
        let now = self.clock.monotonic();
        let dead = {
            let state = self.state();
            now < state.refused_until || now < state.dead_until
        };
        if dead {
            return None;
        }
        let subscribed = async {
            let mut listening = self.client.get_async_pubsub().await?;
            listening.subscribe(channel).await?;
            Ok::<_, RedisError>(listening)
        };
        match tokio::time::timeout(self.connect_within, subscribed).await {
            Ok(Ok(listening)) => Some(listening),
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "Redis is not listened to");
                None
            }
            Err(_late) => None,
        }
    }

    /// The outer error: it is not tried.
    async fn try_send<T: FromRedisValue>(
        &self,
        when: When,
        command: &Cmd,
    ) -> Result<RedisResult<T>, CacheError> {
        let connection = self.connection(when)?;
        let mut open = match connection.clone().await {
            Ok(open) => open,
            Err(error) => {
                self.give_up(&connection, true);
                return Ok(Err(error));
            }
        };
        let result = command.query_async(&mut open).await;
        if let Err(error) = &result
            && (is_broken(error) || is_demoted(error))
        {
            self.give_up(&connection, error.is_timeout());
        }
        Ok(result)
    }

    fn connection(&self, when: When) -> Result<Connection, CacheError> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        if now < state.refused_until || (when == When::Up && now < state.dead_until) {
            return Err(CacheError(Dead.into()));
        }
        if now.saturating_sub(state.used) > IDLE {
            state.connection = None;
        }
        state.used = now;
        let connection = state.connection.get_or_insert_with(|| {
            let (client, config) = (self.client.clone(), self.config.clone());
            let connect = async move { client.get_multiplexed_async_connection_with_config(&config).await };
            connect.boxed().shared()
        });
        Ok(connection.clone())
    }

    /// Forgets a connection, so that the next command makes another; `dead` says to wait before that.
    fn give_up(&self, connection: &Connection, dead: bool) {
        let mut state = self.state();
        let given_up = state.connection.take_if(|current| current.ptr_eq(connection));
        if given_up.is_some() && dead {
            state.dead_until = self.clock.monotonic() + PAUSE;
        }
    }

    /// What a failure means for the next commands; says so in the log, but not for each of them.
    fn judge(&self, error: RedisError) -> CacheError {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let hint = refused(&error);
        if hint.is_some() {
            state.refused_until = now + REFUSED_PAUSE;
        } else if is_demoted(&error) {
            state.dead_until = now + PAUSE;
        }
        let tell = state.told.is_none_or(|told| now.saturating_sub(told) >= TELL_EVERY);
        if tell {
            state.told = Some(now);
            self.troubled.store(true, Ordering::Relaxed);
        }
        drop(state);
        let address = self.client.get_connection_info().addr();
        match hint {
            Some(hint) => {
                let refused = Refused { hint, source: error };
                if tell {
                    let error = &refused as &dyn std::error::Error;
                    tracing::error!(error, redis.address = %address, "Redis is not used: it refuses us");
                }
                CacheError(refused.into())
            }
            None => {
                if tell {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, redis.address = %address, "Redis is not used: it is in trouble");
                }
                CacheError(error.into())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unusable(problem: &str) -> OpenCacheError {
    OpenCacheError::Authority(problem.to_owned())
}
