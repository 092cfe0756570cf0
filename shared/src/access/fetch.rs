//! Fetches an issuer's key set: bounded in time and size, no redirect followed.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode};
use url::Url;

/// Until the connection stands.
const CONNECT: Duration = Duration::from_secs(2);
/// The whole fetch, the body included: for so long may a caller have to wait for it.
const TOTAL: Duration = Duration::from_secs(3);
/// More than any issuer's keys.
const LIMIT: usize = 256 * 1024;

/// Why there is no key set.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nothing was answered, or not in time.
    #[error("the key set can't be fetched")]
    Unreachable(#[source] reqwest::Error),
    /// Something else than 200; a redirect too, which could lead anywhere.
    #[error("the key set is answered with status {0}")]
    Status(u16),
    /// More than 256 KiB.
    #[error("the key set is larger than 256 KiB")]
    TooLarge,
    /// More than 100 keys.
    #[error("the key set has more than 100 keys")]
    TooMany,
    /// Not the JSON of RFC 7517 section 5.
    #[error("the key set can't be read")]
    Unreadable(#[source] serde_json::Error),
    /// The process gave up the fetch before it ended.
    #[error("the fetch of the key set was broken off")]
    BrokenOff,
}

/// The HTTP client, made when it is first needed: loading root certificates takes milliseconds.
pub(super) struct Fetch {
    total: Duration,
    client: OnceLock<Client>,
}

impl Default for Fetch {
    fn default() -> Self {
        Self::within(TOTAL)
    }
}

impl Fetch {
    /// Gives up after `total`.
    pub(super) const fn within(total: Duration) -> Self {
        Self { total, client: OnceLock::new() }
    }

    /// The body of an answer with status 200.
    pub(super) async fn get(&self, uri: &Url) -> Result<Vec<u8>, FetchError> {
        let request = self.client()?.get(uri.clone()).header(ACCEPT, "application/json");
        let answer = request.send().await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        read(answer).await
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            // What the environment says of proxies is for others: nobody stands between us and an issuer.
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(self.total)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent("oauth-management-service")
            .build()
            .map_err(FetchError::Unreachable)?;
        Ok(self.client.get_or_init(|| client))
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > LIMIT {
            return Err(FetchError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The log names the address in a field of its own.
fn unreachable(error: reqwest::Error) -> FetchError {
    FetchError::Unreachable(error.without_url())
}
