//! The connection to Redis: made when first needed, given up at the first time-out, and not tried for a
//! moment after a failure, so that a dead Redis costs milliseconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo as _, RedisError, RedisResult,
};

use super::super::{CacheError, OpenCacheError};
use crate::clock::Clock;

/// How long Redis may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// To accept a connection, TLS and greeting included.
    pub(super) connect: Duration,
    /// To answer a command.
    pub(super) respond: Duration,
}

pub(super) const LIMITS: Limits =
    Limits { connect: Duration::from_millis(200), respond: Duration::from_millis(50) };

/// How long Redis is taken for dead after it could not be reached.
const PAUSE: Duration = Duration::from_secs(1);

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
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Until when Redis is taken for dead, on the monotonic clock.
    dead_until: Duration,
}

/// A connection, or the attempt to get one that all commands wait for together.
type Connection = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

/// Redis could not be reached a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("Redis could not be reached a moment ago")]
pub(super) struct Dead;

impl Link {
    /// Understands `url`; the error does not repeat it, as it may hold a password.
    pub(super) fn open(url: &str, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, OpenCacheError> {
        // Without it, small commands wait for the answers of earlier ones (RFC 896).
        let tcp = TcpSettings::default().set_nodelay(true);
        let client = url
            .into_connection_info()
            .and_then(|address| Client::open(address.set_tcp_settings(tcp)))
            .map_err(|error| OpenCacheError::Url(error.category().to_owned()))?;
        Ok(Self { client, clock, limits, state: Mutex::default() })
    }

    /// Sends a command and waits for its answer, within the limits.
    pub(super) async fn send<T: FromRedisValue>(&self, when: When, command: &Cmd) -> Result<T, CacheError> {
        if when == When::Up && self.clock.monotonic() < self.state().dead_until {
            return Err(CacheError(Dead.into()));
        }
        let result = match self.try_send(command).await {
            // The server has closed a connection that was idle, or was started anew.
            Err(error) if error.is_connection_dropped() && when != When::AlwaysOnce => {
                self.try_send(command).await
            }
            result => result,
        };
        result.map_err(|error| CacheError(error.into()))
    }

    async fn try_send<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let connection = self.connection();
        let mut open = match connection.clone().await {
            Ok(open) => open,
            Err(error) => {
                self.give_up(&connection, true);
                return Err(error);
            }
        };
        let result = command.query_async(&mut open).await;
        if let Err(error) = &result
            && is_broken(error)
        {
            self.give_up(&connection, error.is_timeout());
        }
        result
    }

    fn connection(&self) -> Connection {
        let mut state = self.state();
        let connection = state.connection.get_or_insert_with(|| {
            let client = self.client.clone();
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.limits.connect))
                .set_response_timeout(Some(self.limits.respond));
            let connect = async move { client.get_multiplexed_async_connection_with_config(&config).await };
            connect.boxed().shared()
        });
        connection.clone()
    }

    /// Forgets a connection, so that the next command makes another; `dead` says to wait before that.
    fn give_up(&self, connection: &Connection, dead: bool) {
        let mut state = self.state();
        let given_up = state.connection.take_if(|current| current.ptr_eq(connection));
        if given_up.is_some() && dead {
            state.dead_until = self.clock.monotonic() + PAUSE;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether no answer came, as opposed to one that says no.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}
