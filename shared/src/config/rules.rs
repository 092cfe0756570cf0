//! The rules that tie settings to each other: what must be said where others can reach us, and what follows from what.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::env::Env;
use super::{Auth, LOOPBACK_8080, ListenOn, ProviderSettings, parse};
use crate::audit::AuditTo;
use crate::secret::SecretString;

pub(super) fn is_embedded(store_url: &str) -> bool {
    store_url.starts_with("sqlite:") && store_url != "sqlite::memory:"
}

pub(super) fn listen(env: &mut Env) -> ListenOn {
    let listen = env.parsed("LISTEN", parse::address);
    let port = env.parsed("PORT", parse::port);
    if env.has("LISTEN") && env.has("PORT") {
        env.problem("PORT and LISTEN are both set; PORT means all interfaces");
    }
    let on_all = port.map(|port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    ListenOn { address: listen.or(on_all).unwrap_or(LOOPBACK_8080) }
}

/// Whether Lambda started us, which then says more: its runtime library panics where that is missing.
pub(super) fn lambda(env: &mut Env) -> bool {
    let lambda = env.has("AWS_LAMBDA_RUNTIME_API");
    if lambda {
        for name in ["NAME", "VERSION", "MEMORY_SIZE"].map(|what| format!("AWS_LAMBDA_FUNCTION_{what}")) {
            if !env.has(&name) {
                env.problem(format!("{name} is not set, but AWS_LAMBDA_RUNTIME_API is: Lambda sets both"));
            }
        }
        env.parsed("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", parse::megabytes);
    }
    lambda
}

/// Where others than this machine can call, it must be known who may.
pub(super) fn refuse_open_doors(env: &mut Env, listen: ListenOn, lambda: bool, auth: Auth, callers: bool) {
    match auth {
        Auth::Callers if !callers => env.problem("AUTH=callers needs CALLERS_FILE"),
        Auth::Off if callers => env.problem("AUTH=off and CALLERS_FILE contradict each other; unset one of them"),
        Auth::Off if lambda => env.problem("AUTH=off only while listening on loopback: under Lambda, CALLERS_FILE says who may call (for a scheduled function, AUTH=platform that the platform does)"),
        Auth::Off if !listen.is_loopback() => env.problem(format!(
            "LISTEN or PORT is {}: AUTH=off only while listening on loopback; CALLERS_FILE says who may call (for a scheduled function, AUTH=platform that the platform does)",
            listen.address
        )),
        Auth::Off | Auth::Callers | Auth::Platform => {}
    }
}

/// A file beside an embedded store, standard output where a platform collects it.
pub(super) fn audit(env: &mut Env, auth: Auth, embedded_store: bool, data_dir: &Path) -> AuditTo {
    let usual = if embedded_store { AuditTo::File(data_dir.join("audit.log")) } else { AuditTo::Stdout };
    let audit = env.parsed("AUDIT", parse::audit).unwrap_or(usual);
    if audit == AuditTo::Off && auth != Auth::Off {
        env.problem("AUDIT=off only with AUTH=off");
    }
    audit
}

/// Cloud Run does not name its project in the environment, but the store's is usually the same.
pub(super) fn google_project(env: &mut Env, store_url: &str) -> Option<String> {
    env.text("GOOGLE_CLOUD_PROJECT").or_else(|| {
        let (project, _) = store_url.strip_prefix("firestore://")?.split_once('/')?;
        Some(project.to_owned())
    })
}

/// The library reads `GOOGLE_APPLICATION_CREDENTIALS` by itself; of two credentials nobody could say which count.
pub(super) fn google_credentials(env: &mut Env) -> Option<SecretString> {
    let given = env.parsed("GOOGLE_CREDENTIALS", parse::external_account);
    if env.has("GOOGLE_CREDENTIALS") && env.has("GOOGLE_APPLICATION_CREDENTIALS") {
        env.problem("GOOGLE_CREDENTIALS and GOOGLE_APPLICATION_CREDENTIALS are both set");
    }
    given
}

pub(super) fn providers(env: &mut Env) -> BTreeMap<String, ProviderSettings> {
    let mut providers = BTreeMap::<String, ProviderSettings>::new();
    for id in env.provider_ids() {
        let name = |what: &str| format!("PROVIDER_{id}_{what}");
        let client_id = env.text(&name("CLIENT_ID"));
        let client_secrets: Vec<SecretString> =
            env.parsed(&name("CLIENT_SECRET"), parse::secrets).unwrap_or_default();
        if client_id.is_none() && !client_secrets.is_empty() {
            env.problem(format!("{} is set, but {} is not", name("CLIENT_SECRET"), name("CLIENT_ID")));
        }
        let origin = env.parsed(&name("ORIGIN"), parse::origin);
        providers.insert(id, ProviderSettings { client_id, client_secrets, origin });
    }
    providers
}

pub(super) fn as_variable(id: &str) -> String {
    id.to_ascii_uppercase().replace('-', "_")
}
