//! Proves that every query has an index in `firestore.indexes.json`, which the emulator does not ask for, and that no index has a range that rises with every write.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use gcloud_sdk::google::firestore::v1::value::ValueType;
use serde::Deserialize;

use super::super::fields::Fields;
use super::super::query::Query;

const FILE: &str = include_str!("../../../../../infra/firestore/firestore.indexes.json");

/// In front of a rising value these spread it: a shard, or an id that is random.
const SPREAD: [&str; 5] = ["shard", "refreshShard", "probeShard", "connectionId", "credentialId"];

static INDEXES: LazyLock<File> = LazyLock::new(|| serde_json::from_str(FILE).unwrap());

/// The indexes that this process has needed.
static USED: Mutex<BTreeSet<Index>> = Mutex::new(BTreeSet::new());

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    indexes: Vec<Composite>,
    field_overrides: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Composite {
    collection_group: String,
    query_scope: Scope,
    fields: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Override {
    collection_group: String,
    field_path: String,
    #[serde(default)]
    ttl: bool,
    indexes: Vec<Single>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Single {
    query_scope: Scope,
    order: Option<Order>,
    array_config: Option<Contains>,
}

#[derive(Deserialize)]
enum Scope {
    #[serde(rename = "COLLECTION")]
    Collection,
}

#[derive(Deserialize)]
enum Contains {
    #[serde(rename = "CONTAINS")]
    Contains,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Part {
    field_path: String,
    order: Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Order {
    Ascending,
    Descending,
}

/// An index, as text: its collection and its fields, each with `+`, `-` or, in a list, `[]`.
type Index = (String, Vec<String>);

impl File {
    fn all(&self) -> BTreeSet<Index> {
        let sign = |order: &Order| match order {
            Order::Ascending => "+",
            Order::Descending => "-",
        };
        let composites = self.indexes.iter().map(|index| {
            let Scope::Collection = index.query_scope;
            let fields = index.fields.iter().map(|part| format!("{}{}", part.field_path, sign(&part.order)));
            (index.collection_group.clone(), fields.collect())
        });
        let singles = self.field_overrides.iter().flat_map(|field| {
            field.indexes.iter().map(|index| {
                let Scope::Collection = index.query_scope;
                let sign = match (&index.order, &index.array_config) {
                    (Some(order), None) => sign(order),
                    (None, Some(Contains::Contains)) => "[]",
                    (Some(_), Some(_)) | (None, None) => panic!("{} has two signs or none", field.field_path),
                };
                (field.collection_group.clone(), vec![format!("{}{sign}", field.field_path)])
            })
        });
        composites.chain(singles).collect()
    }

    /// Whether documents of a collection end by themselves.
    fn has_policy(&self, collection: &str) -> bool {
        let mut of =
            self.field_overrides.iter().filter(|each| each.collection_group == collection && each.ttl);
        of.any(|each| each.field_path == "expireAt" && each.indexes.is_empty())
    }

    /// Whether nothing in a collection is indexed but what the file says.
    fn is_closed(&self, collection: &str) -> bool {
        self.field_overrides.iter().any(|each| {
            each.collection_group == collection && each.field_path == "*" && each.indexes.is_empty()
        })
    }
}

/// The indexes that a query needs: of equalities alone one for each field, which are merged; with an order one
/// that has all of its fields.
fn needs(query: &Query) -> Vec<Index> {
    let (fixed, order) = query.shape();
    let fixed = fixed.into_iter().map(|(field, list)| format!("{field}{}", if list { "[]" } else { "+" }));
    let collection = query.collection.to_owned();
    match order {
        None => fixed.map(|field| (collection.clone(), vec![field])).collect(),
        Some((field, descending)) => {
            let ordered = format!("{field}{}", if descending { "-" } else { "+" });
            vec![(collection, fixed.chain([ordered]).collect())]
        }
    }
}

/// Fails for a query that Firestore would refuse.
pub(in super::super) fn assert_served(query: &Query) {
    let indexes = INDEXES.all();
    for index in needs(query) {
        assert!(indexes.contains(&index), "firestore.indexes.json has no index {index:?}");
        USED.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
    }
}

/// Fails for a document with a time that would rise in an index, or that should end by itself and would not.
pub(in super::super) fn assert_spread(path: &str, fields: &Fields) {
    let (collection, _) = path.split_once('/').unwrap();
    assert!(INDEXES.is_closed(collection), "{collection} has automatic indexes");
    assert_eq!(fields.0.contains_key("expireAt"), INDEXES.has_policy(collection), "{collection}");
    let is_time = |name: &str| {
        let value = fields.0.get(name).and_then(|value| value.value_type.as_ref());
        matches!(value, Some(ValueType::TimestampValue(_))) || name == "day"
    };
    for (indexed, parts) in INDEXES.all() {
        let names: Vec<_> = parts.iter().map(|part| part.trim_end_matches(['+', '-', '[', ']'])).collect();
        let rises = indexed == collection && names.iter().any(|name| is_time(name));
        assert!(!rises || SPREAD.contains(&names[0]), "{parts:?} of {collection} rises with every write");
    }
}

mod tests {
    use std::sync::Arc;

    use gcloud_sdk::google::firestore::v1::Value;

    use super::*;
    use crate::domain::{EventKind, HealthStatus, Status};
    use crate::store::firestore::fields::{number, text, time};
    use crate::store::firestore::{CONNECTIONS, EVENTS, Time};
    use crate::store::{
        Connections as _, Credentials as _, DataKeys as _, EventFilter, Filter, Journal as _, KeyOwner,
        Revocations as _, WrappedKey,
    };
    use crate::testing::TestClock;
    use crate::testing::build::{self, NOW};

    fn zero() -> Value {
        number(0)
    }

    #[test]
    fn queries_that_are_listed_are_served() {
        let of_shard = Query::of(CONNECTIONS).equal("refreshShard", zero());
        assert_served(&of_shard.less("nextRefreshAt", time(NOW)).ascending("nextRefreshAt"));
        assert_served(&Query::of(CONNECTIONS).equal("tenantId", text("a")).equal("status", text("b")));
        assert_served(&Query::of(CONNECTIONS).contains("keyIds", text("a")));
        assert_served(&Query::of(EVENTS));
    }

    #[test]
    fn a_query_of_another_shape_is_refused() {
        let due = || Query::of(CONNECTIONS).equal("refreshShard", zero());
        for query in [
            due().descending("nextRefreshAt"),
            due().equal("tenantId", text("a")).ascending("nextRefreshAt"),
            Query::of(CONNECTIONS).ascending("nextRefreshAt"),
            due(),
            Query::of(CONNECTIONS).equal("encryptedAccessToken", text("a")),
            Query::of(CONNECTIONS).equal("keyIds", text("a")),
            Query::of(CONNECTIONS).contains("tenantId", text("a")),
            Query::of(EVENTS).equal("tenantId", text("a")),
        ] {
            let refused = std::panic::catch_unwind(|| assert_served(&query));
            assert!(refused.is_err(), "{:?}", query.shape());
        }
    }

    #[test]
    fn a_range_on_what_is_not_ordered_by_is_refused() {
        let query = Query::of(CONNECTIONS).equal("tenantId", text("a")).less("nextRefreshAt", time(NOW));
        assert!(std::panic::catch_unwind(|| assert_served(&query)).is_err());
    }

    #[test]
    fn a_time_that_would_rise_in_an_index_is_refused() {
        let mut fields = Fields::default();
        fields.set("state", text("a"));
        assert_spread("oauth_data_keys/a", &fields);
        assert!(std::panic::catch_unwind(|| assert_spread("another/a", &fields)).is_err());
        fields.set("state", time(NOW));
        assert!(std::panic::catch_unwind(|| assert_spread("oauth_data_keys/a", &fields)).is_err());
    }

    #[test]
    fn what_ends_by_itself_says_when() {
        let mut fields = Fields::default();
        assert!(std::panic::catch_unwind(|| assert_spread("oauth_events/a", &fields)).is_err());
        fields.set("expireAt", time(NOW));
        assert_spread("oauth_events/a", &fields);
        assert!(std::panic::catch_unwind(|| assert_spread("oauth_data_keys/a", &fields)).is_err());
    }

    /// Every verb that queries, on as little as makes it ask.
    #[tokio::test]
    async fn every_index_serves_a_query() {
        let clock = Arc::new(TestClock::new());
        let Some((store, _emulator)) = super::super::open(Time::Clock(clock)) else { return };
        let connection = build::slack(1, "T1");
        let event = build::event(EventKind::Revoked, &connection);
        let key = |id: &str| WrappedKey {
            id: id.to_owned(),
            owner: KeyOwner::Tenant(connection.tenant_id.clone()),
            wrapped: Vec::new(),
            created_at: NOW,
        };
        store.connect(&connection, NOW, &[]).await.unwrap();
        store.due_refreshes(0, NOW, None, 1).await.unwrap();
        store.due_probes(0, NOW, None, 1).await.unwrap();
        store.due_revocations(NOW, 1).await.unwrap();
        let (tenant_id, provider) = (Some(connection.tenant_id.clone()), Some(connection.provider.clone()));
        let filter = Filter {
            tenant_id: tenant_id.clone(),
            user_id: Some(connection.user_id.clone()),
            provider,
            status: Some(Status::Active),
            health: Some(HealthStatus::Healthy),
            expiring_before: None,
        };
        store.list(&filter, None, 1).await.unwrap();
        let about = Some((connection.id, vec![connection.credentials[0].id.clone()]));
        for filter in [
            EventFilter::default(),
            EventFilter { tenant_id, ..EventFilter::default() },
            EventFilter { about, ..EventFilter::default() },
        ] {
            store.events(&filter, None, 1).await.unwrap();
        }
        store.served(connection.id, 0).await.unwrap();
        for (id, replaces) in [("key-1", None), ("key-2", Some("key-1"))] {
            store.add_key(&key(id), replaces).await.unwrap();
        }
        store.sealed_with_old_keys(None, 10).await.unwrap();
        store.begin_revocation(connection.id, &build::revoked(), &event).await.unwrap();
        store.delete_tenant(&connection.tenant_id).await.unwrap();
        store.destroy_keys(&connection.tenant_id).await.unwrap();
        assert_eq!(*USED.lock().unwrap(), INDEXES.all());
    }
}
