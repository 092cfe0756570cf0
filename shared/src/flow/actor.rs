//! Who causes what happens, and in which request: kept for the task that does it, and written into every event.

use std::future::Future;
use std::sync::Arc;

use crate::domain::{Event, EventKind, Timestamp};

/// On whose behalf a task works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The caller's name, such as `service:billing` or `job:scheduled-refresh`.
    pub who: Arc<str>,
    /// The request or run that asked for it.
    pub request_id: Arc<str>,
}

tokio::task_local! {
    static CURRENT: Option<Actor>;
}

/// Runs `work` on behalf of `who`.
pub fn scope<F: Future>(who: Arc<str>, request_id: String, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(Some(Actor { who, request_id: request_id.into() }), work)
}

/// On whose behalf this task works; `None` outside of a request.
#[must_use]
pub fn current() -> Option<Actor> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Runs `work`, wherever it is spawned, on behalf of whom this task works for: a task of its own inherits nothing.
pub(super) fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(current(), work)
}

/// Runs `work` on behalf of `who`, in the request that this task answers: a callback ends what somebody else started.
pub(super) fn on_behalf_of<F: Future>(
    who: Option<&str>,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    let actor = current();
    let actor = match who {
        None => actor,
        Some(who) => {
            let request_id = actor.map_or_else(|| "".into(), |actor| actor.request_id);
            Some(Actor { who: who.into(), request_id })
        }
    };
    CURRENT.scope(actor, work)
}

/// An event that says who caused it; what it is about is the caller's to add.
pub(super) fn event(at: Timestamp, kind: EventKind) -> Event {
    let actor = current();
    Event {
        at,
        kind,
        tenant_id: None,
        provider: None,
        connection_id: None,
        credential_id: None,
        detail: None,
        by: actor.as_ref().map(|actor| actor.who.as_ref().to_owned()),
        request_id: actor.map(|actor| actor.request_id.as_ref().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::build;

    fn named() -> (Option<String>, Option<String>) {
        let event = event(build::NOW, EventKind::Admin);
        (event.by, event.request_id)
    }

    #[tokio::test]
    async fn an_event_says_who_caused_it_also_in_a_task_of_its_own() {
        let ann = (Some("operator:ann".to_owned()), Some("r-1".to_owned()));
        let (here, carried, lost) = scope("operator:ann".into(), "r-1".to_owned(), async {
            let carried = tokio::spawn(carry(async { named() }));
            let lost = tokio::spawn(async { named() });
            (named(), carried.await.unwrap(), lost.await.unwrap())
        })
        .await;
        assert_eq!((here, carried), (ann.clone(), ann));
        assert_eq!(lost, (None, None), "a task inherits nothing by itself: that is what `carry` is for");
    }

    #[tokio::test]
    async fn nobody_is_named_outside_of_a_request() {
        assert_eq!(named(), (None, None));
        assert_eq!(carry(async { named() }).await, (None, None));
    }
}
