//! The handle on a sandbox: serves it, and does in process what the control API does over HTTP.

use std::{
    collections::HashMap,
    future::Future,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, serve::ListenerExt as _};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    consent::{self, Consent},
    counters::Counters,
    directory,
    endpoint::Provider,
    fault::Fault,
    http::routes,
    settings::Settings,
    state::State,
};

/// A running sandbox; clones are handles on the same one.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    state: Arc<Mutex<State>>,
}

/// What is to expire now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Expire {
    /// This access token (Google: or refresh token).
    Token(String),
    /// Every access token of a provider.
    AccessTokens(Provider),
}

/// What is to be revoked now, as by its owner at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Revoke {
    /// Slack: this token alone (without rotation: its authorization). Google: the whole grant that it belongs to.
    Token(String),
    /// All that an account has granted. Slack: its user authorizations in every workspace; bots stay.
    Grant {
        /// At which provider.
        provider: Provider,
        /// Whose.
        account: String,
    },
    /// Slack: every app's bot and user authorizations in this workspace or organisation.
    Uninstall {
        /// `T…` or `E…`.
        workspace: String,
    },
    /// The account is deactivated at both providers: its grants end and it can't consent.
    Deactivate {
        /// Whose.
        account: String,
    },
    /// The account may consent again; what it had granted stays gone.
    Reactivate {
        /// Whose.
        account: String,
    },
}

impl Sandbox {
    /// A sandbox where nobody has consented yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { state: Arc::new(Mutex::new(State { settings, ..State::default() })) }
    }

    /// Both providers on their own paths, and the control API under `/_sandbox/`.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Serves until `shutdown` completes and the calls under way are answered.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        // Without it, the last segment of an answer can wait 40 ms for the client's delayed acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    /// What a browser does with an authorization URL: someone decides, and this is the URL to which the provider sends
    /// them. Only path and query are looked at, not the host. Counts as a call of the authorization endpoint.
    ///
    /// # Errors
    /// The provider would show an error page instead: its code and what it says.
    pub fn consent(&self, authorization_url: &str, consent: &Consent) -> Result<String, String> {
        consent::decide(&mut self.lock(), authorization_url, consent)
    }

    /// Adds a fault behind those that wait already.
    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Forgets the faults that wait.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// The faults that wait.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// Moves the sandbox's clock by seconds.
    pub fn advance(&self, seconds: i64) {
        self.lock().clock.advance(seconds);
    }

    /// The sandbox's time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.lock().clock.now()
    }

    /// Lets tokens expire now; says whether there was something to expire.
    pub fn expire(&self, expire: &Expire) -> bool {
        let state = &mut *self.lock();
        let now = state.clock.now();
        match expire {
            Expire::Token(text) => {
                state.slack.expire_token(text, now) || state.google.expire_token(text, now)
            }
            Expire::AccessTokens(provider) => {
                match provider {
                    Provider::Slack => state.slack.expire_all(now),
                    Provider::Google => state.google.expire_all(now),
                }
                true
            }
        }
    }

    /// Revokes now; says whether there was something to revoke.
    pub fn revoke(&self, revoke: &Revoke) -> bool {
        let state = &mut *self.lock();
        let now = state.clock.now();
        match revoke {
            Revoke::Token(text) => state.slack.revoke_token(text) || state.google.revoke_token(text, now),
            Revoke::Grant { provider, account } => {
                state.end_grants(*provider, &directory::account_of(account))
            }
            Revoke::Uninstall { workspace } => state.slack.end_where(|key| key.place == *workspace),
            Revoke::Deactivate { account } => {
                let account = directory::account_of(account);
                state.end_grants(Provider::Slack, &account);
                state.end_grants(Provider::Google, &account);
                state.inactive.insert(account)
            }
            Revoke::Reactivate { account } => state.inactive.remove(&directory::account_of(account)),
        }
    }

    /// What has been counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().book.report()
    }

    /// How often each refresh token was presented. These are secrets.
    #[must_use]
    pub fn presentations(&self) -> HashMap<String, u32> {
        self.lock().book.presentations()
    }

    /// Counts from zero again.
    pub fn reset_counters(&self) {
        self.lock().book.reset();
    }

    /// Every code and token that was issued, oldest first.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.lock().secrets()
    }

    /// The settings as they stand.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes settings; what was issued before keeps its lifetime.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().settings);
    }

    /// Starts over with the same settings: no grants, codes, tokens, faults or counts, and real time.
    pub fn reset(&self) {
        let state = &mut *self.lock();
        let settings = std::mem::take(&mut state.settings);
        *state = State { settings, ..State::default() };
    }

    // A panic elsewhere leaves counters and maps usable, so the poison is ignored.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
