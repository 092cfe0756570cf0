//! What the store does with connections that an earlier service wrote.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::Connection;

/// Finds what an earlier service wrote, a page at a time, and remembers how far that has come.
///
/// A backend that no earlier service wrote to has nothing to adopt.
#[async_trait]
pub trait Adoption {
    /// The next page of what has not been looked at; `None` when everything has been.
    async fn unadopted(&self, _limit: usize) -> Result<Option<EarlierPage>, StoreError> {
        Ok(None)
    }

    /// Remembers that a page has been worked through. Saying it twice, or of an older page, costs work and
    /// loses nothing: what has been adopted is recognised.
    async fn page_adopted(&self, _page: &EarlierPage) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A page of what an earlier service wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierPage {
    /// The connections among it that we have not written yet.
    pub connections: Vec<Connection>,
    /// Where the page ends; `None`: nothing comes after it.
    pub end: Option<String>,
}
