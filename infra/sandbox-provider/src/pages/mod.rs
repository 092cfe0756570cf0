//! The pages that a person sees: consent, refusal, index; self-contained, without JavaScript, and marked SANDBOX.

pub(crate) mod google;
pub(crate) mod slack;

use crate::{
    consent::Refused,
    directory::{self, Person},
    http::{answer::Answer, call::Params},
    settings::Settings,
};

const STYLE: &str = include_str!("style.css");

/// A whole page; `theme` is a class that sets the accent colour.
fn page(title: &str, theme: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{title}</title><style>{STYLE}</style></head>\
         <body class=\"{theme}\"><p class=\"banner\"><strong>SANDBOX</strong> Not the real provider. No account, no data, no password.</p>\
         <main>{body}</main></body></html>"
    )
}

/// Text for HTML, in content and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The error page that stands where a redirect would not be safe.
pub(crate) fn refused(provider: &str, refused: &Refused) -> Answer {
    let body = format!(
        "<section class=\"card\"><h1>{provider} refuses this request</h1><p><code>{}</code></p><p>{}</p></section>",
        escape(refused.code),
        escape(&refused.detail)
    );
    Answer::html(refused.status, refused.code, page("Refused", "refused", &body))
}

/// The account that the form names: typed in if something was typed, else chosen.
pub(crate) fn chosen_account(form: &Params) -> String {
    form.get("other_account").or_else(|| form.get("account")).unwrap_or("alice").to_owned()
}

/// Radio buttons for the people, whoever the request hints at first chosen, and a field for anyone else.
fn people(settings: &Settings, hint: Option<&str>) -> String {
    let mut choices = settings.people.clone();
    let mut chosen = 0;
    if let Some(account) = hint.map(directory::account_of) {
        let known = choices.iter().position(|person| person.account == account || person.email == account);
        chosen = known.unwrap_or(0);
        if known.is_none() {
            choices.insert(0, directory::person(settings, &account));
        }
    }
    let rows: String = choices.iter().enumerate().map(|(at, person)| row(person, at == chosen)).collect();
    format!(
        "<fieldset><legend>Who are you?</legend>{rows}<label class=\"row other\">Someone else \
         <input type=\"text\" name=\"other_account\" placeholder=\"any name or address\" autocomplete=\"off\"></label></fieldset>"
    )
}

fn row(person: &Person, checked: bool) -> String {
    format!(
        "<label class=\"row\"><input type=\"radio\" name=\"account\" value=\"{}\"{}> <span><b>{}</b> <small>{}</small></span></label>",
        escape(&person.account),
        if checked { " checked" } else { "" },
        escape(&person.name),
        escape(&person.email)
    )
}

// Approve comes first, since the Enter key presses the first button; the style sheet turns them around.
fn buttons(approve: &str, deny: &str) -> String {
    format!(
        "<p class=\"buttons\"><button class=\"approve\" name=\"decision\" value=\"approve\">{approve}</button>\
         <button name=\"decision\" value=\"deny\">{deny}</button></p>"
    )
}

/// What this is, who is in it, and where the control API is described.
pub(crate) fn index(settings: &Settings) -> String {
    let people: String = settings
        .people
        .iter()
        .map(|person| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&person.account),
                escape(&person.name),
                escape(&person.email)
            )
        })
        .collect();
    let workspaces: String = settings
        .workspaces
        .iter()
        .map(|workspace| (&workspace.id, &workspace.name, workspace.enterprise.as_deref().unwrap_or("")))
        .chain(
            settings.enterprises.iter().map(|enterprise| (&enterprise.id, &enterprise.name, "organisation")),
        )
        .map(|(id, name, of)| {
            format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escape(id),
                escape(name),
                escape(of)
            )
        })
        .collect();
    page(
        "Sandbox provider",
        "index",
        &format!(include_str!("index.html"), people = people, workspaces = workspaces),
    )
}
