//! Where a browser may be sent in the end: no open redirector (RFC 9700 section 2.1).

use url::{Host, Position, Url};

/// The allow-list of `redirectUri`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectAllow {
    /// Origin and path of each entry, as the parser writes them.
    entries: Vec<String>,
    /// Whether any URL on this machine is allowed: only while we listen on loopback ourselves.
    loopback: bool,
}

/// Why a `redirectUri` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectRefused {
    /// It is no absolute URL, or one that parsers disagree about.
    #[error("is not a plain absolute URL")]
    Malformed,
    /// Another scheme than `http` and `https`.
    #[error("must begin with https://")]
    Scheme,
    /// A user or password, which can pass for a host.
    #[error("must not have a user or password")]
    UserInfo,
    /// A fragment, which would hide what is appended (RFC 6749 section 3.1.2).
    #[error("must not have a fragment")]
    Fragment,
    /// A path with encoded slashes, backslashes, dots or percent signs, or with dot segments.
    #[error("must have a plain path")]
    Path,
    /// It is well-formed, and no entry has its origin and path.
    #[error("is not on the allow-list")]
    NotListed,
}

/// Longer than any real one; browsers begin to differ above.
const MAX_LENGTH: usize = 2048;

impl RedirectAllow {
    /// Allows no entry.
    pub(crate) const fn nothing_but_loopback(loopback: bool) -> Self {
        Self { entries: Vec::new(), loopback }
    }

    /// Reads comma-separated entries `https://host[:port]/path`.
    pub(crate) fn parse(text: &str, loopback: bool) -> Result<Self, String> {
        let mut entries = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match plain(entry) {
                Ok(url) if url.scheme() == "https" && url.query().is_none() => {
                    entries.push(place(&url).to_owned());
                }
                Ok(_) => return Err(format!("has {entry}, which must be https://host/path")),
                Err(refused) => return Err(format!("has {entry}, which {refused}")),
            }
        }
        Ok(Self { entries, loopback })
    }

    /// Checks where a browser is to be sent, and answers with the URL to send it to: as parsed, so that
    /// what was compared is what a browser sees.
    ///
    /// An entry matches by origin and path exactly; the query is the caller's.
    ///
    /// # Errors
    /// Why it is refused; the words continue "redirectUri …".
    pub fn allows(&self, uri: &str) -> Result<Url, RedirectRefused> {
        let url = plain(uri)?;
        let allowed = if is_loopback(&url) {
            self.loopback
        } else {
            self.entries.iter().any(|entry| entry == place(&url))
        };
        if allowed { Ok(url) } else { Err(RedirectRefused::NotListed) }
    }
}

/// Origin and path; the parser has lower-cased the host and dropped the default port.
fn place(url: &Url) -> &str {
    &url[..Position::AfterPath]
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Parses a URL that leaves nothing to interpretation: what the text says is what the parser understood.
fn plain(text: &str) -> Result<Url, RedirectRefused> {
    use RedirectRefused::{Fragment, Malformed, Path, Scheme, UserInfo};
    // Browsers drop tabs and newlines and turn backslashes round: refused before any parser sees them.
    if text.len() > MAX_LENGTH || text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
        return Err(Malformed);
    }
    let url = Url::parse(text).map_err(|_| Malformed)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Scheme);
    }
    // The parser also takes `https:host` and `https:////host`.
    let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    let rest = rest.filter(|rest| !rest.starts_with('/')).ok_or(Malformed)?;
    if text.contains('#') {
        return Err(Fragment);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(UserInfo);
    }
    if authority.contains('%') || url.host_str().is_none_or(|host| host.ends_with('.')) {
        return Err(Malformed);
    }
    let path = path.split('?').next().unwrap_or_default();
    // A path that the parser changed had dot segments or characters of no URL.
    let unchanged = path == url.path() || path.is_empty();
    let lower = path.to_ascii_lowercase();
    if !unchanged || ["%2f", "%5c", "%2e", "%25"].iter().any(|code| lower.contains(code)) {
        return Err(Path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::RedirectRefused::{Fragment, Malformed, NotListed, Path, Scheme, UserInfo};
    use super::*;

    fn public() -> RedirectAllow {
        RedirectAllow::parse("https://app.example/done, https://app.example:8443/a/b", false).unwrap()
    }

    fn refused(uri: &str, why: RedirectRefused) {
        assert_eq!(public().allows(uri), Err(why), "{uri}");
    }

    #[test]
    fn allows_the_origin_and_path_of_an_entry_with_any_query() {
        for uri in [
            "https://app.example/done",
            "https://app.example/done?next=https://evil.example/",
            "https://app.example:443/done",
            "https://app.example:8443/a/b",
        ] {
            assert!(public().allows(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn answers_with_the_url_as_parsed() {
        let url = public().allows("HTTPS://App.EXAMPLE:443/done?x=1").unwrap();
        assert_eq!(url.as_str(), "https://app.example/done?x=1");
    }

    #[test]
    fn refuses_another_host_port_scheme_or_path() {
        for uri in [
            "https://evil.example/done",
            "https://app.example.evil.example/done",
            "https://evilapp.example/done",
            "https://sub.app.example/done",
            "https://app.example:8443/done",
            "https://app.example:444/done",
            "http://app.example/done",
            "https://app.example",
            "https://app.example/",
            "https://app.example/done/",
            "https://app.example/done/more",
            "https://app.example/DONE",
            "https://app.example/done;x",
            "https://app.example//done",
            "https://app.example/done%20",
        ] {
            refused(uri, NotListed);
        }
    }

    #[test]
    fn refuses_what_is_not_http() {
        for uri in ["javascript:alert(1)", "data:text/html,x", "ftp://app.example/done", "app:/done"] {
            refused(uri, Scheme);
        }
    }

    #[test]
    fn refuses_what_is_not_absolute() {
        for uri in ["", "/done", "//evil.example/done", "done", "?x", "https://", "https://?x"] {
            refused(uri, Malformed);
        }
    }

    #[test]
    fn refuses_missing_and_surplus_slashes() {
        for uri in ["https:app.example/done", "https:/app.example/done", "https:///app.example/done"] {
            refused(uri, Malformed);
        }
    }

    #[test]
    fn refuses_backslashes_blanks_and_control_characters() {
        for uri in [
            "https://app.example\\done",
            "https:\\\\app.example/done",
            "https://evil.example\\@app.example/done",
            "https://app.example/do\tne",
            "https://app.example/done\n",
            "https://app.example/done\r\nSet-Cookie: x",
            " https://app.example/done",
            "https://app.example/done ",
            "https://app.example/done\0",
        ] {
            refused(uri, Malformed);
        }
    }

    #[test]
    fn refuses_letters_outside_ascii() {
        for uri in ["https://аpp.example/done", "https://app.example/done/é", "https://app。example/done"]
        {
            refused(uri, Malformed);
        }
    }

    #[test]
    fn refuses_user_info() {
        for uri in [
            "https://app.example@evil.example/done",
            "https://app.example:443@evil.example/done",
            "https://user:pass@app.example/done",
            "https://@app.example/done",
        ] {
            refused(uri, UserInfo);
        }
    }

    #[test]
    fn refuses_a_fragment_even_an_empty_one() {
        refused("https://app.example/done#x", Fragment);
        refused("https://app.example/done#", Fragment);
        refused("https://app.example#@evil.example/done", Fragment);
    }

    #[test]
    fn refuses_a_trailing_dot_and_encoded_hosts() {
        for uri in ["https://app.example./done", "https://app%2eexample/done", "https://%61pp.example/done"] {
            refused(uri, Malformed);
        }
    }

    #[test]
    fn refuses_dot_segments_and_encoded_slashes_and_dots() {
        for uri in [
            "https://app.example/x/../done",
            "https://app.example/./done",
            "https://app.example/%2e%2e/done",
            "https://app.example/x/%2E%2E/done",
            "https://app.example/.%2e/done",
            "https://app.example/a%2fb",
            "https://app.example/done%5c",
            "https://app.example/done%252f",
        ] {
            refused(uri, Path);
        }
    }

    #[test]
    fn refuses_what_is_longer_than_browsers_agree_on() {
        refused(&format!("https://app.example/done?{}", "x".repeat(2048)), Malformed);
    }

    const LOOPBACK: [&str; 6] = [
        "http://127.0.0.1:3000/any/path?x=1",
        "https://127.8.9.1/",
        "http://localhost:5173",
        "http://LocalHost/",
        "http://[::1]:3000/cb",
        "http://2130706433/",
    ];

    #[test]
    fn allows_any_loopback_url_while_listening_on_loopback() {
        let allow = RedirectAllow::nothing_but_loopback(true);
        for uri in LOOPBACK {
            assert!(allow.allows(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn refuses_loopback_while_listening_elsewhere_even_when_listed() {
        let allow = RedirectAllow::parse("https://localhost/cb,https://127.0.0.1/cb", false).unwrap();
        for uri in LOOPBACK.into_iter().chain(["https://localhost/cb", "https://127.0.0.1/cb"]) {
            assert_eq!(allow.allows(uri), Err(NotListed), "{uri}");
        }
    }

    #[test]
    fn refuses_what_only_looks_like_loopback() {
        let allow = RedirectAllow::nothing_but_loopback(true);
        for uri in [
            "http://localhost.evil.example/",
            "http://evil.localhost/",
            "http://127.0.0.1.evil.example/",
            "http://0.0.0.0/",
            "http://[::ffff:7f00:1]/",
            "http://10.0.0.1/",
        ] {
            assert_eq!(allow.allows(uri), Err(NotListed), "{uri}");
        }
        assert_eq!(allow.allows("http://localhost./"), Err(Malformed));
        assert_eq!(allow.allows("http://localhost:1@evil.example/"), Err(UserInfo));
    }

    #[test]
    fn refuses_entries_that_are_not_https_origin_and_path() {
        for entry in
            ["http://app.example/done", "https://app.example/done?x", "app.example", "https://*@a/", "*"]
        {
            let error = RedirectAllow::parse(entry, false).unwrap_err();
            assert!(error.contains(entry), "{error}");
        }
    }
}
