//! A file on this machine that has the bytes of a blob, in either form.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Seek as _, SeekFrom, Write as _},
    ops::Range,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use heirloom_core::ContentHash;
use rustix::{
    buffer::spare_capacity,
    fs::{MemfdFlags, OFlags},
    io::Errno,
};

use super::{Form, HEADER_BYTES, Opener, Sealing};
use crate::{BlobError, error::At as _};

/// Bytes that are read at once: whole segments.
const READ_BYTES: u64 = 256 * 1024;
/// What is opened as a file in memory, not on a disk.
const IN_MEMORY_BYTES: u64 = 4 << 20;

/// A blob's file, opened.
pub(crate) struct BlobFile {
    path: PathBuf,
    file: File,
    size_bytes: u64,
    opener: Option<Opener>,
}

impl BlobFile {
    /// A file that has the name of this blob, and is in this form.
    ///
    /// # Errors
    /// `Corrupt`, as far as that is seen at once; `NoKey`; what the disk reports.
    pub(crate) fn new(
        path: PathBuf,
        file: File,
        hash: ContentHash,
        form: Form,
        sealing: &Sealing,
    ) -> Result<Self, BlobError> {
        let stored_bytes = file.metadata().at(&path)?.len();
        let opener = match form {
            Form::Plain => None,
            Form::Sealed => {
                let header = pread(&file, 0, HEADER_BYTES as usize).at(&path)?;
                Some(Opener::new(sealing, hash, &header, stored_bytes)?)
            }
        };
        let size_bytes = opener.as_ref().map_or(stored_bytes, Opener::plain_bytes);
        Ok(Self {
            path,
            file,
            size_bytes,
            opener,
        })
    }

    /// How many plain bytes there are.
    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether the bytes are in the form in which they would be written now.
    pub(crate) fn is_current(&self) -> bool {
        self.opener.as_ref().is_some_and(Opener::is_current)
    }

    /// The plain bytes in this range, fewer when the file ends earlier.
    pub(crate) fn chunks(
        self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static {
        let Range { mut start, end } = range;
        let mut end = end.min(self.size_bytes);
        std::iter::from_fn(move || {
            // The next chunk begins where a segment does.
            let until = (start + READ_BYTES - start % super::SEGMENT_BYTES).min(end);
            if start >= until {
                return None;
            }
            match self.read(start..until) {
                Ok(chunk) if chunk.is_empty() => None,
                Ok(chunk) => {
                    start += chunk.len() as u64;
                    Some(Ok(chunk.into()))
                }
                Err(error) => {
                    end = start;
                    Some(Err(error))
                }
            }
        })
    }

    fn read(&self, plain: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let length = (plain.end - plain.start) as usize;
        let Some(opener) = &self.opener else {
            return pread(&self.file, plain.start, length).at(&self.path);
        };
        let (stored, begin) = opener.segments(&plain);
        let stored_length = (stored.end - stored.start) as usize;
        let mut segments = pread(&self.file, stored.start, stored_length).at(&self.path)?;
        let mut bytes = opener.open(begin, &mut segments)?;
        let skipped = ((plain.start - begin) as usize).min(bytes.len());
        bytes.drain(..skipped);
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The hash of the plain bytes.
    pub(crate) fn hash(&self) -> Result<ContentHash, BlobError> {
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        loop {
            let chunk = self.read(at..at.saturating_add(READ_BYTES).min(self.size_bytes))?;
            if chunk.is_empty() {
                return Ok(ContentHash::from_bytes(hasher.finalize().into()));
            }
            hasher.update(&chunk);
            at += chunk.len() as u64;
        }
    }

    /// A file with the plain bytes. Of a sealed blob it is one without a name, which is gone with the last who has it
    /// open: in memory where it is small, else in the scratch folder.
    pub(crate) fn into_plain(self, sealing: &Sealing) -> Result<File, BlobError> {
        if self.opener.is_none() {
            return Ok(self.file);
        }
        let scratch = sealing.scratch();
        let mut plain = if self.size_bytes <= IN_MEMORY_BYTES {
            rustix::fs::memfd_create("blob", MemfdFlags::CLOEXEC)
                .at(scratch)?
                .into()
        } else {
            unnamed(scratch).at(scratch)?
        };
        for chunk in self.chunks(0..u64::MAX) {
            plain.write_all(&chunk?).at(scratch)?;
        }
        plain.seek(SeekFrom::Start(0)).at(scratch)?;
        Ok(plain)
    }
}

/// A file without a name in this folder.
fn unnamed(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    let opened = options
        .clone()
        .custom_flags(OFlags::TMPFILE.bits().cast_signed())
        .open(folder);
    match opened {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::IsADirectory | ErrorKind::InvalidInput
            ) =>
        {
            // A file system that has none: its name is taken away at once.
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{number}", std::process::id()));
            let file = options.create_new(true).open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        }
        opened => opened,
    }
}

/// `length` bytes of a file, fewer at its end.
fn pread(file: &File, offset: u64, length: usize) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let before = bytes.len();
        match rustix::io::pread(file, spare_capacity(&mut bytes), offset + before as u64) {
            Err(Errno::INTR) => {}
            result => {
                result?;
                if bytes.len() == before {
                    break;
                }
            }
        }
    }
    // A vector may have more capacity than it was asked for.
    bytes.truncate(length);
    Ok(bytes)
}
