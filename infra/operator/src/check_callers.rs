//! `oms-tool check-callers FILE`: reads a callers file as the service would, before the service does.

use std::path::Path;

use shared::access::{Surroundings, read};
use shared::provider::{Providers, Reach};

use crate::{Told, WRONG};

pub(crate) fn run(file: &str) -> Told {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let directory = std::env::var_os("PROVIDERS_DIR");
    let providers = Providers::load(directory.as_deref().map(Path::new), Reach::Anywhere)
        .map_err(|errors| errors.iter().map(|error| format!("{error}\n")).collect::<String>())?;
    let providers = providers.iter().map(|each| each.id().clone()).collect();
    Ok(match read(&text, &Surroundings { providers: &providers, loopback: false }) {
        Ok(policy) => (format!("{policy}"), 0),
        Err(misfits) => {
            let lines = misfits.iter().map(|misfit| format!("{}: {}\n", misfit.key, misfit.problem));
            (lines.collect(), WRONG)
        }
    })
}
