//! `oms-tool api-key [NAME]`: makes an API key, shows it once, and says what the callers file has of it.

use shared::access::ApiKey;
use shared::clock::SystemIds;
use shared::secret::ExposeSecret as _;

use crate::Told;

#[expect(clippy::disallowed_methods, reason = "this is the one time that the key is shown")]
pub(crate) fn run(name: Option<&str>) -> Told {
    let key = ApiKey::mint(&SystemIds).map_err(|error| error.to_string())?;
    let whose = name.map_or_else(|| "the service".to_owned(), |name| format!("service {name}"));
    Ok((
        format!(
            "The key, for {whose}; it is shown this once:\n\n  {}\n\nFor its entry in the callers file, under keys:\n\n  {{ hash = \"{}:{}\" }},\n",
            key.text.expose_secret(),
            key.id,
            key.sha256,
        ),
        0,
    ))
}
