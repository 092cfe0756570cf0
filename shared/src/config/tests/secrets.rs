//! Values that come from AWS Secrets Manager, and a setting that is given twice.

use super::*;
use crate::aws::tests::{Kept, SecretsDouble};

async fn with_secrets(vars: &[(&'static str, &str)], double: &SecretsDouble) -> Result<Config, ConfigError> {
    let aws = double.vars();
    let aws = aws.iter().map(|(name, value)| (*name, value.as_str()));
    Config::from_vars_and_secrets(vars.iter().copied().chain(aws)).await
}

#[tokio::test]
async fn a_value_may_come_from_a_secret_of_aws() {
    let double = SecretsDouble::start([
        ("attempt", Kept::Text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
        ("slack", Kept::Text("new, old")),
        ("callers", Kept::Text("[limits]")),
    ])
    .await;
    let config = with_secrets(
        &[
            ("ATTEMPT_KEY_SECRET", "attempt"),
            ("CALLERS_SECRET", "callers"),
            ("PROVIDER_SLACK_CLIENT_ID", "id"),
            ("PROVIDER_SLACK_CLIENT_SECRET_SECRET", "slack"),
            // Not ours, whatever they are called.
            ("CLIENT_SECRET", "elsewhere"),
            ("OTHER_SECRET", "elsewhere"),
        ],
        &double,
    )
    .await
    .unwrap();
    assert!(config.attempt_key.is_some());
    assert_eq!((config.auth, config.callers), (Auth::Callers, Some(Callers::Text("[limits]".to_owned()))));
    assert_eq!(open(&config.providers["SLACK"].client_secrets), ["new", "old"]);
    assert_eq!(["attempt", "slack", "callers", "elsewhere"].map(|id| double.asked(id)), [1, 1, 1, 0]);
}

#[tokio::test]
async fn secrets_that_cannot_be_read_are_named_with_everything_else_that_is_wrong() {
    let double = SecretsDouble::start([("attempt", Kept::Text("hunter2"))]).await;
    let vars = [
        ("ATTEMPT_KEY_SECRET", "attempt"),
        ("CALLERS_SECRET", "callers"),
        ("PORT", "8080"),
        ("PUBLIC_URL", "https://oauth.example"),
        ("DEADLINE", "soon"),
        ("KEY_URL", ""),
    ];
    let said = with_secrets(&vars, &double).await.unwrap_err().to_string();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "KEY_URL is set but empty; unset it to mean the default",
            "CALLERS_SECRET: callers: Secrets Manager refuses it: ResourceNotFoundException",
            "ATTEMPT_KEY must be 32 random bytes, in base64 (openssl rand -base64 32)",
            "DEADLINE must be a time such as 90, 90s, 5m or 1h, at most a week, not soon",
        ]
    );
}

#[tokio::test]
async fn without_a_role_the_first_thing_that_it_lacks_is_named() {
    let secret = ("ATTEMPT_KEY_SECRET", "attempt");
    let region = ("AWS_REGION", "eu-central-1");
    let key = ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    let elsewhere = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example");
    for (vars, lacks) in [
        (&[secret][..], "AWS_REGION is not set"),
        (&[secret, region], "AWS_ACCESS_KEY_ID is not set"),
        (&[secret, region, key], "AWS_SECRET_ACCESS_KEY is not set"),
        (
            &[secret, region, key, ("AWS_SECRET_ACCESS_KEY", "hunter2"), elsewhere],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER must be an https URL, or http on loopback",
        ),
    ] {
        let said = Config::from_vars_and_secrets(vars.iter().copied()).await.unwrap_err().to_string();
        assert_eq!(said, format!("ATTEMPT_KEY_SECRET: {lacks}"));
    }
}

#[test]
fn refuses_a_setting_that_is_given_twice() {
    let both = [("AUDIT_KEY", "x"), ("AUDIT_KEY_FILE", "x"), ("AUDIT_KEY_SECRET", "x")];
    assert_eq!(problems(&both[..2]), "AUDIT_KEY and AUDIT_KEY_FILE are both set");
    assert_eq!(problems(&both[1..]), "AUDIT_KEY_FILE and AUDIT_KEY_SECRET are both set");
    assert_eq!(problems(&both), "AUDIT_KEY and AUDIT_KEY_FILE and AUDIT_KEY_SECRET are both set");
    assert!(problems(&[("CALLERS", "x"), ("CALLERS_SECRET", "x")]).contains("CALLERS and CALLERS_SECRET"));
    assert!(problems(&[("ATTEMPT_KEY_SECRET", "")]).contains("ATTEMPT_KEY_SECRET is set but empty"));
}
