//! The provider of a sweep: a sandbox as a process of its own, slow as a real one, which counts what it is asked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::http::{self, Connection};
use crate::lab::Lab;
use crate::load::{self, Until};
use crate::process::{Server, free_address};
use crate::seed;

/// How long each of its answers takes.
pub(super) const LATENCY: Duration = Duration::from_millis(50);

const COUNTERS: &str = "/_sandbox/counters";

/// A sandbox that is running.
pub(super) struct Sandbox(Server);

impl Sandbox {
    /// Starts one; it answers at once until it is slowed down.
    pub(super) fn start(lab: &Lab) -> Result<Self> {
        let address = free_address()?;
        let mut command = lab.command("sandbox-provider", &[("LISTEN", address.to_string())]);
        let mut server = Server::spawn(&mut command, address, &lab.path().join("sandbox.log"))?;
        server.connect()?;
        Ok(Self(server))
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The processor time it has used.
    pub(super) fn cpu(&self) -> Result<Duration> {
        self.0.cpu()
    }

    /// Has `count` people consent; answers their refresh tokens.
    pub(super) fn consent(&self, count: u32) -> Result<Vec<String>> {
        let url = "http://localhost/o/oauth2/v2/auth?client_id=sandbox-gmail&response_type=code&access_type=offline\
             &prompt=consent&redirect_uri=http%3A%2F%2F127.0.0.1%2F&scope=openid%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly";
        let mut connection = Connection::open(self.0.address)?;
        (0..count)
            .map(|number| {
                let body = json!({ "authorizationUrl": url, "account": seed::user(number) });
                let request = http::post("/_sandbox/consent", "application/json", &body.to_string());
                let answer: Value = serde_json::from_slice(&connection.call(&request)?)?;
                let redirect = answer["redirect"].as_str().unwrap_or_default();
                let code = redirect.split(['?', '&']).find_map(|each| each.strip_prefix("code="));
                let code = code.ok_or("the sandbox gave no code")?;
                let form = format!(
                    "grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%2F"
                );
                let answer: Value = serde_json::from_slice(&connection.call(&token_request(&form))?)?;
                Ok(answer["refresh_token"].as_str().ok_or("the sandbox gave no refresh token")?.to_owned())
            })
            .collect()
    }

    /// Has it take its time with every refresh from now on.
    pub(super) fn slow_down(&self) -> Result<()> {
        let body = json!({ "latencyMs": { "google.token": LATENCY.as_millis() } }).to_string();
        let request = http::send("PATCH", "/_sandbox/settings", "application/json", &body);
        Connection::open(self.0.address)?.call(&request).map(drop)
    }

    /// Has it count from zero.
    pub(super) fn count_anew(&self) -> Result<()> {
        let request = http::send("DELETE", COUNTERS, "application/json", "");
        Connection::open(self.0.address)?.order(&request)
    }

    /// The most calls that were in flight at once since it counted anew.
    ///
    /// # Errors
    /// When it was not asked for `tokens` tokens, once for each and for nothing else, or for more than
    /// `at_once` at once.
    pub(super) fn most_in_flight(&self, tokens: usize, at_once: usize) -> Result<f64> {
        let answer = Connection::open(self.0.address)?.call(&http::get(COUNTERS))?;
        let most = checked(&serde_json::from_slice(&answer)?, tokens, at_once)?;
        Ok(f64::from(u32::try_from(most)?))
    }

    /// Has the load generator make the calls itself, `at_once` at once: what sandbox and machine allow.
    /// Answers the calls per second, and the most that were in flight.
    pub(super) async fn ask(
        &self,
        lab: &Lab,
        requests: &Arc<[Vec<u8>]>,
        at_once: usize,
    ) -> Result<(f64, f64)> {
        self.count_anew()?;
        let until = Until::Count(requests.len() as u64);
        let round = load::closed(&lab.clock, self.0.address, requests, at_once, until).await?;
        Ok((round.rate(), self.most_in_flight(requests.len(), at_once)?))
    }
}

/// The most calls in flight by these counters, if the calls were as they should be.
fn checked(counters: &Value, tokens: usize, at_once: usize) -> Result<u64> {
    let endpoint = &counters["endpoints"]["google.token"];
    let counted = [
        &endpoint["calls"],
        &endpoint["grantTypes"]["refresh_token"]["ok"],
        &counters["refreshTokensPresented"],
    ];
    let most = endpoint["maxInFlight"].as_u64().unwrap_or(u64::MAX);
    match counted.into_iter().all(|count| *count == tokens) {
        true if counters["mostPresentations"] == 1 && most <= at_once as u64 => Ok(most),
        true | false => {
            let problem =
                format!("the provider was to be asked {tokens} times, {at_once} at once: {endpoint}");
            Err(format!("{problem}, at most {} for one token", counters["mostPresentations"]).into())
        }
    }
}

/// The call that a refresh makes.
pub(super) fn refresh_request(token: &str) -> Vec<u8> {
    token_request(&format!("grant_type=refresh_token&refresh_token={}", token.replace('/', "%2F")))
}

fn token_request(form: &str) -> Vec<u8> {
    let body = format!("{form}&client_id=sandbox-gmail&client_secret=sandbox-gmail-secret");
    http::post("/token", "application/x-www-form-urlencoded", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_asked_twice_or_not_at_all_or_too_many_at_once_gives_no_number() {
        let counters = |calls: u32, ok: u32, tokens: u32, presented: u32, most: u32| {
            json!({
                "endpoints": { "google.token": {
                    "calls": calls, "maxInFlight": most, "grantTypes": { "refresh_token": { "ok": ok } },
                } },
                "refreshTokensPresented": tokens,
                "mostPresentations": presented,
            })
        };
        assert_eq!(checked(&counters(9, 9, 9, 1, 4), 9, 4).unwrap(), 4);
        for wrong in [
            counters(10, 9, 9, 1, 4),
            counters(9, 8, 9, 1, 4),
            counters(9, 9, 8, 1, 4),
            counters(9, 9, 9, 2, 4),
            counters(9, 9, 9, 1, 5),
            json!({}),
        ] {
            assert!(checked(&wrong, 9, 4).is_err(), "{wrong}");
        }
    }
}
