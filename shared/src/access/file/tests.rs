//! What a callers file may say, and how what it may not say is told.

use super::*;

const GOOD: &str = r#"
[[issuers]]
name = "idp"
issuer = "https://idp.example"
jwks_uri = "https://idp.example/jwks"
audiences = ["us"]

[gateway]
identities = [{ issuer = "idp", email = "gateway@example.com" }]

[[services]]
name = "billing"
keys = [{ hash = "k3j2p5q7r4t6:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", expires = "2027-01-01T00:00:00.000Z" }]
limits = { tokens = "10/s" }
[[services.grants]]
calls = ["tokens.get"]
tenants = ["acme"]
providers = ["slack"]

[[operators]]
name = "ann"
admin = "write"
identities = [{ issuer = "idp", subject = "1" }]

[[tenants]]
id = "acme"
completion = "confirm"
redirect_allow = ["https://app.example/done"]

[limits]
tokens = { user = "5/s" }
"#;

fn parsed(text: &str) -> Result<Policy, Vec<Misfit>> {
    let providers = ["slack", "gmail"].map(|id| id.parse().unwrap()).into();
    read(text, &Surroundings { providers: &providers, loopback: false })
}

/// What is wrong with the good file when one piece of it is another.
fn wrong(piece: &str, other: &str) -> String {
    assert!(GOOD.contains(piece), "{piece}");
    let misfits = parsed(&GOOD.replacen(piece, other, 1)).err().unwrap_or_default();
    misfits.iter().map(|misfit| format!("{}: {}\n", misfit.key, misfit.problem)).collect()
}

#[test]
fn says_who_may_do_what() {
    let policy = parsed(GOOD).unwrap();
    let (acme, slack) = ("acme".parse().unwrap(), "slack".parse().unwrap());
    let key = &policy.keys["k3j2p5q7r4t6"];
    assert_eq!(key.service.may(crate::access::Call::TokensGet, &acme, Some(&slack)), Ok(()));
    assert!(key.expires_at.is_some());
    assert_eq!(policy.operators[0].tenants, Names::All);
    assert_eq!(policy.tenant(&acme).completion, crate::domain::Completion::Confirm);
    assert_eq!(policy.tenant(&"globex".parse().unwrap()), &TenantPolicy::default());
    let class = crate::limit::Class::Tokens;
    assert_eq!(policy.rate_of(&key.service, class), "10/s".parse().unwrap());
    assert_eq!(policy.limits.tokens.user, "5/s".parse().unwrap());
    assert_eq!(policy.limits.tokens.tenant, crate::access::Limits::default().tokens.tenant);
}

#[test]
fn the_file_of_the_documentation_is_one() {
    let page = include_str!("../../../../docs/callers.md");
    let (_, text) = page.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let digest = "0f".repeat(32);
    let text = text.replace("9f86d08188…", &digest).replace("60303ae22b…", &digest);
    let policy = parsed(&text).unwrap();
    assert_eq!((policy.services().len(), policy.operators().len(), policy.keys.len()), (2, 1, 2));
}

#[test]
fn an_empty_file_names_nobody() {
    let policy = parsed("").unwrap();
    assert!(policy.services.is_empty() && policy.operators.is_empty() && policy.keys.is_empty());
}

#[test]
fn what_is_wrong_is_named_by_its_key() {
    for (piece, other, said) in [
        ("name = \"idp\"", "nmae = \"idp\"", "issuers[0].nmae: unknown field"),
        ("https://idp.example/jwks", "http://idp.example/jwks", "issuers[0].jwks_uri"),
        ("audiences = [\"us\"]", "audiences = []", "issuers[0].audiences: must name at least one"),
        (
            "audiences = [\"us\"]",
            "audiences = [\"us\"]\nalgorithms = [\"HS256\"]",
            "issuers[0].algorithms[0]",
        ),
        ("audiences = [\"us\"]", "audiences = [\"us\"]\nalgorithms = [\"none\"]", "issuers[0].algorithms[0]"),
        (
            "issuer = \"idp\", email",
            "issuer = \"who\", email",
            "gateway.identities[0].issuer: is the name of no issuer",
        ),
        (
            "identities = [{ issuer = \"idp\", email",
            "sole_invoker = true\nidentities = [{ issuer = \"idp\", email",
            "gateway: must have either",
        ),
        ("name = \"billing\"", "name = \"bill ing\"", "services[0].name: must be 1 to 64"),
        ("k3j2p5q7r4t6:9f86", "k3j2p5q7r4t6:xx86", "services[0].keys[0].hash"),
        ("\"tokens.get\"", "\"tokens.give\"", "services[0].grants[0].calls[0]: unknown variant"),
        ("calls = [\"tokens.get\"]", "calls = []", "services[0].grants[0].calls: must name at least one"),
        ("tenants = [\"acme\"]", "tenants = []", "services[0].grants[0].tenants: must name at least one"),
        (
            "tenants = [\"acme\"]",
            "tenants = [\"acme\", \"*\"]",
            "services[0].grants[0].tenants[1]: must stand alone",
        ),
        (
            "providers = [\"slack\"]",
            "providers = [\"slak\"]",
            "services[0].grants[0].providers[0]: is no provider",
        ),
        ("tokens = \"10/s\"", "tokens = \"ten\"", "services[0].limits.tokens: must be a rate"),
        ("admin = \"write\"", "admin = \"all\"", "operators[0].admin: unknown variant"),
        ("subject = \"1\"", "subject = \"\"", "operators[0].identities[0]: must have either"),
        (
            "subject = \"1\"",
            "email = \"gateway@example.com\"",
            "operators[0].identities[0]: is the same as gateway.identities[0]",
        ),
        ("id = \"acme\"", "id = \"\"", "tenants[0].id: must not be empty"),
        ("https://app.example/done\"]", "http://app.example/done\"]", "tenants[0].redirect_allow"),
        ("user = \"5/s\"", "usr = \"5/s\"", "limits.tokens.usr: unknown field"),
        ("[limits]", "[limits", "(syntax)"),
        ("[limits]", "[\"\"]\n[limits]", "\"\": unknown field"),
    ] {
        let found = wrong(piece, other);
        assert!(found.contains(said), "{other}: {found}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = GOOD
        .replace("\"acme\"", "\"\"")
        .replace("\"slack\"", "\"slak\"")
        .replace("audiences = [\"us\"]", "audiences = []");
    assert_eq!(parsed(&text).err().unwrap().len(), 4);
}

#[test]
fn nobody_is_two_callers() {
    let twice = format!(
        "{GOOD}\n[[operators]]\nname = \"bob\"\nadmin = \"read\"\nidentities = [{{ issuer = \"idp\", subject = \"1\" }}]\n"
    );
    let misfits = parsed(&twice).err().unwrap();
    assert_eq!(misfits[0].key, "operators[1].identities[0]");
    let named = format!(
        "{GOOD}\n[[operators]]\nname = \"ann\"\nadmin = \"read\"\nidentities = [{{ issuer = \"idp\", subject = \"2\" }}]\n"
    );
    assert_eq!(parsed(&named).err().unwrap()[0].key, "operators[1].name");
}
