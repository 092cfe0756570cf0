//! `/oauth/v2/authorize`: checks the request, shows the consent page, issues the code.

use axum::http::Method;

use super::{Code, Slack};
use crate::{
    clock::Millis,
    consent::{Consent, Decided, Refused},
    directory,
    http::{
        answer::Answer,
        call::{Call, Params},
        pkce, redirect,
    },
    pages,
    settings::{Client, Settings},
    state::State,
};

/// Scopes that exist for user tokens only (docs.slack.dev/reference/scopes).
const USER_ONLY: [&str; 4] = ["channels:write", "search:read", "identify", "stars:read"];
/// Scopes that exist for bot tokens only.
const BOT_ONLY: [&str; 3] = ["channels:manage", "app_mentions:read", "incoming-webhook"];

/// A request that may be shown to a person.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bot_scopes: Vec<String>,
    pub(crate) user_scopes: Vec<String>,
    pub(crate) team: Option<&'a str>,
    redirect_uri: Option<&'a str>,
    state: Option<&'a str>,
    challenge: Option<String>,
}

/// `GET` shows the page, `POST` takes its form.
pub(crate) fn endpoint(state: &mut State, call: &Call) -> Answer {
    if call.method != Method::POST {
        return match check(&state.settings, &call.query) {
            Ok(request) => {
                Answer::html(200, "page", pages::slack::consent(&state.settings, &request, &call.raw_query))
            }
            Err(refused) => pages::refused("Slack", &refused),
        };
    }
    let query = Params::parse(call.form.get("request").unwrap_or_default().as_bytes());
    let consent = Consent {
        account: pages::chosen_account(&call.form),
        workspace: call.form.get("workspace").map(str::to_owned),
        deny: call.form.get("decision") != Some("approve"),
        untick: Vec::new(),
    };
    match decide(state, &query, &consent) {
        Ok(decided) => Answer::redirect(decided.outcome, decided.redirect),
        Err(refused) => pages::refused("Slack", &refused),
    }
}

/// Takes someone's decision and says where the browser goes.
pub(crate) fn decide(state: &mut State, query: &Params, consent: &Consent) -> Result<Decided, Refused> {
    let account = directory::account_of(&consent.account);
    if state.inactive.contains(&account) {
        return Err(Refused::new(200, "account_inactive", format!("{account} is deactivated")));
    }
    let settings = &state.settings;
    let request = check(settings, query)?;
    let issuer = settings.slack.issuer.clone();
    let redirect_uri = request
        .redirect_uri
        .or(request.client.redirect_uris.first().map(String::as_str))
        .unwrap_or_default()
        .to_owned();
    let echoed = request.state.map(str::to_owned);
    if consent.deny {
        let params =
            [("error", Some("access_denied")), ("state", echoed.as_deref()), ("iss", issuer.as_deref())];
        return Ok(Decided { redirect: redirect::with_params(&redirect_uri, &params), outcome: "denied" });
    }
    let workspace = consent
        .workspace
        .as_deref()
        .or(request.team)
        .or(settings.workspaces.first().map(|workspace| workspace.id.as_str()));
    let place = workspace.and_then(|id| directory::place(settings, id)).ok_or_else(|| {
        Refused::new(200, "invalid_team", format!("{} is neither T… nor E…", workspace.unwrap_or("nothing")))
    })?;
    let code = Code {
        client_id: request.client.client_id.clone(),
        redirect_uri: request.redirect_uri.map(str::to_owned),
        challenge: request.challenge,
        account: account.clone(),
        bot_scopes: request.bot_scopes,
        user_scopes: request.user_scopes,
        expires: 0,
        used: false,
        place,
    };
    state.slack_users.insert(directory::slack_user_id(&account, &code.place), account);
    let (slack, mut desk): (&mut Slack, _) = state.slack();
    let expires = desk.now + Millis::from(desk.settings.slack.code_seconds) * 1000;
    let code = slack.issue_code(&mut desk, Code { expires, ..code });
    let params = [("code", Some(&*code)), ("state", echoed.as_deref()), ("iss", issuer.as_deref())];
    Ok(Decided { redirect: redirect::with_params(&redirect_uri, &params), outcome: "approved" })
}

fn check<'a>(settings: &'a Settings, query: &'a Params) -> Result<Request<'a>, Refused> {
    if let Some(name) = query.duplicate() {
        return Err(Refused::new(200, "invalid_arguments", format!("{name} came more than once")));
    }
    let client_id = query.get("client_id").unwrap_or_default();
    let client =
        settings.slack.clients.iter().find(|client| client.client_id == client_id).ok_or_else(|| {
            Refused::new(200, "invalid_client_id", format!("no app has the client id {client_id:?}"))
        })?;
    let redirect_uri = query.get("redirect_uri");
    // Slack falls back to the registered URL when none is sent; with none registered there is nothing to fall back to.
    let allowed =
        redirect_uri.map_or(!client.redirect_uris.is_empty(), |uri| redirect::is_registered(client, uri));
    if !allowed {
        let detail = format!(
            "redirect_uri did not match any configured URIs. Passed URI: {}",
            redirect_uri.unwrap_or("none")
        );
        return Err(Refused::new(200, "bad_redirect_uri", detail));
    }
    let challenge =
        pkce::challenge(query).map_err(|problem| Refused::new(200, "invalid_arguments", problem))?;
    let (bot_scopes, user_scopes) =
        (scopes(query.get("scope"), &USER_ONLY)?, scopes(query.get("user_scope"), &BOT_ONLY)?);
    if bot_scopes.is_empty() && user_scopes.is_empty() {
        return Err(Refused::new(200, "invalid_scope", "no scope and no user_scope"));
    }
    Ok(Request {
        client,
        bot_scopes,
        user_scopes,
        team: query.get("team"),
        redirect_uri,
        state: query.get("state"),
        challenge,
    })
}

// Comma-separated (docs.slack.dev/authentication/installing-with-oauth); a space inside is the classic mistake.
fn scopes(list: Option<&str>, not_here: &[&str]) -> Result<Vec<String>, Refused> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in list.unwrap_or_default().split(',').filter(|scope| !scope.is_empty()) {
        let well_formed = scope.chars().all(|c| c.is_ascii_lowercase() || matches!(c, ':' | '.' | '_' | '-'));
        if !well_formed || not_here.contains(&scope) {
            return Err(Refused::new(
                200,
                "invalid_scope",
                format!("Invalid permissions requested: {scope}"),
            ));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}
