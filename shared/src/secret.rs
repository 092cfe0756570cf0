//! The types that carry secrets: no `Debug`, no `Serialize`, zeroed when dropped.

pub use secrecy::{ExposeSecret, SecretString};

use zeroize::Zeroizing;

/// Secret bytes (a key, an opened envelope), zeroed when dropped.
pub type SecretBytes = Zeroizing<Vec<u8>>;

/// Appends to secret bytes. A vector that grows by itself leaves what it held behind, in memory that nobody zeroes.
pub(crate) fn append(bytes: &mut SecretBytes, more: &[u8]) {
    let length = bytes.len() + more.len();
    if length > bytes.capacity() {
        let mut larger = SecretBytes::new(Vec::with_capacity(2 * length));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
}
