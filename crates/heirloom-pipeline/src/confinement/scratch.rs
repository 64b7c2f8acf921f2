//! The one folder that a command tool may write to: made for one call, removed after it.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use tempfile::TempDir;

/// An empty folder that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
}

/// More files than any tool makes: they cost room even when they are empty.
const MOST_FILES: u64 = 2000;

impl Scratch {
    pub(super) fn create_in(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new()
            .prefix("work-")
            .tempdir_in(parent)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether more lies in it than that. What cannot be read any more is gone, and counts nothing.
    pub(super) fn holds_more_than(&self, most_bytes: u64) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let (mut bytes, mut files) = (0_u64, 0_u64);
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                files += 1;
                bytes = bytes.saturating_add(metadata.blocks() * 512);
                if files > MOST_FILES || bytes > most_bytes {
                    return true;
                }
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        false
    }

    /// Opens a file that the tool made; it stays readable when the folder is gone. Links, pipes and
    /// devices are none.
    pub(super) fn open(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open(self.path().join(name), flags, Mode::empty())?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            _ => Err(io::Error::other("it is no file")),
        }
    }
}
