//! What rounds come to: the median of them, with how far they lie apart.

use std::time::Duration;

/// The median of some rounds, and the least and the most of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The one in the middle; the mean of two where there is no middle.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    /// Of these; zeros when there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        Self {
            median: f64::midpoint(at(below), at(above)),
            least: at(0),
            most: at(sorted.len().saturating_sub(1)),
        }
    }

    /// Of `ours` divided by `base`, round by round: what made a round slow made its neighbour slow too.
    pub(crate) fn of_ratios(ours: &[f64], base: &[f64]) -> Self {
        Self::of(ours.iter().zip(base).map(|(ours, base)| ours / base))
    }
}

/// The value below which `share` (0 to 1) of the sorted `values` lie (nearest rank); zero when there are none.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let rank = rank.clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_round_whatever_the_order() {
        let spread = Spread::of([5.0, 1.0, 400.0, 3.0, 2.0]);
        assert_eq!(spread, Spread { median: 3.0, least: 1.0, most: 400.0 });
        assert!((Spread::of([4.0, 1.0]).median - 2.5).abs() < f64::EPSILON);
        assert!(Spread::of([]).median.abs() < f64::EPSILON);
    }

    #[test]
    fn a_ratio_is_taken_within_a_round_so_that_a_slow_minute_cancels_out() {
        let ratio = Spread::of_ratios(&[50.0, 5.0, 50.0], &[100.0, 10.0, 100.0]);
        assert_eq!(ratio, Spread { median: 0.5, least: 0.5, most: 0.5 });
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let millis: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&millis, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&millis, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&millis, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&millis[..1], 0.99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
