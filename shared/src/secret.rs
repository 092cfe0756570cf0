//! The types that carry secrets: no `Debug`, no `Serialize`, zeroed when dropped.

pub use secrecy::{ExposeSecret, SecretString};

use zeroize::Zeroizing;

/// Secret bytes (a key, an opened envelope), zeroed when dropped.
pub type SecretBytes = Zeroizing<Vec<u8>>;
