//! Binds a connect to the browser that started it (RFC 9700 section 4.7.1): a random cookie, whose digest the attempt keeps.
//!
//! Only for connects that a browser starts itself, in a connect session. One that a service starts has no browser yet: its tenant's
//! backend says who is signed in (`completion: "confirm"`).

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::{Ids, NoRandomness};
use crate::domain::Browser;
use crate::flow::start::ATTEMPT_TTL;

/// With `__Host-` a browser takes the cookie only with `Secure`, `Path=/` and no `Domain`: no neighbouring host can set it
/// (RFC 6265bis section 4.1.3.2). In clear, on loopback alone, there is no such promise to be had.
const NAME: &str = "__Host-oauth-browser";
const NAME_IN_CLEAR: &str = "oauth-browser";

/// The cookie of a browser.
pub struct BrowserCookie {
    value: String,
    secure: bool,
}

impl BrowserCookie {
    /// The one that a request has.
    #[must_use]
    pub fn of(headers: &HeaderMap, secure: bool) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let named = cookies.flat_map(|value| value.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == name_of(secure)).then_some(value)
        })?;
        let is_ours = URL_SAFE_NO_PAD.decode(named).is_ok_and(|bytes| bytes.len() == 32);
        is_ours.then(|| Self { value: named.to_owned(), secure })
    }

    /// The one that a request has, or a new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn of_or_new(headers: &HeaderMap, secure: bool, ids: &dyn Ids) -> Result<Self, NoRandomness> {
        if let Some(cookie) = Self::of(headers, secure) {
            return Ok(cookie);
        }
        let mut bytes = [0_u8; 32];
        ids.fill(&mut bytes)?;
        Ok(Self { value: URL_SAFE_NO_PAD.encode(bytes), secure })
    }

    /// What an attempt remembers of it.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(URL_SAFE_NO_PAD.encode(digest(&SHA256, self.value.as_bytes())))
    }

    /// What sets it, for as long as an attempt lasts. `Lax`: it comes back with the provider's redirect, and with no request that another
    /// site's page makes.
    #[must_use]
    pub fn set(&self) -> Option<HeaderValue> {
        let Self { value, secure } = self;
        let flag = if *secure { "; Secure" } else { "" };
        let name = name_of(*secure);
        let seconds = ATTEMPT_TTL.as_secs();
        HeaderValue::try_from(format!(
            "{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{flag}"
        ))
        .ok()
    }
}

const fn name_of(secure: bool) -> &'static str {
    if secure { NAME } else { NAME_IN_CLEAR }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|value| (header::COOKIE, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_cookie_that_is_set_comes_back_as_the_same_browser() {
        for secure in [true, false] {
            let new = BrowserCookie::of_or_new(&HeaderMap::new(), secure, &SystemIds).unwrap();
            let set = new.set().unwrap().to_str().unwrap().to_owned();
            let pair = set.split(';').next().unwrap();
            let again = headers(&["a=b", &format!("c=d; {pair}; e=f")]);
            let kept = BrowserCookie::of_or_new(&again, secure, &SystemIds).unwrap();
            assert_eq!(kept.browser(), new.browser());
            assert!(BrowserCookie::of(&again, !secure).is_none(), "by another name");
            assert_eq!(set.starts_with("__Host-") && set.ends_with("; Secure"), secure, "{set}");
        }
    }

    #[test]
    fn a_cookie_that_is_not_ours_is_none() {
        for value in ["", "short", "x; y", &"A".repeat(44)] {
            assert!(BrowserCookie::of(&headers(&[&format!("{NAME}={value}")]), true).is_none(), "{value}");
        }
    }
}
