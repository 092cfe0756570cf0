//! Google's consent page: which account, and a box for each scope that is more than who one is.

use std::fmt::Write as _;

use super::{buttons, escape, page, people};
use crate::{
    google::authorize::{Request, is_identity},
    settings::Settings,
};

/// The page; `query` comes back with the form, so that nothing need be remembered between the two.
pub(crate) fn consent(settings: &Settings, request: &Request<'_>, query: &str) -> String {
    let app = escape(&request.client.client_id);
    let body = format!(
        "<section class=\"card\"><p class=\"provider\">Google stand-in</p><h1><b>{app}</b> wants access to your account</h1>\
         <form method=\"post\"><input type=\"hidden\" name=\"request\" value=\"{}\">{}{}{}</form></section>",
        escape(query),
        people(settings, request.login_hint),
        boxes(&request.scopes),
        buttons("Continue", "Cancel"),
    );
    page("Google sandbox: approve an app", "google", &body)
}

fn boxes(scopes: &[String]) -> String {
    let mut identity = String::new();
    let mut rows = String::new();
    for scope in scopes {
        let escaped = escape(scope);
        let short = escape(scope.rsplit("/auth/").next().unwrap_or(scope));
        // Writing to a string can't fail.
        let _ = if is_identity(scope) {
            write!(identity, "<code>{short}</code> ")
        } else {
            write!(
                rows,
                "<label class=\"row\"><input type=\"checkbox\" name=\"scope\" value=\"{escaped}\" checked> <span><b>{short}</b> <small>{escaped}</small></span></label>"
            )
        };
    }
    let identity = if identity.is_empty() {
        String::new()
    } else {
        format!("<h2>Always included: who you are</h2><p class=\"chips\">{identity}</p>")
    };
    let rows = if rows.is_empty() {
        String::new()
    } else {
        format!("<fieldset><legend>Select what it may access</legend>{rows}</fieldset>")
    };
    identity + &rows
}
