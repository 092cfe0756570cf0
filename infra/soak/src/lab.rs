//! What proxies and faults work with: the processes, the provider, the ledger, and the store seen from outside.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use shared::domain::{ConnectionId, Credential, TokenKind};
use shared::flow::Context;
use tokio::sync::watch;

use crate::Result;
use crate::fault::Armed;
use crate::fleet::{Fleet, Slot};
use crate::ledger::Ledger;
use crate::link::Link;
use crate::peer::{Peer, Person};

/// How the store is got at from outside.
pub(crate) enum StoreHandle {
    /// By its file.
    Sqlite(PathBuf),
    /// By the links of the processes.
    Linked,
}

/// What is done by many at once, and waited for.
#[derive(Default)]
pub(crate) struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    pub(crate) fn begin(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn end(&self) {
        self.0.send_modify(|count| *count -= 1);
    }

    /// Returns when nothing is under way.
    pub(crate) async fn over(&self) {
        // The sender is ours: it is there.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A credential: of a connection, or shared by those of a workspace.
#[derive(Debug, Clone)]
pub(crate) struct CredentialOf {
    /// Indexes of the people whose connections use it.
    pub(crate) people: Vec<usize>,
    pub(crate) kind: TokenKind,
}

impl CredentialOf {
    /// The credentials of people who connect: a bot's for each workspace, where there are such, and everybody's own.
    pub(crate) fn all(people: &[Person], bots: bool) -> Vec<Self> {
        let mut workspaces: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, person) in people.iter().enumerate().filter(|_| bots) {
            workspaces.entry(&person.workspace).or_default().push(index);
        }
        let shared = workspaces.into_values().map(|people| Self { people, kind: TokenKind::Bot });
        let own = (0..people.len()).map(|index| Self { people: vec![index], kind: TokenKind::User });
        shared.chain(own).collect()
    }
}

/// The laboratory.
pub(crate) struct Lab {
    pub(crate) ledger: Ledger,
    pub(crate) peer: Peer,
    pub(crate) client: reqwest::Client,
    pub(crate) armed: Armed,
    pub(crate) under_way: UnderWay,
    pub(crate) fleet: Fleet,
    pub(crate) store: StoreHandle,
    pub(crate) links: Vec<Link>,
    /// How long the provider takes for a refresh, in milliseconds.
    pub(crate) latency: AtomicU64,
    pub(crate) people: Vec<Person>,
    pub(crate) credentials: Vec<CredentialOf>,
    /// The ids of people's connections.
    pub(crate) connections: Mutex<BTreeMap<usize, ConnectionId>>,
    /// Only reads.
    pub(crate) observer: Arc<Context>,
    pub(crate) troubles: Mutex<Vec<String>>,
}

impl Lab {
    fn slot(&self, slot: usize) -> Result<&Slot> {
        self.fleet.slots.get(slot).ok_or_else(|| "there is no such process".into())
    }

    /// `kill -9`; another process takes its place. What the call `kept` has brought is known to be safe.
    pub(crate) async fn kill(self: &Arc<Self>, slot: usize, life: u64, kept: Option<u64>) -> bool {
        let Ok(place) = self.slot(slot) else { return false };
        let killed = place.kill(life).await;
        if killed {
            self.ledger.bereaved(slot, life, kept);
            self.replace(slot);
        }
        killed
    }

    /// SIGTERM; another process takes its place.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn terminate(self: &Arc<Self>, slot: usize, life: u64) -> Result<bool> {
        let terminated = self.slot(slot)?.terminate(life).await?;
        if terminated {
            self.replace(slot);
        }
        Ok(terminated)
    }

    fn replace(self: &Arc<Self>, slot: usize) {
        let lab = Arc::clone(self);
        lab.under_way.begin();
        tokio::spawn(async move {
            if let Ok(place) = lab.slot(slot)
                && let Err(error) = place.start().await
            {
                lab.trouble(error.to_string());
            }
            lab.under_way.end();
        });
    }

    /// A new process in every place, as after a deployment: what the old ones had learnt about the provider is gone.
    ///
    /// # Errors
    /// When one does not stop or start.
    pub(crate) async fn replace_all(self: &Arc<Self>) -> Result<()> {
        let all = (0..self.fleet.slots.len()).map(async |slot| {
            let life = self.slot(slot)?.life();
            self.terminate(slot, life).await
        });
        try_join_all(all).await?;
        self.under_way.over().await;
        Ok(())
    }

    /// SIGSTOP; says whether that process was still there.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub(crate) async fn freeze(&self, slot: usize, life: u64) -> Result<bool> {
        let frozen = self.slot(slot)?.freeze(life).await?;
        if frozen {
            self.ledger.bereaved(slot, life, None);
        }
        Ok(frozen)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub(crate) async fn thaw(&self, slot: usize, life: u64) -> Result<()> {
        self.slot(slot)?.thaw(life).await
    }

    /// Something that should not be has happened.
    pub(crate) fn trouble(&self, what: String) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What should not have been, since this was asked last.
    pub(crate) fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.troubles.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The id of somebody's connection.
    ///
    /// # Errors
    /// When that person is not connected.
    pub(crate) fn connection(&self, person: usize) -> Result<ConnectionId> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.get(&person).copied().ok_or_else(|| "somebody is not connected".into())
    }

    /// A credential as the store has it.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) async fn stored(&self, credential: usize) -> Result<Credential> {
        let wanted = self.credentials.get(credential).ok_or("there is no such credential")?;
        let person = wanted.people.first().ok_or("nobody uses the credential")?;
        let connection = self.observer.store.connection(self.connection(*person)?).await?;
        let mut credentials = connection.into_iter().flat_map(|each| each.credentials);
        let found = credentials.find(|each| each.kind == wanted.kind);
        found.ok_or_else(|| "the credential is not in the store".into())
    }

    /// How a credential is called in what is said about it.
    pub(crate) fn name(&self, credential: usize) -> String {
        let Some(of) = self.credentials.get(credential) else { return "?".to_owned() };
        let first = of.people.first().and_then(|index| self.people.get(*index));
        let name = first.map_or("?", |person| match of.kind {
            TokenKind::Bot => person.workspace.as_str(),
            TokenKind::User => person.name.as_str(),
        });
        format!("{} of {name}", of.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_one_bot_and_everybody_a_token_of_their_own() {
        let person = |workspace: &str| Person { name: "x".to_owned(), workspace: workspace.to_owned() };
        let people = [person("A"), person("B"), person("A")];
        let all = CredentialOf::all(&people, true);
        let bots: Vec<_> = all.iter().filter(|each| each.kind == TokenKind::Bot).collect();
        assert_eq!((all.len(), bots.len()), (5, 2));
        assert!(bots.iter().any(|each| each.people == [0, 2]));
        assert_eq!(CredentialOf::all(&people, false).len(), 3);
    }
}
