//! Clients that are slow, silent, half gone or too many, on real sockets, with limits of milliseconds.

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const SOON: Duration = Duration::from_millis(50);
/// Longer than any test: what has this limit does not come into play.
const NEVER: Duration = Duration::from_secs(600);
const GENEROUS: Limits = Limits { first_head: NEVER, idle: NEVER, blocked: NEVER, connections: 8192 };

/// A server, until it is dropped or told to stop.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<()>,
}

impl Server {
    async fn start(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, until) = oneshot::channel::<()>();
        let stopped = tokio::spawn(async move {
            let connections = GracefulShutdown::new();
            tokio::select! {
                _ = until => {}
                never = accept(&listener, router, &connections, limits) => match never {},
            }
            drop(listener);
            connections.shutdown().await;
        });
        Self { address, stop, stopped }
    }

    async fn hello(limits: Limits) -> Self {
        Self::start(Router::new().route("/", get(|| async { "hello" })), limits).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) {
        drop(self.stop);
        self.stopped.await.unwrap();
    }
}

/// The next answer of a connection that stays open.
async fn answer(connection: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"hello") {
        assert_ne!(connection.read_buf(&mut text).await.unwrap(), 0, "the connection was closed");
    }
    String::from_utf8(text).unwrap()
}

/// All that comes until the server closes; a reset is a close too.
async fn rest(connection: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while let Ok(1..) = connection.read_buf(&mut text).await {}
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_cut_off() {
    let server = Server::hello(Limits { first_head: SOON, ..GENEROUS }).await;
    assert_eq!(rest(&mut server.connect().await).await, "");
}

#[tokio::test]
async fn a_client_that_sends_its_head_byte_by_byte_is_cut_off() {
    let server = Server::hello(Limits { first_head: SOON, ..GENEROUS }).await;
    let mut connection = server.connect().await;
    let mut sent = 0;
    // Each byte comes well before the limit, and would without end.
    while connection.write_all(b"x").await.is_ok() {
        sent += 1;
        let mut byte = [0];
        let closed = tokio::time::timeout(SOON / 10, connection.read(&mut byte)).await;
        if matches!(closed, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    assert!(sent > 1, "it was not let begin");
}

#[tokio::test]
async fn a_client_that_has_had_an_answer_may_be_silent_for_longer_but_not_for_ever() {
    let server = Server::hello(Limits { first_head: SOON, idle: SOON * 8, ..GENEROUS }).await;
    let mut connection = server.connect().await;
    connection.write_all(ASK).await.unwrap();
    answer(&mut connection).await;
    // As long as the first head may take, and longer.
    let closed = tokio::time::timeout(SOON * 2, connection.read(&mut [0])).await;
    assert!(closed.is_err(), "it was closed like a connection that never asked");
    connection.write_all(ASK).await.unwrap();
    answer(&mut connection).await;
    assert_eq!(rest(&mut connection).await, "");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    // More than the buffers of both ends take.
    let endless = || async {
        let chunk = axum::body::Bytes::from_static(&[b' '; 64 * 1024]);
        let chunks = futures_util::stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
        Body::from_stream(chunks)
    };
    let router = Router::new().route("/", get(endless));
    let server = Server::start(router, Limits { blocked: SOON, ..GENEROUS }).await;
    let mut connection = server.connect().await;
    connection.write_all(ASK).await.unwrap();
    // The server, told to stop, waits for the answer to go out; that it ends is the proof.
    connection.readable().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_thousand_silent_connections_do_not_stop_others() {
    let server = Server::hello(GENEROUS).await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(server.connect().await);
    }
    let mut connection = server.connect().await;
    connection.write_all(ASK).await.unwrap();
    assert!(answer(&mut connection).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait_for_one_to_end() {
    let server = Server::hello(Limits { connections: 2, ..GENEROUS }).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    for connection in [&mut first, &mut second] {
        connection.write_all(ASK).await.unwrap();
        answer(connection).await;
    }
    let mut third = server.connect().await;
    third.write_all(ASK).await.unwrap();
    assert!(tokio::time::timeout(SOON, third.read(&mut [0])).await.is_err(), "it did not wait");
    drop(first);
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_headers_is_refused() {
    let server = Server::hello(GENEROUS).await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(HEAD_LIMIT));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
    for head in [large, many] {
        let mut connection = server.connect().await;
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn a_client_that_has_said_all_it_wants_to_say_still_gets_its_answer() {
    let slow = || async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        "hello"
    };
    let server = Server::start(Router::new().route("/", get(slow)), GENEROUS).await;
    let mut connection = server.connect().await;
    connection.write_all(ASK).await.unwrap();
    connection.shutdown().await.unwrap();
    assert!(rest(&mut connection).await.ends_with("hello"));
}

#[tokio::test]
async fn a_request_knows_its_peer_and_an_answer_no_server() {
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { format!("{peer} hello") };
    let server = Server::start(Router::new().route("/", get(peer)), GENEROUS).await;
    let mut connection = server.connect().await;
    connection.write_all(ASK).await.unwrap();
    let answer = answer(&mut connection).await;
    assert!(answer.ends_with(&format!("{} hello", connection.local_addr().unwrap())), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("\r\nserver:"), "{answer}");
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_what_has_begun_and_waits_for_nobody_silent() {
    let (begun, mut beginning) = tokio::sync::mpsc::channel(1);
    let (finish, finished) = tokio::sync::watch::channel(());
    let held = move || {
        let (begun, mut finished) = (begun.clone(), finished.clone());
        async move {
            begun.send(()).await.unwrap();
            let _ = finished.changed().await;
            (StatusCode::OK, "hello")
        }
    };
    let server = Server::start(Router::new().route("/", get(held)), GENEROUS).await;
    let mut silent = server.connect().await;
    let mut asking = server.connect().await;
    asking.write_all(ASK).await.unwrap();
    beginning.recv().await.unwrap();
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    assert_eq!(rest(&mut silent).await, "", "it is let go");
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    assert!(!stopping.is_finished());
    finish.send(()).unwrap();
    let answer = rest(&mut asking).await;
    assert!(answer.ends_with("hello") && answer.contains("connection: close"), "{answer}");
    stopping.await.unwrap();
}

#[test]
fn only_what_is_wrong_with_the_system_makes_us_wait() {
    for kind in [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset] {
        assert!(is_of_one_connection(&kind.into()));
    }
    // EMFILE, ENFILE, ENOMEM.
    for code in [24, 23, 12] {
        assert!(!is_of_one_connection(&io::Error::from_raw_os_error(code)));
    }
}
