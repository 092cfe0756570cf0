//! A method and a path, `GET /api/v1/oauth/callback/{provider}`, and which requests they stand for.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];

/// What a gateway routes by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Route {
    /// In capitals.
    pub method: String,
    /// As in the API's document: a segment in braces is a parameter.
    pub path: String,
}

/// Why a text is no route.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Another number of words than two.
    #[error("{0:?} is no route: METHOD /path is one")]
    Words(String),
    /// A method that no function answers, or in small letters.
    #[error("{0:?}: the method is none of {METHODS:?}")]
    Method(String),
    /// API Gateway takes parameters that are whole segments only.
    #[error(
        "{0:?}: a path begins with / and has segments that are words or, whole, a parameter such as {{id}}"
    )]
    Path(String),
}

impl Route {
    /// Whether a request is for this route: its method, and a path that has the same words, and anything but nothing
    /// where a parameter is.
    #[must_use]
    pub fn takes(&self, method: &str, path: &str) -> bool {
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return self.method == method,
                (Some(our), Some(their)) if our == their || is_parameter(our) && !their.is_empty() => {}
                _ => return false,
            }
        }
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path
            .split('/')
            .filter(|segment| is_parameter(segment))
            .map(|segment| &segment[1..segment.len() - 1])
    }

    /// What the parameters are in a path that it takes.
    pub fn values<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.path.split('/').zip(path.split('/'));
        let pairs = pairs.filter(|(segment, _)| is_parameter(segment));
        pairs.map(|(segment, value)| (&segment[1..segment.len() - 1], value))
    }

    /// How many of its segments are spelt out; of two routes that take a request, the one with more is meant.
    fn words(&self) -> usize {
        self.path.split('/').filter(|segment| !is_parameter(segment)).count()
    }
}

/// Routes, and which function answers each.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<(Route, String)>);

impl Table {
    /// The route that a request is for, and its function, if there is one.
    #[must_use]
    pub fn answering(&self, method: &str, path: &str) -> Option<(&Route, &str)> {
        let takers = self.0.iter().filter(|(route, _)| route.takes(method, path));
        takers.max_by_key(|(route, _)| route.words()).map(|(route, function)| (route, function.as_str()))
    }
}

impl FromIterator<(Route, String)> for Table {
    fn from_iter<I: IntoIterator<Item = (Route, String)>>(routes: I) -> Self {
        Self(routes.into_iter().collect())
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.len() > 2 && segment.starts_with('{') && segment.ends_with('}')
}

impl FromStr for Route {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let Some((method, path)) = text.split_once(' ') else {
            return Err(RouteError::Words(text.to_owned()));
        };
        if !METHODS.contains(&method) {
            return Err(RouteError::Method(text.to_owned()));
        }
        let word = |segment: &str| {
            let inside = if is_parameter(segment) { &segment[1..segment.len() - 1] } else { segment };
            !inside.is_empty()
                && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        match path.strip_prefix('/') {
            Some(segments) if segments.split('/').all(word) => {
                Ok(Self { method: method.to_owned(), path: path.to_owned() })
            }
            _ => Err(RouteError::Path(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Route {
    type Error = RouteError;

    fn try_from(text: String) -> Result<Self, RouteError> {
        text.parse()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_its_method_and_its_path_and_nothing_else() {
        let route: Route = "GET /api/v1/oauth/callback/{provider}".parse().unwrap();
        assert!(route.takes("GET", "/api/v1/oauth/callback/slack"));
        for (method, path) in [
            ("POST", "/api/v1/oauth/callback/slack"),
            ("GET", "/api/v1/oauth/callback"),
            ("GET", "/api/v1/oauth/callback/"),
            ("GET", "/api/v1/oauth/callback/slack/"),
            ("GET", "/api/v1/oauth/callbacks/slack"),
            ("GET", "api/v1/oauth/callback/slack"),
        ] {
            assert!(!route.takes(method, path), "{method} {path}");
        }
        assert_eq!(route.parameters().collect::<Vec<_>>(), ["provider"]);
        let values = route.values("/api/v1/oauth/callback/slack");
        assert_eq!(values.collect::<Vec<_>>(), [("provider", "slack")]);
        assert_eq!(route.words(), "/api/v1/oauth/callback".split('/').count());
    }

    #[test]
    fn what_is_no_route_is_refused_and_quoted() {
        let words = |text: &str| RouteError::Words(text.to_owned());
        let method = |text: &str| RouteError::Method(text.to_owned());
        let path = |text: &str| RouteError::Path(text.to_owned());
        for (text, error) in [
            ("/health", words("/health")),
            ("get /health", method("get /health")),
            ("TRACE /health", method("TRACE /health")),
            ("GET health", path("GET health")),
            ("GET /", path("GET /")),
            ("GET /a//b", path("GET /a//b")),
            ("GET /a/", path("GET /a/")),
            ("GET  /a", path("GET  /a")),
            ("GET /a/prefix-{id}", path("GET /a/prefix-{id}")),
            ("GET /a/{}", path("GET /a/{}")),
            ("GET /a/**", path("GET /a/**")),
        ] {
            assert_eq!(text.parse::<Route>(), Err(error), "{text}");
        }
    }
}
