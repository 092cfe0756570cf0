//! The key-encryption key of one machine: 32 random bytes in a file that only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::cipher::{Cipher, KEY_LEN};
use super::derive::Root;
use super::{KeyWrap, KeyWrapError, OpenKeyError};
use crate::clock::{Ids as _, NoRandomness, SystemIds};
use crate::secret::SecretBytes;

/// Why the file is no key.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it does not exist, and a new key would open nothing that is stored")]
    Absent,
    #[error("others than its owner can use it; run chmod 600 on it")]
    OpenToOthers,
    #[error("it does not hold 32 bytes in base64")]
    NotAKey,
    #[error(transparent)]
    Randomness(NoRandomness),
    #[error("{0}")]
    Io(#[source] io::Error),
}

/// Keys derived from the file's bytes, which serve nothing themselves (RFC 5869).
pub(super) struct KeyFile {
    root: Root,
    wrapping: Cipher,
}

impl KeyFile {
    /// Reads the key in the file at `path`. With `may_create`, makes the file when it is absent.
    pub(super) fn open(path: &str, may_create: bool) -> Result<Self, OpenKeyError> {
        let file = Path::new(path);
        let key = match read(file) {
            Err(Problem::Absent) if may_create => create(file).and_then(|()| read(file)),
            result => result,
        };
        key.and_then(|key| Self::from_bytes(&key))
            .map_err(|problem| OpenKeyError::File { path: path.to_owned(), problem: problem.to_string() })
    }

    fn from_bytes(key: &SecretBytes) -> Result<Self, Problem> {
        if key.len() != KEY_LEN {
            return Err(Problem::NotAKey);
        }
        let root = Root::new(key);
        let wrapping = root.expand(&[b"wrap"]).and_then(|key| Cipher::new(&key)).ok_or(Problem::NotAKey)?;
        Ok(Self { root, wrapping })
    }
}

#[async_trait]
impl KeyWrap for KeyFile {
    async fn ping(&self) -> Result<(), KeyWrapError> {
        Ok(())
    }

    async fn wrap(&self, key: &SecretBytes, associated: &[u8]) -> Result<Vec<u8>, KeyWrapError> {
        self.wrapping.seal(associated, key).map_err(|error| KeyWrapError::Unavailable(error.into()))
    }

    async fn unwrap(&self, wrapped: &[u8], associated: &[u8]) -> Result<SecretBytes, KeyWrapError> {
        let mut bytes = SecretBytes::new(wrapped.to_vec());
        let key = self.wrapping.open(associated, &mut bytes).ok_or(KeyWrapError::Refused)?;
        Ok(SecretBytes::new(key.to_vec()))
    }

    fn derive(&self, purpose: &str) -> Option<SecretBytes> {
        self.root.derive(purpose)
    }

    fn may_have_sealed_tokens(&self) -> bool {
        false
    }
}

fn read(path: &Path) -> Result<SecretBytes, Problem> {
    let file = File::open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound { Problem::Absent } else { Problem::Io(error) }
    })?;
    if is_open_to_others(&file).map_err(Problem::Io)? {
        return Err(Problem::OpenToOthers);
    }
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(256).read_to_string(&mut text).map_err(|error| {
        if error.kind() == io::ErrorKind::InvalidData { Problem::NotAKey } else { Problem::Io(error) }
    })?;
    STANDARD.decode(text.trim()).map(SecretBytes::new).map_err(|_| Problem::NotAKey)
}

/// Makes the file whole and durable under another name first, then gives it its name unless somebody else
/// has been quicker: nobody ever reads half a key, and nobody's key is replaced.
fn create(path: &Path) -> Result<(), Problem> {
    let mut key = SecretBytes::new(vec![0; KEY_LEN]);
    SystemIds.fill(&mut key).map_err(Problem::Randomness)?;
    let text = Zeroizing::new(STANDARD.encode(&*key));

    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(Problem::Io)?;
    let draft = folder.join(format!(".key-{}", SystemIds.uuid()));
    let made = write(&draft, text.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    // The draft is only a second name of the key by now, or of nothing.
    let removed = fs::remove_file(&draft);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Problem::Io(error)),
        Ok(()) => removed.and_then(|()| sync_folder(folder)).map_err(Problem::Io),
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// A name outlives a power cut only when its folder is written too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/key").to_str().unwrap().to_owned();
        (folder, path)
    }

    fn refused(path: &str) -> String {
        KeyFile::open(path, false).err().unwrap().to_string()
    }

    /// Two key files are the same when they derive the same.
    fn id(file: &KeyFile) -> Vec<u8> {
        file.derive("test").unwrap().to_vec()
    }

    #[test]
    fn makes_a_key_once_and_reads_it_ever_after() {
        let (_folder, path) = in_folder();
        let made = KeyFile::open(&path, true).unwrap();
        assert_eq!(id(&KeyFile::open(&path, true).unwrap()), id(&made));
        assert_eq!(id(&KeyFile::open(&path, false).unwrap()), id(&made));
    }

    #[test]
    fn processes_that_make_it_at_once_get_the_same_key_and_leave_nothing_else() {
        let (_folder, path) = in_folder();
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..16).map(|_| scope.spawn(|| id(&KeyFile::open(&path, true).unwrap()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|one| *one == made[0]));
        assert_eq!(fs::read_dir(Path::new(&path).parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn refuses_to_make_a_key_unless_told_to() {
        let (_folder, path) = in_folder();
        assert!(refused(&path).contains("does not exist"));
        assert!(!Path::new(&path).exists());
    }

    #[cfg(unix)]
    #[test]
    fn is_made_for_its_owner_alone_and_refused_when_others_can_use_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = in_folder();
        KeyFile::open(&path, true).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(refused(&path).contains("chmod 600"));
        }
    }

    #[test]
    fn refuses_what_is_not_32_bytes_in_base64() {
        let (folder, _) = in_folder();
        for content in [
            STANDARD.encode([1; 31]),
            STANDARD.encode([1; 33]),
            "x".repeat(10_000),
            "not base64".to_owned(),
            String::new(),
        ] {
            let path = folder.path().join("key");
            let _ = fs::remove_file(&path);
            write(&path, content.as_bytes()).unwrap();
            assert!(refused(path.to_str().unwrap()).contains("32 bytes in base64"));
        }
    }

    #[tokio::test]
    async fn unwraps_what_it_wrapped_and_nothing_else() {
        let (_folder, path) = in_folder();
        let file = KeyFile::open(&path, true).unwrap();
        let key = SecretBytes::new(vec![9; KEY_LEN]);
        let wrapped = file.wrap(&key, b"here").await.unwrap();
        assert_eq!(file.unwrap(&wrapped, b"here").await.unwrap(), key);

        let mut changed = wrapped.clone();
        changed[20] ^= 1;
        let (_folder, path) = in_folder();
        let other = KeyFile::open(&path, true).unwrap();
        for result in [
            file.unwrap(&wrapped, b"there").await,
            file.unwrap(&changed, b"here").await,
            file.unwrap(&wrapped[..10], b"here").await,
            other.unwrap(&wrapped, b"here").await,
        ] {
            assert!(matches!(result, Err(KeyWrapError::Refused)));
        }
    }

    #[test]
    fn derives_another_key_for_every_purpose() {
        let file = KeyFile::from_bytes(&SecretBytes::new(vec![1; KEY_LEN])).ok().unwrap();
        assert_eq!(file.derive("a"), file.derive("a"));
        assert_ne!(file.derive("a"), file.derive("b"));
        assert_ne!(file.derive("wrap"), file.root.expand(&[b"wrap"]));
    }
}
