//! The provider files: what is refused, and by which name; what an origin moves.

use super::*;
use crate::provider::load::read;

const SLACK: &str = include_str!("../../../providers/slack.toml");
const GMAIL: &str = include_str!("../../../providers/gmail.toml");

fn refused(text: &str) -> Vec<(String, String)> {
    let errors = read("slack.toml", text, Reach::Internet).expect_err("the file was accepted");
    errors.into_iter().map(|error| (error.key, error.problem)).collect()
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let [(key, problem)] =
        refused(&SLACK.replace("[health]", "[health]\nmetod = \"GET\"")).try_into().unwrap();
    assert!(format!("{key} {problem}").contains("health"), "{key}: {problem}");
    assert!(problem.contains("`metod`"), "{key}: {problem}");
}

#[test]
fn a_wrong_value_is_refused_with_the_path_of_its_key() {
    let change = |from: &str, to: &str| {
        assert!(SLACK.contains(from), "{from} is not in the file");
        refused(&SLACK.replacen(from, to, 1))
    };
    let cases = [
        ("https://slack.com/api/auth.test", "http://slack.com/api/auth.test", "health.url"),
        ("?user={user_id}", "?user={user}", "account.userinfo.url"),
        ("\"/ok\"", "\"ok\"", "errors.success.at"),
        ("sweep_concurrency = 8", "sweep_concurrency = 0", "sweep_concurrency"),
        ("kind = \"bot\"", "kind = \"robot\"", "credential[0].kind"),
        ("id = \"slack\"", "id = \"Slack\"", "id"),
        ("auth.revoke\"", "auth.revoke?{user_id}\"", "revocation.url"),
        ("tokens = [\"access\", \"refresh\"]", "tokens = []", "revocation.tokens"),
        ("asked_by = \"user_scopes\"", "asked_by = \"scopes\"", "credential.asked_by"),
        ("kind = \"user\"", "kind = \"bot\"", "credential.kind"),
        ("issuer = \"https://slack.com\"\n", "", "authorization.issuer"),
        ("team_id = [\"/team/id\", \"/enterprise/id\"]", "", "account.team_id"),
        ("user_id = [\"/authed_user/id\"]", "", "account.user_id"),
        ("reason = \"grant_expired\"", "", "failure[6]"),
        ("reason = \"grant_expired\"", "reason = \"unreadable\"", "failure[6]"),
        ("codes = [\"missing_scope\", \"no_permission\"]", "", "failure[11]"),
        ("codes = [\"account_inactive\"]", "codes = [\"token_revoked\"]", "failure[8]"),
        ("[token]", "[authorization.parameters]\nstate = \"x\"\n[token]", "authorization.parameters.state"),
    ];
    for (from, to, key) in cases {
        let problems = change(from, to);
        assert!(problems.iter().any(|(found, _)| found == key), "{to}: {problems:?}");
    }
}

#[test]
fn a_file_without_credentials_or_a_way_to_know_the_user_is_refused() {
    let gmail = GMAIL.replace("id = \"gmail\"", "id = \"slack\"");
    let (before, after) = gmail.split_once("[account.userinfo]").unwrap();
    let (_, after) = after.split_once("[health]").unwrap();
    let problems = refused(&format!("{before}[account]\n[health]{after}"));
    assert_eq!(problems.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["account"]);
    let (before, after) = gmail.split_once("[[credential]]").unwrap();
    let (_, after) = after.split_once("[token]").unwrap();
    assert!(refused(&format!("{before}[token]{after}"))[0].1.contains("credential"));
}

#[test]
fn a_directory_adds_and_replaces_files_and_all_that_is_wrong_is_said_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("slack.toml", &SLACK.replace("name = \"Slack\"", "name = \"Ours\""));
    write("mail-2.toml", &GMAIL.replace("id = \"gmail\"", "id = \"mail-2\""));
    write("notes.txt", "not read");
    let providers = Providers::load(Some(directory.path()), Reach::Internet).unwrap();
    let ids: Vec<_> = providers.iter().map(|provider| provider.id().as_str()).collect();
    assert_eq!(ids, ["gmail", "mail-2", "microsoft", "slack"]);
    assert_eq!(providers.get(&"slack".parse().unwrap()).unwrap().descriptor.name, "Ours");

    write("one.toml", "id = ");
    write("two.toml", GMAIL);
    let errors = Providers::load(Some(directory.path()), Reach::Internet).err().unwrap();
    let files: Vec<_> = errors.iter().map(|error| error.file.as_str()).collect();
    assert_eq!(files, ["one.toml", "two.toml"]);
}

#[test]
fn a_directory_that_can_not_be_read_is_an_error() {
    let errors = Providers::load(Some(Path::new("/does/not/exist")), Reach::Internet).err().unwrap();
    assert_eq!(errors[0].file, "/does/not/exist");
}

#[test]
fn an_origin_moves_every_url_and_never_the_issuer() {
    let origin = Url::parse("http://127.0.0.1:9000").unwrap();
    for (id, count) in [("slack", 5), ("gmail", 5), ("microsoft", 4)] {
        let mut moved = provider(id, &["s"], Some(&origin)).descriptor.clone();
        let original = provider(id, &["s"], None).descriptor.clone();
        assert_eq!(moved.authorization.issuer, original.authorization.issuer);
        let urls: Vec<_> = moved.addresses_mut().map(|address| address.url()).collect();
        assert_eq!(urls.len(), count);
        for url in urls {
            assert_eq!(url.origin(), origin.origin(), "{url}");
        }
        // Nothing that looks like an address is left behind.
        let text = format!("{moved:?}");
        let issuer = moved.authorization.issuer.unwrap_or_default();
        assert_eq!(text.matches("slack.com").count(), issuer.matches("slack.com").count());
        for host in ["oauth2.googleapis", "gmail.googleapis", "login.microsoftonline", "graph.microsoft"] {
            assert!(!text.contains(host), "{id}: {host}");
        }
    }
}

#[test]
fn an_incomplete_app_or_an_unknown_provider_is_refused() {
    let mut providers = Providers::load(None, Reach::Internet).unwrap();
    let slack: ProviderId = "slack".parse().unwrap();
    let app = |id: &str, secrets: &[&str]| {
        Some(ProviderApp {
            client_id: id.to_owned(),
            client_secrets: secrets.iter().map(|text| SecretString::from(*text)).collect(),
        })
    };
    for incomplete in [app("", &["s"]), app("", &[]), app("c", &["s", ""])] {
        let refused = providers.configure(&slack, incomplete, None).unwrap_err();
        assert_eq!(refused, ConfigureError::IncompleteApp(slack.clone()));
    }
    // A browser is sent there with the client id alone; nobody is asked as the app.
    for (complete, proves_itself) in [(app("c", &[]), false), (app("c", &["s"]), true)] {
        providers.configure(&slack, complete, None).unwrap();
        let provider = providers.get(&slack).unwrap();
        assert_eq!((provider.app().is_some(), provider.has_secret()), (true, proves_itself));
    }
    let unknown: ProviderId = "zoom".parse().unwrap();
    let refused = providers.configure(&unknown, None, None).unwrap_err();
    assert_eq!(refused, ConfigureError::UnknownProvider(unknown));
}

#[test]
fn grants_are_told_apart_by_client_owner_and_never_by_the_name_of_the_file() {
    let account = |team: Option<&str>| Account {
        user_id: "U1".to_owned(),
        team_id: team.map(str::to_owned),
        email: None,
    };
    let (slack, gmail) = (provider("slack", &["s"], None), provider("gmail", &["s"], None));
    assert!(slack.shared_by_team(TokenKind::Bot) && !slack.shared_by_team(TokenKind::User));
    let in_team = account(Some("T1"));
    assert_eq!(slack.grant_parts(TokenKind::Bot, &in_team), ["client:1", "team", "T1"]);
    assert_eq!(slack.grant_parts(TokenKind::User, &in_team), ["client:1", "account", "U1", "T1"]);
    let alone = account(None);
    assert_eq!(gmail.grant_parts(TokenKind::User, &alone), ["client:1", "account", "U1"]);
}
