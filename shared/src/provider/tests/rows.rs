//! Every row is a test: each code of each failure table, and of the standards, is answered in every way it can be, and judged.

use serde_json::{Map, Value, json};

use super::*;
use crate::domain::StatusReason;
use crate::provider::Call::{self, Api, Exchange, Refresh, Revoke};
use crate::provider::classify::{Rejection, Reply, Verdict, classify};
use crate::provider::load::read;
use crate::provider::rows::RowClass;
use crate::provider::standard;

const CALLS: [Call; 4] = [Exchange, Refresh, Api, Revoke];
const SOON: Option<Duration> = Some(Duration::from_secs(7));
/// Refusals, and the good status that some providers refuse with.
const STATUSES: [u16; 4] = [200, 400, 401, 403];
/// What says nothing about a token.
const SILENT: [u16; 5] = [408, 425, 429, 500, 503];

/// What must come of a row.
fn meant(class: RowClass, reason: Option<StatusReason>) -> Verdict {
    Verdict::Failed(match class {
        RowClass::User => FailureClass::User(reason.expect("class user needs a reason")),
        RowClass::Operator => FailureClass::Operator,
        RowClass::RateLimited => FailureClass::RateLimited { retry_after: SOON },
        RowClass::Passing => FailureClass::Passing { retry_after: SOON },
        RowClass::Stale => FailureClass::Stale,
        RowClass::Refused => FailureClass::Refused,
        RowClass::BadSecret => return Verdict::BadSecret,
        RowClass::Alive => return Verdict::Alive,
        RowClass::AlreadyInvalid => return Verdict::AlreadyInvalid,
    })
}

/// An answer with `value` at a place, and nothing else.
fn body_with(place: &str, value: Value) -> Value {
    place.rsplit('/').filter(|key| !key.is_empty()).fold(value, |inner, key| match key.parse::<usize>() {
        Ok(index) => Value::Array(std::iter::repeat_n(Value::Null, index).chain([inner]).collect()),
        Err(_) => Value::Object(Map::from_iter([(key.to_owned(), inner)])),
    })
}

/// The code as text, and as the number that it may be.
fn written(code: &str) -> Vec<Value> {
    let number = code.parse::<u64>().ok().map(Value::from);
    [Some(Value::from(code)), number].into_iter().flatten().collect()
}

fn judge(descriptor: &Descriptor, call: Call, status: u16, body: Option<Value>) -> Result<Value, Rejection> {
    classify(descriptor, call, Reply { status, retry_after: SOON, challenge: None, body })
}

/// What is wrong with an answer that should have been judged so.
fn complaint(judged: Result<Value, Rejection>, verdict: Verdict, code: Option<&str>) -> Option<String> {
    let Err(rejection) = judged else { return Some("is taken for a good answer".to_owned()) };
    let found = rejection.verdict;
    let failed = Failure::from(rejection);
    let unsure = matches!(failed.class, FailureClass::Passing { .. } | FailureClass::Malformed);
    let outcome = if unsure { Outcome::Unknown } else { Outcome::Refused };
    let right = found == verdict && failed.code.as_deref() == code && failed.outcome == outcome;
    (!right).then(|| format!("means {found:?}, {:?}, {:?}, not {verdict:?}", failed.code, failed.outcome))
}

/// Goes through every row of a file.
fn complaints(descriptor: &Descriptor) -> (usize, Vec<String>) {
    let mut tried = 0;
    let mut found = Vec::new();
    for (index, row) in descriptor.failures.iter().enumerate() {
        let verdict = meant(row.class, row.reason);
        let statuses = row.status.map_or(STATUSES.to_vec(), |status| vec![status]);
        let mut try_one = |call: Call, status: u16, body: Option<Value>, code: Option<&str>| {
            tried += 1;
            if let Some(problem) = complaint(judge(descriptor, call, status, body), verdict, code) {
                let id = &descriptor.id;
                found.push(format!("{id}: failure[{index}]: {call:?} {status} {code:?} {problem}"));
            }
        };
        for call in CALLS.into_iter().filter(|call| row.is_about(*call)) {
            for &status in &statuses {
                // There, a good status is a good answer whatever is in it.
                if status == 200 && call == Revoke && descriptor.errors.success.is_none() {
                    continue;
                }
                if row.codes.is_empty() {
                    try_one(call, status, None, None);
                    try_one(call, status, Some(json!({"message": "?"})), None);
                }
                for code in &row.codes {
                    for place in &descriptor.errors.codes {
                        for value in written(code) {
                            try_one(call, status, Some(body_with(place.as_str(), value)), Some(code));
                        }
                    }
                }
            }
        }
    }
    (tried, found)
}

#[test]
fn every_code_of_every_file_means_what_its_row_says_wherever_it_stands() {
    for provider in Providers::load(None, Reach::Internet).unwrap().iter() {
        let (tried, found) = complaints(&provider.descriptor);
        assert!(tried > 100, "{}: only {tried} answers", provider.id());
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn a_row_that_another_one_hides_is_seen() {
    // At one status only, which the reading of the file lets pass: it may be meant.
    let before = "[[failure]]\nstatus = 400\ncodes = [\"token_expired\"]\nclass = \"passing\"\n\n[[failure]]";
    let text = include_str!("../../../providers/slack.toml").replacen("[[failure]]", before, 1);
    let (_, found) = complaints(&read("slack.toml", &text, Reach::Internet).unwrap());
    assert!(found.iter().any(|each| each.contains("Refresh 400 Some(\"token_expired\")")), "{found:#?}");
}

#[test]
fn no_row_of_a_file_counts_where_the_status_says_that_the_provider_is_in_trouble() {
    for provider in Providers::load(None, Reach::Internet).unwrap().iter() {
        let descriptor = &provider.descriptor;
        let place = descriptor.errors.codes[0].as_str();
        let rows = descriptor.failures.iter().filter(|row| row.status.is_none());
        for (row, status) in rows.flat_map(|row| SILENT.map(|status| (row, status))) {
            for (call, code) in CALLS.iter().flat_map(|call| row.codes.iter().map(move |code| (call, code))) {
                let class = if status == 429 { RowClass::RateLimited } else { RowClass::Passing };
                let judged = judge(descriptor, *call, status, Some(body_with(place, code.as_str().into())));
                let problem = complaint(judged, meant(class, None), Some(code));
                assert_eq!(problem, None, "{}: {call:?} {status} {code}", provider.id());
            }
        }
    }
}

#[test]
fn every_status_and_every_code_of_the_standards_means_what_its_row_says() {
    let generic = &super::answers::generic();
    for row in standard::STATUSES {
        for (call, status) in row
            .when
            .iter()
            .flat_map(|call| [row.statuses.start(), row.statuses.end()].map(|status| (*call, *status)))
        {
            let bodies = [None, Some(json!({})), Some(json!({"error": "invalid_grant"}))];
            for body in bodies {
                let code = body.as_ref().and_then(|body| body["error"].as_str().map(str::to_owned));
                let problem =
                    complaint(judge(generic, call, status, body), meant(row.class, None), code.as_deref());
                assert_eq!(problem, None, "{call:?} {status}");
            }
        }
    }
    for row in standard::CODES {
        for call in row.when {
            // Two good statuses decide for themselves: of a revocation, and what an API says with 401.
            let decided = |status: u16| (status == 200 && *call == Revoke) || (status == 401 && *call == Api);
            for status in STATUSES.into_iter().filter(|status| !decided(*status)) {
                for code in row.codes {
                    let judged = judge(generic, *call, status, Some(json!({"error": code})));
                    let problem = complaint(judged, meant(row.class, row.reason), Some(code));
                    assert_eq!(problem, None, "{call:?} {status} {code}");
                }
            }
        }
    }
}

#[test]
fn what_no_row_knows_ends_nothing() {
    let mut others: Vec<_> =
        Providers::load(None, Reach::Internet).unwrap().iter().map(|each| each.descriptor.clone()).collect();
    others.push(super::answers::generic());
    for (descriptor, call) in others.iter().flat_map(|each| CALLS.map(|call| (each, call))) {
        let place = descriptor.errors.codes[0].as_str();
        let unheard_of = Some(body_with(place, "never_heard_of".into()));
        let problem = complaint(
            judge(descriptor, call, 400, unheard_of),
            Verdict::Failed(FailureClass::Refused),
            Some("never_heard_of"),
        );
        assert_eq!(problem, None, "{}: {call:?}", descriptor.id);
        // Somebody in between, not the provider.
        for status in [302, 403, 404] {
            let malformed = Verdict::Failed(FailureClass::Malformed);
            let problem = complaint(judge(descriptor, call, status, None), malformed, None);
            assert_eq!(problem, None, "{}: {call:?} {status}", descriptor.id);
        }
    }
}

#[test]
fn a_number_is_a_code_unless_it_is_zero() {
    let code = |value: Value| {
        let judged = judge(&super::answers::generic(), Refresh, 400, Some(json!({"error": value})));
        Failure::from(judged.unwrap_err()).code
    };
    assert_eq!(code(json!(700_082)).as_deref(), Some("700082"));
    assert_eq!(code(json!(-3)).as_deref(), Some("-3"));
    assert_eq!(
        [code(json!(0)), code(json!(1.5)), code(json!(true)), code(json!(""))],
        [None, None, None, None]
    );
}

#[test]
fn a_code_goes_on_only_as_short_printable_text() {
    let code = |text: &str| {
        let judged = judge(&super::answers::generic(), Refresh, 400, Some(json!({"error": text})));
        Failure::from(judged.unwrap_err()).code
    };
    assert_eq!(code("bad\r\nlog: forged\u{7f} ü").as_deref(), Some("badlog:forged"));
    assert_eq!(code(&"x".repeat(500)).unwrap().len(), 64);
    assert_eq!(code("äöü"), None);
}
