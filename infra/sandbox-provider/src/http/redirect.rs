//! Decides where a browser may be sent, and builds that URL.

use url::{Host, Url};

use crate::settings::Client;

/// Whether this redirect URI is registered, compared as a string (RFC 9700 §2.1); with none registered, whether it is loopback.
pub(crate) fn is_registered(client: &Client, redirect_uri: &str) -> bool {
    if !client.redirect_uris.is_empty() {
        return client.redirect_uris.iter().any(|registered| registered == redirect_uri);
    }
    let Ok(url) = Url::parse(redirect_uri) else {
        return false;
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback && matches!(url.scheme(), "http" | "https") && url.fragment().is_none()
}

/// The redirect URI with these parameters added to its query; absent values are left out.
pub(crate) fn with_params(redirect_uri: &str, params: &[(&str, Option<&str>)]) -> String {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return redirect_uri.to_owned();
    };
    url.query_pairs_mut()
        .extend_pairs(params.iter().filter_map(|(name, value)| value.map(|value| (*name, value))));
    url.into()
}
