//! A deployment of eight processes that refresh, with a provider in front of which each has a proxy of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::{self, Parts};
use shared::clock::SystemClock;
use shared::config::Config;
use shared::domain::TokenKind;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Result;
use crate::backends::Backends;
use crate::fault::Armed;
use crate::fleet::{Fleet, Slot};
use crate::lab::{CredentialOf, Lab, StoreHandle, UnderWay};
use crate::ledger::Ledger;
use crate::link::Link;
use crate::peer::{PUBLIC_URL, Peer, Person};
use crate::proxy;
use crate::scenario::{CacheMode, Scenario};

/// Whose tenant all connections are.
pub(crate) const TENANT: &str = "acme";
/// How soon a person starts again.
const BEFORE_STARTING_AGAIN: Duration = Duration::from_millis(500);
/// How many people connect.
const PEOPLE: usize = 8;

/// A deployment.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) lab: Arc<Lab>,
    _proxies: Proxies,
    _backends: Backends,
    folder: Option<TempDir>,
}

impl World {
    /// Starts everything and connects everybody; `None` when a part is missing on this machine, which is said.
    ///
    /// # Errors
    /// When something does not start.
    pub(crate) async fn start(scenario: Scenario, seed: u64) -> Result<Option<Self>> {
        let folder = TempDir::with_prefix("soak-")?;
        match Self::start_in(folder.path(), scenario, seed).await {
            Ok(world) => Ok(world.map(|world| Self { folder: Some(folder), ..world })),
            Err(error) => Err(format!("{error}; logs are in {}", folder.keep().display()).into()),
        }
    }

    async fn start_in(folder: &Path, scenario: Scenario, seed: u64) -> Result<Option<Self>> {
        let Some(mut backends) = Backends::start(scenario, folder).await? else { return Ok(None) };
        let Some(peer) = Peer::start(scenario.class, folder).await? else { return Ok(None) };
        let vars = vars(&peer, &backends, folder)?;
        // It makes store and key, before the processes do so at once.
        let own = vars.iter().cloned().chain(backends.firestore().map(|host| of_firestore(&host)));
        let observer = app::build(Config::from_vars(own)?, Parts::system("observer", false))?;

        let (mut links, mut listeners, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for (index, function) in Fleet::functions().enumerate() {
            let mut vars = vars.clone();
            if let Some(host) = backends.firestore() {
                let link = Link::to(host).await?;
                vars.push(of_firestore(&link.address.to_string()));
                links.push(link);
            }
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let origin = match function {
                // A browser goes there by itself.
                "authorize" => peer.origin().to_owned(),
                _ => format!("http://{}", listener.local_addr()?),
            };
            vars.push((format!("PROVIDER_{}_ORIGIN", peer.id().to_uppercase()), origin));
            slots.push(Slot::new(function, vars, folder.join(format!("{index}-{function}.log"))));
            listeners.push(listener);
        }
        let people: Vec<_> = (0..PEOPLE).map(person).collect();
        let lab = Arc::new(Lab {
            ledger: Ledger::new(Arc::new(SystemClock::new())),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?,
            armed: Armed::default(),
            under_way: UnderWay::default(),
            fleet: Fleet { slots },
            store: match links.is_empty() {
                true => StoreHandle::Sqlite(folder.join("store.db")),
                false => StoreHandle::Linked,
            },
            links,
            latency: AtomicU64::new(0),
            credentials: CredentialOf::all(&people, peer.has_bots()),
            people,
            peer,
            connections: Mutex::default(),
            observer,
            troubles: Mutex::default(),
        });
        let serve = |(slot, listener)| tokio::spawn(proxy::serve(listener, Arc::clone(&lab), slot));
        let proxies = Proxies(listeners.into_iter().enumerate().map(serve).collect());
        lab.fleet.start().await?;
        for person in 0..PEOPLE {
            connect(&lab, person).await?;
        }
        if scenario.cache == CacheMode::Flapping {
            backends.flap(seed);
        }
        Ok(Some(Self { scenario, lab, _proxies: proxies, _backends: backends, folder: None }))
    }

    /// Keeps what the processes have logged; answers where.
    pub(crate) fn keep_logs(&mut self) -> Option<String> {
        self.folder.take().map(|folder| folder.keep().display().to_string())
    }
}

/// They end with the world.
struct Proxies(Vec<JoinHandle<()>>);

impl Drop for Proxies {
    fn drop(&mut self) {
        for proxy in &self.0 {
            proxy.abort();
        }
    }
}

fn person(index: usize) -> Person {
    // The first three share a workspace, and its bot.
    Person { name: format!("user-{index}"), workspace: format!("T0{}", if index < 3 { 0 } else { index }) }
}

fn of_firestore(host: &str) -> (String, String) {
    ("FIRESTORE_EMULATOR_HOST".to_owned(), host.to_owned())
}

/// What all processes have in common.
fn vars(peer: &Peer, backends: &Backends, folder: &Path) -> Result<Vec<(String, String)>> {
    let mut vars: BTreeMap<String, String> = backends.vars.iter().cloned().collect();
    let mut set = |name: &str, value: &str| drop(vars.insert(name.to_owned(), value.to_owned()));
    set("PUBLIC_URL", PUBLIC_URL);
    set("AUDIT", "off");
    set("LOG", "info,shared::cache=warn");
    set("LOG_FORMAT", "json");
    let (client_id, client_secret) = peer.app();
    let id = peer.id().to_uppercase();
    set(&format!("PROVIDER_{id}_CLIENT_ID"), client_id);
    set(&format!("PROVIDER_{id}_CLIENT_SECRET"), client_secret);
    if let Some(text) = peer.descriptor()? {
        let providers = folder.join("providers");
        std::fs::create_dir(&providers)?;
        std::fs::write(providers.join(format!("{}.toml", peer.id())), text)?;
        set("PROVIDERS_DIR", &providers.display().to_string());
    }
    Ok(vars.into_iter().collect())
}

/// Connects somebody, for the first time or again. A busy machine, or a Redis that is away, may have lost what was
/// begun: then a person starts again.
///
/// # Errors
/// When it does not work.
pub(crate) async fn connect(lab: &Lab, person: usize) -> Result<()> {
    let mut tries = 10;
    loop {
        tries -= 1;
        match connect_once(lab, person).await {
            Err(_) if tries > 0 => tokio::time::sleep(BEFORE_STARTING_AGAIN).await,
            connected => return connected,
        }
    }
}

async fn connect_once(lab: &Lab, person: usize) -> Result<()> {
    let who = lab.people.get(person).ok_or("there is no such person")?;
    let base = async |function: &str| -> Result<String> {
        let slot = lab.fleet.of(function).first().and_then(|slot| lab.fleet.slots.get(*slot));
        slot.ok_or("the fleet has no such function")?.base().await
    };
    let mut body = json!({"userId": who.name, "tenantId": TENANT, "provider": lab.peer.id()});
    if !lab.peer.has_bots() {
        body["loginHint"] = json!(who.name);
    }
    let url = format!("{}/api/v1/oauth/authorize", base("authorize").await?);
    let started: Value = read(lab.client.post(url).json(&body)).await?;
    let authorization_url = started["authorizationUrl"].as_str().ok_or("there is no authorizationUrl")?;
    let callback = lab.peer.consent(authorization_url, who).await?;
    let code = url::Url::parse(&callback)?
        .query_pairs()
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned());
    let callback = callback.replacen(PUBLIC_URL, &base("callback").await?, 1);
    let connected: Value = read(lab.client.get(callback).header("accept", "application/json")).await?;
    let id = connected["connectionId"].as_str().ok_or("there is no connectionId")?.parse()?;
    lab.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(person, id);
    lab.ledger.assign(&code.ok_or("the consent gave no code")?, |issued| {
        let kind = if issued.bot { TokenKind::Bot } else { TokenKind::User };
        lab.credentials.iter().position(|each| each.kind == kind && each.people.contains(&person))
    });
    Ok(())
}

async fn read(request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    let (status, body) = (answer.status(), answer.bytes().await?);
    if !status.is_success() {
        return Err(format!("connecting: {status} {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
}
