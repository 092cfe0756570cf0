//! Leases: one refresh in flight per credential, judged by the store's time.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Subject, again};
use crate::clock::Clock;
use crate::domain::{Credential, EventKind, Lease, StatusReason};
use crate::store::{EventFilter, Leased, Release};
use crate::testing::build;

const LENGTH: Duration = Duration::from_secs(30);

async fn one(s: &Subject) -> Credential {
    s.connect(&build::connection(1)).await.credentials.remove(0)
}

async fn take(s: &Subject, credential: &Credential, owner: &str) -> Leased {
    s.store.lease(&credential.id, credential.version, owner, LENGTH).await.unwrap()
}

fn give_back(credential: &Credential, owner: &str) -> Release {
    Release {
        id: credential.id.clone(),
        owner: owner.to_owned(),
        intent_at: Some(build::NOW),
        next_refresh_at: Some(build::NOW + Duration::from_secs(120)),
        failures: 3,
        last_failure: Some("provider_unavailable".to_owned()),
        event: Some(build::event(EventKind::RefreshFailed, &build::connection(1))),
    }
}

pub async fn one_of_fifty_callers_takes_the_lease(s: Subject) {
    let credential = one(&s).await;
    let owners: Vec<_> = (0..50).map(|number| format!("owner-{number}")).collect();
    let outcomes = join_all(owners.iter().map(|owner| take(&s, &credential, owner))).await;
    let taken = outcomes.iter().filter(|outcome| matches!(outcome, Leased::Taken(_))).count();
    let held = outcomes.iter().filter(|outcome| **outcome == Leased::Held(LENGTH)).count();
    assert_eq!((taken, held), (1, 49));
}

pub async fn a_taken_lease_is_the_credential_before_and_records_intent_and_next_look(s: Subject) {
    let before = one(&s).await;
    assert_eq!(take(&s, &before, "me").await, Leased::Taken(Box::new(before.clone())));
    let until = s.clock.now() + LENGTH;
    let after = Credential {
        lease: Some(Lease { owner: "me".to_owned(), until }),
        intent_at: Some(s.clock.now()),
        next_refresh_at: Some(until),
        ..before.clone()
    };
    assert_eq!(s.store.credential(&before.id).await.unwrap(), Some(after));
}

pub async fn a_running_lease_is_held_for_what_is_left_of_it(s: Subject) {
    let credential = one(&s).await;
    take(&s, &credential, "me").await;
    s.clock.advance(LENGTH - Duration::from_millis(1));
    assert_eq!(take(&s, &credential, "other").await, Leased::Held(Duration::from_millis(1)));
    assert_eq!(take(&s, &credential, "me").await, Leased::Held(Duration::from_millis(1)));
}

pub async fn an_ended_lease_is_taken_by_the_next_who_sees_the_intent(s: Subject) {
    let credential = one(&s).await;
    take(&s, &credential, "me").await;
    let intent = s.clock.now();
    s.clock.advance(LENGTH);
    let Leased::Taken(before) = take(&s, &credential, "other").await else {
        unreachable!("the lease has ended")
    };
    assert_eq!(before.intent_at, Some(intent));
    let now = s.store.credential(&credential.id).await.unwrap().unwrap();
    assert_eq!(now.lease.unwrap().owner, "other");
    assert_eq!(now.intent_at, Some(s.clock.now()));
}

pub async fn a_lease_on_another_version_or_a_dead_credential_has_moved(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let old = &connection.credentials[0];
    let new = s.connect(&again(&connection)).await.credentials.remove(0);
    assert_eq!(take(&s, old, "me").await, Leased::Moved(Box::new(new.clone())));

    let event = build::event(EventKind::GrantEnded, &connection);
    s.store.condemn(&new.id, new.version, StatusReason::GrantExpired, &event).await.unwrap();
    let dead = s.store.credential(&new.id).await.unwrap().unwrap();
    assert_eq!(take(&s, &new, "me").await, Leased::Moved(Box::new(dead.clone())));
    assert_eq!(s.store.credential(&new.id).await.unwrap(), Some(dead));
}

pub async fn a_lease_on_nothing_is_missing(s: Subject) {
    assert_eq!(take(&s, &build::credential(1), "me").await, Leased::Missing);
}

pub async fn giving_back_writes_what_it_says_and_frees_the_lease(s: Subject) {
    let before = one(&s).await;
    take(&s, &before, "me").await;
    let release = give_back(&before, "me");
    s.store.release(&release).await.unwrap();
    let after = Credential {
        intent_at: release.intent_at,
        next_refresh_at: release.next_refresh_at,
        failures: 3,
        last_failure: release.last_failure,
        ..before.clone()
    };
    assert_eq!(s.store.credential(&before.id).await.unwrap(), Some(after));
    let events = s.store.events(&EventFilter::default(), None, 10).await.unwrap();
    assert_eq!(events.items, [release.event.unwrap()]);
    assert!(matches!(take(&s, &before, "other").await, Leased::Taken(_)));
}

pub async fn giving_back_what_another_holds_does_nothing(s: Subject) {
    let credential = one(&s).await;
    s.store.release(&give_back(&credential, "me")).await.unwrap();
    assert_eq!(s.store.credential(&credential.id).await.unwrap(), Some(credential.clone()));

    take(&s, &credential, "me").await;
    s.clock.advance(LENGTH);
    take(&s, &credential, "other").await;
    let held = s.store.credential(&credential.id).await.unwrap();
    s.store.release(&give_back(&credential, "me")).await.unwrap();
    assert_eq!(s.store.credential(&credential.id).await.unwrap(), held);
    assert_eq!(s.store.events(&EventFilter::default(), None, 10).await.unwrap().items, []);
}
