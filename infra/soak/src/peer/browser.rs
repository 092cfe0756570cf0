//! As much of a browser as a consent needs: follows redirects, and keeps cookies.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

use super::oidc::PUBLIC_URL;
use crate::Result;

/// More than any provider needs.
const MOST_REDIRECTS: usize = 20;

/// Follows an authorization URL to where it leads back to us; answers that URL, without opening it.
///
/// # Errors
/// When it leads nowhere.
pub(super) async fn follow(authorization_url: &str) -> Result<String> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let mut jar: BTreeMap<String, String> = BTreeMap::new();
    let mut url = Url::parse(authorization_url)?;
    for _ in 0..MOST_REDIRECTS {
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = client.get(url.clone()).header(COOKIE, cookies.join("; ")).send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, "")) => drop(jar.remove(name)),
                Some((name, value)) => drop(jar.insert(name.to_owned(), value.to_owned())),
                None => {}
            }
        }
        let status = answer.status();
        let Some(next) = answer.headers().get(LOCATION) else {
            return Err(format!("the consent ended with {status} at {}", url.path()).into());
        };
        url = url.join(next.to_str()?)?;
        if url.as_str().starts_with(PUBLIC_URL) {
            return Ok(url.into());
        }
    }
    Err("the consent goes round in circles".into())
}
