//! The key of a repository: 256 random bits as letters that can be printed and typed.
//!
//! The file is one line, so that `restic --password-file` takes it as it is.

use std::{
    fmt, fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::BackupError;

/// What opens a repository. Without it nothing in there can be read.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupKey(String);

/// What the file is called that is made where none is named.
pub const KEY_FILE: &str = "backup.key";

/// Letters and digits that are not taken for each other: those of Crockford's base 32.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// So many of them stand together.
const GROUP: usize = 4;
/// 256 bits and a little more, in letters of 5 bits.
const KEY_LETTERS: usize = 52;
/// A file that is longer is no key.
const LONGEST: u64 = 4096;

impl BackupKey {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0_u8; KEY_LETTERS];
        let mut filled = 0;
        while filled < bytes.len() {
            let rest = &mut bytes[filled..];
            filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())?;
        }
        let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let groups = letters.chunks(GROUP).map(String::from_iter);
        Ok(Self(groups.collect::<Vec<_>>().join("-")))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`BackupError::NoKey`] with what is wrong with it.
    pub fn load(path: &Path) -> Result<Self, BackupError> {
        let no_key = |why: String| BackupError::NoKey {
            path: path.to_owned(),
            why,
        };
        let found = fs::metadata(path).map_err(|error| no_key(error.to_string()))?;
        if found.len() > LONGEST {
            return Err(no_key("it is too long for a key".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| no_key(error.to_string()))?;
        match text.trim() {
            "" => Err(no_key("it is empty".to_owned())),
            text => Ok(Self(text.to_owned())),
        }
    }

    /// The key in this file; where there is no such file a new one, which is written there for its owner
    /// alone. Says whether it is new.
    ///
    /// # Errors
    /// [`BackupError::NoKey`].
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), BackupError> {
        if path.symlink_metadata().is_ok() {
            return Ok((Self::load(path)?, false));
        }
        let create = || {
            let key = Self::generate()?;
            let mut partial = path.as_os_str().to_owned();
            partial.push(".partial");
            let partial = PathBuf::from(partial);
            let _ = fs::remove_file(&partial);
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&partial)?;
            writeln!(file, "{}", key.0)?;
            file.sync_all()?;
            // A backup that cannot be opened is none: the key is there for certain before it is used.
            fs::rename(&partial, path)?;
            if let Some(folder) = path.parent() {
                fs::File::open(folder)?.sync_all()?;
            }
            Ok(key)
        };
        let created = create().map_err(|error: io::Error| BackupError::NoKey {
            path: path.to_owned(),
            why: error.to_string(),
        });
        Ok((created?, true))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_groups_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(KEY_FILE);
        let (key, is_new) = BackupKey::load_or_create(&path).unwrap();
        assert!(is_new);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", key.text()));
        let groups: Vec<&str> = text.trim().split('-').collect();
        assert_eq!(groups.len(), KEY_LETTERS / GROUP);
        assert!(
            groups.iter().all(|group| group.len() == GROUP
                && group.bytes().all(|letter| LETTERS.contains(&letter)))
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(BackupKey::load_or_create(&path).unwrap(), (key, false));
        assert_ne!(
            BackupKey::generate().unwrap(),
            BackupKey::generate().unwrap()
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key");
        for text in ["", "\n  \n", &"A".repeat(5000)] {
            fs::write(&path, text).unwrap();
            assert!(
                matches!(BackupKey::load(&path), Err(BackupError::NoKey { .. })),
                "{text:?}"
            );
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(
            BackupKey::load(&path),
            Err(BackupError::NoKey { .. })
        ));
    }
}
