//! Opening repositories, and the snapshots in them.

use std::{io, sync::Arc};

use heirloom_blobs::RemoteError;
use rustic_core::{
    ConfigOptions, Credentials, FileType, KeyOptions, OpenStatus, Repository, RepositoryBackends,
    RepositoryOptions, RusticError, repofile::SnapshotFile,
};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    BackupError, Progress, RepositoryLocation, Target, blocking,
    folder::FolderObjects,
    manifest::{CAPTURE, LABEL},
    objects::{self, Door, Lock, Objects},
    progress::Telling,
    remote::{IN_USE, RemoteObjects},
    whole::COPY_AGAIN,
};

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id, 64 hexadecimal digits.
    pub id: String,
    /// When it was made, in milliseconds since 1970.
    pub made_at_ms: i64,
    /// The machine that made it.
    pub host: String,
    /// Whether it was made between two backups, because something had changed.
    pub is_capture: bool,
    /// Files in it, and their bytes.
    pub files: u64,
    /// Bytes of all files in it.
    pub bytes: u64,
    /// Bytes that it added to the repository.
    pub bytes_added: u64,
}

/// How large a pack gets: so much is in memory several times over.
const PACK_SIZE: &str = "16MiB";

/// An open repository, with what keeps others out of it.
pub(super) struct Opened {
    pub(super) repository: Repository<OpenStatus>,
    pub(super) door: Arc<Door>,
    pub(super) location: String,
    pub(super) lock: Lock,
}

/// How a repository is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Together with others who read.
    Reading,
    /// Alone.
    Alone,
    /// Alone, and made where there is none.
    Creating,
}

/// The snapshots of libraries in a repository, the oldest first.
///
/// # Errors
/// [`BackupError`].
pub async fn list_snapshots(target: &Target) -> Result<Vec<Snapshot>, BackupError> {
    let target = target.clone();
    blocking(&CancellationToken::new(), move |cancel| {
        let opened = open(&target, Access::Reading, Arc::default(), cancel)?;
        let found = library_snapshots(&opened)?;
        Ok(found.iter().map(describe).collect())
    })
    .await
}

pub(super) fn open(
    target: &Target,
    access: Access,
    progress: Arc<Progress>,
    cancel: CancellationToken,
) -> Result<Opened, BackupError> {
    let location = target.location.to_string();
    let objects: Box<dyn Objects> = match &target.location {
        RepositoryLocation::Folder(path) => Box::new(FolderObjects::new(path.clone())),
        RepositoryLocation::Remote(remote, s3) => Box::new(RemoteObjects::open(remote, s3)?),
    };
    let trouble = |error: io::Error| explain_io(&location, &error);
    let is_there = match objects.list(FileType::Config) {
        Ok(found) => !found.is_empty(),
        // A file where a folder would be.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(BackupError::NotARepository(location));
        }
        Err(error) => return Err(trouble(error)),
    };
    if !is_there {
        // A server says of a bucket that is not there only what it says of an object.
        objects.list_top().map_err(trouble)?;
        if has_parts(&*objects).map_err(trouble)? {
            return Err(BackupError::Damaged(format!(
                "its file `config` is not there, and other parts of it are. {COPY_AGAIN}"
            )));
        }
        if access != Access::Creating {
            return Err(BackupError::NoRepository(location));
        }
        if !may_become_repository(&*objects).map_err(trouble)? {
            return Err(BackupError::NotARepository(location));
        }
        objects.create().map_err(trouble)?;
    }
    let lock = match objects.lock(access != Access::Reading) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            return Err(BackupError::Busy(location));
        }
        lock => lock.map_err(trouble)?,
    };
    let door = Door::new(objects, location.clone(), cancel);
    let backends = RepositoryBackends::new(door.clone(), None);
    let options = RepositoryOptions::default().no_cache(true);
    let explain = |error: Box<RusticError>| explain(&location, &door, &error);
    let repository =
        Repository::new_with_progress(&options, &backends, Telling(progress)).map_err(explain)?;
    let credentials = Credentials::password(target.key.text());
    let repository = if is_there {
        repository.open(&credentials).map_err(|error| {
            let keys = door.objects().list(FileType::Key);
            if keys.is_ok_and(|keys| keys.is_empty()) {
                let what = format!("its folder `keys` is empty. {COPY_AGAIN}");
                return BackupError::Damaged(what);
            }
            if let Some(damaged) = find_wrong_name(&door, FileType::Key) {
                return BackupError::Damaged(damaged);
            }
            if error.is_incorrect_password() {
                return BackupError::WrongKey(location.clone());
            }
            explain(error)
        })?
    } else {
        let mut config = ConfigOptions::default().set_datapack_growfactor(0_u32);
        config.set_datapack_size = PACK_SIZE.parse().ok();
        let made = repository.init(&credentials, &KeyOptions::default(), &config);
        made.map_err(explain)?
    };
    Ok(Opened {
        repository,
        door,
        location,
        lock,
    })
}

/// Whether nothing else is where a repository is to be made, or only what an interrupted making left there.
fn may_become_repository(objects: &dyn Objects) -> io::Result<bool> {
    let own = [
        "keys",
        "snapshots",
        "index",
        "data",
        "locks",
        "lost+found",
        "config-tmp-",
        IN_USE,
    ];
    let top = objects.list_top()?;
    Ok(top.iter().all(|name| own.contains(&name.as_str())))
}

/// Whether parts of a repository are there. One that lacks its config is half copied, and a new one over it would make
/// that worse; a making that was interrupted leaves none of these.
fn has_parts(objects: &dyn Objects) -> io::Result<bool> {
    Ok(!objects.list(FileType::Pack)?.is_empty() || !objects.list(FileType::Snapshot)?.is_empty())
}

/// An object whose bytes are not those of its name, or that cannot be read; in words.
pub(super) fn find_wrong_name(door: &Door, kind: FileType) -> Option<String> {
    let ids = door.objects().list(kind).ok()?;
    ids.into_iter()
        .find_map(|(id, _)| wrong_name(door, kind, &id))
}

/// What is wrong with an object that is named by the hash of its bytes, in words.
pub(super) fn wrong_name(door: &Door, kind: FileType, id: &rustic_core::Id) -> Option<String> {
    let path = objects::path(kind, id);
    match door.objects().read(kind, id) {
        Err(error) => Some(format!("{path} cannot be read: {error}")),
        Ok(bytes) => {
            let is_right = hex_of(&Sha256::digest(&bytes)) == id.to_hex().as_str();
            (!is_right).then(|| format!("{path} has other bytes than it was written with"))
        }
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The snapshots that are of this form, the oldest first.
pub(super) fn library_snapshots(opened: &Opened) -> Result<Vec<SnapshotFile>, BackupError> {
    let found = opened.repository.get_all_snapshots();
    let found = found.map_err(|error| {
        find_wrong_name(&opened.door, FileType::Snapshot)
            .map_or_else(|| opened.explain(&error), BackupError::Damaged)
    })?;
    let mut found: Vec<SnapshotFile> = found
        .into_iter()
        .filter(|snapshot| snapshot.label.starts_with(LABEL))
        .collect();
    found.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
    Ok(found)
}

/// A clock that is no further behind another is not called wrong.
const CLOCKS_DIFFER_MS: i64 = 3_600_000;

/// How many of the snapshots, which are in order, are not in the future. Those behind them were made by a clock that was
/// wrong, unless this machine's is: what is made now is newer, and nothing may be let go of for their sake.
pub(super) fn past_of(snapshots: &[SnapshotFile], now_ms: i64) -> usize {
    let until_ms = now_ms.saturating_add(CLOCKS_DIFFER_MS);
    snapshots.partition_point(|snapshot| snapshot.time.timestamp().as_millisecond() <= until_ms)
}

pub(super) fn describe(snapshot: &SnapshotFile) -> Snapshot {
    let summary = snapshot.summary.as_ref();
    Snapshot {
        id: snapshot.id.to_hex().as_str().to_owned(),
        made_at_ms: snapshot.time.timestamp().as_millisecond(),
        host: snapshot.hostname.clone(),
        is_capture: snapshot.tags.contains(CAPTURE),
        files: summary.map_or(0, |summary| summary.total_files_processed),
        bytes: summary.map_or(0, |summary| summary.total_bytes_processed),
        bytes_added: summary.map_or(0, |summary| summary.data_added_packed),
    }
}

impl Opened {
    pub(super) fn explain(&self, error: &RusticError) -> BackupError {
        explain(&self.location, &self.door, error)
    }
}

/// What went wrong in a repository.
pub(super) fn explain(location: &str, door: &Door, error: &RusticError) -> BackupError {
    if door.is_cancelled() {
        return BackupError::Cancelled;
    }
    if let Some(failure) = door.take_failure() {
        return explain_io(location, &failure);
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => {
                    BackupError::Damaged(plain(error))
                }
                _ => explain_io(location, cause),
            };
        }
        source = cause.source();
    }
    BackupError::Damaged(plain(error))
}

pub(super) fn explain_io(location: &str, error: &io::Error) -> BackupError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(remote) = inner {
        return BackupError::Remote(RemoteError::clone(remote));
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            BackupError::NoSpace(location.to_owned())
        }
        io::ErrorKind::ResourceBusy => BackupError::Busy(location.to_owned()),
        _ => BackupError::Unavailable(format!("{location}: {error}")),
    }
}

/// What the library says, as one line without its own dressing.
fn plain(error: &RusticError) -> String {
    let said = error.display_log();
    let said = said.strip_prefix("Error: ").unwrap_or(&said);
    undress(said)
}

/// One line of what the library says, without what is meant for its authors.
pub(super) fn undress(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = said
        .split(" For more information, see:")
        .next()
        .unwrap_or_default();
    let said = said
        .split(" Some additional details")
        .next()
        .unwrap_or_default();
    said.replace(" To repair: 'rustic repair index'.", "")
}

#[cfg(test)]
mod tests {
    use rustic_core::jiff::{Timestamp, tz::TimeZone};

    use super::*;
    use crate::backup::restore::latest;

    #[test]
    fn a_snapshot_in_the_future_is_not_the_newest_unless_all_are() {
        let hour_ms = 3_600_000;
        let made = |hour: i64| SnapshotFile {
            time: Timestamp::from_millisecond(hour * hour_ms)
                .unwrap()
                .to_zoned(TimeZone::UTC),
            label: hour.to_string(),
            ..SnapshotFile::default()
        };
        let newest = |now: i64| {
            let snapshots = [10, 20, 90_000].map(made).to_vec();
            (
                past_of(&snapshots, now * hour_ms),
                latest(snapshots, now * hour_ms).unwrap().label,
            )
        };
        assert_eq!(newest(100_000), (3, "90000".to_owned()));
        assert_eq!(newest(30), (2, "20".to_owned()));
        // Clocks differ a little.
        assert_eq!(newest(19), (2, "20".to_owned()));
        assert_eq!(newest(15), (1, "10".to_owned()));
        assert_eq!(newest(0), (0, "90000".to_owned()));
        assert!(matches!(
            latest(Vec::new(), 0),
            Err(BackupError::NoSnapshot(_))
        ));
    }
}
