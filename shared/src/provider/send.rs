//! Sends one request and reads its answer: bounded in time and size, no redirect followed, nothing secret in an error.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use reqwest::header::{ACCEPT, AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::ProviderApp;
use super::classify::Reply;
use super::descriptor::{ClientAuth, Method};
use super::failure::{Failure, Outcome};
use super::reachable::{Private, Reach};
use super::resolver::InternetOnly;
use crate::secret::{ExposeSecret as _, SecretBytes, SecretString, append};

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// The whole call, a second attempt with another client secret included. A lease outlives it.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(5) }
    }
}

/// More than any answer of a provider.
const ANSWER_LIMIT: usize = 256 * 1024;
/// Nobody is made to wait longer by a provider.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The HTTP clients, made when they are first needed: loading root certificates takes milliseconds.
pub(super) struct Http {
    timeouts: Timeouts,
    anywhere: OnceLock<reqwest::Client>,
    internet: OnceLock<reqwest::Client>,
}

/// What proves the right to make a call.
pub(super) enum Proof<'a> {
    None,
    Bearer(&'a SecretString),
    Client(&'a ProviderApp, &'a SecretString, ClientAuth),
}

/// A field of a form.
pub(super) enum Field<'a> {
    Plain(&'static str, &'a str),
    Secret(&'static str, &'a SecretString),
}

impl Http {
    pub(super) const fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, anywhere: OnceLock::new(), internet: OnceLock::new() }
    }

    /// Runs `call`, but not for longer than a whole call may take.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::time::timeout(self.timeouts.total, call)
            .await
            .unwrap_or_else(|late| Err(Failure::passing(Outcome::Unknown, late)))
    }

    /// Sends a form, or nothing with `GET`, and reads the answer.
    pub(super) async fn send(
        &self,
        reach: Reach,
        method: Method,
        url: Url,
        proof: &Proof<'_>,
        form: &[Field<'_>],
    ) -> Result<Reply, Failure> {
        let client = self.client(reach)?;
        let request = match method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).form(&encoded(proof, form)),
        };
        let answer =
            prove(request, proof)?.header(ACCEPT, "application/json").send().await.map_err(|error| {
                if let Some(private) = refused_host(&error) {
                    // Further up it looks like any refusal of our app.
                    tracing::error!(
                        error = &private as &dyn std::error::Error,
                        "a call to a provider was not made"
                    );
                    return Failure::operator(private);
                }
                // Connecting includes the look-up of the name and the TLS handshake.
                let sent = !(error.is_connect() || error.is_builder());
                let outcome = if sent { Outcome::Unknown } else { Outcome::NotSent };
                Failure::passing(outcome, error.without_url())
            })?;
        Ok(Reply {
            status: answer.status().as_u16(),
            retry_after: retry_after(answer.headers()),
            challenge: challenge(answer.headers()),
            body: read(answer).await?.and_then(|bytes| json(&bytes)),
        })
    }

    fn client(&self, reach: Reach) -> Result<&reqwest::Client, Failure> {
        let held = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Internet => &self.internet,
        };
        if let Some(client) = held.get() {
            return Ok(client);
        }
        let builder = match reach {
            Reach::Anywhere => reqwest::Client::builder(),
            Reach::Internet => reqwest::Client::builder().dns_resolver(InternetOnly),
        };
        let client = builder
            .connect_timeout(self.timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // `HTTPS_PROXY` and the like would have somebody else look up the name, and send secrets there.
            .no_proxy()
            .user_agent("oauth-management-service")
            // A kept connection that the provider closes under a request leaves its outcome unknown.
            .pool_idle_timeout(Duration::from_secs(20))
            .build()
            .map_err(|error| Failure::passing(Outcome::NotSent, error))?;
        Ok(held.get_or_init(|| client))
    }
}

/// The host that the resolver refused, somewhere below what the client says.
fn refused_host(error: &reqwest::Error) -> Option<Private> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(private) = error.downcast_ref::<Private>() {
            return Some(private.clone());
        }
        cause = error.source();
    }
    None
}

#[expect(clippy::disallowed_methods, reason = "sends secrets to the provider")]
fn encoded<'a>(proof: &Proof<'a>, form: &[Field<'a>]) -> Vec<(&'static str, &'a str)> {
    let mut pairs: Vec<_> = form
        .iter()
        .map(|field| match field {
            Field::Plain(name, value) => (*name, *value),
            Field::Secret(name, value) => (*name, value.expose_secret()),
        })
        .collect();
    if let Proof::Client(app, secret, ClientAuth::Post) = proof {
        pairs.push(("client_id", &app.client_id));
        pairs.push(("client_secret", secret.expose_secret()));
    }
    pairs
}

#[expect(clippy::disallowed_methods, reason = "sends secrets to the provider")]
fn prove(request: RequestBuilder, proof: &Proof<'_>) -> Result<RequestBuilder, Failure> {
    let value = match proof {
        Proof::None | Proof::Client(_, _, ClientAuth::Post) => return Ok(request),
        Proof::Bearer(token) => Zeroizing::new(format!("Bearer {}", token.expose_secret())),
        Proof::Client(app, secret, ClientAuth::Basic) => {
            // RFC 6749 section 2.3.1: each is form-encoded before they are joined.
            let encode = |text: &str| {
                Zeroizing::new(url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>())
            };
            let (id, secret) = (encode(&app.client_id), encode(secret.expose_secret()));
            let pair = Zeroizing::new(format!("{}:{}", *id, *secret));
            let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            Zeroizing::new(format!("Basic {}", *encoded))
        }
    };
    let mut header = HeaderValue::from_str(&value)
        .map_err(|_| Failure::passing(Outcome::NotSent, "the token can't be sent in a header"))?;
    header.set_sensitive(true);
    Ok(request.header(AUTHORIZATION, header))
}

/// The body; `None` when it is longer than any answer of an API.
async fn read(mut answer: Response) -> Result<Option<SecretBytes>, Failure> {
    let mut bytes = SecretBytes::default();
    while let Some(chunk) =
        answer.chunk().await.map_err(|error| Failure::passing(Outcome::Unknown, error.without_url()))?
    {
        if bytes.len() + chunk.len() > ANSWER_LIMIT {
            return Ok(None);
        }
        append(&mut bytes, &chunk);
    }
    Ok(Some(bytes))
}

/// A byte order mark is no reason to lose a token (RFC 8259 section 8.1).
fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).ok()
}

/// The `error` of a bearer challenge (RFC 6750 section 3). Between quotation marks is no name.
fn challenge(headers: &HeaderMap) -> Option<String> {
    headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).find_map(|text| {
        let scheme = text.get(..7)?.eq_ignore_ascii_case("bearer ");
        let pieces: Vec<_> = text.split('"').collect();
        let named = pieces.chunks(2).find_map(|pair| match pair {
            [before, value] => {
                let name = before.trim_end_matches([' ', '=']).rsplit([' ', ',']).next();
                (name == Some("error")).then_some(*value)
            }
            _ => None,
        })?;
        (scheme && !named.is_empty()).then(|| named.to_owned())
    })
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3); a date is measured from the answer's own,
/// so that no clock of ours matters.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let seconds = text.parse().ok().or_else(|| {
        let sent = date(headers.get(DATE)?.to_str().ok()?)?;
        u64::try_from((date(text)? - sent).num_seconds().max(0)).ok()
    })?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}
