//! The line to Firestore: connected when first used, bounded in time, tried once more, made anew when it hangs.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use firestore::{FirestoreDb, FirestoreDbOptions};
use futures_util::TryStreamExt as _;
use gcloud_sdk::google::firestore::v1::batch_get_documents_response::Result as Answer;
use gcloud_sdk::google::firestore::v1::run_aggregation_query_request::QueryType as Counted;
use gcloud_sdk::google::firestore::v1::run_query_request::QueryType as Asked;
use gcloud_sdk::google::firestore::v1::structured_aggregation_query::aggregation::{Count, Operator};
use gcloud_sdk::google::firestore::v1::structured_aggregation_query::{Aggregation, QueryType as Nested};
use gcloud_sdk::google::firestore::v1::value::ValueType;
use gcloud_sdk::google::firestore::v1::{
    BatchGetDocumentsRequest, CommitRequest, Document, RunAggregationQueryRequest, RunQueryRequest,
    StructuredAggregationQuery, StructuredQuery, Write,
};
use gcloud_sdk::tonic::{Code, Status};
use google_cloud_auth::credentials::anonymous;
use tokio::sync::Mutex;

use super::fields::{Fields, from_wire};
use crate::domain::Timestamp;
use crate::google::Google;
use crate::store::StoreError;

/// How long one attempt may take; the slowest commit across a region is far quicker.
const ATTEMPT: Duration = Duration::from_millis(2500);

/// Where a database is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) database: String,
    /// `FIRESTORE_EMULATOR_HOST`; `None`: Google's.
    pub(super) emulator: Option<String>,
}

/// A document as it was read.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// The last part of its name.
    pub(super) id: String,
    pub(super) fields: Fields,
    /// For a write on condition that nobody wrote in between.
    pub(super) update_time: Option<prost_types::Timestamp>,
}

/// What a read of documents by name brought.
pub(super) struct Got {
    found: HashMap<String, Snapshot>,
    /// When, by the store's own clock.
    pub(super) at: Timestamp,
}

impl Got {
    /// The document of that path, if there is one.
    pub(super) fn take(&mut self, path: &str) -> Option<Snapshot> {
        self.found.remove(path)
    }
}

/// What became of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Committed {
    /// All of it is written; when the first document was last changed, from now on.
    Done(Option<prost_types::Timestamp>),
    /// Somebody wrote to one of the documents in between; nothing is written.
    Conflict,
}

impl Committed {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// A line to one database.
pub(super) struct Link {
    place: Place,
    google: Arc<Google>,
    db: Mutex<Option<FirestoreDb>>,
}

impl Link {
    /// Connects to nobody yet.
    pub(super) fn new(place: Place, google: Arc<Google>) -> Self {
        Self { place, google, db: Mutex::new(None) }
    }

    /// The full name of a document.
    pub(super) fn name(&self, path: &str) -> String {
        format!("{}/{path}", self.documents())
    }

    fn database(&self) -> String {
        format!("projects/{}/databases/{}", self.place.project, self.place.database)
    }

    fn documents(&self) -> String {
        format!("{}/documents", self.database())
    }

    /// Reads documents by their paths, all as of one time.
    pub(super) async fn get(&self, paths: &[String]) -> Result<Got, StoreError> {
        let documents: Vec<_> = paths.iter().map(|path| self.name(path)).collect();
        let prefix = format!("{}/", self.documents());
        let request = BatchGetDocumentsRequest { database: self.database(), documents, ..Default::default() };
        let answers = self
            .twice(|db| {
                let request = request.clone();
                async move {
                    let stream = db.client().get().batch_get_documents(request).await?;
                    stream.into_inner().try_collect::<Vec<_>>().await
                }
            })
            .await?;
        billed("get", paths.len(), 0);
        let mut got = Got { found: HashMap::new(), at: Timestamp::from_millis(0) };
        for answer in answers {
            if let Some(at) = &answer.read_time {
                got.at = got.at.max(from_wire(at));
            }
            match answer.result {
                Some(Answer::Found(document)) => {
                    let path = document.name.strip_prefix(&prefix).unwrap_or_default().to_owned();
                    got.found.insert(path, snapshot(document));
                }
                Some(Answer::Missing(_)) | None => {}
            }
        }
        Ok(got)
    }

    /// Writes all or nothing.
    ///
    /// After a lost answer the same writes are sent again: where the first ones arrived, their own conditions
    /// refuse the second, so every caller reads again after a conflict and recognises its own work.
    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        self.send(writes, Self::twice).await
    }

    /// Writes all or nothing, and is not tried again: for what must not be taken twice.
    pub(super) async fn commit_once(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        self.send(writes, Self::once).await
    }

    async fn send<'a, R>(
        &'a self,
        writes: Vec<Write>,
        how: impl FnOnce(&'a Self, Box<dyn Fn(FirestoreDb) -> Sending + Send + Sync>) -> R,
    ) -> Result<Committed, StoreError>
    where
        R: Future<Output = Result<Committed, StoreError>>,
    {
        billed("commit", 0, writes.len());
        let request = CommitRequest { database: self.database(), writes, ..Default::default() };
        let sent = move |db: FirestoreDb| -> Sending {
            let request = request.clone();
            Box::pin(async move {
                match db.client().get().commit(request).await {
                    Ok(done) => {
                        let answer = done.into_inner().write_results.into_iter().next();
                        Ok(Committed::Done(answer.and_then(|first| first.update_time)))
                    }
                    Err(status) if is_conflict(&status) => Ok(Committed::Conflict),
                    Err(status) => Err(status),
                }
            })
        };
        how(self, Box::new(sent)).await
    }

    /// Runs a query.
    pub(super) async fn query(&self, query: StructuredQuery) -> Result<Vec<Snapshot>, StoreError> {
        let request = RunQueryRequest {
            parent: self.documents(),
            query_type: Some(Asked::StructuredQuery(query)),
            ..Default::default()
        };
        let answers = self
            .twice(|db| {
                let request = request.clone();
                async move {
                    let stream = db.client().get().run_query(request).await?;
                    stream.into_inner().try_collect::<Vec<_>>().await
                }
            })
            .await?;
        let found: Vec<_> = answers.into_iter().filter_map(|answer| answer.document).map(snapshot).collect();
        billed("query", found.len().max(1), 0);
        Ok(found)
    }

    /// How many documents a query finds: one read is billed for every thousand of them.
    pub(super) async fn count(&self, query: StructuredQuery) -> Result<u64, StoreError> {
        let count =
            Aggregation { alias: "count".to_owned(), operator: Some(Operator::Count(Count::default())) };
        let request = RunAggregationQueryRequest {
            parent: self.documents(),
            query_type: Some(Counted::StructuredAggregationQuery(StructuredAggregationQuery {
                aggregations: vec![count],
                query_type: Some(Nested::StructuredQuery(query)),
            })),
            ..Default::default()
        };
        let answers = self
            .twice(|db| {
                let request = request.clone();
                async move {
                    let stream = db.client().get().run_aggregation_query(request).await?;
                    stream.into_inner().try_collect::<Vec<_>>().await
                }
            })
            .await?;
        let count = answers.into_iter().find_map(|answer| answer.result?.aggregate_fields.remove("count"));
        match count.and_then(|count| count.value_type) {
            Some(ValueType::IntegerValue(count)) => Ok(u64::try_from(count).unwrap_or(0)),
            _ => Err(StoreError::Unavailable("Firestore did not answer with a count".into())),
        }
    }

    /// One attempt, and one more on a new connection when the first did not get through.
    async fn twice<T, F>(&self, call: impl Fn(FirestoreDb) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Status>>,
    {
        match self.once(&call).await {
            Err(first) => {
                tracing::debug!(error = &first as &dyn std::error::Error, "Firestore is asked again");
                self.once(&call).await
            }
            done => done,
        }
    }

    async fn once<T, F>(&self, call: impl Fn(FirestoreDb) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let attempt = async {
            let db = self.db().await?;
            call(db).await.map_err(|status| StoreError::Unavailable(Box::new(status)))
        };
        let done = match tokio::time::timeout(ATTEMPT, attempt).await {
            Ok(done) => done,
            Err(late) => Err(StoreError::Unavailable(Box::new(late))),
        };
        if done.is_err() {
            // A process that was frozen, or a network that forgot the connection: the next attempt makes a new one.
            self.db.lock().await.take();
        }
        done
    }

    async fn db(&self) -> Result<FirestoreDb, StoreError> {
        let mut held = self.db.lock().await;
        if let Some(db) = &*held {
            return Ok(db.clone());
        }
        let mut options = FirestoreDbOptions::new(self.place.project.clone())
            .with_database_id(self.place.database.clone())
            .with_max_retries(0);
        let credentials = match &self.place.emulator {
            Some(host) => {
                options.firebase_api_url = Some(format!("http://{host}"));
                anonymous::Builder::new().build()
            }
            None => self.google.credentials().map_err(StoreError::Unavailable)?,
        };
        let db = FirestoreDb::with_options_auth(options, credentials)
            .await
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(held.insert(db).clone())
    }
}

/// A commit on its way.
type Sending = std::pin::Pin<Box<dyn Future<Output = Result<Committed, Status>> + Send>>;

fn snapshot(document: Document) -> Snapshot {
    Snapshot {
        id: document.name.rsplit('/').next().unwrap_or_default().to_owned(),
        fields: Fields(document.fields),
        update_time: document.update_time,
    }
}

/// Says what a call is billed, for whoever wants to know what a verb costs.
fn billed(call: &'static str, reads: usize, writes: usize) {
    tracing::debug!(counter = "firestore", call, reads, writes, "billed");
}

/// A condition was not met, or another commit on the same documents was quicker.
fn is_conflict(status: &Status) -> bool {
    matches!(status.code(), Code::FailedPrecondition | Code::AlreadyExists | Code::NotFound | Code::Aborted)
}
