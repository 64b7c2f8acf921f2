//! A file that grows until it is whole, with the hash of its bytes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{error::ModelError, manifest::hex, store::CHUNK_BYTES};

/// Bytes that have come so far.
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    hash: Sha256,
    pub(crate) bytes: u64,
    most: u64,
}

impl Part {
    /// An empty one, in the place of what was there.
    pub(crate) fn begin(path: &Path, most: u64) -> Result<Self, ModelError> {
        let file = File::create(path).map_err(ModelError::io("written", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            hash: Sha256::new(),
            bytes: 0,
            most,
        })
    }

    /// One with what came before.
    pub(crate) fn go_on(
        path: &Path,
        most: u64,
        cancel: &CancellationToken,
    ) -> Result<Self, ModelError> {
        match fs::metadata(path) {
            Ok(found) if found.len() > 0 && found.len() <= most => {}
            _ => return Self::begin(path, most),
        }
        let open = OpenOptions::new().append(true).open(path);
        let mut part = Self {
            file: open.map_err(ModelError::io("written", path))?,
            path: path.to_owned(),
            hash: Sha256::new(),
            bytes: 0,
            most,
        };
        let mut before = File::open(path).map_err(ModelError::io("read", path))?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            match before
                .read(&mut chunk)
                .map_err(ModelError::io("read", path))?
            {
                0 => return Ok(part),
                count => {
                    part.hash.update(&chunk[..count]);
                    part.bytes += count as u64;
                }
            }
        }
    }

    /// Throws away what came.
    pub(crate) fn empty(&mut self) -> Result<(), ModelError> {
        *self = Self::begin(&self.path, self.most)?;
        Ok(())
    }

    /// Takes bytes, unless these are more than there should be.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        self.check_room(bytes.len() as u64)?;
        self.file
            .write_all(bytes)
            .map_err(ModelError::io("written", &self.path))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Refuses more bytes than there should be.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), ModelError> {
        if self.bytes.saturating_add(bytes) <= self.most {
            return Ok(());
        }
        let what = self.path.file_name().unwrap_or_default().to_string_lossy();
        Err(ModelError::TooLarge {
            // Its own name is what stands before the kind of source.
            what: what.split(".source.").next().unwrap_or_default().to_owned(),
            most: self.most,
        })
    }

    /// Takes everything that somebody reads.
    pub(crate) fn take_all(
        &mut self,
        mut from: impl Read,
        cancel: &CancellationToken,
        report: impl Fn(u64),
    ) -> Result<(), ModelError> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            let count = match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(ModelError::Source(format!("it cannot be read: {error}")));
                }
            };
            self.take(&chunk[..count])?;
            report(self.bytes);
        }
    }

    /// Brings it to the disk; gives where it is, and its hash.
    pub(crate) fn end(self) -> Result<(PathBuf, String), ModelError> {
        self.file
            .sync_all()
            .map_err(ModelError::io("written", &self.path))?;
        Ok((self.path, hex(&self.hash.finalize())))
    }
}
