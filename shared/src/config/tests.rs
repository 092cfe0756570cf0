//! What a configuration refuses, and what it promises.

mod secrets;

use std::time::Duration;

use super::*;
use crate::secret::ExposeSecret;

fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_vars(vars.iter().copied())
}

/// What Lambda sets.
const LAMBDA: [(&str, &str); 4] = [
    ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
    ("AWS_LAMBDA_FUNCTION_NAME", "token-get"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
];

fn problems(vars: &[(&str, &str)]) -> String {
    read(vars).unwrap_err().to_string()
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

#[expect(clippy::disallowed_methods, reason = "the test looks at what it configured")]
fn open(secrets: &[SecretString]) -> Vec<&str> {
    secrets.iter().map(ExposeSecret::expose_secret).collect()
}

#[test]
fn nothing_set_means_the_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.public("/api/v1/oauth/callback"), "http://127.0.0.1:8080/api/v1/oauth/callback");
    assert_eq!(config.store_url, "sqlite:./data/store.db");
    assert_eq!(config.key_url, "file:./data/key");
    assert_eq!(open(&[config.cache_url]), ["memory:"]);
    assert_eq!(config.redirect_style, RedirectStyle::PerProvider);
    assert_eq!(config.deadline, Duration::from_secs(300));
    assert_eq!(config.refresh_every, Duration::from_secs(1800));
    assert_eq!(config.health_every, Duration::from_secs(3600));
    assert_eq!(config.concurrency, 32);
    assert_eq!(config.sandbox, None);
    assert_eq!(config.log, "info");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_by_name() {
    let said = problems(&[
        ("LISTEN", "here"),
        ("PUBLIC_URL", "ftp://x"),
        ("STORE_URL", "mysql:x"),
        ("CACHE_URL", "memcached:hunter2"),
        ("KEY_URL", ""),
        ("REDIRECT_STYLE", "both"),
        ("ATTEMPT_KEY", "hunter2"),
        ("REDIRECT_ALLOW", "https://a/b,http://c/d"),
        ("SANDBOX", "maybe"),
        ("SANDBOX_LISTEN", "0.0.0.0:8090"),
        ("DEADLINE", "soon"),
        ("REFRESH_EVERY", "0"),
        ("CONCURRENCY", "1025"),
        ("LOG", "shared=loud"),
        ("LOG_FORMAT", "xml"),
        ("PROVIDER_SLACK_CLIENT_SECRET", "hunter2,"),
        ("PROVIDER_SLACK_ORIGIN", "http://x/path"),
    ]);
    let names: Vec<_> = said.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        names,
        [
            "KEY_URL",
            "LISTEN",
            "SANDBOX",
            "PUBLIC_URL",
            "STORE_URL",
            "CACHE_URL",
            "REDIRECT_STYLE",
            "ATTEMPT_KEY",
            "REDIRECT_ALLOW",
            "SANDBOX_LISTEN",
            "DEADLINE",
            "CONCURRENCY",
            "REFRESH_EVERY",
            "LOG",
            "LOG_FORMAT",
            "PROVIDER_SLACK_CLIENT_SECRET",
            "PROVIDER_SLACK_ORIGIN",
        ],
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn refuses_to_be_reached_from_elsewhere_unless_it_is_said_who_may_call() {
    let elsewhere: [&[(&str, &str)]; 4] =
        [&[("PORT", "8080")], &[("LISTEN", "0.0.0.0:8080")], &[("LISTEN", "[::]:8080")], &LAMBDA];
    for vars in elsewhere {
        assert!(problems(vars).contains("AUTH=off only while listening on loopback"), "{vars:?}");
        let with_platform = [vars, &[("AUTH", "platform")]].concat();
        assert_eq!(read(&with_platform).unwrap().auth, Auth::Platform);
        let with_callers = [vars, &[("CALLERS_FILE", "callers.toml")]].concat();
        if vars != LAMBDA {
            assert!(problems(&with_callers).contains("PUBLIC_URL must begin with https://"), "{vars:?}");
        }
        let by_tls = [with_callers.as_slice(), &[("PUBLIC_URL", "https://oauth.example")]].concat();
        assert_eq!(read(&by_tls).unwrap().auth, Auth::Callers);
    }
    assert_eq!(read(&[("LISTEN", "[::1]:8080"), ("AUTH", "off")]).unwrap().auth, Auth::Off);
}

#[test]
fn refuses_settings_of_who_may_call_that_contradict_each_other() {
    assert!(problems(&[("AUTH", "on")]).contains("AUTH must be off, callers or platform"));
    assert!(problems(&[("AUTH", "callers")]).contains("AUTH=callers needs CALLERS_FILE"));
    assert!(problems(&[("AUTH", "off"), ("CALLERS_FILE", "x")]).contains("contradict"));
    assert!(
        problems(&[("CALLERS", "x"), ("CALLERS_FILE", "x")])
            .contains("CALLERS and CALLERS_FILE are both set")
    );
    assert!(problems(&[("CALLERS", "x"), ("AUDIT", "off")]).contains("AUDIT=off only with AUTH=off"));
    assert!(problems(&[("AUDIT", "paper")]).contains("AUDIT must be off, stdout or file:PATH"));
    assert!(problems(&[("AUDIT_KEY", "short")]).contains("AUDIT_KEY must be 32 random bytes"));
    assert!(problems(&[("GATEWAY", "yes")]).contains("GATEWAY must be sole-invoker or none"));
}

#[test]
fn the_audit_log_is_a_file_beside_an_embedded_store_and_standard_output_elsewhere() {
    let file = AuditTo::File("d/audit.log".into());
    assert_eq!(read(&[("DATA_DIR", "d")]).unwrap().audit, file);
    assert_eq!(read(&[("STORE_URL", "firestore://p/d")]).unwrap().audit, AuditTo::Stdout);
    assert_eq!(read(&[("AUDIT", "off")]).unwrap().audit, AuditTo::Off);
}

#[test]
fn lambda_is_not_taken_for_loopback() {
    let lambda = [&LAMBDA[..], &[("AUTH", "platform")]].concat();
    assert!(read(&lambda).unwrap().redirect_allow.allows("http://127.0.0.1:3000/done").is_err());
    assert!(problems(&[&lambda[..], &[("SANDBOX", "on")]].concat()).contains("SANDBOX=on only"));
}

#[test]
fn refuses_half_of_what_lambda_sets() {
    let vars = [LAMBDA[0], ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"), ("AUTH", "platform")];
    let said = problems(&vars);
    for name in ["NAME is not set", "VERSION is not set", "MEMORY_SIZE must be a number"] {
        assert!(said.contains(&format!("AWS_LAMBDA_FUNCTION_{name}")), "{said}");
    }
}

#[test]
fn logs_as_the_platform_reads_them_unless_told_otherwise() {
    let lambda = [&LAMBDA[..], &[("AUTH", "platform")]].concat();
    assert_eq!(read(&lambda).unwrap().log_format, LogFormat::Aws);
    assert_eq!(read(&[("K_SERVICE", "token-get")]).unwrap().log_format, LogFormat::Gcp);
    assert_eq!(read(&[("CLOUD_RUN_JOB", "sweep")]).unwrap().log_format, LogFormat::Gcp);
    let told = read(&[("K_SERVICE", "token-get"), ("LOG_FORMAT", "json")]).unwrap();
    assert_eq!(told.log_format, LogFormat::Json);
}

#[test]
fn the_project_of_traces_is_the_stores_unless_it_is_named() {
    let store = ("STORE_URL", "firestore://shop/(default)");
    let project = |vars: &[_]| read(vars).unwrap().google_project;
    assert_eq!(project(&[]), None);
    assert_eq!(project(&[store]).as_deref(), Some("shop"));
    assert_eq!(project(&[store, ("GOOGLE_CLOUD_PROJECT", "logs")]).as_deref(), Some("logs"));
}

#[test]
fn refuses_port_and_listen_together() {
    assert!(problems(&[("PORT", "1"), ("LISTEN", "127.0.0.1:1")]).contains("both set"));
}

#[test]
fn refuses_the_sandbox_where_others_can_reach_it() {
    assert!(problems(&[("SANDBOX", "on"), ("LISTEN", "10.0.0.1:80")]).contains("SANDBOX=on only"));
}

#[test]
fn a_value_may_come_from_a_file() {
    let key = file("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    let secret = file("new, old\n");
    let config = read(&[
        ("ATTEMPT_KEY_FILE", key.path().to_str().unwrap()),
        ("PROVIDER_MY_CRM_CLIENT_ID", "id"),
        ("PROVIDER_MY_CRM_CLIENT_SECRET_FILE", secret.path().to_str().unwrap()),
    ])
    .unwrap();
    assert!(config.attempt_key.is_some());
    let settings = config.provider(&"my-crm".parse().unwrap());
    assert_eq!(settings.client_id.as_deref(), Some("id"));
    assert_eq!(open(&settings.client_secrets), ["new", "old"]);
}

#[test]
fn a_function_may_have_no_key_but_only_by_that_word() {
    assert_eq!(read(&[("KEY_URL", "none")]).unwrap().key_url, "none");
    for text in ["None", "none:", "off"] {
        assert!(problems(&[("KEY_URL", text)]).starts_with("KEY_URL must begin with file:"), "{text}");
    }
}

#[test]
fn refuses_a_file_that_is_missing_empty_or_beside_the_value_itself() {
    let empty = file(" \n");
    let empty = empty.path().to_str().unwrap();
    assert!(
        problems(&[("STORE_URL_FILE", "/nowhere/x")]).contains("STORE_URL_FILE: /nowhere/x can't be read")
    );
    assert!(problems(&[("STORE_URL_FILE", empty)]).contains("is empty"));
    assert!(problems(&[("STORE_URL_FILE", empty), ("STORE_URL", "sqlite:x")]).contains("both set"));
}

#[test]
fn an_empty_value_is_none_where_that_is_harmless_and_refused_where_it_is_not() {
    let harmless = read(&[("PUBLIC_URL", ""), ("PROVIDER_SLACK_CLIENT_ID", ""), ("LOG", "")]).unwrap();
    assert_eq!(harmless.log, "info");
    for name in [
        "STORE_URL",
        "CACHE_URL",
        "KEY_URL",
        "ATTEMPT_KEY",
        "ATTEMPT_KEY_FILE",
        "AUDIT_KEY_SECRET",
        "AUTH",
        "CALLERS_FILE",
        "GATEWAY",
        "SANDBOX",
    ] {
        assert!(problems(&[(name, "")]).contains(name));
    }
}

#[test]
fn refuses_a_client_secret_without_a_client_id() {
    let said = problems(&[("PROVIDER_GMAIL_CLIENT_SECRET", "hunter2")]);
    assert_eq!(said, "PROVIDER_GMAIL_CLIENT_SECRET is set, but PROVIDER_GMAIL_CLIENT_ID is not");
}

#[test]
fn credentials_of_google_come_from_one_place_and_hold_no_key() {
    let federated = r#"{"type":"external_account","audience":"//iam.googleapis.com/x"}"#;
    assert!(read(&[("GOOGLE_CREDENTIALS", federated)]).unwrap().google_credentials.is_some());
    for text in [
        r#"{"type":"service_account","private_key":"hunter2"}"#,
        r#"{"type":"authorized_user","refresh_token":"hunter2"}"#,
        r#"{"private_key":"hunter2"}"#,
        "hunter2",
    ] {
        let said = problems(&[("GOOGLE_CREDENTIALS", text)]);
        assert!(said.starts_with("GOOGLE_CREDENTIALS must ") && !said.contains("hunter2"), "{said}");
    }
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", "/var/task/google.json");
    assert_eq!(
        problems(&[file, ("GOOGLE_CREDENTIALS", federated)]),
        "GOOGLE_CREDENTIALS and GOOGLE_APPLICATION_CREDENTIALS are both set"
    );
    assert!(read(&[file]).unwrap().google_credentials.is_none());
}

#[test]
fn a_provider_of_which_nothing_is_set_has_no_settings() {
    let settings = read(&[]).unwrap().provider(&"slack".parse().unwrap());
    assert!(settings.client_id.is_none() && settings.client_secrets.is_empty());
}

#[test]
fn proxies_are_trusted_by_address_or_network_and_none_by_default() {
    let trusted = |text: &str| read(&[("TRUSTED_PROXIES", text)]).unwrap().trusted_proxies;
    let networks = |written: &[&str]| {
        TrustedProxies::Networks(written.iter().map(|network| network.parse().unwrap()).collect())
    };
    assert_eq!(read(&[]).unwrap().trusted_proxies, networks(&[]));
    assert_eq!(
        trusted("169.254.0.0/16, 10.1.2.3/8,127.0.0.1, fd00::/8"),
        networks(&["169.254.0.0/16", "10.0.0.0/8", "127.0.0.1/32", "fd00::/8"])
    );
    // Everybody's word would be nobody's.
    for text in ["proxy.example", "10.0.0.0/33", "10.0.0.1,", "0.0.0.0/0", "::/0", "10.0.0.1:443"] {
        assert!(problems(&[("TRUSTED_PROXIES", text)]).starts_with("TRUSTED_PROXIES must be"), "{text}");
    }
}

#[test]
fn proxies_are_trusted_by_their_number_where_their_addresses_are_not_known() {
    for hops in 1..=9 {
        let config = read(&[("TRUSTED_PROXIES", &format!("hops:{hops}"))]).unwrap();
        assert_eq!(config.trusted_proxies, TrustedProxies::Hops(hops.try_into().unwrap()));
    }
    for text in
        ["hops:0", "hops:10", "hops:", "hops:-1", "hops:two", "hops:1,10.0.0.0/8", "10.0.0.0/8,hops:1"]
    {
        assert!(problems(&[("TRUSTED_PROXIES", text)]).starts_with("TRUSTED_PROXIES must be"), "{text}");
    }
}

#[test]
fn pages_of_other_origins_are_listed_as_a_browser_names_them() {
    assert!(read(&[]).unwrap().cors_origins.is_empty());
    let text = "https://app.example, https://app.example:8443,http://127.0.0.1:3000,http://localhost:3000";
    assert_eq!(
        read(&[("CORS_ORIGINS", text)]).unwrap().cors_origins,
        ["https://app.example", "https://app.example:8443", "http://127.0.0.1:3000", "http://localhost:3000"]
    );
    for text in [
        "*",
        "null",
        "http://app.example",
        "https://app.example/",
        "https://app.example:443",
        "https://App.example",
        "https://*.example",
        "https://app.example/path",
        "https://app.example,",
    ] {
        assert!(problems(&[("CORS_ORIGINS", text)]).starts_with("CORS_ORIGINS must be"), "{text}");
    }
}

#[test]
fn provider_files_reach_private_addresses_only_when_that_is_said() {
    assert!(!read(&[]).unwrap().providers_private);
    assert!(!read(&[("PROVIDERS_PRIVATE", "deny")]).unwrap().providers_private);
    assert!(read(&[("PROVIDERS_PRIVATE", "allow")]).unwrap().providers_private);
    assert!(problems(&[("PROVIDERS_PRIVATE", "on")]).contains("PROVIDERS_PRIVATE must be allow or deny"));
}

#[test]
fn times_are_seconds_or_have_a_unit() {
    for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600)] {
        let config = read(&[("DEADLINE", text)]).unwrap();
        assert_eq!(config.deadline, Duration::from_secs(seconds));
    }
    for text in ["-1", "1d", "m", "1.5h", "99999999999h", "é"] {
        assert!(problems(&[("DEADLINE", text)]).contains("DEADLINE must be a time"), "{text}");
    }
}

#[test]
fn secrets_do_not_show_in_debug() {
    let config = read(&[
        ("CACHE_URL", "redis://:hunter2@127.0.0.1/"),
        ("PROVIDER_SLACK_CLIENT_ID", "id"),
        ("PROVIDER_SLACK_CLIENT_SECRET", "hunter2"),
    ]);
    assert!(!format!("{config:?}").contains("hunter2"));
}
