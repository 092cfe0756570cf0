//! The binary, as an operator runs it.
#![expect(clippy::unwrap_used, reason = "in a test the panic is the report")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::access::{ApiKey, KeyHash};
use shared::audit::{Audit, AuditKey, AuditTo, KEY_PURPOSE, Record};
use shared::seal::AttemptKey;
use shared::secret::SecretBytes;
use shared::testing::{TestClock, TestIds};

/// 32 bytes 1 and 2 in base64.
const ATTEMPT_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const OTHER_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oms-tool"));
    for name in ["AUDIT_KEY", "ATTEMPT_KEY", "KEY_URL"] {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

/// How it ended, and what it said.
fn said(output: &Output) -> (i32, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A log of two calls, written as by a function with that attempt key.
fn log(folder: &Path, ended: bool) -> PathBuf {
    let path = folder.join("audit.log");
    let attempt_key = AttemptKey::new(&SecretBytes::new(vec![1; 32])).unwrap();
    let key = AuditKey::new(&attempt_key.derive(KEY_PURPOSE).unwrap()).unwrap();
    let (clock, ids) = (Arc::new(TestClock::new()), Arc::new(TestIds::new()));
    let audit = Audit::open(&AuditTo::File(path.clone()), key, "token-get", clock, ids).unwrap();
    for outcome in ["ok", "forbidden"] {
        audit.write(&Record { outcome: Some(outcome), ..Record::default() }).unwrap();
    }
    if ended {
        audit.close();
    }
    path
}

#[test]
fn an_intact_log_is_said_to_be_so_by_each_key_that_leads_to_its() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), true);
    let path = path.to_str().unwrap();
    let derived = run(&["audit-key"], &[("ATTEMPT_KEY", ATTEMPT_KEY)]);
    assert!(derived.status.success());
    let audit_key = String::from_utf8(derived.stdout).unwrap();
    assert_ne!(audit_key.trim(), ATTEMPT_KEY);
    for variable in [("ATTEMPT_KEY", ATTEMPT_KEY), ("AUDIT_KEY", audit_key.as_str())] {
        let (code, text) = said(&run(&["verify-audit", path], &[variable]));
        assert_eq!(code, 0, "{text}");
        assert!(
            text.starts_with("4 records of 1 writers are proven\n") && text.ends_with("\nINTACT\n"),
            "{text}"
        );
    }
}

#[test]
fn a_changed_log_and_one_without_end_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), false);
    let verify = |flags: &[&str]| {
        let arguments = [&["verify-audit", path.to_str().unwrap()], flags].concat();
        said(&run(&arguments, &[("ATTEMPT_KEY", ATTEMPT_KEY)]))
    };
    let (code, text) = verify(&[]);
    assert!(code == 1 && text.contains("WARNING") && text.contains("INTACT as far as it goes"), "{text}");
    assert_eq!(verify(&["--allow-open"]).0, 0);

    let changed = std::fs::read_to_string(&path).unwrap().replace("forbidden", "ok");
    std::fs::write(&path, changed).unwrap();
    let (code, text) = verify(&["--allow-open"]);
    assert!(code == 1 && text.contains("record 2 was changed") && text.contains("NOT INTACT"), "{text}");
}

#[test]
fn what_it_cannot_tell_it_does_not_call_intact() {
    let folder = tempfile::tempdir().unwrap();
    let path = log(folder.path(), true);
    let path = path.to_str().unwrap();
    let key = &[("ATTEMPT_KEY", ATTEMPT_KEY)][..];
    for (arguments, variables, why) in [
        (&["verify-audit", path][..], &[][..], "set AUDIT_KEY"),
        (&["verify-audit", path], &[("AUDIT_KEY", "short")], "AUDIT_KEY must be 32 random bytes"),
        (&["verify-audit", path], &[("ATTEMPT_KEY", OTHER_KEY)], "no line fits this key"),
        (&["verify-audit", "/dev/null"], key, "there is no audit line"),
        (&["verify-audit", "absent.log"], key, "absent.log"),
        (&["verify-audit", "--alow-open"], key, "oms-tool verify-audit"),
        (&["erase"], key, "oms-tool verify-audit"),
        (&[], key, "oms-tool verify-audit"),
    ] {
        let (code, text) = said(&run(arguments, variables));
        assert!(code == 2 && text.contains(why), "{arguments:?}: {code} {text}");
    }
}

#[test]
fn the_key_of_one_machine_follows_from_its_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let url = format!("file:{}", path.display());
    let made = shared::seal::open(&url, true, None, &shared::google::Google::default().into()).unwrap();
    let attempt_key = AttemptKey::new(&made.derive("attempts").unwrap()).unwrap();
    let expected = STANDARD.encode(attempt_key.derive(KEY_PURPOSE).unwrap().as_slice());
    assert_eq!(said(&run(&["audit-key"], &[("KEY_URL", &url)])), (0, format!("{expected}\n")));
    assert_eq!(run(&["audit-key"], &[("KEY_URL", "gcpkms://x")]).status.code(), Some(2));
}

/// The hash in what `api-key` prints, and the key.
fn minted(output: &Output) -> (String, String) {
    let (code, text) = said(output);
    assert_eq!(code, 0, "{text}");
    let key = text.lines().find_map(|line| line.trim().strip_prefix("omk_")).unwrap();
    let hash = text.split('"').nth(1).unwrap();
    (format!("omk_{key}"), hash.to_owned())
}

#[test]
fn a_key_that_is_made_is_the_one_that_the_file_has_the_hash_of() {
    let (key, hash) = minted(&run(&["api-key", "billing"], &[]));
    let (id, digest) = ApiKey::presented(&key).unwrap();
    let kept: KeyHash = hash.parse().unwrap();
    assert_eq!(kept.id, id);
    assert!(kept.matches(&digest));
    assert_ne!(minted(&run(&["api-key"], &[])).0, key);
}

#[test]
fn a_callers_file_is_told_in_words_or_refused_by_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callers.toml");
    let (_, hash) = minted(&run(&["api-key"], &[]));
    let good = format!(
        "[[services]]\nname = \"billing\"\nkeys = [{{ hash = \"{hash}\" }}]\n[[services.grants]]\n\
         calls = [\"tokens.get\"]\ntenants = [\"acme\"]\nproviders = [\"slack\"]\n\
         [[tenants]]\nid = \"*\"\ncompletion = \"confirm\"\n"
    );
    std::fs::write(&path, &good).unwrap();
    let (code, text) = said(&run(&["check-callers", path.to_str().unwrap()], &[]));
    assert_eq!(code, 0, "{text}");
    for line in [
        "service billing (1 keys, 0 identities)",
        "may tokens.get for acme at slack",
        "only when its backend confirms",
    ] {
        assert!(text.contains(line), "{text}");
    }
    std::fs::write(&path, good.replace("hash", "hsah")).unwrap();
    let (code, text) = said(&run(&["check-callers", path.to_str().unwrap()], &[]));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("services[0].keys[0].hsah: unknown field"), "{text}");
    assert_eq!(said(&run(&["check-callers", "/nowhere"], &[])).0, 2);
}

#[test]
fn the_file_of_the_documentation_can_be_read() {
    let document = include_str!("../../../../docs/callers.md");
    let (_, rest) = document.split_once("```toml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    // The hashes there are cut short.
    let file = file.replace("9f86d08188…", &"0".repeat(64)).replace("60303ae22b…", &"1".repeat(64));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callers.toml");
    std::fs::write(&path, file).unwrap();
    let (code, text) = said(&run(&["check-callers", path.to_str().unwrap()], &[]));
    assert_eq!(code, 0, "{text}");
}
