//! The audit log: every call and every change is a line before its answer, chained, and without a secret.

use std::io::Cursor;
use std::path::PathBuf;

use shared::audit::{AuditKey, KEY_PURPOSE, verify};

use crate::harness::*;

fn path(world: &World) -> PathBuf {
    world.folder.path().join("audit.log")
}

fn lines(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(path(world)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["audit"].clone()).collect()
}

/// The lines of a call, without their times and numbers.
fn of(world: &World, call: &str) -> Vec<Value> {
    lines(world).into_iter().filter(|line| line["call"] == call).collect()
}

async fn guarded() -> (World, Callers) {
    let callers = Callers::start().await;
    (Setup::default().callers(&callers).start().await, callers)
}

#[tokio::test]
async fn a_served_token_says_who_got_which_for_whom() {
    let (world, callers) = guarded().await;
    let id = world.connect("slack", "alice").await;
    let narrow = world.api().bearing(&callers.bearer(Party::Narrow).unwrap());
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let answer = narrow.post("/api/v1/tokens/get", &body).await;
    let (request_id, token) =
        (answer.header("x-request-id").to_owned(), answer.json()["accessToken"].clone());
    let scopes = answer.ok()["scopes"].clone();
    let line = of(&world, "tokens.get").pop().unwrap();
    for (field, value) in [
        ("caller", json!("service:narrow")),
        ("tenantId", json!("acme")),
        ("userId", json!("alice")),
        ("provider", json!("slack")),
        ("connectionId", json!(id)),
        ("scopes", scopes),
        ("address", json!("127.0.0.1")),
        ("method", json!("POST")),
        ("path", json!("/api/v1/tokens/get")),
        ("status", json!(200)),
        ("outcome", json!("ok")),
        ("requestId", json!(request_id)),
        ("service", json!("standalone")),
    ] {
        assert_eq!(line[field], value, "{field} of {line}");
    }
    assert!(!std::fs::read_to_string(path(&world)).unwrap().contains(token.as_str().unwrap()));
}

#[tokio::test]
async fn every_refusal_is_a_line_too() {
    let (world, callers) = guarded().await;
    let body = json!({"userId": "alice", "tenantId": "globex", "provider": "slack"});
    let calls = [
        (Party::Nobody, 401, "unauthenticated", json!("anonymous")),
        (Party::Forged, 401, "unauthenticated", json!("anonymous")),
        (Party::Narrow, 403, "forbidden", json!("service:narrow")),
        (Party::Writer, 403, "forbidden", json!("operator:writer")),
        (Party::Everything, 404, "connection_not_found", json!("service:everything")),
    ];
    for (party, status, code, caller) in &calls {
        let api = match callers.bearer(*party) {
            Some(token) => world.api().bearing(&token),
            None => world.api().anonymous(),
        };
        api.post("/api/v1/tokens/get", &body).await.refused(*status, code);
        let line = of(&world, "tokens.get").pop().unwrap();
        assert_eq!((&line["status"], &line["outcome"]), (&json!(status), &json!(code)), "{line}");
        assert_eq!(line["caller"], *caller, "{line}");
    }
    world.api().post("/api/v1/tokens/get", &json!({"userId": "alice"})).await.refused(400, "invalid_request");
    assert_eq!(of(&world, "tokens.get").pop().unwrap()["outcome"], "invalid_request");
}

#[tokio::test]
async fn a_change_says_who_caused_it_in_the_log_and_in_the_store() {
    let (world, _callers) = guarded().await;
    let id = world.connect("slack", "alice").await;
    world.advance(11 * 3600);
    world.refresh(&id).await.ok();
    world.job("health/check-all").await;
    world.revoke(&id).await.ok();
    for (call, kind, by) in [
        ("change.connected", "connected", "service:everything"),
        ("change.refreshed", "refreshed", "service:everything"),
        ("change.health", "health", "operator:writer"),
        ("change.revoked", "revoked", "service:everything"),
        ("change.provider_revocation", "provider_revocation", "service:everything"),
    ] {
        let lines = of(&world, call);
        assert!(!lines.is_empty(), "{call}");
        assert_eq!(lines[0]["caller"], by, "{call}: {lines:?}");
        let events = world.events(kind).await;
        assert_eq!(
            (&events[0]["by"], &events[0]["requestId"]),
            (&json!(by), &lines.last().unwrap()["requestId"]),
            "{events:?}"
        );
    }
    let callback = of(&world, "oauth.callback").pop().unwrap();
    assert_eq!((&callback["caller"], &callback["connectionId"]), (&json!("anonymous"), &json!(id)));
    assert_eq!(callback["userId"], "alice");
}

#[tokio::test]
async fn what_operators_do_is_stored_and_logged() {
    let (world, _callers) = guarded().await;
    world.connect("gmail", "alice").await;
    world.api().post("/api/v1/admin/keys/rotate", &Value::Null).await.ok();
    world.api().delete("/api/v1/admin/tenants/acme").await.ok();
    let events = world.events("admin").await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["by"] == "operator:writer"), "{events:?}");
    assert_eq!(of(&world, "admin.write").len(), 2);
    assert!(!of(&world, "admin.read").is_empty());
}

#[tokio::test]
async fn a_service_that_has_stopped_leaves_a_log_that_is_whole_and_one_that_was_changed_is_not() {
    let (world, _callers) = guarded().await;
    world.connect("gmail", "alice").await;
    world.get("gmail", "alice").await.ok();
    let key = world.ctx().attempt_key().unwrap().derive(KEY_PURPOSE).unwrap();
    let key = AuditKey::new(&key).unwrap();
    let path = path(&world);
    world.service.stop().await;
    let log = std::fs::read(&path).unwrap();
    let report = verify(Cursor::new(&log), &key).unwrap();
    assert_eq!((report.wrong(), report.open(), report.writers.len()), (0, 0, 1));
    assert!(report.proven() > 4);
    let text = String::from_utf8(log).unwrap();
    let changed = text.replacen("\"alice\"", "\"bob\"", 1);
    assert!(verify(Cursor::new(changed.as_bytes()), &key).unwrap().wrong() > 0);
    let shortened: Vec<_> = text.lines().collect();
    let shortened = shortened[..shortened.len() - 1].join("\n");
    assert_eq!(verify(Cursor::new(shortened.as_bytes()), &key).unwrap().open(), 1);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_answered() {
    let folder = tempfile::TempDir::new().unwrap();
    let log = folder.path().join("audit.log");
    let setup = Setup::default().var("AUDIT", &format!("file:{}", log.display()));
    let world = setup.start().await;
    world.connect("gmail", "alice").await;
    // A disk that is full, from the next time that the file is looked at.
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    world.advance(2);
    let answer = world.get("gmail", "alice").await;
    assert!(!answer.text().contains("ya29"), "no token leaves without a line");
    let problem = answer.refused(503, "audit_unavailable");
    assert_eq!((&problem["retryable"], &problem["actor"]), (&json!(true), &json!("operator")));
    assert_eq!(world.api().get("/health").await.status, 200);
    // Nothing is begun either, now that it is known.
    let id = world.ctx().store.list(&Default::default(), None, 1).await.unwrap().items[0].id.to_string();
    world.revoke(&id).await.refused(503, "audit_unavailable");
    std::fs::remove_file(&log).unwrap();
    world.advance(2);
    world.get("gmail", "alice").await.ok();
    assert_eq!(world.view(&id).await["status"], "active", "what was refused was not done");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("\"audit.resumed\"") && !log.contains("\"change.revoked\""), "{log}");
}

#[tokio::test]
async fn a_refused_callback_is_a_refusal_as_a_page_as_json_and_on_its_way_home() {
    let (world, _callers) = guarded().await;
    let accepts = async |accept: &str, callback: &str| {
        let request = world.api().request(reqwest::Method::GET, callback).header("accept", accept);
        world.api().send(request).await
    };
    for accept in ["text/html", "application/json"] {
        assert_eq!(accepts(accept, "/api/v1/oauth/callback/gmail?state=x&code=y").await.status, 400);
        let line = of(&world, "oauth.callback").pop().unwrap();
        assert_eq!((&line["status"], &line["outcome"]), (&json!(400), &json!("state_invalid")), "{accept}");
    }
    let body = json!({"userId": "alice", "provider": "gmail", "redirectUri": "https://app.example/done"});
    let denied = world.consented(body, &Consent::deny("alice")).await;
    assert!(accepts("text/html", &denied).await.sent_to().as_str().contains("code=access_denied"));
    let line = of(&world, "oauth.callback").pop().unwrap();
    assert_eq!((&line["status"], &line["outcome"]), (&json!(303), &json!("access_denied")));
    assert_eq!(line["userId"], "alice");
    // A link checker uses nothing up.
    let head = world.api().request(reqwest::Method::HEAD, "/api/v1/oauth/callback/gmail?state=x");
    assert_eq!(reqwest::Client::new().execute(head.build().unwrap()).await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_flood_of_made_up_credentials_fills_no_log_and_its_size_stands_in_it() {
    let (world, callers) = guarded().await;
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let forged = world.api().bearing("omk_abcdefghijkl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let mut told_to_wait = 0;
    for _ in 0..100 {
        let answer = forged.post("/api/v1/tokens/get", &body).await;
        told_to_wait += usize::from(answer.status == 429);
    }
    assert_eq!(told_to_wait, 90, "ten a minute at once, then one a second");
    let lines_then = lines(&world);
    assert!(lines_then.len() <= 12, "{}", lines_then.len());
    let refused = of(&world, "tokens.get").pop().unwrap();
    assert_eq!(refused["caller"], "anonymous");
    assert!(refused["detail"].as_str().unwrap().contains("The API key abcdefghijkl is unknown"), "{refused}");
    // Who is known is served all the while, and the next line says how many there were.
    let narrow = world.api().bearing(&callers.bearer(Party::Narrow).unwrap());
    narrow.post("/api/v1/tokens/get", &body).await.refused(404, "connection_not_found");
    let line = of(&world, "tokens.get").pop().unwrap();
    assert!(line["detail"].as_str().unwrap().starts_with("90 refusals of a flood"), "{line}");
}

#[tokio::test]
async fn probes_and_pages_leave_no_line() {
    let (world, _callers) = guarded().await;
    for path in ["/health", "/docs", "/openapi.json", "/connect", "/nowhere"] {
        world.api().get(path).await;
    }
    assert_eq!(lines(&world), Vec::<Value>::new());
}
