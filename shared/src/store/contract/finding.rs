//! Finding: by place, by user, by filter, in pages.

use std::time::Duration;

use super::connecting::ids;
use super::{Subject, again};
use crate::domain::{
    Account, Connection, ConnectionId, EventKind, HealthStatus, ProviderId, Status, StatusReason,
};
use crate::store::{Filter, HealthWrite, Tally};
use crate::testing::build;

async fn list(s: &Subject, filter: &Filter) -> Vec<ConnectionId> {
    let page = s.store.list(filter, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.items.iter().map(|connection| connection.id).collect()
}

pub async fn an_account_is_found_at_its_place_and_nowhere_else(s: Subject) {
    let gmail = s.connect(&build::connection(1)).await;
    let slack = s.connect(&build::slack(2, "T1")).await;
    for it in [&gmail, &slack] {
        let find = |tenant, account| s.store.find(tenant, &it.user_id, &it.provider, account);
        assert_eq!(find(&it.tenant_id, &it.account).await.unwrap().as_ref(), Some(it));
        // An e-mail is no part of the place: it may change.
        let mail = Account { email: None, ..it.account.clone() };
        assert_eq!(find(&it.tenant_id, &mail).await.unwrap().as_ref(), Some(it));
        let team = Account { team_id: Some("T9".to_owned()), ..it.account.clone() };
        assert_eq!(find(&it.tenant_id, &team).await.unwrap(), None);
        assert_eq!(find(&build::tenant("other"), &it.account).await.unwrap(), None);
    }
}

pub async fn a_selection_is_all_of_a_users_connections_at_a_provider_in_order(s: Subject) {
    let mut version = 0;
    let mut connect = async |number, tenant: &str, user: &str, slack: bool| {
        let mut it = if slack { build::slack(number, "T1") } else { build::connection(number) };
        if slack {
            version += 1;
            it.credentials[0].version = version;
        }
        it.tenant_id = build::tenant(tenant);
        it.user_id = build::user(user);
        s.connect(&it).await;
    };
    connect(3, "acme", "ann", true).await;
    connect(1, "acme", "ann", true).await;
    connect(2, "acme", "ann", false).await;
    connect(4, "acme", "bob", true).await;
    connect(5, "other", "ann", true).await;
    let (acme, ann) = (build::tenant("acme"), build::user("ann"));
    let found = s.store.select(&acme, &ann, &build::provider("slack")).await.unwrap();
    let found: Vec<_> = found.iter().map(|it| (it.id, it.credentials.len())).collect();
    assert_eq!(found, ids([1, 3]).into_iter().map(|id| (id, 2)).collect::<Vec<_>>());
    assert_eq!(s.store.select(&acme, &ann, &build::provider("none")).await.unwrap(), []);
}

pub async fn a_list_fits_its_filter(s: Subject) {
    for number in 1..=6 {
        let mut it = build::connection(number);
        if number % 2 == 0 {
            it.tenant_id = build::tenant("other");
        }
        if number > 3 {
            it.provider = build::provider("mail");
        }
        if number == 4 {
            (it.status, it.status_reason) = (Status::Expired, Some(StatusReason::GrantExpired));
        }
        if number == 5 {
            it.health.status = Some(HealthStatus::Unhealthy);
        }
        s.connect(&it).await;
    }
    let all = Filter::default;
    let other = Some(build::tenant("other"));
    let mail = Some(build::provider("mail"));
    assert_eq!(list(&s, &all()).await, ids(1..=6));
    assert_eq!(list(&s, &Filter { tenant_id: other.clone(), ..all() }).await, ids([2, 4, 6]));
    let user_id = Some(build::user("user-3"));
    assert_eq!(list(&s, &Filter { user_id, ..all() }).await, ids([3]));
    assert_eq!(list(&s, &Filter { provider: mail.clone(), ..all() }).await, ids(4..=6));
    assert_eq!(list(&s, &Filter { status: Some(Status::Expired), ..all() }).await, ids([4]));
    let health = Some(HealthStatus::Unhealthy);
    assert_eq!(list(&s, &Filter { health, ..all() }).await, ids([5]));
    let both = Filter { tenant_id: other, provider: mail, status: Some(Status::Active), ..all() };
    assert_eq!(list(&s, &both).await, ids([6]));
}

pub async fn pages_are_full_until_the_end_and_show_everything_once(s: Subject) {
    for number in 1..=7 {
        let mut it = build::connection(number);
        // Those that don't fit must not shorten a page.
        if number % 3 == 0 {
            it.tenant_id = build::tenant("other");
        }
        s.connect(&it).await;
    }
    let filter = Filter { tenant_id: Some(build::tenant("acme")), ..Filter::default() };
    for (limit, sizes) in [(1, vec![1; 5]), (2, vec![2, 2, 1]), (4, vec![4, 1]), (5, vec![5])] {
        let (mut seen, mut lengths, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = s.store.list(&filter, after.as_deref(), limit).await.unwrap();
            lengths.push(page.items.len());
            seen.extend(page.items.iter().map(|connection| connection.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen, lengths), (ids([1, 2, 4, 5, 7]), sizes));
    }
}

pub async fn what_expires_soon_is_judged_by_the_default_credential(s: Subject) {
    let soon = build::NOW + Duration::from_secs(60);
    let mut default = build::slack(1, "T1");
    default.credentials[0].expires_at = Some(soon);
    let mut second = build::slack(2, "T2");
    second.credentials[1].expires_at = Some(soon);
    let mut never = build::connection(3);
    never.credentials[0].expires_at = None;
    for connection in [&default, &second, &never] {
        s.connect(connection).await;
    }
    let before = |time| Filter { expiring_before: Some(time), ..Filter::default() };
    assert_eq!(list(&s, &before(soon)).await, []);
    assert_eq!(list(&s, &before(soon + Duration::from_millis(1))).await, ids([1]));
}

pub async fn tallies_follow_every_change(s: Subject) {
    let expect = async |expected: &[(&Connection, Status, Option<HealthStatus>, u64)]| {
        let mut tallies =
            s.store.tallies(&[build::provider("gmail"), build::provider("slack")]).await.unwrap();
        let key = |it: &Tally| (it.provider.clone(), it.status, it.health);
        tallies.sort_by_key(key);
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(of, status, health, count)| {
                let provider: ProviderId = of.provider.clone();
                Tally { provider, status: *status, health: *health, count: *count }
            })
            .collect();
        expected.sort_by_key(key);
        assert_eq!(tallies, expected);
    };
    let gmail = s.connect(&build::connection(1)).await;
    s.connect(&build::connection(2)).await;
    let slack = s.connect(&build::slack(3, "T1")).await;
    expect(&[(&gmail, Status::Active, None, 2), (&slack, Status::Active, None, 1)]).await;

    s.connect(&again(&gmail)).await;
    let credential = s.credential(&gmail).await;
    let healthy = HealthWrite {
        connection_id: gmail.id,
        tested: (credential.id.clone(), credential.version),
        verdict: Some((HealthStatus::Healthy, None)),
        checked_at: build::NOW,
        next_probe_at: build::NOW,
        event: None,
    };
    assert!(s.store.set_health(&healthy).await.unwrap());
    expect(&[
        (&gmail, Status::Active, None, 1),
        (&gmail, Status::Active, Some(HealthStatus::Healthy), 1),
        (&slack, Status::Active, None, 1),
    ])
    .await;

    let event = build::event(EventKind::GrantEnded, &gmail);
    let reason = StatusReason::GrantExpired;
    s.store.condemn(&credential.id, credential.version, reason, &event).await.unwrap();
    s.revoke(&slack).await.unwrap();
    expect(&[
        (&gmail, Status::Active, None, 1),
        (&gmail, Status::Expired, Some(HealthStatus::Healthy), 1),
        (&slack, Status::Revoked, None, 1),
    ])
    .await;

    s.store.delete_tenant(&gmail.tenant_id).await.unwrap();
    expect(&[]).await;
}
