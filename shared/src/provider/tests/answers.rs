//! Answers as the vendors document them, sent over HTTP, read and judged: `answers/*.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::double::{Answer, Double};
use super::*;
use crate::domain::StatusReason;
use crate::provider::Call;
use crate::provider::classify::{Verdict, classify};
use crate::provider::load::read;
use crate::provider::send::{Http, Proof};

/// A file of answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    answer: Vec<Documented>,
}

/// One answer, and what it must mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documented {
    /// The page that has it, or the rule that it is about.
    source: String,
    /// During which calls.
    when: Vec<Call>,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: String,
    /// So many spaces more at the end: answers that are too long.
    #[serde(default)]
    padding: usize,
    means: Means,
    reason: Option<StatusReason>,
    code: Option<String>,
    /// In seconds.
    retry_after: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Means {
    Good,
    User,
    Operator,
    BadSecret,
    RateLimited,
    Passing,
    Stale,
    Refused,
    Malformed,
    Alive,
    AlreadyInvalid,
}

impl Documented {
    fn verdict(&self) -> Option<Verdict> {
        let retry_after = self.retry_after.map(Duration::from_secs);
        Some(Verdict::Failed(match self.means {
            Means::Good => return None,
            Means::User => FailureClass::User(self.reason.expect("a reason")),
            Means::Operator => FailureClass::Operator,
            Means::RateLimited => FailureClass::RateLimited { retry_after },
            Means::Passing => FailureClass::Passing { retry_after },
            Means::Stale => FailureClass::Stale,
            Means::Refused => FailureClass::Refused,
            Means::Malformed => FailureClass::Malformed,
            Means::BadSecret => return Some(Verdict::BadSecret),
            Means::Alive => return Some(Verdict::Alive),
            Means::AlreadyInvalid => return Some(Verdict::AlreadyInvalid),
        }))
    }

    fn outcome(&self) -> Outcome {
        let unsure = matches!(self.means, Means::Passing | Means::Malformed);
        if unsure { Outcome::Unknown } else { Outcome::Refused }
    }

    fn sent(&self) -> Answer {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Answer::Raw(self.status, headers, format!("{}{}", self.body, " ".repeat(self.padding)))
    }
}

/// A provider of which only the standards are known.
pub(super) fn generic() -> Descriptor {
    read("generic.toml", include_str!("answers/generic.provider.toml"), Reach::Internet).unwrap()
}

fn built_in(id: &str) -> Descriptor {
    provider(id, &["s"], None).descriptor.clone()
}

/// Sends each answer, and reads and judges it as any answer is.
async fn judged(descriptor: &Descriptor, text: &str) {
    let answers: Answers = toml::from_str(text).unwrap();
    assert!(answers.answer.len() >= 12, "{}: {} answers", descriptor.id, answers.answer.len());
    let calls = || answers.answer.iter().flat_map(|each| each.when.iter().map(move |call| (each, *call)));
    let double = Double::that_answers(calls().map(|(each, _)| each.sent())).await;
    let http = Http::new(Timeouts::default());
    for (each, call) in calls() {
        let method = crate::provider::Method::Post;
        let reply =
            http.send(Reach::Anywhere, method, double.origin.clone(), &Proof::None, &[]).await.unwrap();
        let told = format!("{}: {call:?} {} {} ({})", descriptor.id, each.status, each.body, each.source);
        match (classify(descriptor, call, reply), each.verdict()) {
            (Ok(_), None) => {}
            (Ok(_), Some(verdict)) => panic!("{told}: is a good answer, not {verdict:?}"),
            (Err(rejection), verdict) => {
                assert_eq!(Some(rejection.verdict), verdict, "{told}");
                let failed = Failure::from(rejection);
                assert_eq!(failed.code, each.code, "{told}");
                assert_eq!(failed.outcome, each.outcome(), "{told}");
                assert_eq!(failed.status, Some(each.status), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn slack() {
    judged(&built_in("slack"), include_str!("answers/slack.toml")).await;
}

#[tokio::test]
async fn google() {
    judged(&built_in("gmail"), include_str!("answers/google.toml")).await;
}

#[tokio::test]
async fn microsoft() {
    judged(&built_in("microsoft"), include_str!("answers/microsoft.toml")).await;
}

/// HTTP 200 with `error`, and no other sign of it.
#[tokio::test]
async fn github() {
    let descriptor =
        read("github.toml", include_str!("answers/github.provider.toml"), Reach::Internet).unwrap();
    judged(&descriptor, include_str!("answers/github.toml")).await;
}

#[tokio::test]
async fn any_other_provider() {
    judged(&generic(), include_str!("answers/generic.toml")).await;
}
