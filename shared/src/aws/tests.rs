//! The signature by AWS's published test vectors, and the questions against a stand-in that computes each signature anew.

pub(crate) mod double;

use std::time::Duration;

use axum::http::StatusCode;

pub(crate) use self::double::{Kept, SecretsDouble};
use super::*;
use crate::testing::TestClock;

/// The account of AWS's Signature Version 4 test suite.
fn suite() -> Account {
    Account {
        region: "us-east-1".to_owned(),
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        endpoint: None,
    }
}

#[test]
fn signs_as_the_test_suite_of_aws_does() {
    const DATE: &str = "20150830T123600Z";
    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    let date = ("x-amz-date", DATE);
    let token = ("x-amz-security-token", TOKEN);
    // post-vanilla, post-x-www-form-urlencoded, post-sts-header-before.
    for (headers, body, names, signature) in [
        (
            &[HOST, date][..],
            "",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            &[FORM, HOST, date],
            "Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            &[HOST, date, token],
            "",
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ] {
        assert_eq!(
            sign::authorization(&suite(), "service", DATE, headers, body.as_bytes()),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={names}, Signature={signature}"
            )
        );
    }
}

#[test]
fn a_time_is_written_to_the_second() {
    assert_eq!(sign::date("2015-08-30T12:36:00.987Z".parse().unwrap()), "20150830T123600Z");
}

async fn read(double: &SecretsDouble, ids: &[&str]) -> Vec<Result<String, String>> {
    let clock = TestClock::new();
    let secrets = Secrets::of(&double.account, &clock).unwrap();
    let values = secrets.read(ids).await;
    values
        .into_iter()
        .map(|value| value.map(|text| text.to_string()).map_err(|error| error.to_string()))
        .collect()
}

#[tokio::test]
async fn secrets_are_read_by_name_and_arn_and_trimmed() {
    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:callers-AbCdEf";
    let kept = [("audit-key", Kept::Text(" one\n")), (ARN, Kept::Text("[[services]]\nname = \"ä\""))];
    let double = SecretsDouble::start(kept).await;
    let read = read(&double, &[ARN, "audit-key"]).await;
    assert_eq!(read, [Ok("[[services]]\nname = \"ä\"".to_owned()), Ok("one".to_owned())]);
    assert_eq!((double.asked(ARN), double.asked("audit-key")), (1, 1));
}

#[tokio::test]
async fn what_may_pass_is_asked_once_more_and_no_more() {
    let passing = StatusCode::INTERNAL_SERVER_ERROR;
    let double = SecretsDouble::start([
        ("once", Kept::Once(passing, "InternalServiceError", "text")),
        ("throttled", Kept::Once(StatusCode::BAD_REQUEST, "ThrottlingException", "text")),
        ("always", Kept::Error(passing, "InternalServiceError")),
    ])
    .await;
    let read = read(&double, &["once", "throttled", "always"]).await;
    assert_eq!(read[..2], [Ok("text".to_owned()), Ok("text".to_owned())]);
    assert!(read[2].as_ref().unwrap_err().contains("does not answer"));
    assert_eq!(double.asked("always"), 2);
}

#[tokio::test]
async fn what_an_operator_must_mend_is_named_and_asked_once() {
    let denied = Kept::Error(StatusCode::BAD_REQUEST, "AccessDeniedException");
    let odd = Kept::Error(StatusCode::BAD_REQUEST, "hunter 2");
    let kept = [("denied", denied), ("odd", odd), ("bytes", Kept::Bytes), ("empty", Kept::Text(" \n"))];
    let double = SecretsDouble::start(kept).await;
    for (id, said) in [
        ("denied", "Secrets Manager refuses it: AccessDeniedException"),
        ("absent", "Secrets Manager refuses it: ResourceNotFoundException"),
        ("odd", "Secrets Manager refuses it: status 400"),
        ("bytes", "the secret has no text"),
        ("empty", "the secret is empty"),
    ] {
        assert_eq!(read(&double, &[id]).await, [Err(said.to_owned())]);
        assert_eq!(double.asked(id), 1, "{id}");
    }
}

#[tokio::test]
async fn another_key_signs_nothing_that_counts() {
    let mut double = SecretsDouble::start([("audit-key", Kept::Text("one"))]).await;
    double.account.secret_access_key = "another".into();
    let refused = read(&double, &["audit-key"]).await.remove(0).unwrap_err();
    assert_eq!(refused, "Secrets Manager refuses it: InvalidSignatureException");
}

#[tokio::test]
async fn a_start_does_not_wait_for_who_never_answers() {
    let double = SecretsDouble::start([("slow", Kept::Silence)]).await;
    let clock = TestClock::new();
    // Long enough for a question to arrive on a busy machine: only those are counted.
    let secrets = Secrets::within(&double.account, &clock, Duration::from_secs(1)).unwrap();
    let error = secrets.read(&["slow"]).await.remove(0).unwrap_err();
    assert!(matches!(error, SecretError::Unreachable), "{error}");
    assert_eq!(double.asked("slow"), 2);
}
