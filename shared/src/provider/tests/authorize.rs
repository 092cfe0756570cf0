//! Authorization requests: byte by byte, and which scopes are in them.

use super::*;

fn request<'a>(scopes: &'a BTreeMap<TokenKind, Scopes>) -> AuthorizationRequest<'a> {
    AuthorizationRequest {
        state: "7f0c",
        redirect_uri: "https://us.example/api/v1/oauth/callback/x",
        scopes,
        login_hint: Some("ada@example.com"),
        team: Some("T1"),
        code_challenge: Some("E9Mel-_cM"),
    }
}

#[test]
fn slack_is_asked_with_bot_and_user_scopes_by_default() {
    let slack = provider("slack", &["s"], None);
    let scopes = slack.scopes_to_ask(None, None).unwrap();
    assert_eq!(slack.default_kind(&scopes), TokenKind::Bot);
    let url = client().authorization_url(&slack, &request(&scopes)).unwrap();
    assert_eq!(
        url.as_str(),
        "https://slack.com/oauth/v2/authorize?response_type=code&client_id=client%3A1\
         &redirect_uri=https%3A%2F%2Fus.example%2Fapi%2Fv1%2Foauth%2Fcallback%2Fx&state=7f0c\
         &scope=channels%3Aread%2Cchannels%3Amanage%2Cchat%3Awrite%2Cusers%3Aread\
         %2Cusers%3Aread.email%2Cfiles%3Aread%2Cfiles%3Awrite\
         &user_scope=channels%3Awrite%2Csearch%3Aread\
         &code_challenge=E9Mel-_cM&code_challenge_method=S256&team=T1"
    );
}

#[test]
fn gmail_is_asked_for_a_refresh_token_and_for_no_earlier_scopes() {
    let gmail = provider("gmail", &["s"], None);
    let scopes = gmail.scopes_to_ask(None, None).unwrap();
    assert_eq!(gmail.default_kind(&scopes), TokenKind::User);
    let url = client().authorization_url(&gmail, &request(&scopes)).unwrap();
    let scope = |name: &str| format!("https%3A%2F%2Fwww.googleapis.com%2Fauth%2F{name}");
    let scopes = ["gmail.readonly", "gmail.send", "gmail.modify", "userinfo.email"].map(scope);
    assert_eq!(
        url.as_str(),
        format!(
            "https://accounts.google.com/o/oauth2/v2/auth?response_type=code&client_id=client%3A1\
             &redirect_uri=https%3A%2F%2Fus.example%2Fapi%2Fv1%2Foauth%2Fcallback%2Fx&state=7f0c\
             &scope={}+{}+openid&code_challenge=E9Mel-_cM&code_challenge_method=S256\
             &access_type=offline&prompt=consent&login_hint=ada%40example.com",
            scopes.join("+"),
            scope("userinfo.profile"),
        )
    );
}

#[test]
fn a_callers_scopes_replace_the_default_ones_but_not_those_the_account_is_known_by() {
    let gmail = provider("gmail", &["s"], None);
    let named = list("https://www.googleapis.com/auth/gmail.send");
    let asked = gmail.scopes_to_ask(Some(&named), None).unwrap();
    assert_eq!(
        asked[&TokenKind::User],
        list(
            "https://www.googleapis.com/auth/gmail.send \
             https://www.googleapis.com/auth/userinfo.email openid"
        )
    );
    let named = list("openid https://www.googleapis.com/auth/userinfo.email");
    assert_eq!(gmail.scopes_to_ask(Some(&named), None).unwrap()[&TokenKind::User], named);
}

#[test]
fn a_kind_that_a_caller_with_scopes_does_not_name_is_not_asked_for() {
    let slack = provider("slack", &["s"], None);
    let user = slack.scopes_to_ask(None, Some(&list("search:read"))).unwrap();
    assert_eq!(user, BTreeMap::from([(TokenKind::User, list("search:read"))]));
    assert_eq!(slack.default_kind(&user), TokenKind::User);
    let url = client().authorization_url(&slack, &request(&user)).unwrap();
    assert!(!url.query_pairs().any(|(name, _)| name == "scope"));
    let bot = slack.scopes_to_ask(Some(&list("chat:write")), Some(&[])).unwrap();
    assert_eq!(bot, BTreeMap::from([(TokenKind::Bot, list("chat:write"))]));
}

#[test]
fn refuses_scopes_that_would_smuggle_others_or_mean_nothing() {
    let slack = provider("slack", &["s"], None);
    let gmail = provider("gmail", &["s"], None);
    for bad in ["chat:write,admin", "a b", "", "a\"b", "ä"] {
        let named = [bad.to_owned()];
        let refused = slack.scopes_to_ask(Some(&named), None).unwrap_err();
        assert_eq!(refused, ScopesRefused::NotAScope(bad.to_owned()));
    }
    assert_eq!(slack.scopes_to_ask(Some(&[]), Some(&[])).unwrap_err(), ScopesRefused::Empty);
    let refused = gmail.scopes_to_ask(None, Some(&list("x"))).unwrap_err();
    assert_eq!(refused, ScopesRefused::NoUserScopes);
}

#[test]
fn a_provider_without_an_app_is_not_configured() {
    let providers = Providers::load(None, Reach::Internet).unwrap();
    let slack = providers.get(&"slack".parse().unwrap()).unwrap();
    let refused = client().authorization_url(slack, &request(&BTreeMap::new())).unwrap_err();
    assert_eq!(refused, NotConfigured(slack.id().clone()));
}

#[test]
fn an_issuer_is_compared_as_text_and_must_be_there_where_it_is_required() {
    let mut rules = provider("gmail", &["s"], None).descriptor.authorization.clone();
    let right = Some("https://accounts.google.com");
    assert!(rules.accepts_issuer(None) && rules.accepts_issuer(right));
    assert!(!rules.accepts_issuer(Some("https://accounts.google.com/")));
    rules.issuer_parameter = IssuerParameter::Required;
    assert!(!rules.accepts_issuer(None) && rules.accepts_issuer(right));
    rules.issuer_parameter = IssuerParameter::Absent;
    assert!(rules.accepts_issuer(None) && !rules.accepts_issuer(right));
}
