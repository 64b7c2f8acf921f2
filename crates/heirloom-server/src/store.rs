//! Where the blobs of a library lie: in its data folder, or in a bucket.
//!
//! A library that keeps them in a bucket has the file `store` in its data folder, which says where, and the random name
//! that the bucket has too. So a bucket that is empty, or another library's, is never taken for the right one.

use std::{fs, io, path::Path, sync::Arc};

use heirloom_blobs::{
    BlobStore, Cache, FolderStore, Remote, RemoteLocation, S3Location, S3Settings, S3Store, Sealing,
};
use heirloom_db::clock;
use uuid::Uuid;

use crate::{
    data_folder::DataFolder,
    encryption::MasterSource,
    problem::{Code, Problem},
};

/// Where blobs are kept, and what has to be known of S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The bucket; without one they lie in the data folder.
    pub bucket: Option<S3Location>,
    /// What the names of buckets do not say; for backups too.
    pub s3: S3Settings,
    /// What the copies of blobs in a bucket take at most in the data folder.
    pub cache_bytes: u64,
    /// Whether browsers are sent to the bucket for bytes, with an address that is good for a few minutes.
    pub is_redirecting: bool,
    /// What opens the keys of blobs that are encrypted.
    pub master: Option<MasterSource>,
}

/// What the cache takes if nobody says otherwise.
pub const CACHE_BYTES: u64 = 10_000_000_000;

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            bucket: None,
            s3: S3Settings::default(),
            cache_bytes: CACHE_BYTES,
            is_redirecting: false,
            master: None,
        }
    }
}

impl StoreConfig {
    /// The origin that browsers are sent to, if they are.
    pub(crate) fn redirect_origin(&self) -> Option<String> {
        let bucket = self.bucket.as_ref().filter(|_| self.is_redirecting)?;
        Some(bucket.origin(&self.s3))
    }
}

/// What the file `store` says.
struct Mark {
    location: String,
    owner: String,
    is_made: bool,
}

const MADE: &str = "made";
const MAKING: &str = "being made";

impl Mark {
    fn load(path: &Path) -> Result<Option<Self>, Problem> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(Problem::internal)?,
        };
        let mut lines = text.lines();
        let mut next = || lines.next().map(str::to_owned);
        match (next(), next(), next()) {
            (Some(location), Some(owner), Some(state)) if !owner.is_empty() => Ok(Some(Self {
                location,
                owner,
                is_made: state == MADE,
            })),
            _ => Err(Problem::new(
                Code::Damaged,
                format!("{} does not say where the blobs are", path.display()),
            )
            .hint("Put a backup of it in its place. The blobs are not touched by this.")),
        }
    }

    fn save(&self, path: &Path) -> Result<(), Problem> {
        let state = if self.is_made { MADE } else { MAKING };
        let text = format!("{}\n{}\n{state}\n", self.location, self.owner);
        let partial = path.with_extension("incoming");
        let write = || {
            fs::write(&partial, text)?;
            fs::File::open(&partial)?.sync_all()?;
            fs::rename(&partial, path)
        };
        write().map_err(Problem::internal)
    }
}

/// Opens the store of a library, making it where there never was one.
pub(crate) async fn open(
    folder: &DataFolder,
    config: &StoreConfig,
    sealing: Sealing,
) -> Result<Arc<dyn BlobStore>, Problem> {
    let (mark_path, blobs) = (folder.store(), folder.blobs());
    let mark = Mark::load(&mark_path)?;
    let Some(bucket) = &config.bucket else {
        if let Some(mark) = mark {
            let message = format!("the blobs of this library are in {}", mark.location);
            return Err(Problem::new(Code::Refused, message)
                .hint("Set `store` in its config.toml, or HEIRLOOM_STORE, to that."));
        }
        let opening =
            tokio::task::spawn_blocking(move || FolderStore::create_sealed(blobs, sealing));
        return Ok(Arc::new(opening.await.map_err(Problem::internal)??));
    };
    if mark.is_none() && blobs.symlink_metadata().is_ok() {
        let message =
            "the blobs of this library are in its data folder, and moving them is not possible yet";
        return Err(Problem::new(Code::Refused, message)
            .hint("Take `store` out of its configuration, or begin another library with --data."));
    }
    let (cache, cap_bytes) = (folder.cache(), config.cache_bytes);
    let opening =
        tokio::task::spawn_blocking(move || Cache::open_sealed(cache, cap_bytes, sealing));
    let cache = opening.await.map_err(Problem::internal)??;
    open_bucket(&mark_path, mark, cache, bucket, config).await
}

async fn open_bucket(
    mark_path: &Path,
    mark: Option<Mark>,
    cache: Cache,
    bucket: &S3Location,
    config: &StoreConfig,
) -> Result<Arc<dyn BlobStore>, Problem> {
    let location = RemoteLocation::S3(bucket.clone());
    let remote = Remote::open(&location, &config.s3).await;
    let remote = remote.map_err(heirloom_blobs::BlobError::from)?;
    let mark = match mark {
        Some(mark) => mark,
        None => {
            let mark = Mark {
                location: location.to_string(),
                owner: Uuid::new_v4().to_string(),
                is_made: false,
            };
            mark.save(mark_path)?;
            mark
        }
    };
    if mark.is_made {
        let store = S3Store::open(remote, cache, &mark.owner, clock::now_ms).await?;
        return Ok(Arc::new(store));
    }
    let made = S3Store::create(remote, cache, &mark.owner, clock::now_ms).await;
    if made.is_err() {
        // Nothing is there yet that it could lead to.
        let _ = fs::remove_file(mark_path);
    }
    let store = made?;
    let mark = Mark {
        is_made: true,
        ..mark
    };
    mark.save(mark_path)?;
    Ok(Arc::new(store))
}
