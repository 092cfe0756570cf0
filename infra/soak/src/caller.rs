//! A caller, and how it asks: as a service would behind a load balancer, and then it tries the token out.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::fleet::State;
use crate::lab::Lab;
use crate::plan::{Act, Caller};
use crate::prng::Prng;
use crate::tally::Notes;
use crate::world::TENANT;

/// How long anybody waits at most: a lease, what is left of a strict credential's access token, two back-offs, and a
/// machine that is busy.
const LIMIT: Duration = Duration::from_secs(75);
/// How long is waited between two tries, unless the answer says longer or shorter.
const BETWEEN: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);
/// What a service may refuse for while something is broken around it.
const PASSING: [&str; 5] = [
    "refresh_in_progress",
    "provider_unavailable",
    "provider_rate_limited",
    "store_unavailable",
    "key_unavailable",
];

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It worked.
    Well,
    /// The grant is gone, for this reason.
    Lost(String),
    /// Something that is not promised; it has been written down.
    Badly,
}

/// What all who ask have in common.
pub(crate) struct Desk<'a> {
    pub(crate) lab: &'a Arc<Lab>,
    pub(crate) notes: &'a Notes,
    /// Whether nothing goes wrong in this round.
    pub(crate) quiet: bool,
    /// Whether a reuse kills a family.
    pub(crate) family: bool,
}

/// An answer; `None` when there was none and somebody else should be asked.
type Answered = Option<(u16, Value)>;

impl Desk<'_> {
    /// A caller's whole visit.
    pub(crate) async fn visit(&self, caller: &Caller) {
        let mut prng = Prng::new(caller.seed);
        tokio::time::sleep(caller.comes_after).await;
        for act in &caller.acts {
            match *act {
                Act::Get { credential, person, minimum } => {
                    self.get(&mut prng, credential, person, minimum).await;
                }
                Act::HangUp { credential, person, after } => {
                    let call =
                        self.ask("token-get", &mut prng, "/api/v1/tokens/get", self.body(credential, person));
                    // Who hangs up hears nothing.
                    drop(tokio::time::timeout(after, call).await);
                }
                Act::Insist { credential, person } => {
                    self.insist(&mut prng, credential, person).await;
                }
                Act::Sweep { share } => self.sweep(&mut prng, share).await,
            }
        }
    }

    fn body(&self, credential: usize, person: usize) -> Value {
        let kind = self.lab.credentials.get(credential).map(|each| each.kind.as_str());
        let user = self.lab.people.get(person).map(|person| person.name.as_str());
        json!({"userId": user, "tenantId": TENANT, "provider": self.lab.peer.id(), "tokenKind": kind})
    }

    /// Asks for a token until there is one, and tries it out.
    pub(crate) async fn get(
        &self,
        prng: &mut Prng,
        credential: usize,
        person: usize,
        minimum: Option<u64>,
    ) -> Ended {
        let mut body = self.body(credential, person);
        if let Some(minimum) = minimum {
            body["minTtlSeconds"] = json!(minimum);
        }
        let started = self.lab.ledger.now();
        let ended = self.until(prng, credential, "/api/v1/tokens/get", &body).await;
        let waited = self.lab.ledger.now().saturating_sub(started);
        match ended {
            Ok(answer) => {
                {
                    let mut noted = self.notes.note();
                    noted.longest = noted.longest.max(waited);
                    noted.served += 1;
                    noted.failing += u64::from(answer["refreshState"] == "failing");
                }
                self.try_out(credential, &answer).await
            }
            Err(ended) => ended,
        }
    }

    /// Insists on a refresh, once. Something in the way is written down.
    async fn insist(&self, prng: &mut Prng, credential: usize, person: usize) {
        *self.notes.note().insisted.entry(credential).or_default() += 1;
        let Ok((path, body)) = self.refresh_of(credential, person) else { return };
        match self.ask("token-get", prng, &path, body).await {
            Some((200, _)) => {}
            Some((status, problem)) => {
                drop(self.refusal(credential, status, &problem));
            }
            None => {}
        }
    }

    /// Insists on a refresh until there is one.
    pub(crate) async fn refresh(&self, prng: &mut Prng, credential: usize, person: usize) -> Ended {
        let Ok((path, body)) = self.refresh_of(credential, person) else { return Ended::Badly };
        match self.until(prng, credential, &path, &body).await {
            Ok(_) => Ended::Well,
            Err(ended) => ended,
        }
    }

    fn refresh_of(&self, credential: usize, person: usize) -> Result<(String, Value)> {
        let id = self.lab.connection(person)?;
        let kind = self.lab.credentials.get(credential).map(|each| each.kind.as_str());
        Ok((format!("/api/v1/tokens/refresh/{id}"), json!({"tokenKind": kind})))
    }

    async fn sweep(&self, prng: &mut Prng, share: Option<(u8, u8)>) {
        let (function, path, body) = match share {
            Some((shard, of)) => ("scheduled-refresh", "/", json!({"shard": shard, "of": of})),
            None if prng.chance(70) => ("scheduled-refresh", "/", json!({})),
            None => ("admin", "/api/v1/admin/refresh/expiring", Value::Null),
        };
        match self.ask(function, prng, path, body).await {
            Some((200, report)) if self.quiet && report["failed"] != 0 => {
                self.notes.broken(format!("a sweep failed: {report}"));
            }
            Some((200, _)) | None => {}
            Some((status, problem)) if self.quiet || !is_passing(&problem) => {
                self.notes.broken(format!("a sweep was answered {status}: {problem}"));
            }
            Some((_, problem)) => self.notes.refused(problem["code"].as_str().unwrap_or("?")),
        }
    }

    /// Asks one process after the other until it is 200, or never will be.
    async fn until(
        &self,
        prng: &mut Prng,
        credential: usize,
        path: &str,
        body: &Value,
    ) -> std::result::Result<Value, Ended> {
        let started = self.lab.ledger.now();
        loop {
            if self.lab.ledger.now().saturating_sub(started) > LIMIT {
                self.notes
                    .broken(format!("{}: nothing came of {path} in {LIMIT:?}", self.lab.name(credential)));
                return Err(Ended::Badly);
            }
            let wait = match self.ask("token-get", prng, path, body.clone()).await {
                Some((200, answer)) => return Ok(answer),
                Some((status, problem)) => match self.refusal(credential, status, &problem) {
                    Ok(wait) => wait,
                    Err(ended) => return Err(ended),
                },
                None => SHORTEST,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// What a refusal means: when to ask again, or that it is over.
    fn refusal(
        &self,
        credential: usize,
        status: u16,
        problem: &Value,
    ) -> std::result::Result<Duration, Ended> {
        let code = problem["code"].as_str().unwrap_or("no code");
        if code == "reauthorization_required" && status == 409 {
            self.notes.note().given_up.insert(credential);
            return Err(Ended::Lost(problem["statusReason"].as_str().unwrap_or("no reason").to_owned()));
        }
        self.notes.refused(code);
        if self.quiet || !is_passing(problem) {
            self.notes.broken(format!("{}: answered {status} {problem}", self.lab.name(credential)));
            return Err(Ended::Badly);
        }
        let told = problem["retryAfter"].as_u64().map(Duration::from_secs);
        Ok(told.unwrap_or(BETWEEN).clamp(SHORTEST, BETWEEN))
    }

    /// One call at one process of a function that is up.
    async fn ask(&self, function: &str, prng: &mut Prng, path: &str, body: Value) -> Answered {
        let places = self.lab.fleet.of(function);
        let chosen = prng.pick(&places).copied()?;
        let slot = self.lab.fleet.slots.get(chosen)?;
        let (life, mut watch) = (slot.life(), slot.watch());
        let State::Up(base) = watch.borrow_and_update().clone() else { return None };
        let request = self.lab.client.post(format!("{base}{path}"));
        let request = if body.is_null() { request } else { request.json(&body) };
        let call = async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((
                status,
                serde_json::from_slice(&answer.bytes().await?).unwrap_or_default(),
            ))
        };
        let answered = tokio::select! {
            answered = call => answered,
            // As a load balancer that finds it unhealthy.
            _ = watch.wait_for(|state| *state == State::Frozen) => return None,
        };
        match answered {
            Ok(answered) => Some(answered),
            Err(error) => {
                // Whoever has killed it says so at once.
                tokio::time::sleep(BETWEEN).await;
                if slot.life() == life && *slot.watch().borrow() == State::Up(base) {
                    self.notes.broken(format!("a {function} broke a connection: {error:?}"));
                }
                None
            }
        }
    }

    /// Asks the provider whether a token works.
    async fn try_out(&self, credential: usize, answer: &Value) -> Ended {
        let name = || self.lab.name(credential);
        let token = answer["accessToken"].as_str().unwrap_or_default();
        let Some(lives_until) = self.lab.ledger.lives_until(token) else {
            self.notes.broken(format!("{}: a token was served that the provider did not issue", name()));
            return Ended::Badly;
        };
        let accepted = self.lab.peer.accepts(&self.lab.client, token).await;
        match accepted {
            Ok(true) => Ended::Well,
            Ok(false) if self.lab.ledger.now() >= lives_until => {
                self.notes.note().last_moment += 1;
                Ended::Well
            }
            // Killed by a reuse that could not be avoided: its grant is lost, which is judged by itself.
            Ok(false) if self.family && self.lab.ledger.may_be_killed(credential) => {
                *self.notes.note().dead.entry(credential).or_default() += 1;
                Ended::Well
            }
            Ok(false) => {
                self.notes.broken(format!("{}: a token was served that the provider refuses", name()));
                Ended::Badly
            }
            Err(error) => {
                self.notes.broken(format!("the provider does not answer: {error}"));
                Ended::Badly
            }
        }
    }
}

fn is_passing(problem: &Value) -> bool {
    problem["code"].as_str().is_some_and(|code| PASSING.contains(&code))
}
