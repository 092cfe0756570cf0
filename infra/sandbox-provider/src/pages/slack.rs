//! Slack's consent page: what the app may do, who installs it, and into which workspace.

use std::fmt::Write as _;

use super::{buttons, escape, page, people};
use crate::{settings::Settings, slack::authorize::Request};

/// The page; `query` comes back with the form, so that nothing need be remembered between the two.
pub(crate) fn consent(settings: &Settings, request: &Request<'_>, query: &str) -> String {
    let app = escape(&request.client.client_id);
    let body = format!(
        "<section class=\"card\"><p class=\"provider\">Slack stand-in</p><h1><b>{app}</b> asks for access to a workspace</h1>\
         <form method=\"post\"><input type=\"hidden\" name=\"request\" value=\"{}\">{}{}{}{}{}</form></section>",
        escape(query),
        scopes("As a bot, the app may use", &request.bot_scopes),
        scopes("On your behalf, the app may use", &request.user_scopes),
        people(settings, None),
        workspaces(settings, request.team),
        buttons("Approve", "Deny"),
    );
    page("Slack sandbox: approve an app", "slack", &body)
}

fn scopes(title: &str, scopes: &[String]) -> String {
    if scopes.is_empty() {
        return String::new();
    }
    let chips: String = scopes.iter().fold(String::new(), |mut chips, scope| {
        // Writing to a string can't fail.
        let _ = write!(chips, "<code>{}</code> ", escape(scope));
        chips
    });
    format!("<h2>{title}</h2><p class=\"chips\">{chips}</p>")
}

fn workspaces(settings: &Settings, team: Option<&str>) -> String {
    let known = settings
        .workspaces
        .iter()
        .map(|workspace| {
            (
                workspace.id.as_str(),
                workspace.name.as_str(),
                workspace
                    .enterprise
                    .as_deref()
                    .map_or_else(|| "workspace".to_owned(), |id| format!("workspace of {id}")),
            )
        })
        .chain(settings.enterprises.iter().map(|enterprise| {
            (enterprise.id.as_str(), enterprise.name.as_str(), "whole organisation".to_owned())
        }));
    let mut choices: Vec<(&str, &str, String)> = known.collect();
    if let Some(team) = team
        && !choices.iter().any(|(id, ..)| *id == team)
    {
        choices.insert(0, (team, team, "asked for by the app".to_owned()));
    }
    let chosen = team.or(choices.first().map(|(id, ..)| *id));
    let rows: String = choices.iter().fold(String::new(), |mut rows, (id, name, what)| {
        let checked = if chosen == Some(id) { " checked" } else { "" };
        let (id, name, what) = (escape(id), escape(name), escape(what));
        let _ = write!(
            rows,
            "<label class=\"row\"><input type=\"radio\" name=\"workspace\" value=\"{id}\"{checked}> <span><b>{name}</b> <small>{id}, {what}</small></span></label>"
        );
        rows
    });
    format!("<fieldset><legend>Where?</legend>{rows}</fieldset>")
}
