//! How a repository is named: `/path`, `s3://BUCKET/PREFIX` or `sftp://USER@HOST/PATH`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use heirloom_blobs::{RemoteLocation, S3Location, S3Settings};
use heirloom_db::archive::Archive;

use super::BackupError;
use crate::archive::{find_around, resolve};

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryLocation {
    /// A folder on this machine, or on a disk that is mounted here.
    Folder(PathBuf),
    /// A place on another machine, and what has to be known of S3.
    Remote(RemoteLocation, S3Settings),
}

impl RepositoryLocation {
    /// Reads a name. A relative path is taken from `here`, and `s3` says what the name of a bucket does not.
    ///
    /// # Errors
    /// [`BackupError::Refused`] for what names no repository.
    pub fn parse(text: &str, here: &Path, s3: &S3Settings) -> Result<Self, BackupError> {
        let refused =
            |why: &str| BackupError::Refused(format!("{text:?} names no repository: {why}"));
        if text.is_empty() || text.contains('\0') {
            return Err(refused("it is empty"));
        }
        if let Some(remote) = RemoteLocation::parse(text) {
            return Ok(Self::Remote(remote.map_err(refused)?, s3.clone()));
        }
        for scheme in ["rest:", "rclone:", "b2:", "azure:", "gs:", "swift:"] {
            if text.starts_with(scheme) {
                return Err(refused("only folders, S3 and SFTP are supported so far"));
            }
        }
        Ok(Self::Folder(here.join(text)))
    }
}

impl RepositoryLocation {
    /// Refuses a repository in the data folder or the store of the blobs, or in an archive, where nothing is ever
    /// written.
    ///
    /// # Errors
    /// [`BackupError::Refused`].
    pub fn check_place(
        &self,
        data_folder: &Path,
        stores: &[S3Location],
        archives: &[Archive],
    ) -> Result<(), BackupError> {
        let path = match self {
            Self::Folder(path) => resolve(path),
            Self::Remote(RemoteLocation::S3(place), _)
                if stores.iter().any(|store| place.overlaps(store)) =>
            {
                return Err(BackupError::Refused(
                    "a backup in the store of the blobs itself would be lost with it".to_owned(),
                ));
            }
            Self::Remote(..) => return Ok(()),
        };
        if path.starts_with(data_folder) {
            return Err(BackupError::Refused(
                "a backup in the data folder itself would be lost with it".to_owned(),
            ));
        }
        if let Some(archive) = find_around(&path, archives) {
            return Err(BackupError::Refused(format!(
                "{} is inside the archive {:?}, and nothing is ever written there",
                path.display(),
                archive.name
            )));
        }
        Ok(())
    }
}

impl fmt::Display for RepositoryLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Remote(remote, _) => remote.fmt(f),
        }
    }
}
