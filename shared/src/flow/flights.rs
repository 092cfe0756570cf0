//! Refreshes under way in this process: simultaneous callers share one, and nobody's hanging up cancels it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::actor;
use super::renew::RenewError;
use crate::domain::{Credential, CredentialId};

/// What a flight brings: the credential to use from now on, or why there is none.
pub type Landed = Result<Arc<Credential>, Arc<RenewError>>;

type Running = HashMap<CredentialId, watch::Receiver<Option<Landed>>>;

/// The flights of this process.
#[derive(Default)]
pub struct Flights {
    running: Arc<Mutex<Running>>,
}

impl Flights {
    /// Joins the flight for a credential, or starts one that is detached from its callers. Says whether it was this one.
    pub async fn join<F>(&self, tasks: &TaskTracker, id: &CredentialId, flight: F) -> (Landed, bool)
    where
        F: Future<Output = Landed> + Send + 'static,
    {
        let (mut landed, ours) = self.board(tasks, id, flight);
        let outcome = landed.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        (outcome.unwrap_or_else(|| Err(Arc::new(RenewError::Lost))), ours)
    }

    fn board<F>(
        &self,
        tasks: &TaskTracker,
        id: &CredentialId,
        flight: F,
    ) -> (watch::Receiver<Option<Landed>>, bool)
    where
        F: Future<Output = Landed> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landed) = running.get(id) {
            return (landed.clone(), false);
        }
        let (sender, receiver) = watch::channel(None);
        running.insert(id.clone(), receiver.clone());
        let entry = Entry { running: Arc::clone(&self.running), id: id.clone() };
        tasks.spawn(actor::carry(async move {
            let outcome = flight.await;
            // Off the list before the news is out: whoever comes now starts anew.
            drop(entry);
            sender.send_replace(Some(outcome));
        }));
        (receiver, true)
    }
}

/// Takes a flight off the list, also when it panics.
struct Entry {
    running: Arc<Mutex<Running>>,
    id: CredentialId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::build;

    #[tokio::test]
    async fn a_flight_works_for_whoever_asked_first() {
        let (flights, tasks, id) = (Flights::default(), TaskTracker::new(), build::credential(1).id);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let join = |who: &str| {
            let seen = Arc::clone(&seen);
            let flight = async move {
                seen.lock().unwrap().extend(actor::current());
                Err(Arc::new(RenewError::Lost))
            };
            actor::scope(who.into(), format!("for {who}"), flights.join(&tasks, &id, flight))
        };
        let ((_, first), (_, second)) = tokio::join!(join("service:one"), join("service:two"));
        assert!(first && !second);
        let only = actor::Actor { who: "service:one".into(), request_id: "for service:one".into() };
        assert_eq!(*seen.lock().unwrap(), [only]);
    }
}
