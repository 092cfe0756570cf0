//! What every cache promises about permits. The rates are slow, as Redis forgets by its own time while the test's stands.

use std::sync::Arc;
use std::time::Duration;

use super::super::{PermitAsk, PermitKey};
use super::{Subject, together};
use crate::domain::Step;

const MINUTE: Duration = Duration::from_secs(60);

fn ask(who: &str, rate: &str, most: u32) -> PermitAsk {
    let rate = rate.parse().unwrap();
    PermitAsk { key: PermitKey::new(&[who], rate), rate, most }
}

/// How many permits of each were taken, or that none were.
async fn taken(it: &Subject, asks: &[PermitAsk]) -> Option<Vec<u32>> {
    let steps = it.cache.take_permits(asks).await.unwrap();
    assert_eq!(steps.len(), asks.len());
    let taken = steps.iter().map(|step| match step {
        Step::Allowed { taken, .. } => Some(*taken),
        Step::Refused { .. } => None,
    });
    taken.collect()
}

pub(super) async fn lets_a_burst_of_permits_through_and_then_as_many_as_the_rate(it: Subject) {
    let one = ask("someone", "60/h burst 5", 1);
    for _ in 0..5 {
        assert_eq!(taken(&it, &[one]).await, Some(vec![1]));
    }
    assert_eq!(taken(&it, &[one]).await, None);
    assert_eq!(taken(&it, &[ask("other", "60/h burst 5", 1)]).await, Some(vec![1]));
    let mut passed = 0;
    for _ in 0..600 {
        it.clock.advance(Duration::from_secs(6));
        passed += taken(&it, &[one]).await.map_or(0, |taken| taken[0]);
    }
    assert_eq!(passed, 60, "in an hour");
}

pub(super) async fn gives_of_several_permits_what_there_is(it: Subject) {
    let three = ask("someone", "60/h burst 5", 3);
    assert_eq!(taken(&it, &[three]).await, Some(vec![3]));
    let steps = it.cache.take_permits(&[three]).await.unwrap();
    let Step::Allowed { taken: 2, remaining: 0, reset, .. } = steps[0] else { panic!("{steps:?}") };
    assert_eq!(reset, MINUTE * 5);
    assert_eq!(taken(&it, &[three]).await, None);
}

pub(super) async fn charges_nobody_when_one_of_several_has_no_permit(it: Subject) {
    let (tenant, caller) = (ask("tenant", "60/h burst 5", 1), ask("caller", "60/h burst 1", 1));
    assert_eq!(taken(&it, &[tenant, caller]).await, Some(vec![1, 1]));
    for asks in [[tenant, caller], [caller, tenant]] {
        for _ in 0..10 {
            let steps = it.cache.take_permits(&asks).await.unwrap();
            assert_eq!(steps.iter().filter(|step| matches!(step, Step::Refused { .. })).count(), 1);
        }
    }
    assert_eq!(taken(&it, &[PermitAsk { most: 9, ..tenant }]).await, Some(vec![4]));
}

pub(super) async fn gives_no_permit_twice_to_those_who_ask_at_once(it: Subject) {
    let it = Arc::new(it);
    let takers =
        (0..64).map(|_| {
            let it = Arc::clone(&it);
            async move {
                taken(&it, &[ask("someone", "60/h burst 20", 1), ask("tenant", "60/h burst 50", 1)]).await
            }
        });
    assert_eq!(together(takers).await.into_iter().flatten().count(), 20);
    assert_eq!(taken(&it, &[ask("tenant", "60/h burst 50", 50)]).await, Some(vec![30]));
}

pub(super) async fn says_when_there_will_be_permits_and_there_are(it: Subject) {
    let one = ask("someone", "60/h burst 1", 1);
    assert_eq!(taken(&it, &[one]).await, Some(vec![1]));
    it.clock.advance(MINUTE / 4);
    let steps = it.cache.take_permits(&[one]).await.unwrap();
    assert_eq!(steps, [Step::Refused { retry_after: MINUTE / 4 * 3, reset: MINUTE / 4 * 3 }]);
    it.clock.advance(MINUTE / 4 * 3 - Duration::from_millis(1));
    assert_eq!(taken(&it, &[one]).await, None);
    it.clock.advance(Duration::from_millis(1));
    assert_eq!(taken(&it, &[one]).await, Some(vec![1]));
}
