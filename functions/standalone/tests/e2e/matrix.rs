//! Every operation × every kind of caller × own and other tenant × allowed and other provider, made from the API's document: an endpoint
//! that is added without a rule, or whose handler forgets to say whom its call is about, fails here.

use std::collections::BTreeSet;

use shared::access::Call;

use crate::harness::*;

/// Who calls: the parties that the callers file names or not, and a browser in a connect session for `alice` of `acme` at `slack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Is(Party),
    Browser,
}

const EVERYBODY: [Who; 10] = [
    Who::Is(Party::Nobody),
    Who::Is(Party::Forged),
    Who::Is(Party::Stranger),
    Who::Is(Party::Everything),
    Who::Is(Party::Narrow),
    Who::Is(Party::GetOnly),
    Who::Is(Party::Writer),
    Who::Is(Party::Reader),
    Who::Is(Party::NarrowWriter),
    Who::Browser,
];

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    /// What it is granted as.
    access: String,
    /// The names of its path and query parameters and of the fields of its body, and whether `id` is a connection's.
    names: BTreeSet<String>,
    of_connection: bool,
    value: Value,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, value) in methods.as_object().unwrap() {
            let access = value["x-access"].as_str().unwrap_or_else(|| panic!("{method} {path} has no rule"));
            let parameters = value["parameters"].as_array().into_iter().flatten();
            let id = parameters.clone().find(|each| each["in"] == "path" && each["name"] == "id");
            let mut names: BTreeSet<_> =
                parameters.map(|each| each["name"].as_str().unwrap().to_owned()).collect();
            names.extend(fields(document, value));
            operations.push(Operation {
                of_connection: id.is_some_and(|id| {
                    id["schema"].to_string().contains("uuid")
                        || id["schema"]["$ref"] == "#/components/schemas/ConnectionId"
                }),
                method: method.to_uppercase(),
                path: path.clone(),
                access: access.to_owned(),
                names,
                value: value.clone(),
            });
        }
    }
    operations
}

/// The fields of an operation's body.
fn fields(document: &Value, operation: &Value) -> Vec<String> {
    let mut schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if let Some(choices) = schema["oneOf"].as_array() {
        schema = choices.iter().find(|each| each["type"] != "null").unwrap();
    }
    if let Some(name) = schema["$ref"].as_str() {
        schema = document.pointer(name.trim_start_matches('#')).unwrap();
    }
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// What must come of a call.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// It gets past the rules, whatever it answers then.
    Through,
    Refused(u16, &'static str),
}

/// The rules once more, said of parties and documents instead of code.
fn expected(who: Who, operation: &Operation, own_tenant: bool, own_provider: bool) -> Expected {
    use Expected::{Refused, Through};
    const UNAUTHENTICATED: Expected = Refused(401, "unauthenticated");
    const FORBIDDEN: Expected = Refused(403, "forbidden");
    let access = operation.access.as_str();
    let has = |name: &str| operation.names.contains(name);
    let names_provider = operation.of_connection || has("provider") || has("providers");
    let names_tenant = operation.of_connection || has("tenantId") || operation.path.contains("/tenants/");
    let for_sessions = ["oauth.authorize", "oauth.connections", "connect.session"].contains(&access);
    let is_admin = access.starts_with("admin.");
    if ["public", "oauth.callback"].contains(&access) {
        return Through;
    }
    let party = match who {
        Who::Browser if !for_sessions => return FORBIDDEN,
        Who::Browser if access == "connect.session" || (own_tenant && own_provider) => return Through,
        Who::Browser => return FORBIDDEN,
        Who::Is(party) => party,
    };
    let (admin, right, narrow) = match party {
        Party::Nobody | Party::Forged | Party::Stranger => return UNAUTHENTICATED,
        _ if access == "connect.session" => return UNAUTHENTICATED,
        Party::Everything => (false, true, false),
        Party::Narrow => (false, true, true),
        Party::GetOnly => (false, access == "tokens.get", true),
        Party::Writer => (true, true, false),
        Party::Reader => (true, access == "admin.read", false),
        Party::NarrowWriter => (true, true, true),
    };
    if admin != is_admin || !right {
        return FORBIDDEN;
    }
    if !narrow {
        return Through;
    }
    if operation.of_connection && !own_tenant {
        return Refused(404, "connection_not_found");
    }
    let whole = is_admin && !(names_tenant && names_provider);
    if whole || (names_tenant && !own_tenant) || (names_provider && !own_provider) {
        return FORBIDDEN;
    }
    Through
}

/// The call with what it needs, for a user of a tenant at a provider.
async fn call(
    world: &World,
    api: &Api,
    operation: &Operation,
    tenant: &str,
    provider: &str,
    id: &str,
) -> Answer {
    let named = |name: &str| match name {
        "userId" => Some(json!("alice")),
        "tenantId" => Some(json!(tenant)),
        "provider" => Some(json!(provider)),
        "providers" => Some(json!([provider])),
        "completion" if operation.access == "oauth.complete" => Some(json!("unknown")),
        _ => None,
    };
    let id = if operation.of_connection { id } else { tenant };
    let path = operation.path.replace("{id}", id).replace("{provider}", provider);
    let parameters = operation.value["parameters"].as_array().into_iter().flatten();
    let query = parameters.filter(|each| each["in"] == "query").filter_map(|each| {
        let name = each["name"].as_str().unwrap();
        Some((name.to_owned(), named(name)?.as_str()?.to_owned()))
    });
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let request = api.request(operation.method.parse().unwrap(), &format!("{path}?{query}"));
    let request = request.header("accept", "application/json");
    let request = if operation.value["requestBody"].is_null() {
        request
    } else {
        let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
        let body = fields(&document, &operation.value);
        let body: serde_json::Map<_, _> =
            body.into_iter().filter_map(|name| Some((name.clone(), named(&name)?))).collect();
        request.json(&body)
    };
    world.api().send(request).await
}

#[tokio::test]
async fn every_call_is_let_through_for_whom_it_is_granted_and_for_nobody_else() {
    let callers = Callers::start().await;
    let setup = Setup::default().callers(&callers).var("CALLERS", &callers.unlimited_file());
    let world = setup.start().await;
    let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
    let operations = operations(&document);
    assert!(operations.len() > 20);
    let minted = json!({"userId": "alice", "tenantId": "acme", "providers": ["slack"]});
    let session = world.api().post("/api/v1/connect/sessions", &minted).await.ok();
    let session = session["sessionToken"].as_str().unwrap();

    let mut wrong = Vec::new();
    let mut calls = 0;
    for (tenant, provider) in [("acme", "slack"), ("acme", "gmail"), ("globex", "slack"), ("globex", "gmail")]
    {
        let body = json!({"userId": "alice", "tenantId": tenant, "provider": provider});
        let mut id = world.connect_as(body.clone(), &Consent::approve("alice")).await;
        for operation in &operations {
            for who in EVERYBODY {
                let api = match who {
                    Who::Browser => world.api().bearing(session),
                    Who::Is(party) => match callers.bearer(party) {
                        Some(token) => world.api().bearing(&token),
                        None => world.api().anonymous(),
                    },
                };
                let expected = expected(who, operation, tenant == "acme", provider == "slack");
                let answer = call(&world, &api, operation, tenant, provider, &id).await;
                calls += 1;
                let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
                let as_expected = match &expected {
                    Expected::Refused(status, wanted) => answer.status == *status && code == *wanted,
                    Expected::Through => {
                        let refused = [401, 403, 429].contains(&answer.status) || answer.status >= 500;
                        !refused && code != "connection_not_found"
                    }
                };
                if !as_expected {
                    let (method, path) = (&operation.method, &operation.path);
                    wrong.push(format!(
                        "{method} {path} by {who:?} for {tenant} at {provider}: {} {code}, not {expected:?}",
                        answer.status
                    ));
                }
                // What the call has ended is connected again.
                if expected == Expected::Through
                    && ["DELETE", "POST"].contains(&operation.method.as_str())
                    && (operation.path.contains("revoke") || operation.method == "DELETE")
                {
                    id = world.connect_as(body.clone(), &Consent::approve("alice")).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {calls}: {wrong:#?}", wrong.len());
    assert!(calls > 800, "{calls}");
}

/// What no rule may say, whatever the document shows: who may call is derived from it above.
#[test]
fn nothing_but_probes_and_callbacks_is_open_and_operators_who_look_change_nothing() {
    let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
    for Operation { method, path, access, .. } in operations(&document) {
        assert_eq!(access == "public", path == "/health", "{method} {path}");
        assert_eq!(access == "oauth.callback", path.contains("/oauth/callback"), "{method} {path}");
        assert_eq!(access.starts_with("admin."), path.contains("/admin/"), "{method} {path}");
        assert_eq!(access == "admin.write", path.contains("/admin/") && method != "GET", "{method} {path}");
        assert_eq!(access.starts_with("tokens."), path.contains("/tokens/"), "{method} {path}");
    }
}

/// What a grant can name is what the document shows, so that neither has a call that the other lacks.
#[test]
fn the_document_and_the_grants_have_the_same_calls() {
    let document: Value = serde_json::from_str(&standalone::openapi()).unwrap();
    let shown: BTreeSet<_> = operations(&document).into_iter().map(|operation| operation.access).collect();
    let granted = [
        Call::Authorize,
        Call::Connections,
        Call::Complete,
        Call::Sessions,
        Call::TokensGet,
        Call::TokensRefresh,
        Call::TokensRevoke,
    ];
    let others = ["public", "oauth.callback", "connect.session", "admin.read", "admin.write"];
    let known: BTreeSet<_> = granted.map(Call::as_str).into_iter().chain(others).map(str::to_owned).collect();
    assert_eq!(shown, known);
}
