//! The timer of one connection: a client that has had an answer may be silent for longer than one that is new.
//!
//! hyper has one time-out for a head, which begins when it waits for the first byte of it. With one length for all,
//! either a client that never asks anything holds a connection for as long as a gateway that has asked, or the
//! gateway's idle connections are closed under its next request.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// Adds time to every deadline but the first. hyper sets one for each head, and none for anything else.
pub(super) struct Patience {
    later: Duration,
    is_later: AtomicBool,
}

impl Patience {
    pub(super) const fn new(later: Duration) -> Self {
        Self { later, is_later: AtomicBool::new(false) }
    }
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let more = if self.is_later.swap(true, Ordering::Relaxed) { self.later } else { Duration::ZERO };
        TokioTimer::new().sleep_until(deadline + more)
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}
