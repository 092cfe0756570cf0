//! Sweeping: what is due is found by shard and time, whatever else there is.

use std::time::Duration;

use super::Subject;
use super::connecting::{ids, in_workspace};
use crate::domain::{CredentialId, EventKind, StatusReason, Timestamp};
use crate::store::{SHARDS, shard_of};
use crate::testing::build;

async fn due(s: &Subject, before: Timestamp) -> Vec<CredentialId> {
    let mut seen = Vec::new();
    for shard in 0..SHARDS {
        let (mut after, mut of_shard) = (None, Vec::new());
        loop {
            let page = s.store.due_refreshes(shard, before, after.as_ref(), 2).await.unwrap();
            for due in &page {
                assert_eq!(shard_of(due.credential.id.as_str()), shard);
                let at = due.credential.next_refresh_at.unwrap();
                of_shard.push((at, due.credential.id.clone()));
            }
            if page.len() < 2 {
                break;
            }
            after = of_shard.last().cloned();
        }
        assert!(of_shard.is_sorted());
        seen.extend(of_shard.into_iter().map(|(_, id)| id));
    }
    seen.sort();
    seen
}

fn credentials(numbers: impl IntoIterator<Item = u32>) -> Vec<CredentialId> {
    numbers.into_iter().map(|number| build::credential(number).id).collect()
}

pub async fn refreshes_are_due_by_shard_oldest_first_in_pages(s: Subject) {
    let at = |number: u32| build::NOW - Duration::from_secs(u64::from(number / 2));
    for number in 1..=40 {
        let mut connection = build::connection(number);
        connection.credentials[0].next_refresh_at = Some(at(number));
        s.connect(&connection).await;
    }
    // Numbers 1 to 3 are due at or after `at(2)`.
    assert_eq!(due(&s, at(2)).await, credentials(4..=40));
}

pub async fn what_is_dead_or_never_due_is_not_due(s: Subject) {
    for number in 1..=5 {
        let mut connection = build::connection(number);
        connection.credentials[0].next_refresh_at = Some(build::NOW).filter(|_| number != 1);
        s.connect(&connection).await;
    }
    let event = build::event(EventKind::Alert, &build::connection(1));
    let [_, condemned, revoked, leased, _] = ids(1..=5)[..] else { unreachable!() };
    let id = &s.connection(condemned).await.credentials[0].id;
    s.store.condemn(id, 1, StatusReason::GrantExpired, &event).await.unwrap();
    s.store.begin_revocation(revoked, &build::revoked(), &event).await.unwrap();
    let id = &s.connection(leased).await.credentials[0].id;
    let length = Duration::from_secs(30);
    s.store.lease(id, 1, "me", length).await.unwrap();

    assert_eq!(due(&s, build::NOW + length).await, credentials([5]));
    // A holder that died is found when its lease is over.
    assert_eq!(due(&s, build::NOW + length + length).await, credentials([4, 5]));
}

pub async fn what_is_due_names_the_lowest_connection_that_uses_it(s: Subject) {
    s.connect(&in_workspace(7, 1)).await;
    let bot = s.connect(&in_workspace(5, 2)).await.credentials.remove(0);
    let before = build::NOW + Duration::from_secs(3600);
    let page = s.store.due_refreshes(shard_of(bot.id.as_str()), before, None, 10).await.unwrap();
    let bot = page.iter().find(|due| due.credential == bot).unwrap();
    assert_eq!(bot.connection_id, Some(build::connection_id(5)));
}
