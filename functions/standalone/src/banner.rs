//! What a person who starts the service reads: where it is, and what to do next.

use shared::config::{Auth, Config};

/// Prints it on standard error, beside the log.
#[expect(clippy::print_stderr, reason = "for the person who started the process")]
pub(crate) fn show(config: &Config, sandbox: Option<&str>) {
    let base = config.public_url.as_str().trim_end_matches('/');
    let key = match config.auth {
        Auth::Off | Auth::Platform => "",
        // Whoever is named in the callers file can try it.
        Auth::Callers => " -H 'authorization: Bearer YOUR-API-KEY'",
    };
    let try_it = match sandbox {
        Some(origin) => format!(
            "\n  SANDBOX  Slack and Gmail are pretended at {origin}; nothing here is real.\n\
             \n  Connect an account: ask for a link, open `connectUrl` in a browser, click:\n\
             \n    curl -s {base}/api/v1/connect/sessions{key} -H 'content-type: application/json' \\\
             \n      -d '{{\"userId\":\"user-1\",\"tenantId\":\"acme\"}}'\n\
             \n  Then get its token:\n\
             \n    curl -s {base}/api/v1/tokens/get{key} -H 'content-type: application/json' \\\
             \n      -d '{{\"userId\":\"user-1\",\"tenantId\":\"acme\",\"provider\":\"slack\"}}'\n"
        ),
        None => String::new(),
    };
    eprintln!("\n  OAuth Management Service at {base}\n  The API is described at {base}/docs\n{try_it}");
}
