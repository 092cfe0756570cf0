//! How many entries a page of a list has.

use serde::{Deserialize, Deserializer, de};

/// 1 to 200; 50 when nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(usize);

impl Limit {
    const MOST: usize = 200;

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = usize::deserialize(deserializer)
            .map_err(|_| de::Error::custom("must be a whole number from 1 to 200"))?;
        match limit {
            1..=Self::MOST => Ok(Self(limit)),
            _ => Err(de::Error::custom("must be a whole number from 1 to 200")),
        }
    }
}
