//! A real Redis as a child process, on a free loopback port, stopped when it is dropped.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::certificates::Authority;

/// Whom a Redis lets in, and how it proves who it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guard {
    /// The user to be; `None`: the default user.
    pub user: Option<&'static str>,
    /// Its password.
    pub password: Option<&'static str>,
    /// The name or address in the server's certificate, issued by an authority of its own; `None`: no TLS.
    pub certificate_for: Option<&'static str>,
}

impl Guard {
    /// TLS, with a certificate that is right for [`RedisServer::url`].
    pub const TLS: Self = Self { user: None, password: None, certificate_for: Some("127.0.0.1") };
}

/// A Redis of one test's own.
pub struct RedisServer {
    child: Child,
    port: u16,
    guard: Guard,
    authority: Authority,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one, and returns when it answers. `None` where there is no `redis-server` to start, which
    /// is said on stderr.
    ///
    /// # Errors
    /// When it does not start, or, with `CI=true` in the environment, when there is none.
    pub fn start() -> io::Result<Option<Self>> {
        Self::guarded(Guard::default())
    }

    /// The same with TLS, a password, a user.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    #[expect(clippy::print_stderr, reason = "a test that was skipped must not look like one that passed")]
    pub fn guarded(guard: Guard) -> io::Result<Option<Self>> {
        let folder = TempDir::new()?;
        let authority = Authority::new()?;
        if let Some(name) = guard.certificate_for {
            let (certificate, key) = authority.issue(name)?;
            std::fs::write(folder.path().join("server.pem"), certificate)?;
            std::fs::write(folder.path().join("server.key"), key)?;
        }
        // Another process may take the port between our asking for a free one and Redis's taking it.
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..5 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            result = spawn(port, guard, &folder).map(|child| (child, port));
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        match result {
            Ok((child, port)) => Ok(Some(Self { child, port, guard, authority, folder })),
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

    /// Where it listens, as a `CACHE_URL`, user and password included.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.guard.certificate_for.is_some() { "rediss" } else { "redis" };
        let credentials = self.guard.password.map_or_else(String::new, |password| {
            format!("{}:{}@", encoded(self.guard.user.unwrap_or_default()), encoded(password))
        });
        format!("{scheme}://{credentials}127.0.0.1:{}", self.port)
    }

    /// The certificate of its authority, as a `CACHE_CA`.
    #[must_use]
    pub fn ca(&self) -> &str {
        self.authority.pem()
    }

    /// Sends one command past network and TLS, for a test to arrange things: a simple answer as it is (`+OK`,
    /// `:1`, `-ERR …`), and a text without its length.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn say(&self, command: &str) -> io::Result<String> {
        let mut socket = BufReader::new(UnixStream::connect(self.folder.path().join("redis.sock"))?);
        let mut ask = |command: &str| {
            writeln!(socket.get_mut(), "{command}")?;
            let mut answer = String::new();
            socket.read_line(&mut answer)?;
            if let Some(Ok(length)) = answer.strip_prefix('$').map(|length| length.trim_end().parse()) {
                let mut text = vec![0; length];
                socket.read_exact(&mut text)?;
                answer = String::from_utf8_lossy(&text).into_owned();
            }
            Ok(answer.trim_end().to_owned())
        };
        if let Some(password) = self.guard.password {
            let user = self.guard.user.unwrap_or("default");
            ask(&format!("AUTH \"{user}\" \"{password}\""))?;
        }
        ask(command)
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
        self.child = spawn(self.port, self.guard, &self.folder)?;
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
fn spawn(port: u16, guard: Guard, folder: &TempDir) -> io::Result<Child> {
    let mut child = Command::new("redis-server")
        .arg("-")
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    stdin.write_all(settings(port, guard).as_bytes())?;
    drop(stdin);
    let mut log = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).lines();
    let mut last = String::new();
    while let Some(line) = log.next().transpose()? {
        if line.contains("Ready to accept connections") {
            // Somebody has to go on reading, or Redis would stop at a full pipe.
            std::thread::spawn(move || log.for_each(drop));
            return Ok(child);
        }
        last = line;
    }
    child.wait()?;
    // The log ends early when Redis does, and the port is what it most often lacks.
    Err(if last.contains("Failed listening") {
        io::ErrorKind::AddrInUse.into()
    } else {
        io::Error::other(format!("redis-server did not start: {last}"))
    })
}

fn settings(port: u16, guard: Guard) -> String {
    let mut text = "bind 127.0.0.1\nsave \"\"\nappendonly no\nunixsocket redis.sock\n".to_owned();
    let tls = "port 0\ntls-cert-file server.pem\ntls-key-file server.key\ntls-auth-clients no\ntls-port";
    let listen = if guard.certificate_for.is_some() { tls } else { "port" };
    let _ = writeln!(text, "{listen} {port}");
    match (guard.user, guard.password) {
        (Some(user), Some(password)) => {
            let _ = writeln!(text, "user default off\nuser {user} on \">{password}\" ~* +@all");
        }
        (_, Some(password)) => {
            let _ = writeln!(text, "requirepass \"{password}\"");
        }
        (_, None) => {}
    }
    text
}

/// Text as a part of a URL: every byte that might mean something there as `%XX`.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}
