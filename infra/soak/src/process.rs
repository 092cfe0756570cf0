//! One copy of a function as a child process that listens on a free port.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;

/// How long a process may take until it listens, on a machine that has other work.
const START_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A child process, ended when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens, as a base URL.
    pub(crate) base: String,
}

impl Process {
    /// Starts a function with nothing in its environment but `vars`, and returns when it listens. What it says is added
    /// to `log`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(name: &str, vars: &[(String, String)], log: &Path) -> Result<Self> {
        let program = binary(name)?;
        // Somebody else may take the port between our finding it and its taking it.
        for _ in 0..5 {
            let address = free_address()?;
            let out = File::options().create(true).append(true).open(log)?;
            let child = Command::new(&program)
                .env_clear()
                .envs(vars.iter().map(|(name, value)| (name, value)))
                .env("LISTEN", address.to_string())
                .stdin(Stdio::null())
                .stdout(out.try_clone()?)
                .stderr(out)
                .spawn()
                .map_err(|error| format!("{}: {error}", program.display()))?;
            let mut process = Self { child, base: format!("http://{address}") };
            if listens(address, log, &mut process.child).await? {
                return Ok(process);
            }
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(format!("{name} does not start: {}", said.lines().next_back().unwrap_or_default()).into())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal: `TERM`, `STOP`, `CONT`.
    ///
    /// # Errors
    /// When it can't be sent.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(format!("SIG{signal} was not sent").into()) }
    }

    /// Whether every thread of it stands still after `STOP`, which takes effect a moment later.
    pub(crate) async fn stands_still(&self, limit: Duration) -> bool {
        let tasks = format!("/proc/{}/task", self.child.id());
        let standing = async {
            loop {
                let mut threads = fs::read_dir(&tasks).into_iter().flatten().flatten();
                if threads.all(|thread| is_stopped(&thread.path())) {
                    return;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(limit, standing).await.is_ok()
    }

    /// Whether it has ended within `limit`.
    pub(crate) async fn ends(&mut self, limit: Duration) -> bool {
        let ended = async {
            while !matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(limit, ended).await.is_ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a thread is stopped: the field behind the name in its `stat` (`proc_pid_stat(5)`).
fn is_stopped(thread: &Path) -> bool {
    let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, behind)| behind.starts_with(['T', 't']))
}

/// Whether `child` listens there, as it says in its log: whoever answers at that address may be somebody else, who was
/// quicker. False when it has ended instead.
///
/// # Errors
/// When it does neither.
pub(crate) async fn listens(address: SocketAddr, log: &Path, child: &mut Child) -> Result<bool> {
    let port = format!(":{}", address.port());
    let waiting = async {
        loop {
            let said = fs::read_to_string(log).unwrap_or_default();
            if said.lines().any(|line| line.contains("listening") && line.contains(&port)) {
                return Ok(true);
            }
            if child.try_wait()?.is_some() {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(START_WITHIN, waiting).await.map_err(|_| "a process does not listen")?
}

/// An address that nobody has now.
///
/// # Errors
/// When there is none.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A function's binary: beside ours, or beside the folder of the test's.
fn binary(name: &str) -> Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let found = ours.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|each| each.is_file());
    found.ok_or_else(|| format!("the binary {name} is missing: `make soak` builds it").into())
}
