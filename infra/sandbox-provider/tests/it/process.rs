//! The binary: where it listens, and how it stops.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use sandbox_provider::{Sandbox, Settings};
use tokio::{net::TcpListener, sync::oneshot};

fn binary(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox-provider"));
    command.env("LISTEN", listen).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn it_refuses_to_listen_beyond_this_machine() {
    let output = binary("0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("not a loopback address"));
}

#[test]
fn it_says_where_it_listens_and_stops_when_asked() {
    let mut child = binary("127.0.0.1:0").spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.contains("SANDBOX") && line.contains("http://127.0.0.1:"), "{line}");
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[tokio::test]
async fn serving_ends_with_its_shutdown_signal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = Sandbox::new(Settings::default()).serve(listener, async { drop(stopped.await) });
    stop.send(()).unwrap();
    served.await.unwrap();
}
