//! Serves HTTP/1.1 on a port until the process is told to stop, then finishes what has begun; slow clients hold nobody up.

mod patience;
mod stream;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::patience::Patience;
use self::stream::Stream;
use super::stop::{STOP_WITHIN, stop, told_to_stop};
use crate::flow::Context;

/// The largest head of a request, in bytes: what is longer is answered with 431, as is one with more than hyper's 100
/// headers. The router has lower limits, and better answers.
const HEAD_LIMIT: usize = 32 * 1024;
/// How long nothing is accepted after the system had no means to: descriptors, memory.
const BREATHER: Duration = Duration::from_millis(100);

/// What a client may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// How long the head of a connection's first request may take, from the time it is accepted.
    first_head: Duration,
    /// How long a connection may be silent after an answer, its next head included. Longer than what gateways keep
    /// idle connections for (60 s is usual), so that it is they who close: a request that meets our closing is lost.
    idle: Duration,
    /// How long a client may not take what is written to it.
    blocked: Duration,
    /// How many connections there are at once; further ones wait in the system's backlog.
    connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            blocked: Duration::from_secs(10),
            connections: 8192,
        }
    }
}

/// Serves until SIGTERM or Ctrl-C, then finishes what has begun.
pub async fn serve(ctx: &Arc<Context>, router: Router) -> ExitCode {
    let listener = match TcpListener::bind(ctx.config.listen.address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(address = %ctx.config.listen.address, error = &error as &dyn std::error::Error, "the address can't be listened on");
            return ExitCode::FAILURE;
        }
    };
    tracing::info!(address = %ctx.config.listen.address, "listening");
    serve_on(ctx, router, listener, told_to_stop()).await
}

/// Serves on a listener until `until` comes, then finishes what has begun: requests, refreshes,
/// revocations, counts. A job that is running takes up nothing new from then on.
pub async fn serve_on(
    ctx: &Arc<Context>,
    router: Router,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> ExitCode {
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = until => {}
        never = accept(&listener, router, &connections, Limits::default()) => match never {},
    }
    drop(listener);
    ctx.tasks.close();
    // One patience for requests and for what outlives them.
    let patience = tokio::time::sleep(STOP_WITHIN).shared();
    tokio::select! {
        () = connections.shutdown() => {}
        () = patience.clone() => {
            tracing::warn!("some requests did not finish in time and are cut off");
        }
    }
    stop(ctx, patience).await;
    ExitCode::SUCCESS
}

/// Accepts connections for ever, and serves each in a task of its own.
async fn accept(
    listener: &TcpListener,
    router: Router,
    connections: &GracefulShutdown,
    limits: Limits,
) -> Infallible {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let router = TowerToHyperService::new(router);
    loop {
        // Nobody closes the semaphore.
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, peer)) => {
                let connection = Connection { stream, peer, slot, limits };
                tokio::spawn(connection.serve(router.clone(), connections.watcher()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no connection can be accepted for now"
                );
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// A client that left before it was accepted says nothing of the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    slot: Option<OwnedSemaphorePermit>,
    limits: Limits,
}

impl Connection {
    /// Answers request after request until either side has enough. What goes wrong with a connection is its
    /// client's affair; a request that was begun has its own line.
    async fn serve(self, router: TowerToHyperService<Router>, stopping: Watcher) {
        let Self { stream, peer, slot, limits } = self;
        // An answer is one small write: waiting for more of it helps nobody.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = &error as &dyn std::error::Error, "TCP_NODELAY can't be set");
        }
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(Patience::new(limits.idle.saturating_sub(limits.first_head)))
            .header_read_timeout(limits.first_head)
            .max_header_size(HEAD_LIMIT)
            // A client that has said all it wants to say still gets its answer.
            .half_close(true)
            .serve_connection(TokioIo::new(Stream::new(stream, limits.blocked)), service);
        if let Err(error) = stopping.watch(connection).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
        }
        drop(slot);
    }
}
