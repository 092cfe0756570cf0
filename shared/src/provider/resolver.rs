//! Looks up the addresses of a provider's host and gives out only those of the Internet.
//!
//! What is looked up here is what is connected to, so a name that changes its addresses in between gains nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::reachable::public_of;

/// The system's resolver, without private addresses.
pub(super) struct InternetOnly;

impl Resolve for InternetOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Whoever connects sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = public_of(name.as_str(), found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
