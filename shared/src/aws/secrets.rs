//! Reads secrets of AWS Secrets Manager: all at once, within a bound, each asked for at most twice.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::refusal::{Verdict, judge};
use super::{Account, SecretError, sign};
use crate::clock::Clock;
use crate::secret::{ExposeSecret as _, SecretBytes, append};

/// One question. A start waits for two of them at most, and Lambda gives ten seconds for one.
const ATTEMPT: Duration = Duration::from_millis(2400);
/// Until it is asked again.
const WAIT: Duration = Duration::from_millis(100);
/// More than any secret: 64 KiB, escaped.
const LARGEST: usize = 512 * 1024;

const SERVICE: &str = "secretsmanager";
const JSON: &str = "application/x-amz-json-1.1";
const GET: &str = "secretsmanager.GetSecretValue";

/// The secrets that the function's role may read.
pub struct Secrets<'a> {
    account: &'a Account,
    clock: &'a dyn Clock,
    address: Url,
    host: String,
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

impl<'a> Secrets<'a> {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// When there is no address for the region, or no root certificates.
    pub fn of(account: &'a Account, clock: &'a dyn Clock) -> Result<Self, SecretError> {
        Self::within(account, clock, ATTEMPT)
    }

    /// The same, where one question takes no longer than `attempt`.
    pub(super) fn within(
        account: &'a Account,
        clock: &'a dyn Clock,
        attempt: Duration,
    ) -> Result<Self, SecretError> {
        let address = match &account.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => usual(&account.region).ok_or(SecretError::Unreachable)?,
        };
        let host = address.host_str().ok_or(SecretError::Unreachable)?;
        // As the client writes it into `Host`.
        let host = address.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let client = Client::builder()
            .no_proxy()
            .timeout(attempt)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent("oauth-management-service")
            .build()
            .map_err(|_| SecretError::Unreachable)?;
        Ok(Self { account, clock, address, host, client })
    }

    /// The trimmed values of secrets, by name or ARN, in the order of `ids`.
    pub async fn read(&self, ids: &[&str]) -> Vec<Result<Zeroizing<String>, SecretError>> {
        join_all(ids.iter().map(|id| self.one(id))).await
    }

    async fn one(&self, id: &str) -> Result<Zeroizing<String>, SecretError> {
        match self.ask(id).await {
            Ok(value) => Ok(value),
            Err(Verdict::Final(error)) => Err(error),
            Err(Verdict::Again) => {
                tokio::time::sleep(WAIT).await;
                self.ask(id).await.map_err(|verdict| match verdict {
                    Verdict::Again => SecretError::Unreachable,
                    Verdict::Final(error) => error,
                })
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the session's token goes with the request")]
    async fn ask(&self, id: &str) -> Result<Zeroizing<String>, Verdict> {
        let body = json!({ "SecretId": id }).to_string();
        let date = sign::date(self.clock.now());
        let mut headers =
            vec![("content-type", JSON), ("host", &self.host), ("x-amz-date", &date), ("x-amz-target", GET)];
        if let Some(token) = &self.account.session_token {
            headers.insert(3, ("x-amz-security-token", token.expose_secret()));
        }
        let signed = sign::authorization(self.account, SERVICE, &date, &headers, body.as_bytes());
        let mut request = self.client.post(self.address.clone()).header(AUTHORIZATION, signed);
        for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.map_err(|_| Verdict::Again)?;
        let status = answer.status().as_u16();
        let body = whole(answer).await?;
        if status != 200 {
            return Err(judge(status, &body));
        }
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| Verdict::Final(SecretError::Unreadable))?;
        let text = Zeroizing::new(answer.text.ok_or(Verdict::Final(SecretError::NoText))?);
        let text = Zeroizing::new(text.trim().to_owned());
        if text.is_empty() { Err(Verdict::Final(SecretError::Empty)) } else { Ok(text) }
    }
}

async fn whole(mut answer: Response) -> Result<SecretBytes, Verdict> {
    let mut bytes = SecretBytes::default();
    while let Some(chunk) = answer.chunk().await.map_err(|_| Verdict::Again)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Verdict::Final(SecretError::Unreadable));
        }
        append(&mut bytes, &chunk);
    }
    Ok(bytes)
}

/// The address of a region; China's are under another name.
fn usual(region: &str) -> Option<Url> {
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let plain = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Url::parse(&format!("https://{SERVICE}.{region}.{end}/")).ok().filter(|_| plain)
}
