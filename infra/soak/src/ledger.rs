//! What the proxies have seen: every refresh with what became of it, and whose every token is.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::clock::{Clock as _, SystemClock};

/// How long after its answer a process has surely saved or parked what it got.
const SURELY_SAVED: Duration = Duration::from_secs(8);

/// Longer than anything that a lost answer leads to.
const LATELY: Duration = Duration::from_secs(120);

/// Tokens that a provider issued.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    /// Whether they are a bot's.
    pub(crate) bot: bool,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    /// How long the access token lives at least.
    pub(crate) life: Duration,
}

/// What a provider made of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was not asked.
    NotAsked,
    /// New tokens.
    Tokens,
    /// Its refusal.
    Refused(String),
}

/// One refresh. Times are on the soak's monotonic clock.
#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) call: u64,
    /// Index of the credential.
    pub(crate) credential: usize,
    pub(crate) slot: usize,
    pub(crate) life: u64,
    pub(crate) token: String,
    pub(crate) arrived: Duration,
    pub(crate) made: Made,
    /// When the whole, true answer was handed over.
    pub(crate) delivered: Option<Duration>,
    /// When the asker hung up or was killed.
    pub(crate) left: Option<Duration>,
    /// When its process was killed or stopped before it can have saved the answer.
    pub(crate) bereaved: Option<Duration>,
    /// Whether the asker was told for sure that nothing was done.
    pub(crate) surely_unspent: bool,
}

impl Refresh {
    /// Whether the provider rotated and its answer may not have been kept.
    pub(crate) fn lost_its_answer(&self) -> bool {
        self.made == Made::Tokens && (self.delivered.is_none() || self.bereaved.is_some())
    }

    /// Until when it was under way.
    pub(crate) fn end(&self) -> Option<Duration> {
        [self.delivered, self.left, self.bereaved].into_iter().flatten().min()
    }
}

impl fmt::Display for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, life, arrived, made, .. } = self;
        // Enough to tell one from another, and too little to be one.
        let token = self.token.get(self.token.len().saturating_sub(6)..).unwrap_or_default();
        write!(f, "{:.3} s …{token} from process {slot}.{life}: {made:?}", arrived.as_secs_f64())?;
        for (what, at) in [("delivered", self.delivered), ("left", self.left), ("bereaved", self.bereaved)] {
            if let Some(at) = at {
                write!(f, ", {what} {:.3} s", at.as_secs_f64())?;
            }
        }
        Ok(())
    }
}

/// What is known of a refresh token.
#[derive(Debug, Clone, Copy)]
struct Known {
    credential: usize,
    /// Until when the access token that came with it lives at least.
    access_until: Duration,
}

#[derive(Default)]
struct Book {
    calls: u64,
    refresh_tokens: HashMap<String, Known>,
    access_tokens: HashMap<String, Duration>,
    exchanged: HashMap<String, Vec<(Issued, Duration)>>,
    refreshes: Vec<Refresh>,
    strangers: u64,
}

/// The ledger; one for all proxies.
pub(crate) struct Ledger {
    clock: Arc<SystemClock>,
    book: Mutex<Book>,
}

impl Ledger {
    pub(crate) fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock, book: Mutex::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// A name for a call.
    pub(crate) fn call(&self) -> u64 {
        let mut book = self.book();
        book.calls += 1;
        book.calls
    }

    /// A refresh has arrived; answers whose it is, `None` when nobody was given that token.
    pub(crate) fn arrived(&self, call: u64, slot: usize, life: u64, token: &str) -> Option<usize> {
        let arrived = self.now();
        let mut book = self.book();
        let Some(Known { credential, .. }) = book.refresh_tokens.get(token).copied() else {
            book.strangers += 1;
            return None;
        };
        book.refreshes.push(Refresh {
            call,
            credential,
            slot,
            life,
            token: token.to_owned(),
            arrived,
            made: Made::NotAsked,
            delivered: None,
            left: None,
            bereaved: None,
            surely_unspent: false,
        });
        Some(credential)
    }

    fn change(&self, call: u64, change: impl FnOnce(&mut Refresh)) {
        if let Some(refresh) = self.book().refreshes.iter_mut().rfind(|each| each.call == call) {
            change(refresh);
        }
    }

    /// The provider has issued new tokens for a refresh that was sent at `sent`.
    pub(crate) fn issued(&self, call: u64, sent: Duration, issued: &Issued) {
        self.change(call, |refresh| refresh.made = Made::Tokens);
        let mut book = self.book();
        let Some(found) = book.refreshes.iter().rfind(|each| each.call == call) else { return };
        let known = Known { credential: found.credential, access_until: sent + issued.life };
        // Where the refresh token stays, it goes with the new access token from now on.
        let token = issued.refresh.clone().unwrap_or_else(|| found.token.clone());
        book.refresh_tokens.insert(token, known);
        book.access_tokens.insert(issued.access.clone(), known.access_until);
    }

    /// The provider has refused a refresh.
    pub(crate) fn refused(&self, call: u64, code: &str) {
        self.change(call, |refresh| refresh.made = Made::Refused(code.to_owned()));
    }

    /// The asker has the whole answer, since then.
    pub(crate) fn delivered(&self, call: u64, at: Duration) {
        self.change(call, |refresh| refresh.delivered = Some(at));
    }

    /// The asker was told that nothing was done.
    pub(crate) fn surely_unspent(&self, call: u64) {
        self.change(call, |refresh| refresh.surely_unspent = true);
    }

    /// The asker is gone, or was told something that is not the provider's answer.
    pub(crate) fn left(&self, call: u64) {
        let now = self.now();
        self.change(call, |refresh| refresh.left = refresh.left.or(Some(now)));
    }

    /// A process was killed or stopped: what it was given a moment ago may be gone with it, but for the call of which
    /// it is known that it was kept.
    pub(crate) fn bereaved(&self, slot: usize, life: u64, kept: Option<u64>) {
        let now = self.now();
        let of_it = |each: &&mut Refresh| (each.slot, each.life) == (slot, life) && Some(each.call) != kept;
        for refresh in self.book().refreshes.iter_mut().filter(of_it) {
            let unsaved = refresh.delivered.is_none_or(|at| at + SURELY_SAVED > now);
            if unsaved && refresh.left.is_none() && refresh.bereaved.is_none() {
                refresh.bereaved = Some(now);
            }
        }
    }

    /// A code was exchanged, in a call that was sent at `sent`.
    pub(crate) fn exchanged(&self, code: &str, sent: Duration, issued: Vec<Issued>) {
        let issued = issued.into_iter().map(|each| (each, sent)).collect();
        self.book().exchanged.insert(code.to_owned(), issued);
    }

    /// Says whose the tokens of a code are.
    pub(crate) fn assign(&self, code: &str, credential: impl Fn(&Issued) -> Option<usize>) {
        let mut book = self.book();
        for (issued, sent) in book.exchanged.remove(code).unwrap_or_default() {
            let Some(credential) = credential(&issued) else { continue };
            let known = Known { credential, access_until: sent + issued.life };
            book.access_tokens.insert(issued.access, known.access_until);
            if let Some(refresh) = issued.refresh {
                book.refresh_tokens.insert(refresh, known);
            }
        }
    }

    /// Whether an access token was issued, and until when it lives at least.
    pub(crate) fn lives_until(&self, access: &str) -> Option<Duration> {
        self.book().access_tokens.get(access).copied()
    }

    /// Until when the access token that came with a refresh token lives at least.
    pub(crate) fn access_of(&self, refresh: &str) -> Option<Duration> {
        self.book().refresh_tokens.get(refresh).map(|known| known.access_until)
    }

    /// Whether an answer about a credential was lost lately, or a request came to the provider when nobody waited any more:
    /// then what it has issued may be dead.
    pub(crate) fn may_be_killed(&self, credential: usize) -> bool {
        let since = self.now().saturating_sub(LATELY);
        let book = self.book();
        let mut lately = book.refreshes.iter().rev().take_while(|each| each.arrived >= since);
        let late = |each: &Refresh| each.left.is_some() && matches!(each.made, Made::Refused(_));
        lately.any(|each| each.credential == credential && (each.lost_its_answer() || late(each)))
    }

    /// How many refreshes there have been: where a part begins.
    pub(crate) fn mark(&self) -> usize {
        self.book().refreshes.len()
    }

    /// The refreshes since a mark.
    pub(crate) fn since(&self, mark: usize) -> Vec<Refresh> {
        self.book().refreshes.get(mark..).unwrap_or_default().to_vec()
    }

    /// How many refresh tokens came that nobody was given.
    pub(crate) fn strangers(&self) -> u64 {
        self.book().strangers
    }
}
