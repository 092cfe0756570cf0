//! The stream, written and verified: whatever happens to a line or to a write shows, and nothing else does.

mod trouble;

use std::fs;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::chain::normal;
use super::sink::Sink;
use super::{Audit, AuditKey, AuditTo, Problem, Record, Report, verify};
use crate::secret::SecretBytes;
use crate::testing::{TestClock, TestIds, build};

/// How the next write ends.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Refused,
    /// So many bytes short of the whole line.
    Short(usize),
}

/// A file in memory, which several writers may share.
#[derive(Clone, Default)]
struct Memory {
    text: Arc<Mutex<Vec<u8>>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Memory {
    fn fails(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Sink for Memory {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut text = self.text.lock().unwrap();
        let Some(fault) = self.fault.lock().unwrap().take() else {
            text.extend_from_slice(line);
            return Ok(());
        };
        if let Fault::Short(by) = fault {
            text.extend_from_slice(&line[..line.len() - by]);
        }
        Err(io::ErrorKind::StorageFull.into())
    }
}

fn key(byte: u8) -> AuditKey {
    AuditKey::new(&SecretBytes::new(vec![byte; 32])).unwrap()
}

fn to_memory(memory: &Memory, ids: &Arc<TestIds>) -> Audit {
    let clock = Arc::new(TestClock::new());
    Audit::over(Box::new(memory.clone()), key(1), "token-get", clock, Arc::clone(ids) as _)
}

fn to_file(path: &Path, clock: &Arc<TestClock>) -> Audit {
    let to = AuditTo::File(path.to_owned());
    Audit::open(&to, key(1), "token-get", Arc::clone(clock) as _, Arc::new(TestIds::new())).unwrap()
}

fn served(user: &str) -> Record {
    Record {
        request_id: Some("request-1".to_owned()),
        call: Some("tokens.get"),
        caller: Some("service:billing".into()),
        tenant_id: Some(build::tenant("acme")),
        user_id: Some(build::user(user)),
        provider: Some(build::provider("gmail")),
        connection_id: Some(build::connection_id(1)),
        scopes: vec!["mail.read".to_owned(), "mail.send".to_owned()],
        address: Some([192, 0, 2, 1].into()),
        method: Some("POST".into()),
        path: Some("/api/v1/tokens/get".into()),
        status: Some(200),
        outcome: Some("ok"),
        detail: None,
    }
}

/// The lines of a writer that served `calls` tokens and ended.
fn log(calls: usize) -> Vec<String> {
    let memory = Memory::default();
    let audit = to_memory(&memory, &Arc::default());
    for _ in 0..calls {
        audit.write(&served("user-1")).unwrap();
    }
    audit.close();
    memory.lines()
}

fn verified(lines: &[String]) -> Report {
    verify(lines.join("\n").as_bytes(), &key(1)).unwrap()
}

/// Proven records, problems, writers without an end.
fn counts(report: &Report) -> (u64, u64, usize) {
    (report.proven(), report.wrong(), report.open())
}

#[test]
fn a_line_says_what_an_auditor_asks_and_has_no_more() {
    let lines = log(1);
    let audit: Value = serde_json::from_str(&lines[1]).unwrap();
    let mac = audit["mac"].clone();
    let expected = json!({"target": "audit", "mac": mac, "audit": {
        "address": "192.0.2.1", "at": "2026-01-15T12:00:00.000Z", "call": "tokens.get", "caller": "service:billing",
        "connectionId": "00000000-0000-0000-0000-000000000001", "event": "call", "method": "POST", "outcome": "ok",
        "path": "/api/v1/tokens/get", "provider": "gmail", "requestId": "request-1", "scopes": ["mail.read", "mail.send"],
        "seq": 1, "service": "token-get", "status": 200, "tenantId": "acme", "userId": "user-1",
        "writer": "00000000-0000-4000-8000-000000000001",
    }});
    assert_eq!(audit, expected);
    let close: Value = serde_json::from_str(&lines[2]).unwrap();
    assert_eq!((&close["audit"]["event"], &close["audit"]["records"]), (&json!("close"), &json!(3)));
    assert_eq!(close["audit"].as_object().unwrap().len(), 6, "what is not known is left out");
}

#[test]
fn an_intact_log_is_proven_and_ended() {
    let report = verified(&log(5));
    assert_eq!((counts(&report), report.others), ((7, 0, 0), 0));
    assert_eq!(report.writers[0].service, "token-get");
    assert_eq!(report.writers[0].first, build::NOW);
}

#[test]
fn what_is_written_is_the_canonical_form_whatever_is_in_it() {
    let odd = "\u{0}\u{1f}\u{7f}\"\\/\n\r\t\u{8}\u{c}\u{2028}é漢😀</script>";
    let strange = Record {
        caller: Some(odd.into()),
        user_id: Some(build::user("\"é漢😀\\")),
        address: Some("2001:db8::1".parse().unwrap()),
        scopes: vec![odd.to_owned(), String::new()],
        detail: Some(odd.to_owned().into()),
        status: None,
        ..served("user-1")
    };
    let memory = Memory::default();
    let audit = to_memory(&memory, &Arc::default());
    for record in [strange, served("user-1"), Record::default()] {
        audit.write(&record).unwrap();
    }
    audit.close();
    for line in memory.lines() {
        let parsed: Value = serde_json::from_str(&line).unwrap();
        let canonical = normal(parsed["audit"].clone()).unwrap().to_string();
        let mac = parsed["mac"].as_str().unwrap();
        assert_eq!(line, format!(r#"{{"audit":{canonical},"mac":"{mac}","target":"audit"}}"#));
    }
    assert_eq!(counts(&verified(&memory.lines())), (5, 0, 0));
}

#[test]
fn a_changed_line_shows_wherever_it_was_changed() {
    let changes = [
        ("user-1", "user-2"),
        (r#""status":200"#, r#""status":403"#),
        ("12:00:00", "12:00:01"),
        ("mail.read", "mail.rea"),
        (r#","userId":"user-1""#, ""),
        (r#""seq":3"#, r#""seq":9"#),
        (r#""mac":""#, r#""mac":"A"#),
        (r#""event":"call""#, r#""event":"close""#),
    ];
    for (from, to) in changes {
        let mut lines = log(5);
        let changed = lines[3].replacen(from, to, 1);
        assert_ne!(lines[3], changed);
        lines[3] = changed;
        let report = verified(&lines);
        assert!(report.wrong() > 0, "{from}");
        let missing = Problem::Missing { from: 3, to: 3 };
        assert!(report.writers[0].problems.contains(&missing), "{from}: {:?}", report.writers[0].problems);
    }
}

#[test]
fn a_removed_line_shows_and_the_one_behind_it_is_not_believed() {
    let mut lines = log(5);
    lines.remove(3);
    let report = verified(&lines);
    assert_eq!(counts(&report), (5, 2, 0));
    let told = [Problem::Missing { from: 3, to: 3 }, Problem::Unchecked { line: 4, seq: 4 }];
    assert_eq!(report.writers[0].problems, told);

    let headless = verified(&log(5)[2..]);
    assert_eq!(headless.writers[0].problems[0], Problem::Missing { from: 0, to: 1 });
}

#[test]
fn an_inserted_line_shows_and_hides_no_true_one() {
    let mut lines = log(5);
    let forged = lines[3].replacen("user-1", "user-2", 1);
    lines.insert(3, forged);
    let report = verified(&lines);
    assert_eq!(counts(&report), (7, 1, 0));
    assert_eq!(report.writers[0].problems, [Problem::Unproven { line: 4, seq: 3 }]);
}

#[test]
fn a_line_that_is_there_twice_shows() {
    let mut lines = log(5);
    lines.push(lines[3].clone());
    let report = verified(&lines);
    assert_eq!(counts(&report), (7, 1, 0));
    assert_eq!(report.writers[0].problems, [Problem::Repeated { line: 8, seq: 3 }]);
}

#[test]
fn lines_in_another_order_are_counted_and_put_back() {
    let mut lines = log(5);
    lines.swap(2, 4);
    let report = verified(&lines);
    assert_eq!(counts(&report), (7, 0, 0));
    assert!(report.writers[0].late > 0);
    lines.reverse();
    assert_eq!(counts(&verified(&lines)), (7, 0, 0));
}

#[test]
fn a_log_that_is_cut_off_has_no_end() {
    let lines = log(5);
    for left in 1..lines.len() {
        assert_eq!(counts(&verified(&lines[..left])), (left as u64, 0, 1));
    }
    assert!(verified(&[]).writers.is_empty());
}

#[test]
fn another_key_proves_nothing() {
    let report = verify(log(5).join("\n").as_bytes(), &key(2)).unwrap();
    assert_eq!((report.proven(), report.wrong() > 0), (0, true));
}

#[test]
fn writers_that_share_a_file_are_verified_each_by_itself() {
    let (memory, ids) = (Memory::default(), Arc::default());
    let (one, two) = (to_memory(&memory, &ids), to_memory(&memory, &ids));
    for _ in 0..3 {
        one.write(&served("user-1")).unwrap();
        two.write(&served("user-2")).unwrap();
    }
    one.close();
    let report = verified(&memory.lines());
    assert_eq!((counts(&report), report.writers.len()), ((9, 0, 1), 2));

    // What one wrote, moved to the other.
    let moved: Vec<_> =
        memory.lines().iter().map(|line| line.replace("000000000002", "000000000001")).collect();
    assert!(verified(&moved).wrong() > 0);
}

/// As a platform may write it anew: keys in another order, numbers with a fraction.
fn rewritten(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().rev().map(|(name, value)| format!("{name:?} : {}", rewritten(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => format!("{number}.0"),
        Value::Array(_) | Value::String(_) | Value::Bool(_) | Value::Null => value.to_string(),
    }
}

#[test]
fn exports_of_platforms_verify_as_the_lines_do() {
    let shapes: [fn(&str) -> String; 4] = [
        |line| {
            let entry = json!({"jsonPayload": serde_json::from_str::<Value>(line).unwrap(), "insertId": "x"});
            rewritten(&entry)
        },
        |line| json!({"timestamp": 1, "message": line, "ingestionTime": 2}).to_string(),
        |line| format!("2026-01-15T12:00:00.000Z {line}"),
        |line| format!("{line}\r\n\n{{\"message\":\"a line of the log\"}}\nanother"),
    ];
    for shape in shapes {
        let lines: Vec<_> = log(5).iter().map(|line| shape(line)).collect();
        assert_eq!(counts(&verified(&lines)), (7, 0, 0), "{}", lines[0]);
        let changed: Vec<_> = lines.iter().map(|line| line.replace("mail.read", "mail.write")).collect();
        assert!(verified(&changed).wrong() > 0);
    }
}
