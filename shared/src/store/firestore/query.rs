//! Queries, in the few forms that indexes serve: equalities, one range, an order, a place to go on from, a limit.

use gcloud_sdk::google::firestore::v1::structured_query::composite_filter::Operator as Joined;
use gcloud_sdk::google::firestore::v1::structured_query::field_filter::Operator;
use gcloud_sdk::google::firestore::v1::structured_query::filter::FilterType;
use gcloud_sdk::google::firestore::v1::structured_query::{
    CollectionSelector, CompositeFilter, Direction, FieldFilter, FieldReference, Filter, Order,
};
use gcloud_sdk::google::firestore::v1::value::ValueType;
use gcloud_sdk::google::firestore::v1::{Cursor, StructuredQuery, Value};

use super::fields::value;
use super::link::Snapshot;
use super::{Firestore, path};
use crate::store::StoreError;

/// Firestore's name for a document's own name.
const NAME: &str = "__name__";

/// How much is read at once of what may be long.
const PAGE: usize = 300;

/// A field, and whether it is a list or, of an order, whether that is descending.
#[cfg(test)]
type Shaped = (&'static str, bool);

/// A query of one collection.
#[derive(Clone)]
pub(super) struct Query {
    pub(super) collection: &'static str,
    filters: Vec<(&'static str, Operator, Value)>,
    order: Option<(&'static str, Direction)>,
    after: Option<(Option<Value>, String)>,
    limit: Option<usize>,
}

impl Query {
    pub(super) const fn of(collection: &'static str) -> Self {
        Self { collection, filters: Vec::new(), order: None, after: None, limit: None }
    }

    fn filter(mut self, field: &'static str, operator: Operator, value: Value) -> Self {
        self.filters.push((field, operator, value));
        self
    }

    /// Whose `field` is `value`.
    pub(super) fn equal(self, field: &'static str, value: Value) -> Self {
        self.filter(field, Operator::Equal, value)
    }

    /// Whose list `field` has `value` in it.
    pub(super) fn contains(self, field: &'static str, value: Value) -> Self {
        self.filter(field, Operator::ArrayContains, value)
    }

    pub(super) fn less(self, field: &'static str, value: Value) -> Self {
        self.filter(field, Operator::LessThan, value)
    }

    pub(super) fn at_most(self, field: &'static str, value: Value) -> Self {
        self.filter(field, Operator::LessThanOrEqual, value)
    }

    pub(super) fn at_least(self, field: &'static str, value: Value) -> Self {
        self.filter(field, Operator::GreaterThanOrEqual, value)
    }

    /// By `field`, lowest first; equal ones by name. Without it, by name.
    pub(super) fn ascending(self, field: &'static str) -> Self {
        Self { order: Some((field, Direction::Ascending)), ..self }
    }

    /// By `field`, highest first; equal ones by name, highest first.
    pub(super) fn descending(self, field: &'static str) -> Self {
        Self { order: Some((field, Direction::Descending)), ..self }
    }

    /// Behind the document `id`, whose ordered field is `value`.
    pub(super) fn after(self, value: Option<Value>, id: impl Into<String>) -> Self {
        Self { after: Some((value, id.into())), ..self }
    }

    pub(super) fn limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// The fields that need an index, in its order: equalities (`true`: a list that contains), then what is
    /// ordered by; a range is always on what is ordered by.
    #[cfg(test)]
    pub(super) fn shape(&self) -> (Vec<Shaped>, Option<Shaped>) {
        let order = self.order.map(|(field, direction)| (field, direction == Direction::Descending));
        let fixed = self.filters.iter().filter_map(|(field, operator, _)| {
            if matches!(operator, Operator::Equal | Operator::ArrayContains) {
                return Some((*field, *operator == Operator::ArrayContains));
            }
            assert_eq!(order.map(|(ordered, _)| ordered), Some(*field), "a range goes with its order");
            None
        });
        (fixed.collect(), order)
    }

    fn into_wire(self, documents: impl Fn(&str) -> String) -> StructuredQuery {
        let direction = self.order.map_or(Direction::Ascending, |(_, direction)| direction);
        let order = |field: &str| Order { field: Some(reference(field)), direction: direction.into() };
        let ordered = self.order.map(|(field, _)| field).into_iter().chain([NAME]);
        let filters: Vec<_> = self
            .filters
            .into_iter()
            .map(|(field, operator, value)| Filter {
                filter_type: Some(FilterType::FieldFilter(FieldFilter {
                    field: Some(reference(field)),
                    op: operator.into(),
                    value: Some(value),
                })),
            })
            .collect();
        let all = CompositeFilter { op: Joined::And.into(), filters };
        StructuredQuery {
            from: vec![CollectionSelector {
                collection_id: self.collection.to_owned(),
                all_descendants: false,
            }],
            r#where: (!all.filters.is_empty())
                .then_some(Filter { filter_type: Some(FilterType::CompositeFilter(all)) }),
            order_by: ordered.map(order).collect(),
            start_at: self.after.map(|(ordered, id)| {
                let name = value(ValueType::ReferenceValue(documents(&path(self.collection, &id))));
                Cursor { values: ordered.into_iter().chain([name]).collect(), before: false }
            }),
            limit: self.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)),
            ..Default::default()
        }
    }
}

fn reference(field: &str) -> FieldReference {
    FieldReference { field_path: field.to_owned() }
}

impl Firestore {
    /// Runs a query; in tests, only one that `firestore.indexes.json` serves.
    pub(super) async fn query(&self, query: Query) -> Result<Vec<Snapshot>, StoreError> {
        #[cfg(test)]
        super::tests::indexes::assert_served(&query);
        self.link.query(query.into_wire(|path| self.link.name(path))).await
    }

    /// Runs a query that is ordered by name, page by page to its end.
    pub(super) async fn query_all(&self, query: Query) -> Result<Vec<Snapshot>, StoreError> {
        let mut all = self.query(query.clone().limit(PAGE)).await?;
        while all.len() % PAGE == 0
            && let Some(last) = all.last()
        {
            let next = query.clone().after(None, last.id.as_str()).limit(PAGE);
            let page = self.query(next).await?;
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        Ok(all)
    }

    /// Counts what a query would find.
    pub(super) async fn count(&self, query: Query) -> Result<u64, StoreError> {
        #[cfg(test)]
        super::tests::indexes::assert_served(&query);
        let mut query = query.into_wire(|path| self.link.name(path));
        query.order_by.clear();
        self.link.count(query).await
    }
}
