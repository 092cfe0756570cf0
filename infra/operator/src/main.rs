//! `oms-tool VERB`: one file a verb.

mod api_key;
mod audit_key;
mod check_callers;
mod key;
mod verify_audit;

use std::io::{self, Write as _};
use std::process::ExitCode;

const USAGE: &str =
    "oms-tool verify-audit [--allow-open] [FILE]   verifies an audit log (default: what comes in)
oms-tool audit-key                            prints the AUDIT_KEY that follows from ATTEMPT_KEY or KEY_URL
oms-tool api-key [NAME]                       makes an API key, and shows it once
oms-tool check-callers FILE                   reads a callers file as the service would
";

/// How a verb ends when it could do what it is for, and something is wrong.
const WRONG: u8 = 1;
/// How it ends when it can't tell.
const UNKNOWN: u8 = 2;

/// What a verb prints, and how it ends; or why it can't tell.
type Told = Result<(String, u8), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = match arguments.as_slice() {
        ["verify-audit", rest @ ..] => verify_audit::run(rest),
        ["audit-key"] => audit_key::run(),
        ["api-key"] => api_key::run(None),
        ["api-key", name] => api_key::run(Some(name)),
        ["check-callers", file] => check_callers::run(file),
        ["--help" | "help"] => Ok((USAGE.to_owned(), 0)),
        _ => Err(USAGE.to_owned()),
    };
    let (printed, code) = match told {
        Ok((text, code)) => (io::stdout().write_all(text.as_bytes()), code),
        Err(why) => (writeln!(io::stderr(), "{}", why.trim_end()), UNKNOWN),
    };
    ExitCode::from(if printed.is_ok() { code } else { UNKNOWN })
}
