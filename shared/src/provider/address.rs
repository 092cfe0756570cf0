//! An address in a descriptor: https, no user-info, with known placeholders only, movable to another origin.

use serde::Deserialize;
use url::{Host, Url};

/// The one placeholder that an address may have, and only in `account.userinfo.url`.
const USER_ID: &str = "{user_id}";
/// The placeholder as a URL writes it in its query and in its path.
const PLACEHOLDERS: [&str; 2] = [USER_ID, "%7Buser_id%7D"];

/// A URL of a provider, possibly with a placeholder in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(Url);

/// Why a text can't be an address, or an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("is not a URL: {0}")]
    Unreadable(#[from] url::ParseError),
    /// Tokens and secrets go there: only encrypted, but for one's own machine.
    #[error("must start with https://")]
    NotHttps,
    /// A user name or password in a URL ends up in logs.
    #[error("must not have a user name or password")]
    UserInfo,
    /// A fragment is never sent.
    #[error("must not have a fragment")]
    Fragment,
    /// Braces that are not a known placeholder.
    #[error("has an unknown placeholder; only {USER_ID} is known")]
    Placeholder,
    /// What a provider answers must not choose where a token goes.
    #[error("must not have a placeholder in its host")]
    PlaceholderInHost,
    /// An origin is scheme, host and port.
    #[error("must be only scheme, host and port")]
    NotAnOrigin,
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(template: String) -> Result<Self, AddressError> {
        let filled = template.replace(USER_ID, "x");
        if filled.contains(['{', '}']) {
            return Err(AddressError::Placeholder);
        }
        let url = Url::parse(&filled)?;
        if url.scheme() != "https" {
            return Err(AddressError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(AddressError::Fragment);
        }
        let template = Url::parse(&template)?;
        if template.host() != url.host() {
            return Err(AddressError::PlaceholderInHost);
        }
        Ok(Self(template))
    }
}

impl Address {
    /// Whether it has the placeholder.
    pub(super) fn has_placeholder(&self) -> bool {
        PLACEHOLDERS.iter().any(|placeholder| self.0.as_str().contains(placeholder))
    }

    /// The URL, without a placeholder.
    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }

    /// The URL with `user_id`, percent-encoded, in the place of the placeholder.
    pub(super) fn url_for(&self, user_id: &str) -> Result<Url, url::ParseError> {
        let encoded: String = url::form_urlencoded::byte_serialize(user_id.as_bytes()).collect();
        // A plus sign means a space only in a query; `%20` means it everywhere.
        let encoded = encoded.replace('+', "%20");
        let [query, path] = PLACEHOLDERS;
        Url::parse(&self.0.as_str().replace(query, &encoded).replace(path, &encoded))
    }

    /// Replaces scheme, host and port.
    pub(super) fn move_to(&mut self, origin: &Url) {
        let mut moved = origin.clone();
        moved.set_path(self.0.path());
        moved.set_query(self.0.query());
        self.0 = moved;
    }
}

/// Checks an origin that replaces a provider's own: https, or http on this machine's loopback.
pub(super) fn check_origin(origin: &Url) -> Result<(), AddressError> {
    let loopback = match origin.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if origin.scheme() != "https" && !(origin.scheme() == "http" && loopback) {
        return Err(AddressError::NotHttps);
    }
    if !origin.username().is_empty() || origin.password().is_some() {
        return Err(AddressError::UserInfo);
    }
    if origin.path() != "/" || origin.query().is_some() || origin.fragment().is_some() {
        return Err(AddressError::NotAnOrigin);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, AddressError> {
        Address::try_from(text.to_owned())
    }

    #[test]
    fn refuses_what_would_send_a_secret_in_clear_or_into_a_log() {
        assert_eq!(address("http://slack.com/x"), Err(AddressError::NotHttps));
        assert_eq!(address("https://me:pw@slack.com/x"), Err(AddressError::UserInfo));
        assert_eq!(address("https://slack.com/x#y"), Err(AddressError::Fragment));
        assert_eq!(address("https://slack.com/{team}"), Err(AddressError::Placeholder));
        assert!(matches!(address("slack.com"), Err(AddressError::Unreadable(_))));
        assert_eq!(address("https://{user_id}.slack.com/x"), Err(AddressError::PlaceholderInHost));
        assert!(address("https://slack.com:{user_id}/x").is_err());
    }

    #[test]
    fn a_user_id_can_not_add_to_the_url() {
        let address = address("https://slack.com/api/users.info?user={user_id}").unwrap();
        let url = address.url_for("U 1&token=x#y").unwrap();
        assert_eq!(url.as_str(), "https://slack.com/api/users.info?user=U%201%26token%3Dx%23y");
    }

    #[test]
    fn moves_keep_path_and_query() {
        let origin = Url::parse("http://127.0.0.1:9000").unwrap();
        let mut moved = address("https://a.example:444/p?user={user_id}").unwrap();
        moved.move_to(&origin);
        assert_eq!(moved.url_for("U1").unwrap().as_str(), "http://127.0.0.1:9000/p?user=U1");
        let mut bare = address("https://a.example?x=1").unwrap();
        bare.move_to(&origin);
        assert_eq!(bare.url().as_str(), "http://127.0.0.1:9000/?x=1");
    }

    #[test]
    fn an_origin_in_clear_is_refused_but_on_loopback() {
        let check = |text: &str| check_origin(&Url::parse(text).unwrap());
        assert_eq!(check("http://127.0.0.1:1"), Ok(()));
        assert_eq!(check("http://[::1]:1"), Ok(()));
        assert_eq!(check("https://sandbox.example"), Ok(()));
        assert_eq!(check("http://sandbox.example"), Err(AddressError::NotHttps));
        assert_eq!(check("https://sandbox.example/path"), Err(AddressError::NotAnOrigin));
        assert_eq!(check("https://me@sandbox.example"), Err(AddressError::UserInfo));
    }
}
