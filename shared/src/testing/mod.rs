//! What tests need and a release never has: a clock that stands still, ids that repeat, builders.

pub mod build;
pub mod certificates;
pub mod clock;
pub mod firestore_emulator;
pub mod issuer;
pub mod redis_server;

pub use clock::{TestClock, TestIds};
pub use issuer::TestIssuer;
