//! Where measuring happens: builds what is measured, starts it in a folder of its own, cleans up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use shared::clock::SystemClock;
use tempfile::TempDir;

use crate::Result;
use crate::args::Args;
use crate::process::{Server, free_address};

/// The profile of this build, which is that of what it measures.
pub(crate) const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "bench" };

/// The binaries that are measured. Built apart from this one, so that its features are not theirs.
const MEASURED: [&str; 4] = ["standalone", "token-get", "scheduled-refresh", "sandbox-provider"];

/// The place of a run.
pub(crate) struct Lab {
    /// What was asked for.
    pub(crate) args: Args,
    /// Times everything.
    pub(crate) clock: Arc<SystemClock>,
    binaries: PathBuf,
    folder: TempDir,
}

impl Lab {
    /// Builds what is measured, unless told not to. The folder is beside the binaries: what is in `/tmp`
    /// may be memory, where a flush costs nothing.
    ///
    /// # Errors
    /// When something does not build.
    pub(crate) fn new(args: Args) -> Result<Self> {
        let program = std::env::current_exe()?;
        let binaries = program.parent().ok_or("this program is in no folder")?.to_owned();
        if args.build {
            build(&MEASURED.map(|name| ["-p", name]).concat())?;
            build(&["-p", "bench", "--bin", "bare"])?;
        }
        let folder = TempDir::with_prefix_in("bench-", &binaries)?;
        Ok(Self { args, clock: Arc::new(SystemClock::new()), binaries, folder })
    }

    /// Where everything of this run is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder of this name.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Whether there is a binary of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.binaries.join(name).exists()
    }

    /// A binary with nothing in its environment but `environment`.
    pub(crate) fn command(&self, name: &str, environment: &[(&str, String)]) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// One of ours, with its data in `data`; does not wait until it listens.
    ///
    /// # Errors
    /// When there is no such binary.
    pub(crate) fn spawn(&self, name: &str, data: &Path, more: &[(&str, String)]) -> Result<Server> {
        let address = free_address()?;
        let environment = [environment(data).as_slice(), &[("LISTEN", address.to_string())], more].concat();
        Server::spawn(&mut self.command(name, &environment), address, &self.path().join("ours.log"))
    }

    /// The same, listening.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(&self, name: &str, data: &Path, more: &[(&str, String)]) -> Result<Server> {
        let mut server = self.spawn(name, data, more)?;
        server.connect()?;
        Ok(server)
    }

    /// The bare route; does not wait until it listens.
    ///
    /// # Errors
    /// When there is no such binary.
    pub(crate) fn spawn_bare(&self, path: &str, answer: &str) -> Result<Server> {
        let address = free_address()?;
        let mut command = self.command("bare", &[]);
        command.args([&address.to_string(), path, answer]);
        Server::spawn(&mut command, address, &self.path().join("bare.log"))
    }

    /// The bare route, answering what `server` answers to `request`.
    ///
    /// # Errors
    /// When one of them does not answer.
    pub(crate) fn start_bare_like(&self, server: &mut Server, path: &str, request: &[u8]) -> Result<Server> {
        let answer = String::from_utf8(server.connect()?.call(request)?)?;
        let mut bare = self.spawn_bare(path, &answer)?;
        bare.connect()?;
        Ok(bare)
    }
}

/// The settings of a service whose data is in `data`: quiet, no sandbox, a Gmail app, a job only at the start.
pub(crate) fn environment(data: &Path) -> Vec<(&'static str, String)> {
    let fixed = |value: &str| value.to_owned();
    vec![
        ("DATA_DIR", data.display().to_string()),
        ("LOG", fixed("warn")),
        ("AUDIT", fixed("off")),
        ("SANDBOX", fixed("off")),
        ("REFRESH_EVERY", fixed("24h")),
        ("HEALTH_EVERY", fixed("24h")),
        ("PROVIDER_GMAIL_CLIENT_ID", fixed("sandbox-gmail")),
        ("PROVIDER_GMAIL_CLIENT_SECRET", fixed("sandbox-gmail-secret")),
    ]
}

fn build(what: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(["--profile", PROFILE])
        .args(what)
        .stdin(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("{} did not build", what.join(" ")).into()) }
}
