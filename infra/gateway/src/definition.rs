//! What Google's API Gateway is told: an OpenAPI 3.0 definition of what is public, in which addresses are Terraform's to fill in.
//!
//! Its extensions are described at <https://docs.cloud.google.com/api-gateway/docs/oasv3-extensions>, what it leaves out at
//! <https://docs.cloud.google.com/api-gateway/docs/openapi-v3-limitations>. It routes by method and path and enforces nothing else that
//! stands in a definition, so there are no schemas here: what is sent and answered is in `docs/openapi.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::function::Exposure;
use crate::functions::Functions;
use crate::route::Route;

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// Where the gateway answers under a service's own document.
const DESCRIPTION: &str = "What is public of the OAuth Management Service. Written by `make gateway` from terraform/functions.yaml \
and docs/openapi.json, which says what is sent and answered; who may call is checked by the functions.";

/// The definition. It is JSON before and after Terraform has filled in `${title}` and `${addresses.FUNCTION}`.
#[derive(Debug, Serialize)]
pub struct Definition {
    openapi: &'static str,
    info: Info,
    #[serde(rename = "x-google-api-management")]
    management: Management,
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
}

#[derive(Debug, Serialize)]
struct Info {
    title: &'static str,
    description: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Management {
    backends: BTreeMap<String, Backend>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Backend {
    address: String,
    /// For whom the gateway's own token is: Cloud Run lets in whom it is for.
    jwt_audience: String,
    /// The function sees the path that was asked for.
    path_translation: &'static str,
    /// Seconds; 15 unless told otherwise.
    deadline: f64,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_id: String,
    summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    responses: BTreeMap<String, Response>,
    #[serde(rename = "x-google-backend")]
    backend: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Parameter {
    name: String,
    r#in: String,
    #[serde(default)]
    description: String,
    required: bool,
    schema: Value,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Response {
    description: String,
}

/// What is read of the API's document.
#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Documented>>,
}

#[derive(Clone, Deserialize)]
struct Documented {
    summary: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    responses: BTreeMap<String, Response>,
}

/// Why there is no definition.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The document is not as `make openapi` writes it.
    #[error("docs/openapi.json")]
    Document(#[source] serde_json::Error),
    /// Two routes would have one operation id.
    #[error("{0} and another route have one name; rename one of them")]
    SameName(Route),
    /// An address to fill in is missing.
    #[error("there is no address for {0}")]
    NoAddress(String),
}

impl Definition {
    /// The definition of what is public in a list of functions.
    ///
    /// # Errors
    /// When the API's document can't be read, or two routes have one name.
    pub fn of(functions: &Functions) -> Result<Self, DefinitionError> {
        let document: Document = serde_json::from_str(DOCUMENT).map_err(DefinitionError::Document)?;
        let mut backends = BTreeMap::new();
        let mut paths: BTreeMap<String, BTreeMap<String, Operation>> = BTreeMap::new();
        let mut names = Vec::new();
        for (name, function) in functions.iter().filter(|(_, function)| function.exposure == Exposure::Public)
        {
            let address = format!("${{addresses.{name}}}");
            let backend = Backend {
                jwt_audience: address.clone(),
                address,
                path_translation: "APPEND_PATH_TO_ADDRESS",
                deadline: function.timeout.into(),
                protocol: "h2",
            };
            backends.insert(name.to_owned(), backend);
            for route in &function.routes {
                let operation = operation(route, name, &document);
                if names.contains(&operation.operation_id) {
                    return Err(DefinitionError::SameName(route.clone()));
                }
                names.push(operation.operation_id.clone());
                let methods = paths.entry(route.path.clone()).or_default();
                methods.insert(route.method.to_lowercase(), operation);
            }
        }
        let info = Info { title: "${title}", description: DESCRIPTION, version: env!("CARGO_PKG_VERSION") };
        Ok(Self { openapi: "3.0.4", info, management: Management { backends }, paths })
    }

    /// The template, as it is kept beside Terraform's module.
    #[must_use]
    pub fn template(&self) -> String {
        format!("{}\n", serde_json::to_string_pretty(self).unwrap_or_default())
    }

    /// The template with addresses in it, as Terraform's `templatefile` renders it.
    ///
    /// # Errors
    /// When an address is missing.
    pub fn rendered(
        &self,
        title: &str,
        addresses: &BTreeMap<String, String>,
    ) -> Result<String, DefinitionError> {
        let mut text = self.template().replace("${title}", title);
        for name in self.management.backends.keys() {
            let address = addresses.get(name).ok_or_else(|| DefinitionError::NoAddress(name.clone()))?;
            text = text.replace(&format!("${{addresses.{name}}}"), address);
        }
        Ok(text)
    }
}

fn operation(route: &Route, function: &str, document: &Document) -> Operation {
    let documented =
        document.paths.get(&route.path).and_then(|methods| methods.get(&route.method.to_lowercase()));
    let documented = documented.cloned().unwrap_or_else(|| undocumented(route));
    Operation {
        operation_id: operation_id(route),
        summary: documented.summary,
        parameters: documented.parameters.into_iter().filter(|each| each.r#in == "path").map(plain).collect(),
        responses: documented.responses.into_iter().filter(|(status, _)| status.as_str() < "400").collect(),
        backend: function.to_owned(),
    }
}

/// What is no part of the API: a page, or what a browser asks before the call itself.
fn undocumented(route: &Route) -> Documented {
    let preflight = route.method == "OPTIONS";
    let (summary, description) = if preflight {
        ("Says which origins' pages may call this", "In headers; 405 where no origin may")
    } else {
        ("Shows a page", "HTML")
    };
    let string = |name: &str| Parameter {
        name: name.to_owned(),
        r#in: "path".to_owned(),
        description: String::new(),
        required: true,
        schema: Value::Null,
    };
    Documented {
        summary: summary.to_owned(),
        parameters: route.parameters().map(string).collect(),
        responses: BTreeMap::from([("200".to_owned(), Response { description: description.to_owned() })]),
    }
}

/// A parameter without what our document knows of it.
fn plain(parameter: Parameter) -> Parameter {
    Parameter { schema: serde_json::json!({"type": "string"}), ..parameter }
}

/// `get_oauth_callback_provider`: what the gateway's logs and metrics call the operation.
fn operation_id(route: &Route) -> String {
    let path = route.path.strip_prefix("/api/v1").unwrap_or(&route.path);
    let words = path.split('/').map(|segment| segment.trim_matches(['{', '}']).replace(['-', '.'], "_"));
    format!("{}{}", route.method.to_lowercase(), words.collect::<Vec<_>>().join("_"))
}
