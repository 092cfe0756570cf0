//! What each kind of setting may look like; every error continues "NAME …" and repeats no secret.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use serde_json::Value;
use tracing_subscriber::filter::Targets;
use url::{Host, Url};

use super::{Auth, InFront, LogFormat, RedirectStyle, TrustedProxies};
use crate::audit::AuditTo;
use crate::seal::AttemptKey;
use crate::secret::SecretString;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("must be an address such as 127.0.0.1:8080, not {text}"))
}

pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    address(text).and_then(|address| {
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err(format!("must be a loopback address, not {text}"))
        }
    })
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("must be a port from 0 to 65535, not {text}"))
}

/// Scheme, host, port and perhaps a path.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let fits = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(text)
        .ok()
        .filter(fits)
        .ok_or_else(|| "must be an http or https URL without user, query and fragment".to_owned())
}

/// The same, `https` but on this machine.
#[cfg(feature = "cloud")]
pub(super) fn safe_url(text: &str) -> Result<Url, String> {
    base_url(text)
        .ok()
        .filter(|url| url.scheme() == "https" || is_loopback(url))
        .ok_or_else(|| "must be an https URL, or http on loopback".to_owned())
}

/// Scheme, host and port only.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    base_url(text)
        .ok()
        .filter(|url| url.path() == "/")
        .ok_or_else(|| "must be an origin such as http://127.0.0.1:8090".to_owned())
}

/// Comma-separated origins of web pages, as a browser writes them into `Origin` (RFC 6454 section 6.2).
pub(super) fn web_origins(text: &str) -> Result<Vec<HeaderValue>, String> {
    let origin = |text: &str| {
        let url = origin(text).ok().filter(|url| url.scheme() == "https" || is_loopback(url))?;
        let written = url.origin().ascii_serialization();
        HeaderValue::from_str(&written).ok().filter(|_| written == text && !text.contains('*'))
    };
    text.split(',').map(str::trim).map(|text| {
        origin(text).ok_or_else(|| {
            format!("must be origins such as https://app.example, with commas between them (http on loopback only), not {text}")
        })
    }).collect()
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `hops:N`, or comma-separated addresses and networks, none of them everybody's.
pub(super) fn proxies(text: &str) -> Result<TrustedProxies, String> {
    match text.split_once("hops:") {
        Some(("", hops)) => hops
            .parse()
            .ok()
            .filter(|hops: &NonZeroU8| hops.get() <= 9)
            .map(TrustedProxies::Hops)
            .ok_or_else(|| format!("must be hops:1 to hops:9, or networks, not {text}")),
        Some(_) | None => networks(text).map(TrustedProxies::Networks),
    }
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |text: &str| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().or_else(|_| address());
        network.ok().filter(|network| network.prefix_len() > 0).map(|network| network.trunc())
    };
    text.split(',')
        .map(str::trim)
        .map(|text| {
            network(text).ok_or_else(|| {
                format!(
                    "must be addresses or networks such as 10.0.0.0/8, with commas between them, or hops:N, not {text}"
                )
            })
        })
        .collect()
}

/// A backend's URL; it may hold a password. Which of them this build has is for `open` to say.
pub(super) fn scheme(text: &str, known: &[&str]) -> Result<String, String> {
    if known.iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err(format!("must begin with {}", known.join(" or ")))
    }
}

/// The same for the key-encryption key, which a function may also do without.
pub(super) fn key_url(text: &str) -> Result<String, String> {
    match text {
        "none" => Ok(text.to_owned()),
        _ => scheme(text, &["file:", "gcpkms://"]).map_err(|problem| format!("{problem}, or be none")),
    }
}

/// Seconds, or a number with `s`, `m` or `h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((digits, "s")) => (digits, 1),
        Some((digits, "m")) => (digits, 60),
        Some((digits, "h")) => (digits, 3600),
        Some(_) | None => (text, 1),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit))
        .filter(|seconds| (1..=7 * 24 * 3600).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| format!("must be a time such as 90, 90s, 5m or 1h, at most a week, not {text}"))
}

/// How long something is kept: days.
pub(super) fn retention(text: &str) -> Result<Duration, String> {
    text.strip_suffix('d')
        .and_then(|days| days.parse::<u64>().ok())
        .filter(|days| (1..=3650).contains(days))
        .map(|days| Duration::from_secs(days * 24 * 3600))
        .ok_or_else(|| format!("must be a number of days such as 30d, at most 3650d, not {text}"))
}

pub(super) fn concurrency(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=1024).contains(count))
        .ok_or_else(|| format!("must be a number from 1 to 1024, not {text}"))
}

pub(super) fn megabytes(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| format!("must be a number of megabytes, not {text}"))
}

pub(super) fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("must be on or off, not {text}")),
    }
}

pub(super) fn allow_deny(text: &str) -> Result<bool, String> {
    match text {
        "allow" => Ok(true),
        "deny" => Ok(false),
        _ => Err(format!("must be allow or deny, not {text}")),
    }
}

pub(super) fn auth(text: &str) -> Result<Auth, String> {
    match text {
        "off" => Ok(Auth::Off),
        "callers" => Ok(Auth::Callers),
        "platform" => Ok(Auth::Platform),
        _ => Err(format!("must be off, callers or platform, not {text}")),
    }
}

pub(super) fn gateway(text: &str) -> Result<InFront, String> {
    match text {
        "sole-invoker" => Ok(InFront::SoleInvoker),
        "none" => Ok(InFront::Nothing),
        _ => Err(format!("must be sole-invoker or none, not {text}")),
    }
}

pub(super) fn audit(text: &str) -> Result<AuditTo, String> {
    match text.split_once(':') {
        None if text == "off" => Ok(AuditTo::Off),
        None if text == "stdout" => Ok(AuditTo::Stdout),
        Some(("file", path)) if !path.is_empty() => Ok(AuditTo::File(path.into())),
        Some(_) | None => Err(format!("must be off, stdout or file:PATH, not {text}")),
    }
}

pub(super) fn redirect_style(text: &str) -> Result<RedirectStyle, String> {
    match text {
        "per-provider" => Ok(RedirectStyle::PerProvider),
        "shared" => Ok(RedirectStyle::Shared),
        _ => Err(format!("must be per-provider or shared, not {text}")),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        "gcp" => Ok(LogFormat::Gcp),
        "aws" => Ok(LogFormat::Aws),
        _ => Err(format!("must be json, text, gcp or aws, not {text}")),
    }
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    text.parse::<Targets>()
        .map(|_| text.to_owned())
        .map_err(|error| format!("must be a filter such as info or warn,shared=debug: {error}"))
}

/// 32 bytes in base64, kept as text.
pub(super) fn attempt_key(text: &str) -> Result<SecretString, String> {
    let text = SecretString::from(text);
    match AttemptKey::from_base64(&text) {
        Ok(_) => Ok(text),
        Err(problem) => Err(format!("{problem} (openssl rand -base64 32)")),
    }
}

/// Credentials of Google's library that hold no key: the JSON text, kept as it is.
pub(super) fn external_account(text: &str) -> Result<SecretString, String> {
    let json: Value = serde_json::from_str(text).map_err(|_| "must be JSON".to_owned())?;
    match json["type"].as_str() {
        Some("external_account") => Ok(text.into()),
        _ => Err("must have the type external_account (workload identity federation); keys that live long are not taken".to_owned()),
    }
}

/// A comma-separated list.
pub(super) fn secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let secrets: Vec<_> = text.split(',').map(str::trim).collect();
    if secrets.iter().any(|secret| secret.is_empty()) {
        return Err("must be one secret, or several with commas between them, none empty".to_owned());
    }
    Ok(secrets.into_iter().map(Into::into).collect())
}
