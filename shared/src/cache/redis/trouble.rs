//! What is wrong with Redis, told from how it fails.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Redis could not be reached a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("Redis could not be reached a moment ago")]
pub(super) struct Dead;

/// Redis refuses us, or we refuse it: an operator must act.
#[derive(Debug, thiserror::Error)]
#[error("{hint}")]
pub(super) struct Refused {
    pub(super) hint: &'static str,
    pub(super) source: RedisError,
}

/// What an operator must look at, where trying again changes nothing.
pub(super) fn refused(error: &RedisError) -> Option<&'static str> {
    if error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS") {
        Some("the user or password in CACHE_URL is wrong")
    } else if error.code() == Some("NOAUTH") {
        Some("it wants a password, and CACHE_URL has none")
    } else if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) {
        Some("the user in CACHE_URL may not use the commands or keys that are needed")
    } else if is_invalid_data(error) {
        // rustls says it so: a certificate that is not trusted or for another name, an answer that is not TLS.
        Some("its certificate is not to be trusted (CACHE_CA says whom to trust), or it does not speak TLS")
    } else {
        None
    }
}

/// Whether no answer came, as opposed to one that says no.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}

/// Whether the server has become a replica: it takes no writes, and has not carried this one out.
pub(super) fn is_demoted(error: &RedisError) -> bool {
    // Redis 6 wraps what a command in a script says.
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        || error.detail().is_some_and(|detail| detail.contains("-READONLY "))
}

fn is_invalid_data(error: &RedisError) -> bool {
    // What redis-rs calls the source of an I/O error is the error itself, in an `Arc`.
    let source = error.source().and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|io| io.kind() == io::ErrorKind::InvalidData)
}
