//! Child processes: servers on a free port and programs that end by themselves, watched through `/proc`, stopped when dropped.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::http::Connection;

/// A tick of `/proc/PID/stat`: Linux has told user space 100 a second on every machine for decades (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);
/// How often is tried whether a server listens: the error of a measured start.
const LOOK_EVERY: Duration = Duration::from_micros(100);
/// How many times: ten seconds.
const LOOKS: u32 = 100_000;

/// A running server.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// An address nobody listens on. Somebody else may take it first; then the server says so and ends.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

impl Server {
    /// Starts `command`, which will listen on `address`; what it says goes to the file `log`. Does not wait.
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn spawn(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned(), address })
    }

    /// Connects as soon as it listens.
    ///
    /// # Errors
    /// When it ends, or has not begun to listen after ten seconds.
    pub(crate) fn connect(&mut self) -> Result<Connection> {
        for _ in 0..LOOKS {
            if let Ok(stream) = TcpStream::connect(self.address) {
                return Connection::on(stream);
            }
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("a server ended with {status}: {said}").into());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err("a server does not listen after ten seconds".into())
    }

    /// The processor time it has used.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        // utime and stime: fields 14 and 15 of proc_pid_stat(5), here counted from behind the name.
        Ok(ticks(&self.proc("stat")?, 11..=12))
    }

    /// The memory it has resident, in bytes.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn resident(&self) -> Result<u64> {
        Ok(memory(&self.proc("status")?, "VmRSS:").ok_or("/proc tells no VmRSS")?)
    }

    fn proc(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that ends by itself.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
    /// The most memory that it was seen to have had resident, in bytes.
    pub(crate) peak: u64,
}

impl Program {
    /// Starts `command`; its log goes to the file `log`, and what it puts out is kept for [`Self::output`].
    ///
    /// # Errors
    /// When there is no such program.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned(), peak: 0 })
    }

    /// Whether it has ended; what memory it needs is looked at too, as that can't be asked afterwards.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        // Of a process that has just ended there is no memory to tell of.
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        self.peak = memory(&status, "VmHWM:").unwrap_or_default().max(self.peak);
        Ok(self.child.try_wait()?.is_some())
    }

    /// What it has put out, and what it has logged.
    ///
    /// # Errors
    /// When it failed.
    pub(crate) fn output(&mut self) -> Result<(String, String)> {
        let mut output = String::new();
        if let Some(stdout) = &mut self.child.stdout {
            stdout.read_to_string(&mut output)?;
        }
        let (status, log) = (self.child.wait()?, fs::read_to_string(&self.log)?);
        if status.success() {
            Ok((output, log))
        } else {
            Err(format!("a program ended with {status}: {log}").into())
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended by itself, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field of a `status` file that counts memory, in bytes.
fn memory(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The processor time of all children that have ended and were waited for.
///
/// # Errors
/// When there is no `/proc`.
pub(crate) fn cpu_of_ended_children() -> Result<Duration> {
    // cutime and cstime: fields 16 and 17.
    Ok(ticks(&fs::read_to_string("/proc/self/stat")?, 13..=14))
}

/// The sum of some fields of a `stat` file, counted from behind the name, which may hold anything.
fn ticks(stat: &str, fields: std::ops::RangeInclusive<usize>) -> Duration {
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let all: Vec<_> = behind.split_whitespace().collect();
    let chosen = all.get(fields).unwrap_or_default();
    TICK * chosen.iter().filter_map(|field| field.parse::<u32>().ok()).sum()
}

/// The processor time that the whole machine has spent on anything since it started.
///
/// # Errors
/// When there is no `/proc`.
pub(crate) fn cpu_of_machine() -> Result<Duration> {
    Ok(busy(&fs::read_to_string("/proc/stat")?))
}

/// User, nice and system, then behind idle and iowait those of interrupts, of all processors together.
fn busy(stat: &str) -> Duration {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let fields = all.split_whitespace().map(|field| field.parse::<u64>().unwrap_or_default());
    let ticks: u64 =
        fields.enumerate().filter(|(at, _)| [0, 1, 2, 5, 6].contains(at)).map(|(_, ticks)| ticks).sum();
    Duration::from_millis(10 * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_from_behind_a_name_with_spaces_and_brackets() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 30 20 0";
        assert_eq!(ticks(stat, 11..=12), Duration::from_secs(2));
        assert_eq!(ticks(stat, 13..=14), Duration::from_millis(500));
    }

    #[test]
    fn the_machine_is_busy_with_everything_but_waiting() {
        let stat = "cpu  100 20 30 9000 800 4 6 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy(stat), Duration::from_millis(1600));
    }

    #[test]
    fn memory_is_told_in_bytes_or_not_at_all() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t     512 kB\n";
        assert_eq!(memory(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(memory("Name:\tx\nState:\tZ (zombie)\n", "VmHWM:"), None);
    }

    #[test]
    fn a_program_that_fails_is_an_error_that_says_why_and_one_that_does_not_tells_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let shell = |script: &str| {
            let mut program =
                Program::spawn(Command::new("sh").args(["-c", script]), &folder.path().join("log")).unwrap();
            while !program.has_ended().unwrap() {
                std::thread::yield_now();
            }
            program.output()
        };
        assert_eq!(shell("echo out; echo log >&2").unwrap(), ("out\n".to_owned(), "log\n".to_owned()));
        assert!(shell("echo why >&2; exit 3").unwrap_err().to_string().contains("why"));
    }
}
