//! One copy of a function as a child process: listening, or under Lambda's runtime API.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use deployment::{Backend, RuntimeApi};
use serde_json::Value;
use tokio::net::TcpListener;

/// A process of its own, ended when it is dropped.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    pub(crate) backend: Backend,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a function that listens on `PORT`, and returns when it answers its probe.
    pub(crate) async fn listening(name: &'static str, vars: &[(String, String)], folder: &Path) -> Self {
        // Somebody else may take the port between our finding it and its taking it.
        for _ in 0..5 {
            let port = free_port();
            let base = format!("http://127.0.0.1:{port}");
            let backend = Backend::Http(base.clone());
            let mut process = Self::spawn(name, backend, vars, &[("PORT", &port.to_string())], folder);
            if process.answers(&base).await {
                return process;
            }
        }
        panic!("{name} does not listen");
    }

    /// Starts a function under a runtime API of its own, and returns when it asks for work.
    pub(crate) async fn in_lambda(name: &'static str, vars: &[(String, String)], folder: &Path) -> Self {
        let runtime = RuntimeApi::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(runtime.clone().serve(listener));
        let more = [
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/miniature"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/22/[$LATEST]0"),
            ("AWS_REGION", "eu-central-1"),
        ];
        let mut process = Self::spawn(name, Backend::Lambda(runtime.clone()), vars, &more, folder);
        tokio::select! {
            () = runtime.ready() => process,
            () = process.has_ended() => panic!("{name} ended instead: {}", process.log()),
        }
    }

    fn spawn(
        name: &'static str,
        backend: Backend,
        vars: &[(String, String)],
        more: &[(&str, &str)],
        folder: &Path,
    ) -> Self {
        let log = tempfile::Builder::new().prefix(name).suffix(".log").tempfile_in(folder).unwrap();
        let (log, path) = log.keep().unwrap();
        let child = Command::new(binary(name))
            .env_clear()
            .env("LOG_FORMAT", "json")
            .envs(vars.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::try_clone(&log).unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { name, backend, child, log: path }
    }

    /// Whether it answers its probe, however it feels; false when it ends because its port is taken.
    async fn answers(&mut self, base: &str) -> bool {
        let url = format!("{base}/health");
        for _ in 0..1500 {
            if reqwest::get(&url).await.is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                assert!(self.log().contains("can't be listened on"), "{} ended: {}", self.name, self.log());
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} does not answer: {}", self.name, self.log());
    }

    async fn has_ended(&mut self) {
        while self.child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where it listens.
    pub(crate) fn base(&self) -> &str {
        match &self.backend {
            Backend::Http(base) => base,
            Backend::Lambda(_) => panic!("{} does not listen", self.name),
        }
    }

    /// Runs a job once, as its scheduler does; answers the report.
    pub(crate) async fn run(&self, input: &Value) -> Value {
        let within = Duration::from_secs(60);
        match &self.backend {
            Backend::Http(base) => {
                let request = reqwest::Client::new().post(base).json(input).timeout(within);
                let answer = request.send().await.unwrap();
                let (status, text) = (answer.status(), answer.text().await.unwrap());
                assert_eq!(status, 200, "{text}");
                serde_json::from_str(&text).unwrap()
            }
            Backend::Lambda(runtime) => runtime.invoke(input.clone(), within).await.unwrap(),
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal: `TERM`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// How it ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        self.has_ended().await;
        self.child.wait().unwrap()
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- {} said:\n{}", self.name, self.log());
        }
    }
}

/// A function's binary, beside ours.
fn binary(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let binary = deps.parent().unwrap().with_file_name(name);
    assert!(binary.is_file(), "{} is missing: `make test-deployed` builds it", binary.display());
    binary
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
