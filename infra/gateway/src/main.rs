//! `gateway` prints the template of the gateway's definition; `gateway --render FILE` the definition, with the addresses in a JSON file.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use gateway::{Definition, Functions};

const USAGE: &str = "gateway                  prints terraform/modules/gcp/gateway/openapi.json.tftpl
gateway --render FILE    prints it with the addresses in FILE: a JSON object, FUNCTION to URL";

/// What stands in for the title that Terraform gives.
const TITLE: &str = "OAuth Management Service";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let printed = run(&arguments).and_then(|text| Ok(io::stdout().write_all(text.as_bytes())?));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails too.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let definition = Definition::of(&Functions::listed()?)?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(definition.template()),
        ["--render", file] => {
            let addresses: BTreeMap<String, String> = serde_json::from_str(&std::fs::read_to_string(file)?)?;
            Ok(definition.rendered(TITLE, &addresses)?)
        }
        _ => Err(USAGE.into()),
    }
}
