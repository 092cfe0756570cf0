//! The sandbox's own clock: real time plus an offset that tests push forward.

/// Milliseconds: an instant since the Unix epoch, or a span.
pub(crate) type Millis = i64;

/// Real time plus an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: Millis,
}

impl Clock {
    /// The sandbox's time, in milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> Millis {
        real_now().saturating_add(self.offset)
    }

    /// Moves this clock by whole seconds; negative moves it back.
    pub(crate) fn advance(&mut self, seconds: i64) {
        self.offset = self.offset.saturating_add(seconds.saturating_mul(1000));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the sandbox reads the machine's clock; it shares no code with the service and so not its Clock"
)]
fn real_now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}
