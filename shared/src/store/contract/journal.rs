//! The journal: events for people to read, counts, reports.

use std::time::Duration;

use futures_util::future::join_all;

use super::Subject;
use crate::domain::{Event, EventKind, Job, JobReport, Rule, Timestamp};
use crate::store::{EventFilter, OneTime, Space, StoreError};
use crate::testing::build;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn all() -> EventFilter {
    EventFilter::default()
}

/// An event `seconds` after [`build::NOW`] that says which it is.
fn event(seconds: u64, detail: &str) -> Event {
    Event {
        at: build::NOW + Duration::from_secs(seconds),
        detail: Some(detail.to_owned()),
        ..build::event(EventKind::Refreshed, &build::connection(1))
    }
}

async fn details(s: &Subject, filter: &EventFilter) -> String {
    let page = s.store.events(filter, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().filter_map(|event| event.detail).collect()
}

pub async fn events_are_newest_first_in_pages(s: Subject) {
    // Not in the order of their times, and two at once: the one written later is the newer.
    let events = [event(2, "c"), event(0, "a"), event(1, "b"), event(2, "d"), event(3, "e")];
    s.store.record(&events).await.unwrap();
    for limit in 1..=5 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = s.store.events(&all(), after.as_deref(), limit).await.unwrap();
            after = page.next;
            assert!(page.items.len() == limit || after.is_none());
            seen.extend(page.items);
            if after.is_none() {
                break;
            }
        }
        let seen: String = seen.into_iter().filter_map(|event| event.detail).collect();
        assert_eq!(seen, "edcba");
    }
    assert_eq!(s.store.events(&all(), None, 5).await.unwrap().items[0], event(3, "e"));
}

pub async fn an_alarm_is_raised_by_one_of_many_and_stands_for_its_time(s: Subject) {
    let rule = Rule { key: "refused.gmail".to_owned(), needs: 1, stands: DAY };
    let alert = event(0, "a");
    let raised = join_all((0..20).map(|_| s.store.raise(&rule, "gmail", &alert))).await;
    assert_eq!(raised.into_iter().filter(|raised| *raised.as_ref().unwrap()).count(), 1);
    assert!(!s.store.raise(&rule, "gmail", &event(24 * 60 * 60 - 1, "b")).await.unwrap());
    assert!(s.store.raise(&rule, "gmail", &event(24 * 60 * 60, "c")).await.unwrap());
    let other = Rule { key: "refused.slack".to_owned(), ..rule };
    assert!(s.store.raise(&other, "slack", &event(24 * 60 * 60 + 1, "d")).await.unwrap());
    assert_eq!(details(&s, &all()).await, "dca");
}

pub async fn an_alarm_that_needs_several_counts_different_ones(s: Subject) {
    let rule = Rule { key: "testing.gmail".to_owned(), needs: 3, stands: DAY };
    for (subject, raises) in [("one", false), ("one", false), ("two", false), ("one", false), ("three", true)]
    {
        assert_eq!(s.store.raise(&rule, subject, &event(0, subject)).await.unwrap(), raises, "{subject}");
    }
    assert_eq!(details(&s, &all()).await, "three");
}

pub async fn events_fit_their_filter(s: Subject) {
    let mut events = [event(0, "a"), event(1, "b"), event(2, "c"), event(3, "d")];
    events[1].tenant_id = Some(build::tenant("other"));
    events[2].provider = Some(build::provider("slack"));
    events[3].kind = EventKind::Alert;
    (events[3].tenant_id, events[3].provider) = (None, None);
    (events[3].connection_id, events[3].credential_id) = (None, None);
    (events[3].by, events[3].request_id) = (None, None);
    s.store.record(&events).await.unwrap();

    assert_eq!(s.store.events(&all(), None, 1).await.unwrap().items, events[3..]);
    let tenant_id = Some(build::tenant("acme"));
    assert_eq!(details(&s, &EventFilter { tenant_id: tenant_id.clone(), ..all() }).await, "ca");
    let provider = Some(build::provider("gmail"));
    assert_eq!(details(&s, &EventFilter { provider: provider.clone(), ..all() }).await, "ba");
    assert_eq!(details(&s, &EventFilter { kind: Some(EventKind::Alert), ..all() }).await, "d");
    let since = Some(events[1].at);
    let before = Some(events[3].at);
    assert_eq!(details(&s, &EventFilter { since, ..all() }).await, "dcb");
    assert_eq!(details(&s, &EventFilter { before, ..all() }).await, "cba");
    assert_eq!(details(&s, &EventFilter { tenant_id, provider, before, ..all() }).await, "a");
}

pub async fn events_of_a_connection_are_those_of_its_credentials_too(s: Subject) {
    let [mine, colleague] = [build::slack(1, "T1"), build::slack(2, "T1")];
    let bot = mine.credentials[0].id.clone();
    let about = |seconds, detail: &str, connection, credential| Event {
        connection_id: connection,
        credential_id: credential,
        ..event(seconds, detail)
    };
    let events = [
        about(0, "a", Some(mine.id), None),
        about(1, "b", None, Some(bot.clone())),
        about(2, "c", Some(colleague.id), Some(bot.clone())),
        about(3, "d", Some(colleague.id), None),
        about(4, "e", Some(mine.id), Some(bot.clone())),
    ];
    s.store.record(&events).await.unwrap();
    let of = |credentials| EventFilter { about: Some((mine.id, credentials)), ..all() };
    assert_eq!(details(&s, &of(vec![bot.clone()])).await, "ecba");
    assert_eq!(details(&s, &of(vec![])).await, "ea");
    let since = Some(events[2].at);
    assert_eq!(details(&s, &EventFilter { since, ..of(vec![bot]) }).await, "ec");
}

pub async fn a_cursor_that_is_none_is_refused(s: Subject) {
    let refused = s.store.events(&all(), Some("yesterday"), 10).await;
    assert!(matches!(refused, Err(StoreError::Malformed { what: "cursor", .. })));
}

pub async fn served_tokens_add_up_by_day(s: Subject) {
    s.connect(&build::connection(1)).await;
    s.connect(&build::connection(2)).await;
    let [one, two] = [1, 2].map(build::connection_id);
    s.store.count_served(&[(one, 10, 2), (two, 10, 7), (one, 11, 1)]).await.unwrap();
    s.store.count_served(&[(one, 10, 3), (one, 9, 1)]).await.unwrap();
    assert_eq!(s.store.served(one, 10).await.unwrap(), [(10, 5), (11, 1)]);
    assert_eq!(s.store.served(one, 0).await.unwrap(), [(9, 1), (10, 5), (11, 1)]);
    assert_eq!(s.store.served(two, 0).await.unwrap(), [(10, 7)]);
}

pub async fn the_last_report_of_a_job_is_kept(s: Subject) {
    let id = |number| uuid::Uuid::from_u128(number);
    let job = Job::ScheduledRefresh;
    assert_eq!(s.store.last_run(job).await.unwrap(), None);
    for number in [1, 2] {
        s.store.save_run(&JobReport::new(id(number), job, build::NOW)).await.unwrap();
    }
    let last = s.store.last_run(job).await.unwrap();
    assert_eq!(last, Some(JobReport::new(id(2), job, build::NOW)));
    assert_eq!(s.store.last_run(Job::ScheduledHealth).await.unwrap(), None);
}

pub async fn what_has_ended_is_purged_and_nothing_else(s: Subject) {
    let connection = s.connect(&build::connection(1)).await;
    let now = build::NOW + DAY * 100;
    let edge = now - DAY * 90;
    let old = Event { at: edge - Duration::from_millis(1), ..event(0, "old") };
    s.store.record(&[old, Event { at: edge, ..event(0, "kept") }]).await.unwrap();
    let counts = [(connection.id, edge.day() - 1, 1), (connection.id, edge.day(), 2)];
    s.store.count_served(&counts).await.unwrap();
    for (id, expires_at) in [("ended", now), ("runs", now + Duration::from_millis(1))] {
        s.store.put_once(&attempt(id, expires_at)).await.unwrap();
    }

    // A backend may leave the deleting to its database, which takes its time: what counts is what is answered.
    s.clock.advance(DAY * 100);
    s.store.purge(now).await.unwrap();
    assert_eq!(details(&s, &all()).await, "kept");
    assert_eq!(s.store.served(connection.id, edge.day()).await.unwrap(), [(edge.day(), 2)]);
    assert_eq!(s.store.take_once(Space::Attempt, "ended", now).await.unwrap(), None);
    assert!(s.store.take_once(Space::Attempt, "runs", now).await.unwrap().is_some());
    assert_eq!(s.connection(connection.id).await, connection);
}

/// An attempt of tenant `acme`.
pub(crate) fn attempt(id: &str, expires_at: Timestamp) -> OneTime {
    OneTime {
        space: Space::Attempt,
        id: id.to_owned(),
        tenant_id: build::tenant("acme"),
        sealed: format!("sealed {id}"),
        expires_at,
    }
}
