//! Who calls: ID tokens that an issuer has signed, and API keys, proven before anything is done for anybody.

mod claims;
mod fetch;
mod issuer;
mod jwks;
mod key;
mod key_set;
mod seen;
#[cfg(test)]
mod tests;
mod token;

pub use fetch::FetchError;
pub use issuer::{Issuer, SigningAlgorithm, UnknownAlgorithm};
pub use key::{ApiKey, KeyHash, KeyHashError, Minted};
pub use token::{TokenError, Tokens, Verified};
