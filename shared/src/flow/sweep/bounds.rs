//! How a run is bounded: in time, in calls at once, in entries, and to a share of the store's shards.

use std::num::{NonZeroU8, NonZeroU64};
use std::time::Duration;

use crate::store::SHARDS;

/// How a run is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may take.
    pub deadline: Duration,
    /// How many provider calls may be in flight, per provider; a descriptor may allow fewer.
    pub concurrency: usize,
    /// Which part of what is due.
    pub share: Share,
    /// How many entries it may work on; `None`: all that is due.
    pub limit: Option<NonZeroU64>,
}

impl Bounds {
    /// Everything that is due, for as long as the deadline allows.
    #[must_use]
    pub const fn all(deadline: Duration, concurrency: usize) -> Self {
        Self { deadline, concurrency, share: Share::ALL, limit: None }
    }
}

/// One of `of` equal parts of what is due: invocations that run side by side take one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    index: u8,
    of: NonZeroU8,
}

impl Share {
    /// All of it.
    pub const ALL: Self = Self { index: 0, of: NonZeroU8::MIN };

    /// Part `index` of `of`, counted from 0. `None` when there is no such part: each has at least one of
    /// the store's shards.
    #[must_use]
    pub fn new(index: u8, of: u8) -> Option<Self> {
        let of = NonZeroU8::new(of).filter(|of| of.get() <= SHARDS && index < of.get())?;
        Some(Self { index, of })
    }

    /// Which part, counted from 0.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub const fn of(self) -> u8 {
        self.of.get()
    }

    /// Whether this is the part that also does what is done once per round: deleting what has expired and
    /// the like.
    #[must_use]
    pub const fn is_first(self) -> bool {
        self.index == 0
    }

    /// The store's shards that belong to this part.
    pub(super) fn shards(self) -> impl Iterator<Item = u8> {
        (self.index..SHARDS).step_by(usize::from(self.of.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_divide_the_shards_between_them_without_a_rest() {
        for of in 1..=SHARDS {
            let mut all: Vec<u8> =
                (0..of).flat_map(|index| Share::new(index, of).unwrap().shards()).collect();
            all.sort_unstable();
            assert_eq!(all, (0..SHARDS).collect::<Vec<_>>(), "of {of}");
        }
        assert_eq!(Share::ALL.shards().count(), usize::from(SHARDS));
    }

    #[test]
    fn there_is_no_share_beyond_the_last_of_none_or_of_more_than_there_are_shards() {
        for (index, of) in [(0, 0), (1, 1), (4, 4), (255, 4), (0, SHARDS + 1)] {
            assert_eq!(Share::new(index, of), None, "{index} of {of}");
        }
    }
}
