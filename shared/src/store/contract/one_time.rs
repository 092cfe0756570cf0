//! One-time entries: read and deleted in one step.

use std::time::Duration;

use futures_util::future::join_all;

use super::Subject;
use super::journal::attempt;
use crate::store::{OneTime, Space};
use crate::testing::build;

pub async fn an_entry_is_taken_once_by_one_of_fifty_callers(s: Subject) {
    s.store.put_once(&attempt("a", build::NOW + Duration::from_secs(60))).await.unwrap();
    let takers = (0..50).map(|_| s.store.take_once(Space::Attempt, "a", build::NOW));
    let taken: Vec<_> = join_all(takers).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, ["sealed a"]);
}

pub async fn an_entry_past_its_time_is_not_answered(s: Subject) {
    s.store.put_once(&attempt("a", build::NOW)).await.unwrap();
    assert_eq!(s.store.take_once(Space::Attempt, "a", build::NOW).await.unwrap(), None);
    // And is deleted: no earlier clock brings it back.
    let earlier = build::NOW - Duration::from_secs(1);
    assert_eq!(s.store.take_once(Space::Attempt, "a", earlier).await.unwrap(), None);
}

pub async fn spaces_are_apart(s: Subject) {
    let entry = attempt("a", build::NOW + Duration::from_secs(60));
    let completion = OneTime { space: Space::Completion, sealed: "other".to_owned(), ..entry.clone() };
    s.store.put_once(&entry).await.unwrap();
    s.store.put_once(&completion).await.unwrap();
    let taken = s.store.take_once(Space::Completion, "a", build::NOW).await.unwrap();
    assert_eq!(taken.as_deref(), Some("other"));
    let taken = s.store.take_once(Space::Attempt, "a", build::NOW).await.unwrap();
    assert_eq!(taken.as_deref(), Some("sealed a"));
}
