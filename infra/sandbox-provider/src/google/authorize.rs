//! `/o/oauth2/v2/auth`: checks the request, shows the consent page with a box per scope, issues the code.

use axum::http::Method;

use super::Code;
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

pub(crate) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
pub(crate) const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

/// A request that may be shown to a person.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) client: &'a Client,
    pub(crate) scopes: Vec<String>,
    pub(crate) login_hint: Option<&'a str>,
    redirect_uri: &'a str,
    state: Option<&'a str>,
    nonce: Option<&'a str>,
    challenge: Option<String>,
    offline: bool,
    prompt_consent: bool,
    prompt_none: bool,
    include_granted: bool,
}

/// `GET` shows the page, `POST` takes its form.
pub(crate) fn endpoint(state: &mut State, call: &Call) -> Answer {
    if call.method != Method::POST {
        return match check(&state.settings, &call.query) {
            Ok(request) if request.prompt_none => Answer::redirect(
                "interaction_required",
                refusal(&state.settings, &request, "interaction_required"),
            ),
            Ok(request) => {
                Answer::html(200, "page", pages::google::consent(&state.settings, &request, &call.raw_query))
            }
            Err(refused) => pages::refused("Google", &refused),
        };
    }
    let query = Params::parse(call.form.get("request").unwrap_or_default().as_bytes());
    let asked = check(&state.settings, &query).map(|request| request.scopes).unwrap_or_default();
    let consent = Consent {
        account: pages::chosen_account(&call.form),
        workspace: None,
        deny: call.form.get("decision") != Some("approve"),
        untick: asked
            .into_iter()
            .filter(|scope| !call.form.all("scope").any(|ticked| ticked == scope))
            .collect(),
    };
    match decide(state, &query, &consent) {
        Ok(decided) => Answer::redirect(decided.outcome, decided.redirect),
        Err(refused) => pages::refused("Google", &refused),
    }
}

/// Takes someone's decision and says where the browser goes.
pub(crate) fn decide(state: &mut State, query: &Params, consent: &Consent) -> Result<Decided, Refused> {
    let account = directory::account_of(&consent.account);
    if state.inactive.contains(&account) {
        return Err(Refused::new(400, "account_inactive", format!("{account} is deactivated")));
    }
    let (google, mut desk) = state.google();
    let request = check(desk.settings, query)?;
    if request.prompt_none {
        return Ok(Decided {
            redirect: refusal(desk.settings, &request, "interaction_required"),
            outcome: "interaction_required",
        });
    }
    // Identity scopes have no box: who approves at all approves them (granular permissions, developers.google.com/identity/protocols/oauth2/resources/granular-permissions).
    let mut granted = request.scopes.clone();
    granted.retain(|scope| is_identity(scope) || !consent.untick.contains(scope));
    if consent.deny || granted.is_empty() {
        return Ok(Decided {
            redirect: refusal(desk.settings, &request, "access_denied"),
            outcome: "denied",
        });
    }
    let id = google.grant(&request.client.client_id, &account);
    let grant = &mut google.grants[id];
    if request.include_granted {
        let earlier: Vec<String> =
            grant.scopes.iter().filter(|scope| !granted.contains(scope)).cloned().collect();
        granted.extend(earlier);
    }
    for scope in &granted {
        if !grant.scopes.contains(scope) {
            grant.scopes.push(scope.clone());
        }
    }
    // A refresh token comes with the first consent, later only if consent is asked again.
    let refreshable = request.offline && (!grant.standing || request.prompt_consent);
    grant.standing = true;
    let scope = granted.join(" ");
    let code = Code {
        family: google.family(id, &scope),
        redirect_uri: request.redirect_uri.to_owned(),
        nonce: request.nonce.map(str::to_owned),
        refreshable,
        expires: desk.now + Millis::from(desk.settings.google.code_seconds) * 1000,
        used: false,
        challenge: request.challenge,
    };
    let code = google.issue_code(&mut desk, code);
    let params = [
        ("state", request.state),
        ("iss", desk.settings.google.issuer.as_deref()),
        ("code", Some(&*code)),
        ("scope", Some(scope.as_str())),
        ("authuser", Some("0")),
        ("prompt", Some("consent")),
    ];
    Ok(Decided { redirect: redirect::with_params(request.redirect_uri, &params), outcome: "approved" })
}

fn refusal(settings: &Settings, request: &Request<'_>, error: &str) -> String {
    let params =
        [("error", Some(error)), ("state", request.state), ("iss", settings.google.issuer.as_deref())];
    redirect::with_params(request.redirect_uri, &params)
}

/// Whether this scope only tells who someone is.
pub(crate) fn is_identity(scope: &str) -> bool {
    matches!(scope, "openid" | EMAIL | PROFILE)
}

fn check<'a>(settings: &'a Settings, query: &'a Params) -> Result<Request<'a>, Refused> {
    let invalid = |detail: String| Refused::new(400, "invalid_request", detail);
    if let Some(name) = query.duplicate() {
        return Err(invalid(format!("Parameter came more than once: {name}")));
    }
    let required =
        |name: &str| query.get(name).ok_or_else(|| invalid(format!("Missing required parameter: {name}")));
    let client_id = required("client_id")?;
    let client = settings
        .google
        .clients
        .iter()
        .find(|client| client.client_id == client_id)
        .ok_or_else(|| Refused::new(401, "invalid_client", "The OAuth client was not found."))?;
    let redirect_uri = required("redirect_uri")?;
    // Never a redirect to what isn't registered (RFC 6749 §3.1.2.4): a page.
    if !redirect::is_registered(client, redirect_uri) {
        return Err(Refused::new(
            400,
            "redirect_uri_mismatch",
            format!(
                "The redirect URI in the request, {redirect_uri}, does not match the ones authorized for the OAuth client."
            ),
        ));
    }
    match required("response_type")? {
        "code" => {}
        other => {
            return Err(Refused::new(
                400,
                "unsupported_response_type",
                format!("Invalid response_type: {other}"),
            ));
        }
    }
    let offline = match query.get("access_type") {
        None | Some("online") => false,
        Some("offline") => true,
        Some(other) => {
            return Err(invalid(format!("Invalid parameter value for access_type: {other}")));
        }
    };
    let prompts: Vec<&str> =
        query.get("prompt").unwrap_or_default().split(' ').filter(|prompt| !prompt.is_empty()).collect();
    if let Some(other) =
        prompts.iter().find(|prompt| !matches!(**prompt, "none" | "consent" | "select_account"))
    {
        return Err(invalid(format!("Invalid parameter value for prompt: {other}")));
    }
    Ok(Request {
        client,
        scopes: scopes(required("scope")?)?,
        login_hint: query.get("login_hint"),
        redirect_uri,
        state: query.get("state"),
        nonce: query.get("nonce"),
        challenge: pkce::challenge(query).map_err(|problem| invalid(problem.to_owned()))?,
        offline,
        prompt_consent: prompts.contains(&"consent"),
        prompt_none: prompts.contains(&"none"),
        include_granted: query.get("include_granted_scopes") == Some("true"),
    })
}

fn scopes(list: &str) -> Result<Vec<String>, Refused> {
    let mut scopes = Vec::new();
    for scope in list.split(' ').filter(|scope| !scope.is_empty()) {
        // Google answers with the long names, whichever were asked for.
        let scope = match scope {
            "email" => EMAIL,
            "profile" => PROFILE,
            other => other,
        };
        let known = scope == "openid"
            || scope == "https://mail.google.com/"
            || scope.starts_with("https://www.googleapis.com/auth/");
        if !known {
            return Err(Refused::new(
                400,
                "invalid_scope",
                format!("Some requested scopes were invalid: {scope}"),
            ));
        }
        if !scopes.iter().any(|seen| seen == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}
