//! Slack: its state, and the rules on how tokens are issued and die.
//!
//! Sources: docs.slack.dev/authentication (installing-with-oauth, using-token-rotation), reference/methods.

pub(crate) mod authorize;
pub(crate) mod methods;
pub(crate) mod refusal;
pub(crate) mod revoke;
pub(crate) mod token;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{clock::Millis, directory::Place, mint, state::Desk};

/// Path of the authorization page.
pub(crate) const AUTHORIZE_PATH: &str = "/oauth/v2/authorize";

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bot,
    User,
}

/// Names a credential: the bot of an app in a place, or a user (`account`) who authorized the app there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CredentialKey {
    pub(crate) client_id: String,
    pub(crate) place: String,
    pub(crate) account: Option<String>,
}

/// One bot installation or user authorization, with its live tokens.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) key: CredentialKey,
    /// Granted so far: Slack's scopes only ever add up.
    pub(crate) scopes: Vec<String>,
    /// Access tokens with an end, oldest first.
    live: VecDeque<Arc<str>>,
    /// The access token without an end, while rotation is off.
    permanent: Option<Arc<str>>,
    /// Raised when the authorization ends: tokens of an earlier generation are dead.
    generation: u32,
}

#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) credential: usize,
    generation: u32,
    /// `None`: never.
    expires: Option<Millis>,
    revoked: bool,
}

#[derive(Debug)]
pub(crate) struct RefreshToken {
    pub(crate) credential: usize,
    generation: u32,
    used: Option<Millis>,
    revoked: bool,
}

/// What a code stands for.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<String>,
    pub(crate) account: String,
    pub(crate) place: Place,
    pub(crate) bot_scopes: Vec<String>,
    pub(crate) user_scopes: Vec<String>,
    pub(crate) expires: Millis,
    pub(crate) used: bool,
}

/// A new access token, and its refresh token where tokens rotate.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) access: Arc<str>,
    pub(crate) refresh: Option<(Arc<str>, u32)>,
}

/// Slack's state.
#[derive(Debug, Default)]
pub(crate) struct Slack {
    codes: HashMap<Arc<str>, Code>,
    codes_by_age: VecDeque<Arc<str>>,
    credentials: Vec<Credential>,
    by_key: HashMap<CredentialKey, usize>,
    access: HashMap<Arc<str>, AccessToken>,
    refresh: HashMap<Arc<str>, RefreshToken>,
    /// Dead tokens, oldest first: remembered so that they get their own error, up to a bound.
    dead: VecDeque<Arc<str>>,
}

impl CredentialKey {
    pub(crate) fn kind(&self) -> Kind {
        if self.account.is_some() { Kind::User } else { Kind::Bot }
    }
}

impl Slack {
    /// Issues a code; it is known for twice its life, so that a replay is told from an invention.
    pub(crate) fn issue_code(&mut self, desk: &mut Desk<'_>, code: Code) -> Arc<str> {
        let life = Millis::from(desk.settings.slack.code_seconds) * 1000;
        while let Some(oldest) = self.codes_by_age.front() {
            if self.codes.get(oldest).is_some_and(|code| code.expires + life > desk.now) {
                break;
            }
            self.codes.remove(oldest);
            self.codes_by_age.pop_front();
        }
        let text = mint::slack_code();
        desk.issued.add(&text, desk.settings.remembered);
        self.codes_by_age.push_back(Arc::clone(&text));
        self.codes.insert(Arc::clone(&text), code);
        text
    }

    /// The credential of this bot or user, with these scopes added; made if it is the first time.
    pub(crate) fn authorize(&mut self, key: CredentialKey, scopes: &[String]) -> usize {
        let id = match self.by_key.get(&key) {
            Some(id) => *id,
            None => {
                let id = self.credentials.len();
                self.by_key.insert(key.clone(), id);
                self.credentials.push(Credential {
                    key,
                    scopes: Vec::new(),
                    live: VecDeque::new(),
                    permanent: None,
                    generation: 0,
                });
                id
            }
        };
        let granted = &mut self.credentials[id].scopes;
        for scope in scopes {
            if !granted.contains(scope) {
                granted.push(scope.clone());
            }
        }
        id
    }

    pub(crate) fn credential(&self, id: usize) -> &Credential {
        &self.credentials[id]
    }

    /// Issues tokens: a pair that rotates, or the one access token without an end, the same string every time.
    pub(crate) fn issue(&mut self, desk: &mut Desk<'_>, id: usize, rotating: bool) -> Pair {
        let settings = &desk.settings.slack;
        let credential = &mut self.credentials[id];
        if !rotating
            && let Some(access) = &credential.permanent
            && self.access.get(access).is_some_and(|known| known.works(desk.now))
        {
            return Pair { access: Arc::clone(access), refresh: None };
        }
        let access = mint::slack_access(credential.key.kind(), rotating);
        let generation = credential.generation;
        desk.issued.add(&access, desk.settings.remembered);
        let expires = rotating.then(|| desk.now + Millis::from(settings.access_token_seconds) * 1000);
        self.access
            .insert(Arc::clone(&access), AccessToken { credential: id, generation, expires, revoked: false });
        if !rotating {
            credential.permanent = Some(Arc::clone(&access));
            return Pair { access, refresh: None };
        }
        credential.live.push_back(Arc::clone(&access));
        self.keep_newest(desk, id);
        let refresh = mint::slack_refresh();
        desk.issued.add(&refresh, desk.settings.remembered);
        self.refresh.insert(
            Arc::clone(&refresh),
            RefreshToken { credential: id, generation, used: None, revoked: false },
        );
        Pair { access, refresh: Some((refresh, settings.access_token_seconds)) }
    }

    // "If more than 2 tokens exist after the refresh, the oldest additional token will be revoked"
    // (docs.slack.dev/authentication/using-token-rotation). Expired ones don't count.
    fn keep_newest(&mut self, desk: &Desk<'_>, id: usize) {
        let credential = &mut self.credentials[id];
        let (gone, mut live): (VecDeque<_>, VecDeque<_>) = credential
            .live
            .drain(..)
            .partition(|token| self.access.get(token).is_none_or(|access| !access.works(desk.now)));
        self.dead.extend(gone);
        while live.len() > desk.settings.slack.live_access_tokens {
            if let Some(oldest) = live.pop_front() {
                if let Some(access) = self.access.get_mut(&oldest) {
                    access.revoked = true;
                }
                self.dead.push_back(oldest);
            }
        }
        credential.live = live;
        while self.dead.len() > desk.settings.remembered {
            if let Some(oldest) = self.dead.pop_front() {
                self.access.remove(&oldest);
                self.refresh.remove(&oldest);
            }
        }
    }

    /// Ends an authorization: none of its tokens works again, and a new consent starts from no scopes.
    fn end(&mut self, id: usize) {
        let credential = &mut self.credentials[id];
        credential.generation += 1;
        credential.scopes.clear();
        self.dead.extend(credential.permanent.take());
        self.dead.extend(credential.live.drain(..));
    }

    /// Ends every authorization that `which` picks; says whether there was one.
    pub(crate) fn end_where(&mut self, which: impl Fn(&CredentialKey) -> bool) -> bool {
        let chosen: Vec<usize> =
            (0..self.credentials.len()).filter(|id| which(&self.credentials[*id].key)).collect();
        for id in &chosen {
            self.end(*id);
        }
        !chosen.is_empty()
    }
}

impl AccessToken {
    fn works(&self, now: Millis) -> bool {
        !self.revoked && self.expires.is_none_or(|expires| now < expires)
    }
}
