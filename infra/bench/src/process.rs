//! A server as a child process: started on a free port, watched through `/proc`, stopped when it is dropped.

use std::fs::{self, File};
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
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.ok_or("/proc tells no VmRSS")? * 1024)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_from_behind_a_name_with_spaces_and_brackets() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 30 20 0";
        assert_eq!(ticks(stat, 11..=12), Duration::from_secs(2));
        assert_eq!(ticks(stat, 13..=14), Duration::from_millis(500));
    }
}
