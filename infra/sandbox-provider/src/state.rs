//! Everything that the sandbox remembers, behind one lock.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use crate::{
    clock::{Clock, Millis},
    counters::Book,
    endpoint::{Endpoint, Provider},
    fault::Fault,
    google::Google,
    settings::Settings,
    slack::Slack,
};

/// The whole state.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) faults: Vec<Fault>,
    pub(crate) book: Book,
    pub(crate) slack: Slack,
    pub(crate) google: Google,
    /// Accounts that were deactivated.
    pub(crate) inactive: HashSet<String>,
    /// Slack user id to account name, filled when someone consents.
    pub(crate) slack_users: HashMap<String, String>,
    pub(crate) issued: Issued,
}

/// What issuing a secret needs beside the provider's own state.
pub(crate) struct Desk<'a> {
    pub(crate) now: Millis,
    pub(crate) settings: &'a Settings,
    pub(crate) issued: &'a mut Issued,
    pub(crate) book: &'a mut Book,
}

/// Every secret that was issued, for tests that search logs and databases for them.
#[derive(Debug, Default)]
pub(crate) struct Issued(VecDeque<Arc<str>>);

impl Issued {
    pub(crate) fn add(&mut self, secret: &Arc<str>, keep: usize) {
        self.0.push_back(Arc::clone(secret));
        while self.0.len() > keep {
            self.0.pop_front();
        }
    }
}

impl State {
    pub(crate) fn slack(&mut self) -> (&mut Slack, Desk<'_>) {
        let desk = Desk {
            now: self.clock.now(),
            settings: &self.settings,
            issued: &mut self.issued,
            book: &mut self.book,
        };
        (&mut self.slack, desk)
    }

    pub(crate) fn google(&mut self) -> (&mut Google, Desk<'_>) {
        let desk = Desk {
            now: self.clock.now(),
            settings: &self.settings,
            issued: &mut self.issued,
            book: &mut self.book,
        };
        (&mut self.google, desk)
    }

    /// Ends what an account has granted at a provider; says whether there was something.
    pub(crate) fn end_grants(&mut self, provider: Provider, account: &str) -> bool {
        match provider {
            Provider::Slack => self.slack.end_where(|key| key.account.as_deref() == Some(account)),
            Provider::Google => self.google.end_account(account),
        }
    }

    pub(crate) fn finish(&mut self, endpoint: Endpoint, grant_type: Option<&str>, outcome: &str) {
        // A caller's invention must not grow the counters without bound.
        let grant_type = grant_type.map(|given| match given {
            "authorization_code" | "refresh_token" => given,
            _ => "other",
        });
        self.book.finish(self.clock.now(), endpoint, grant_type, outcome, self.settings.log_length);
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        self.issued.0.iter().map(ToString::to_string).collect()
    }
}
