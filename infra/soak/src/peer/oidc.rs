//! npm's `oidc-provider` as a child process: a certified OpenID provider that kills a family for one reuse.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::Result;
use crate::process::{free_address, listens};

const START: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oidc-provider/start");
const DESCRIPTOR: &str = include_str!("../../providers/oidc.toml");
/// Where the service says that it is: browsers are followed as far as there, and not further.
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:1";

/// One of one's own.
pub(crate) struct Oidc {
    child: Mutex<Child>,
    pub(super) origin: String,
}

impl Oidc {
    /// `None` where there is no Node, which is said on stderr.
    ///
    /// # Errors
    /// When it does not start, or, with `CI=true` in the environment, when there is no Node.
    #[expect(
        clippy::print_stderr,
        reason = "a round that was skipped must not look like one that was passed"
    )]
    pub(super) async fn start(folder: &Path) -> Result<Option<Self>> {
        if let Some(missing) = ["node", "npm", "flock"].into_iter().find(|program| !on_path(program)) {
            let missing = format!("there is no {missing} on the PATH for the OpenID provider");
            if std::env::var("CI").as_deref() == Ok("true") {
                return Err(missing.into());
            }
            eprintln!("SKIPPED: {missing}");
            return Ok(None);
        }
        // Somebody else may take the port between our finding it and its taking it.
        for _ in 0..3 {
            let address = free_address()?;
            let said = folder.join("oidc-provider.log");
            let log = File::options().create(true).append(true).open(&said)?;
            let mut child = Command::new(START)
                .env("PLACE", place()?)
                .env("PORT", address.port().to_string())
                .env("REDIRECT", format!("{PUBLIC_URL}/api/v1/oauth/callback/oidc"))
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()?;
            if listens(address, &said, &mut child).await? {
                return Ok(Some(Self { child: Mutex::new(child), origin: format!("http://{address}") }));
            }
        }
        Err(format!("the OpenID provider does not start: try {START}").into())
    }

    pub(super) fn is_there(&self) -> Result<()> {
        match self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the OpenID provider is not there any more: {status}").into()),
        }
    }

    pub(super) fn descriptor(&self) -> String {
        DESCRIPTOR.replace("ISSUER\"", &format!("{}\"", self.origin))
    }

    pub(super) async fn set_life(&self, client: &reqwest::Client, seconds: u32) -> Result<()> {
        let url = format!("{}/_control/access-token-seconds/{seconds}", self.origin);
        client.put(url).send().await?.error_for_status()?;
        Ok(())
    }
}

impl Drop for Oidc {
    fn drop(&mut self) {
        // It may have ended already.
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Where npm puts what it needs: beside the binaries, those of tests among them.
fn place() -> Result<std::path::PathBuf> {
    let program = std::env::current_exe()?;
    let mut folders = program.ancestors().skip(1).filter(|folder| !folder.ends_with("deps"));
    Ok(folders.next().ok_or("this program is in no folder")?.join("oidc-provider"))
}

fn on_path(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| Path::new(&folder).join(program).is_file())
}
