//! The real binary as a child process: what it logs is kept, and it can be killed.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::{Api, free_port, vars};

/// A running `standalone`.
pub(crate) struct Process {
    pub(crate) api: Api,
    child: Child,
    lines: Lines,
    /// Tells each line as it comes.
    news: Receiver<String>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Process {
    /// Starts it on a folder, and returns when it listens.
    pub(crate) fn start(origin: &str, folder: &Path, more: &[(&str, &str)]) -> Self {
        // Another process may take the port between our finding it and its taking it.
        (0..5).find_map(|_| Self::try_start(origin, folder, more).ok()).expect("it listens")
    }

    /// Starts it; what it says if it ends instead of listening.
    pub(crate) fn try_start(origin: &str, folder: &Path, more: &[(&str, &str)]) -> Result<Self, String> {
        let listen = free_port();
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_standalone"))
            .env_clear()
            .env("LOG_FORMAT", "json")
            .envs(vars(origin, &listen, folder).into_iter().chain(more))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, (tell, news)) = (Lines::default(), channel());
        read(child.stdout.take().unwrap(), &lines, tell.clone());
        read(child.stderr.take().unwrap(), &lines, tell);
        let api = Api::new(&format!("http://{listen}"));
        let mut process = Self { api, child, lines, news };
        if process.wait_for("\"listening\"") {
            return Ok(process);
        }
        process.child.wait().unwrap();
        Err(process.log())
    }

    /// Waits until a line has this text in it; false when the process ends without.
    pub(crate) fn wait_for(&self, text: &str) -> bool {
        self.news.iter().any(|line| line.contains(text))
    }

    /// Everything that it has printed, on stdout and stderr.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, as platforms stop a process.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// How it ended; everything that it printed has been read then.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        self.news.iter().for_each(drop);
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl Read + Send + 'static, lines: &Lines, tell: Sender<String>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line.clone());
            // Nobody may be waiting any more.
            let _ = tell.send(line);
        }
    });
}
