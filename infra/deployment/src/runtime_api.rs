//! Lambda's runtime API: hands one execution environment its invocations, one at a time, and takes what it answers.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use shared::clock::{Clock as _, Ids as _, SystemClock, SystemIds};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:miniature";

/// The runtime API of one process; clones are the same one.
#[derive(Clone)]
pub struct RuntimeApi(Arc<Inner>);

struct Inner {
    put: mpsc::UnboundedSender<Invocation>,
    take: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    running: Mutex<HashMap<String, oneshot::Sender<Result<Value, Value>>>>,
    /// The process has asked for work: it is ready.
    asked: Notify,
    clock: SystemClock,
}

struct Invocation {
    id: String,
    deadline_ms: i64,
    event: Value,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// Lambda would end the process now.
    #[error("the function did not answer in time")]
    TimedOut,
    /// What the function says of it.
    #[error("the function failed: {0}")]
    Failed(Value),
}

impl Default for RuntimeApi {
    fn default() -> Self {
        let (put, take) = mpsc::unbounded_channel();
        Self(Arc::new(Inner {
            put,
            take: take.into(),
            running: Mutex::default(),
            asked: Notify::new(),
            clock: SystemClock::new(),
        }))
    }
}

impl RuntimeApi {
    /// Answers until it is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let version = Router::new()
            .route("/runtime/invocation/next", get(next))
            .route("/runtime/invocation/{id}/response", post(response))
            .route("/runtime/invocation/{id}/error", post(error))
            .route("/runtime/init/error", post(init_error));
        axum::serve(listener, Router::new().nest("/2018-06-01", version).with_state(self)).await
    }

    /// Returns when the process asks for work for the first time.
    pub async fn ready(&self) {
        self.0.asked.notified().await;
    }

    /// Lets the process do one thing; it has `within` for it, and is told so.
    ///
    /// # Errors
    /// When it fails, or takes longer.
    pub async fn invoke(&self, event: Value, within: Duration) -> Result<Value, InvokeError> {
        let id = SystemIds.uuid().to_string();
        let (answer, answered) = oneshot::channel();
        self.running().insert(id.clone(), answer);
        let within_ms = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = self.0.clock.now().millis().saturating_add(within_ms);
        // The receiver lives as long as we do.
        let _ = self.0.put.send(Invocation { id: id.clone(), deadline_ms, event });
        let answer = tokio::time::timeout(within, answered).await;
        self.running().remove(&id);
        match answer {
            Ok(Ok(answer)) => answer.map_err(InvokeError::Failed),
            Ok(Err(_)) | Err(_) => Err(InvokeError::TimedOut),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Result<Value, Value>>>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, id: &str, answer: Result<Value, Value>) -> StatusCode {
        match self.running().remove(id) {
            Some(waiting) => {
                // Whoever waited may have given up this moment.
                let _ = waiting.send(answer);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

async fn next(State(RuntimeApi(api)): State<RuntimeApi>) -> impl IntoResponse {
    api.asked.notify_one();
    let Some(invocation) = api.take.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", invocation.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    (headers, Json(invocation.event)).into_response()
}

async fn response(State(api): State<RuntimeApi>, Path(id): Path<String>, body: String) -> StatusCode {
    match serde_json::from_str(&body) {
        Ok(answer) => api.answer(&id, Ok(answer)),
        Err(_) => api.answer(&id, Err(Value::String(body))),
    }
}

async fn error(State(api): State<RuntimeApi>, Path(id): Path<String>, body: String) -> StatusCode {
    let said = serde_json::from_str(&body).unwrap_or(Value::String(body));
    api.answer(&id, Err(said))
}

/// The process ends itself after this; whoever started it sees that.
async fn init_error() -> StatusCode {
    StatusCode::ACCEPTED
}
