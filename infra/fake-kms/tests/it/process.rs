//! The binary: where it listens, which keys it has, and how it stops.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

fn binary(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-kms"));
    command.env("LISTEN", listen).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn it_refuses_to_listen_beyond_this_machine() {
    let output = binary("0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("not a loopback address"));
}

#[tokio::test]
async fn it_says_where_it_listens_has_the_keys_it_was_given_and_stops_when_asked() {
    let mut child = binary("127.0.0.1:0").env("KEYS", "one, two").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let origin = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap();
    let keys = reqwest::get(format!("{origin}/_fake/keys")).await.unwrap().text().await.unwrap();
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(child.wait().unwrap().success());
    assert!(keys.contains(r#""one":"#) && keys.contains(r#""two":"#), "{keys}");
}
