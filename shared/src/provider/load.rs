//! Reads provider files: those of the build, then those of a directory, which may replace them by id.

use std::collections::BTreeMap;
use std::path::Path;

use url::Url;

use super::built_in;
use super::descriptor::{Descriptor, IssuerParameter, Owner, USERINFO};
use super::reachable::{Reach, names_private_address};
use crate::config::document;
use crate::domain::ProviderId;

/// What is wrong with a provider file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider file {file}: {key}: {problem}")]
pub struct DescriptorError {
    /// The file, or the directory that can't be read.
    pub file: String,
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The parameters of an authorization request that no file may set.
const OURS: [&str; 6] =
    ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"];

/// Reads all descriptors, each with where its URLs may lead: those of `directory` no further than `reach`.
///
/// # Errors
/// Everything that is wrong, in every file.
pub(super) fn load(
    directory: Option<&Path>,
    reach: Reach,
) -> Result<BTreeMap<ProviderId, (Descriptor, Reach)>, Vec<DescriptorError>> {
    let mut errors = Vec::new();
    let further = directory.map_or_else(|| Ok(Vec::new()), files_of).unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    });
    let built_in =
        built_in::FILES.map(|(name, text)| (name.to_owned(), text.to_owned(), Reach::Anywhere)).into_iter();
    let further = further.into_iter().map(|(name, text)| (name, text, reach));
    let mut descriptors = BTreeMap::new();
    for (file, text, reach) in built_in.chain(further) {
        match read(&file, &text, reach) {
            // A later file replaces an earlier one of the same id.
            Ok(descriptor) => {
                descriptors.insert(descriptor.id.clone(), (descriptor, reach));
            }
            Err(problems) => errors.extend(problems),
        }
    }
    if errors.is_empty() { Ok(descriptors) } else { Err(errors) }
}

/// Name and text of each `*.toml` of a directory, in the order of their names.
fn files_of(directory: &Path) -> Result<Vec<(String, String)>, DescriptorError> {
    let unreadable = |path: &Path, problem: &std::io::Error| DescriptorError {
        file: path.display().to_string(),
        key: "(file)".to_owned(),
        problem: problem.to_string(),
    };
    let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(directory, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            files.push((name, text));
        }
    }
    files.sort();
    Ok(files)
}

/// Checks one provider file as those of `PROVIDERS_DIR` are, and answers every address that it leads to.
///
/// # Errors
/// Everything that is wrong in it.
pub fn check_file(file: &str, text: &str) -> Result<Vec<Url>, Vec<DescriptorError>> {
    let descriptor = read(file, text, Reach::Internet)?;
    Ok(descriptor.addresses().map(|(_, address)| address.url()).collect())
}

/// Reads and checks one file, whose URLs lead no further than `reach`.
pub(super) fn read(file: &str, text: &str, reach: Reach) -> Result<Descriptor, Vec<DescriptorError>> {
    let error = |key: String, problem: String| DescriptorError { file: file.to_owned(), key, problem };
    let descriptor: Descriptor =
        document::read(text).map_err(|misfit| vec![error(misfit.key, misfit.problem)])?;
    let mut problems = Vec::new();
    let mut refuse = |key: &str, problem: &str| problems.push(error(key.to_owned(), problem.to_owned()));
    check(file, &descriptor, &mut refuse);
    if reach == Reach::Internet {
        check_reach(&descriptor, &mut refuse);
    }
    if problems.is_empty() { Ok(descriptor) } else { Err(problems) }
}

fn check(file: &str, descriptor: &Descriptor, refuse: &mut impl FnMut(&str, &str)) {
    let id = descriptor.id.as_str();
    if !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        refuse("id", "may only have a–z, 0–9 and -");
    }
    if file != format!("{id}.toml") {
        refuse("id", "must be the name of the file without .toml");
    }
    let authorization = &descriptor.authorization;
    if authorization.issuer_parameter != IssuerParameter::Absent && authorization.issuer.is_none() {
        refuse("authorization.issuer", "is needed to check the issuer parameter");
    }
    for name in authorization.parameters.keys().filter(|name| OURS.contains(&name.as_str())) {
        refuse(&format!("authorization.parameters.{name}"), "is set by the service");
    }
    check_credentials(descriptor, refuse);
    let account = &descriptor.account;
    match &account.userinfo {
        None if account.user_id.is_empty() => {
            refuse("account", "needs user_id, userinfo, or both: else nobody knows who consented");
        }
        Some(userinfo) if userinfo.url.has_placeholder() && account.user_id.is_empty() => {
            refuse("account.user_id", "is needed to fill the placeholder of account.userinfo.url");
        }
        None | Some(_) => {}
    }
    for (key, address) in descriptor.addresses() {
        if key != USERINFO && address.has_placeholder() {
            refuse(key, "must not have a placeholder");
        }
    }
    if descriptor.revocation.as_ref().is_some_and(|revocation| revocation.tokens.is_empty()) {
        refuse("revocation.tokens", "must not be empty");
    }
    if descriptor.errors.codes.is_empty() {
        refuse("errors.codes", "must not be empty");
    }
    for (index, row) in descriptor.failures.iter().enumerate() {
        if let Some(problem) = row.problem() {
            refuse(&format!("failure[{index}]"), problem);
        }
        if let Some(code) = row.hidden(&descriptor.failures[..index]) {
            refuse(&format!("failure[{index}]"), &format!("rows before it decide about {code}"));
        }
    }
}

/// A host that is a name is looked at when it is called.
fn check_reach(descriptor: &Descriptor, refuse: &mut impl FnMut(&str, &str)) {
    for (key, address) in descriptor.addresses() {
        if names_private_address(&address.url()) {
            refuse(key, "is at a private address, which needs PROVIDERS_PRIVATE=allow");
        }
    }
}

fn check_credentials(descriptor: &Descriptor, refuse: &mut impl FnMut(&str, &str)) {
    let credentials = &descriptor.credentials;
    if credentials.is_empty() {
        refuse("credential", "at least one is needed");
    }
    for (at, rules) in credentials.iter().enumerate() {
        let earlier = &credentials[..at];
        let mut differs = |key: &str, taken: bool| {
            if taken {
                refuse(key, "must differ between credentials");
            }
        };
        differs("credential.kind", earlier.iter().any(|each| each.kind == rules.kind));
        differs("credential.asked_by", earlier.iter().any(|each| each.asked_by == rules.asked_by));
        let parameter = &rules.scope_parameter;
        let taken = earlier.iter().any(|each| each.scope_parameter == *parameter);
        differs("credential.scope_parameter", taken);
        if rules.default_scopes.is_empty() {
            refuse("credential.default_scopes", "must not be empty");
        }
        if rules.belongs_to == Owner::Team && descriptor.account.team_id.is_empty() {
            refuse("account.team_id", "is needed where a credential belongs to a team");
        }
    }
}
