//! The way from one process to its provider: writes down every refresh, and does to it what was armed.

mod http;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub(crate) use self::http::{Answer, Reply, Request};
use crate::Result;
use crate::fleet::Slot;
use crate::lab::Lab;
use crate::ledger::Ledger;
use crate::peer::{Heard, Peer};
use crate::strike;

/// Headers that belong to a connection, or that the client sets anew.
const NOT_FORWARDED: [&str; 5] = ["host", "content-length", "connection", "transfer-encoding", "date"];

/// A refresh that has arrived.
#[derive(Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) call: u64,
    pub(crate) credential: usize,
    pub(crate) slot: usize,
    pub(crate) life: u64,
}

/// Gives an asker its reply.
pub(crate) struct Asker(oneshot::Sender<(Reply, oneshot::Sender<Duration>)>);

impl Asker {
    /// Hands it over; says when, if it arrived as far as one can know.
    pub(crate) async fn give(self, reply: Reply) -> Option<Duration> {
        let (told, heard) = oneshot::channel();
        self.0.send((reply, told)).ok()?;
        heard.await.ok()
    }

    /// Hands over the provider's own answer to a refresh, and writes down whether it arrived.
    pub(crate) async fn deliver(self, ledger: &Ledger, call: u64, answer: Answer) {
        match self.give(Reply::Whole(answer)).await {
            Some(at) => ledger.delivered(call, at),
            None => ledger.left(call),
        }
    }
}

/// Serves one process until the world ends.
pub(crate) async fn serve(listener: TcpListener, lab: Arc<Lab>, slot: usize) {
    while let Ok((stream, _)) = listener.accept().await {
        let lab = Arc::clone(&lab);
        // A connection that breaks is what this is about.
        tokio::spawn(async move { drop(connection(stream, lab, slot).await) });
    }
}

async fn connection(stream: TcpStream, lab: Arc<Lab>, slot: usize) -> Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(request) = http::read(&mut read).await? {
        let call = lab.ledger.call();
        let (sender, receiver) = oneshot::channel();
        // On its own: a provider carries out what it was sent, whether or not the asker waits.
        tokio::spawn(handle(Arc::clone(&lab), slot, call, request, Asker(sender)));
        let mut byte = [0];
        let given = tokio::select! {
            given = receiver => given.ok(),
            // Nobody sends a second request before the first is answered: this is the end.
            _ = read.read(&mut byte) => None,
        };
        let Some((reply, told)) = given else {
            lab.ledger.left(call);
            return Ok(());
        };
        // Before the first byte: what follows from it can't be earlier.
        let now = lab.ledger.now();
        let goes_on = http::write(&mut write, &reply).await?;
        let _ = told.send(now);
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

async fn handle(lab: Arc<Lab>, slot: usize, call: u64, request: Request, asker: Asker) {
    let place = lab.fleet.slots.get(slot);
    let life = place.map_or(0, Slot::life);
    let refresh = (request.field("grant_type").as_deref() == Some("refresh_token"))
        .then(|| request.field("refresh_token"))
        .flatten();
    let credential = refresh.and_then(|token| lab.ledger.arrived(call, slot, life, &token));
    let Some(credential) = credential else {
        if let Ok(answer) = forward(&lab, call, &request).await {
            asker.give(Reply::Whole(answer)).await;
        }
        return;
    };
    if place.is_some_and(Slot::is_frozen) {
        // Sent in the last moment, and read here a moment later.
        lab.ledger.bereaved(slot, life, None);
    }
    tokio::time::sleep(Duration::from_millis(lab.latency.load(Ordering::Relaxed))).await;
    let hit = Hit { call, credential, slot, life };
    match lab.armed.take(credential) {
        Some(fault) => strike::strike(&lab, hit, fault, request, asker).await,
        None => {
            if let Ok(answer) = forward(&lab, call, &request).await {
                asker.deliver(&lab.ledger, call, answer).await;
            }
        }
    }
}

/// Asks the provider, and writes down what it says.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn forward(lab: &Lab, call: u64, request: &Request) -> Result<Answer> {
    let sent = lab.ledger.now();
    let url = format!("{}{}", lab.peer.origin(), request.target);
    let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
    let mut asked = lab.client.request(method, url).body(request.body.clone());
    for (name, value) in request.headers.iter().filter(|(name, _)| !NOT_FORWARDED.contains(&name.as_str())) {
        asked = asked.header(name, value);
    }
    let said = asked.send().await?;
    let status = said.status().as_u16();
    let headers = said.headers().iter();
    let headers = headers
        .filter(|(name, _)| !NOT_FORWARDED.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = said.bytes().await?.to_vec();
    note(&lab.ledger, &lab.peer, call, sent, request, status, &body);
    Ok(Answer { status, headers, body })
}

fn note(
    ledger: &Ledger,
    peer: &Peer,
    call: u64,
    sent: Duration,
    request: &Request,
    status: u16,
    body: &[u8],
) {
    if request.method != "POST" {
        return;
    }
    let body = serde_json::from_slice(body).unwrap_or_default();
    match (request.field("grant_type").as_deref(), peer.hear(status, &body)) {
        (Some("refresh_token"), Heard::Tokens(issued)) => {
            for issued in &issued {
                ledger.issued(call, sent, issued);
            }
        }
        (Some("refresh_token"), Heard::Refusal(code)) => ledger.refused(call, &code),
        (Some("authorization_code"), Heard::Tokens(issued)) => {
            if let Some(code) = request.field("code") {
                ledger.exchanged(&code, sent, issued);
            }
        }
        _ => {}
    }
}
