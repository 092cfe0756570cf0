//! The real Firestore emulator as a child process: one that all tests of a run share, or one of a test's own.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock::{Ids as _, SystemIds};

/// Where Google's Debian package puts the emulator, seen from the folder of `gcloud`.
const JAR: &str = "../platform/cloud-firestore-emulator/cloud-firestore-emulator.jar";
const DEBIAN: &str = "/usr/lib/google-cloud-sdk/bin";
/// The jar names no main class. It should start quickly rather than run fast: no second compiler.
const JAVA: &str = "java -Duser.language=en -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp \"$1\" \
                    com.google.cloud.datastore.emulator.firestore.CloudFirestore --host 127.0.0.1 --port \"$2\"";
/// Ends with the process that holds the other end of its standard input, however that one ends.
const PRIVATE: &str = "exec 3<&0; (read -r _ <&3; kill -9 $$) & exec JAVA 3<&- </dev/null";
/// Ends when nobody has asked for it for five minutes, which is longer than a test may take.
const SHARED: &str = "(JAVA & java=$!; while sleep 5 && kill -0 $java; do \
                      [ -z \"$(find \"$3\" -mmin -5)\" ] && kill -9 $java; done) &";

/// An emulator, and a project in it that nobody else uses: it keeps projects apart.
pub struct FirestoreEmulator {
    address: SocketAddr,
    project: String,
    /// `None` when it is shared.
    own: Option<Own>,
}

struct Own {
    child: Child,
    jar: PathBuf,
}

impl FirestoreEmulator {
    /// The emulator that all tests on this machine share; the first to ask starts it, which takes two
    /// seconds, and it ends by itself. `None` where there is none to start, which is said on stderr.
    ///
    /// # Errors
    /// When it does not start, or, with `CI=true` in the environment, when there is none.
    pub fn shared() -> io::Result<Option<Self>> {
        let Some(jar) = find()? else { return Ok(None) };
        // Beside the test's binary: one emulator for each target directory.
        let place = std::env::current_exe()?.with_file_name("firestore-emulator");
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&place)?;
        file.lock()?;
        let mut said = String::new();
        file.read_to_string(&mut said)?;
        let address = match said.trim().parse() {
            Ok(address) if answers(address) => address,
            Ok(_) | Err(_) => start_shared(&jar, &place)?,
        };
        // Written each time: the time of the last change is what keeps it alive.
        fs::write(&place, address.to_string())?;
        Ok(Some(Self { address, project: new_project(), own: None }))
    }

    /// One of a test's own, to kill and to freeze.
    ///
    /// # Errors
    /// As [`shared`](Self::shared).
    pub fn start() -> io::Result<Option<Self>> {
        let Some(jar) = find()? else { return Ok(None) };
        let address = free_address()?;
        let child = spawn(&jar, address)?;
        Ok(Some(Self { address, project: new_project(), own: Some(Own { child, jar }) }))
    }

    /// Host and port, as in `FIRESTORE_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The project that is this value's own.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// That project's database, as a `STORE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("firestore://{}/(default)", self.project)
    }

    /// Kills it; everything in it is gone.
    ///
    /// # Errors
    /// When it is shared, or the operating system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.own()?.child.wait().map(drop) // which closes its standard input first: see `PRIVATE`
    }

    /// Starts it anew on the same port, after [`kill`](Self::kill).
    ///
    /// # Errors
    /// When it is shared, or does not start.
    pub fn start_again(&mut self) -> io::Result<()> {
        let address = self.address;
        let own = self.own()?;
        own.child = spawn(&own.jar, address)?;
        Ok(())
    }

    /// Stops it where it stands: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When it is shared, or the signal can't be sent.
    pub fn freeze(&mut self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When it is shared, or the signal can't be sent.
    pub fn thaw(&mut self) -> io::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&mut self, signal: &str) -> io::Result<()> {
        let status = Command::new("kill").arg(signal).arg(self.own()?.child.id().to_string()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("the signal was not sent")) }
    }

    fn own(&mut self) -> io::Result<&mut Own> {
        self.own.as_mut().ok_or_else(|| io::Error::other("other tests use this emulator too"))
    }
}

impl Drop for FirestoreEmulator {
    fn drop(&mut self) {
        // It may have been killed by the test, or be shared.
        let _ = self.kill();
    }
}

/// Starts one as the child of nobody, and returns when it answers.
fn start_shared(jar: &Path, place: &Path) -> io::Result<SocketAddr> {
    let address = free_address()?;
    fs::write(place, "")?;
    // Its own group and no pipes: it outlives the test, and the test's runner does not wait for it.
    std::os::unix::process::CommandExt::process_group(
        Command::new("sh").args(["-c", &SHARED.replace("JAVA", JAVA), "sh"]),
        0,
    )
    .arg(jar)
    .arg(address.port().to_string())
    .arg(place)
    .stdin(Stdio::null())
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .status()?;
    wait(address)?;
    Ok(address)
}

/// Starts one that ends with this process, and returns when it answers.
fn spawn(jar: &Path, address: SocketAddr) -> io::Result<Child> {
    let mut child = Command::new("sh")
        .args(["-c", &PRIVATE.replace("JAVA", JAVA), "sh"])
        .arg(jar)
        .arg(address.port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Err(error) = wait(address) {
        child.wait()?;
        return Err(error);
    }
    Ok(child)
}

/// Java and the emulator's jar.
#[expect(clippy::print_stderr, reason = "a test that was skipped must not look like one that passed")]
fn find() -> io::Result<Option<PathBuf>> {
    let beside = |gcloud: PathBuf| Some(fs::canonicalize(gcloud).ok()?.parent()?.join(JAR));
    let jar = std::env::var_os("FIRESTORE_EMULATOR_JAR")
        .map(PathBuf::from)
        .into_iter()
        .chain(on_path("gcloud").and_then(beside))
        .chain([Path::new(DEBIAN).join(JAR)])
        .find(|jar| jar.is_file());
    let missing = match (on_path("java"), jar) {
        (Some(_), Some(jar)) => return Ok(Some(jar)),
        (None, _) => "there is no java on the PATH for the Firestore emulator",
        (Some(_), None) => "there is no Firestore emulator beside gcloud (set FIRESTORE_EMULATOR_JAR)",
    };
    if std::env::var("CI").as_deref() == Ok("true") {
        return Err(io::Error::new(io::ErrorKind::NotFound, missing));
    }
    eprintln!("SKIPPED: {missing}");
    Ok(None)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A port nobody has now. Somebody may take it before the emulator does: then it never answers, which is said.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn new_project() -> String {
    format!("test-{}", SystemIds.uuid())
}

/// Returns when it answers, within a minute.
fn wait(address: SocketAddr) -> io::Result<()> {
    for _ in 0..1200 {
        if answers(address) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the Firestore emulator does not answer"))
}

/// Whether an emulator answers there: `GET /` is `Ok`, on a connection that it never closes.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        Ok(BufReader::new(stream).lines().map_while(Result::ok).any(|line| line == "Ok"))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_share_one_emulator_and_no_project() {
        let Some(one) = FirestoreEmulator::shared().unwrap() else { return };
        let Some(other) = FirestoreEmulator::shared().unwrap() else { return };
        assert_eq!(one.host(), other.host());
        assert_ne!(one.project(), other.project());
    }

    #[test]
    fn an_emulator_of_ones_own_is_killed_frozen_and_started_again() {
        let Some(mut emulator) = FirestoreEmulator::start().unwrap() else { return };
        emulator.freeze().unwrap();
        assert!(!answers(emulator.address));
        emulator.thaw().unwrap();
        assert!(answers(emulator.address));
        emulator.kill().unwrap();
        assert!(!answers(emulator.address));
        emulator.start_again().unwrap();
        assert!(answers(emulator.address));
    }
}
