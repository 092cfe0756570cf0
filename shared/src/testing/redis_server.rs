//! A real Redis as a child process, on a free loopback port, stopped when it is dropped.

use std::io::{self, BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A Redis of one test's own.
pub struct RedisServer {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one, and returns when it answers. `None` where there is no `redis-server` to start, which
    /// is said on stderr.
    ///
    /// # Errors
    /// When it does not start, or, with `CI=true` in the environment, when there is none.
    #[expect(clippy::print_stderr, reason = "a test that was skipped must not look like one that passed")]
    pub fn start() -> io::Result<Option<Self>> {
        let folder = TempDir::new()?;
        // Another process may take the port between our asking for a free one and Redis's taking it.
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            result = spawn(port, &folder).map(|child| (child, port));
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        match result {
            Ok((child, port)) => Ok(Some(Self { child, port, folder })),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && std::env::var("CI").as_deref() != Ok("true") =>
            {
                eprintln!("SKIPPED: there is no redis-server on the PATH to test against");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where it listens, as a `CACHE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it; everything in it is gone.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Starts it anew on the same port, after [`kill`](Self::kill).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.child = spawn(self.port, &self.folder)?;
        Ok(())
    }

    /// Stops it where it stands: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When the signal can't be sent.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("the signal was not sent")) }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.kill();
    }
}

/// Starts Redis without persistence and waits until it says that it is ready.
fn spawn(port: u16, folder: &TempDir) -> io::Result<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut log = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).lines();
    while let Some(line) = log.next().transpose()? {
        if line.contains("Ready to accept connections") {
            // Somebody has to go on reading, or Redis would stop at a full pipe.
            std::thread::spawn(move || log.for_each(drop));
            return Ok(child);
        }
    }
    // The log ends early when Redis does, and the port is what it lacks then.
    child.wait()?;
    Err(io::ErrorKind::AddrInUse.into())
}
