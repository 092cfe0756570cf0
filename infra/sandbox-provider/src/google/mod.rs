//! Google: its state, and the rules on how grants and tokens begin and end.
//!
//! Sources: developers.google.com/identity/protocols/oauth2 (web-server), RFC 6749.

pub(crate) mod api;
pub(crate) mod authorize;
pub(crate) mod id_token;
pub(crate) mod refusal;
pub(crate) mod revoke;
pub(crate) mod token;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use crate::{clock::Millis, mint, state::Desk};

/// Path of the authorization page.
pub(crate) const AUTHORIZE_PATH: &str = "/o/oauth2/v2/auth";

/// What one account has granted one client.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) account: String,
    /// Granted so far, for `include_granted_scopes`.
    pub(crate) scopes: Vec<String>,
    /// Live refresh tokens, oldest first.
    refresh: VecDeque<Arc<str>>,
    /// Raised when the grant ends: tokens of an earlier generation are dead.
    generation: u32,
    /// Whether it was consented to and not revoked since; the first consent alone gives a refresh token unasked.
    pub(crate) standing: bool,
}

/// What all tokens that came from one code have in common.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) grant: usize,
    generation: u32,
    /// The code's number: a replay of the code kills everything with this number (RFC 6749 §4.1.2).
    code: u64,
    /// Space-separated.
    pub(crate) scope: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) family: Family,
    pub(crate) expires: Option<Millis>,
}

/// What a code stands for.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) family: Family,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    /// Whether the exchange gives a refresh token.
    pub(crate) refreshable: bool,
    pub(crate) expires: Millis,
    pub(crate) used: bool,
}

/// Google's state.
#[derive(Debug, Default)]
pub(crate) struct Google {
    codes: HashMap<Arc<str>, Code>,
    codes_by_age: VecDeque<Arc<str>>,
    next_code: u64,
    grants: Vec<Grant>,
    by_key: HashMap<(String, String), usize>,
    access: HashMap<Arc<str>, Token>,
    access_by_age: VecDeque<Arc<str>>,
    refresh: HashMap<Arc<str>, Token>,
    /// Codes that were replayed.
    replayed: HashSet<u64>,
    /// One copy of each scope list, however many accounts grant it.
    scope_lists: HashSet<Arc<str>>,
}

impl Google {
    /// The grant of this account to this client; empty if there is none yet.
    pub(crate) fn grant(&mut self, client_id: &str, account: &str) -> usize {
        let key = (client_id.to_owned(), account.to_owned());
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let id = self.grants.len();
        self.grants.push(Grant {
            client_id: client_id.to_owned(),
            account: account.to_owned(),
            scopes: Vec::new(),
            refresh: VecDeque::new(),
            generation: 0,
            standing: false,
        });
        self.by_key.insert(key, id);
        id
    }

    /// Starts what a code will give: this grant, these scopes.
    pub(crate) fn family(&mut self, grant: usize, scope: &str) -> Family {
        let scope = match self.scope_lists.get(scope) {
            Some(known) => Arc::clone(known),
            None => {
                let scope: Arc<str> = scope.into();
                self.scope_lists.insert(Arc::clone(&scope));
                scope
            }
        };
        self.next_code += 1;
        Family { grant, generation: self.grants[grant].generation, code: self.next_code, scope }
    }

    /// Issues a code; it is known for twice its life, so that a replay is noticed.
    pub(crate) fn issue_code(&mut self, desk: &mut Desk<'_>, code: Code) -> Arc<str> {
        let life = Millis::from(desk.settings.google.code_seconds) * 1000;
        while let Some(oldest) = self.codes_by_age.front() {
            if self.codes.get(oldest).is_some_and(|code| code.expires + life > desk.now) {
                break;
            }
            self.codes.remove(oldest);
            self.codes_by_age.pop_front();
        }
        let text = mint::google_code();
        desk.issued.add(&text, desk.settings.remembered);
        self.codes_by_age.push_back(Arc::clone(&text));
        self.codes.insert(Arc::clone(&text), code);
        text
    }

    fn issue_access(&mut self, desk: &mut Desk<'_>, family: Family) -> Arc<str> {
        // A dead token and one never issued get the same answer, so nothing need be remembered of the dead.
        while let Some(oldest) = self.access_by_age.front() {
            if self
                .access
                .get(oldest)
                .is_some_and(|token| token.expires.is_none_or(|expires| desk.now < expires))
            {
                break;
            }
            self.access.remove(oldest);
            self.access_by_age.pop_front();
        }
        let text = mint::google_access();
        desk.issued.add(&text, desk.settings.remembered);
        let expires = Some(desk.now + Millis::from(desk.settings.google.access_token_seconds) * 1000);
        self.access.insert(Arc::clone(&text), Token { family, expires });
        self.access_by_age.push_back(Arc::clone(&text));
        text
    }

    // "If the limit is reached, creating a new refresh token automatically invalidates the oldest refresh token
    // without warning" (developers.google.com/identity/protocols/oauth2#expiration).
    fn issue_refresh(&mut self, desk: &mut Desk<'_>, family: Family) -> Arc<str> {
        let text = mint::google_refresh();
        desk.issued.add(&text, desk.settings.remembered);
        let live = &mut self.grants[family.grant].refresh;
        live.push_back(Arc::clone(&text));
        while live.len() > desk.settings.google.live_refresh_tokens {
            if let Some(oldest) = live.pop_front() {
                self.refresh.remove(&oldest);
            }
        }
        let expires =
            desk.settings.google.refresh_token_seconds.map(|seconds| desk.now + Millis::from(seconds) * 1000);
        self.refresh.insert(Arc::clone(&text), Token { family, expires });
        text
    }

    fn works(&self, token: &Token, now: Millis) -> bool {
        token.family.generation == self.grants[token.family.grant].generation
            && !self.replayed.contains(&token.family.code)
            && token.expires.is_none_or(|expires| now < expires)
    }

    /// The live access token of this text, with its grant.
    pub(crate) fn access(&self, text: &str, now: Millis) -> Option<(&Token, &Grant)> {
        let token = self.access.get(text).filter(|token| self.works(token, now))?;
        Some((token, &self.grants[token.family.grant]))
    }

    /// Ends a whole grant: all its access and refresh tokens; the next consent is a first one.
    fn end(&mut self, id: usize) {
        let grant = &mut self.grants[id];
        grant.generation += 1;
        grant.standing = false;
        grant.scopes.clear();
        for text in grant.refresh.drain(..) {
            self.refresh.remove(&text);
        }
    }

    /// Ends every grant that an account has given; says whether there was one.
    pub(crate) fn end_account(&mut self, account: &str) -> bool {
        let chosen: Vec<usize> =
            (0..self.grants.len()).filter(|id| self.grants[*id].account == account).collect();
        for id in &chosen {
            self.end(*id);
        }
        !chosen.is_empty()
    }
}
