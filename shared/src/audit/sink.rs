//! Where lines go: stdout, which a platform keeps, or a file that its owner alone can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked whether the file still has its name.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Takes whole lines.
pub(super) trait Sink: Send {
    /// Writes one line, which ends with a line feed. After an error a part of it may be there.
    ///
    /// # Errors
    /// When it is not written as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<()>;

    /// Whether what lines go to was moved away, so that [`renew`](Self::renew) should follow.
    fn is_moved(&mut self, _monotonic: Duration) -> bool {
        false
    }

    /// Begins anew under the old name.
    ///
    /// # Errors
    /// When that can't be opened.
    fn renew(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The standard output; one write a line, under its lock.
pub(super) struct Stdout;

impl Sink for Stdout {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(line)?;
        out.flush()
    }
}

/// A file, which several processes may share: each line is one append. It is not synced to the disk, so a power cut may lose what
/// the system had not yet written (on Linux the last half minute); a process that is killed loses nothing.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    looked: Duration,
}

impl LogFile {
    /// Opens the file at `path`, and makes it and its folder where they are absent.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { path: path.to_owned(), file: append_to(path)?, looked: Duration::ZERO })
    }
}

impl Sink for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        loop {
            match self.file.write(line) {
                Ok(written) if written == line.len() => return Ok(()),
                // The rest in a second write could land behind another process's line.
                Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn is_moved(&mut self, monotonic: Duration) -> bool {
        if monotonic.saturating_sub(self.looked) < LOOK_EVERY {
            return false;
        }
        self.looked = monotonic;
        !is_at(&self.file, &self.path)
    }

    fn renew(&mut self) -> io::Result<()> {
        self.file = append_to(&self.path)?;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether `path` still names `file`: a rotation renames it, and leaves nothing or another one there.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |data: fs::Metadata| (data.dev(), data.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
