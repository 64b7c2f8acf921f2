//! Opening one original to hand its bytes on.

use std::{
    fs::File,
    io::{self, Seek as _},
    path::Path,
};

use heirloom_blobs::BlobError;
use heirloom_core::ContentHash;
use heirloom_db::{DbError, location::LivePlace, workpiece::Workpiece};

use crate::{
    Context,
    archive::path_of,
    original::{EntryKind, Root},
};

/// An original, open for reading.
#[derive(Debug)]
pub struct Original {
    /// Its bytes, from the first.
    pub file: File,
    /// How many there are.
    pub size_bytes: u64,
    /// Whether its bytes are known to be others than those that were catalogued.
    pub is_damaged: bool,
}

/// Why an original cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is at none of its places.
    #[error("the original of {name:?} is at none of its places")]
    Gone {
        /// What the asset is called.
        name: String,
    },
    /// Files are at its places, but not as they were when they were last read.
    #[error("the file at the place of {name:?} was changed since it was last read")]
    Changed {
        /// What the asset is called.
        name: String,
    },
    /// It is at its place and cannot be read there.
    #[error("the original of {name:?} is there and cannot be read: {why}")]
    Unreadable {
        /// What the asset is called.
        name: String,
        /// What the system says.
        why: String,
    },
    /// Its bytes lie in an archive, and have to be brought back first.
    #[error("the original of {name:?} lies in an archive and has to be brought back first")]
    Archived {
        /// What the asset is called.
        name: String,
    },
    /// Its bytes are damaged wherever it lies.
    #[error(
        "the original of {name:?} is damaged: its bytes are no longer those that were catalogued"
    )]
    Damaged {
        /// What the asset is called.
        name: String,
    },
    /// The catalogue does not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// How many of an asset's places are tried.
const PLACES: usize = 16;

/// Opens an asset's original at the first of its places where it lies as it was catalogued: with the
/// same size and times, so that its bytes are those of the asset's hash. Where even a permission was
/// changed since, a scan has to read it first. Where it was found damaged it is opened only if
/// `may_be_damaged`, and then only when it is nowhere else. That the actor may see the asset was
/// checked by whoever fetched it.
///
/// # Errors
/// [`OpenError`] tells whether it is gone, changed, damaged or not to be read.
pub async fn open_original(
    ctx: &Context,
    asset: &Workpiece,
    may_be_damaged: bool,
) -> Result<Original, OpenError> {
    let (mut has_changed, mut is_damaged, mut is_archived) = (false, false, false);
    let mut unreadable = None;
    for place in ctx.db.list_live_places(asset.id, PLACES).await? {
        if place.damaged_at_ms.is_some() && !may_be_damaged {
            is_damaged = true;
            continue;
        }
        let opened = match place.root.clone() {
            None => open_in_vault(ctx, asset, &place).await,
            Some(root) => open_in_folder(&root, place).await,
        };
        match opened {
            Ok(Some(original)) => return Ok(original),
            Ok(None) => has_changed = true,
            Err(error) if is_in_archive(&error) => is_archived = true,
            Err(error) => {
                tracing::debug!(%error, asset = %asset.id, "a place cannot be opened");
                // What is at its place now is a link, or nothing.
                let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
                let is_gone = is_link
                    || matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    );
                unreadable = unreadable.or((!is_gone).then(|| error.to_string()));
            }
        }
    }
    let name = asset.name.clone();
    Err(if is_archived {
        OpenError::Archived { name }
    } else if is_damaged {
        OpenError::Damaged { name }
    } else if has_changed {
        OpenError::Changed { name }
    } else if let Some(why) = unreadable {
        OpenError::Unreadable { name, why }
    } else {
        OpenError::Gone { name }
    })
}

/// Opens an original at the first of its places where all of its bytes are right, which are read for that; `None` when
/// there is none. What whoever opened it and found it damaged takes in its place.
///
/// # Errors
/// What the catalogue reports.
pub(crate) async fn open_sound_original(
    ctx: &Context,
    asset: &Workpiece,
) -> Result<Option<File>, DbError> {
    let hash = asset.content_hash;
    for place in ctx.db.list_live_places(asset.id, PLACES).await? {
        let opened = match place.root.clone() {
            None => ctx.blobs.open_sound(hash).await.ok(),
            Some(root) => match open_in_folder(&root, place).await {
                Ok(Some(original)) => {
                    let reading =
                        tokio::task::spawn_blocking(move || sound_file(original.file, hash));
                    reading.await.ok().and_then(Result::ok).flatten()
                }
                _ => None,
            },
        };
        if opened.is_some() {
            return Ok(opened);
        }
    }
    Ok(None)
}

/// A file at its beginning, if its bytes are those of the hash.
fn sound_file(mut file: File, hash: ContentHash) -> io::Result<Option<File>> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file)?;
    file.rewind()?;
    Ok((hash == ContentHash::from_bytes(hasher.finalize().into())).then_some(file))
}

fn is_in_archive(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(BlobError::Archived { .. }))
}

/// Whether an asset is a sound blob of the vault.
///
/// # Errors
/// What the catalogue reports.
pub async fn is_in_vault(ctx: &Context, asset: &Workpiece) -> Result<bool, DbError> {
    let places = ctx.db.list_live_places(asset.id, PLACES).await?;
    Ok(places
        .iter()
        .any(|place| place.root.is_none() && place.damaged_at_ms.is_none()))
}

/// Opens the first of an asset's files in a folder archive that is sound; `None` when there is none.
pub(crate) async fn open_outside_vault(
    ctx: &Context,
    asset: &Workpiece,
) -> Result<Option<File>, DbError> {
    for place in ctx.db.list_live_places(asset.id, PLACES).await? {
        let Some(root) = place.root.clone().filter(|_| place.damaged_at_ms.is_none()) else {
            continue;
        };
        if let Ok(Some(original)) = open_in_folder(&root, place).await {
            return Ok(Some(original.file));
        }
    }
    Ok(None)
}

/// Opens the blob that is an original. Nobody writes to a blob, so one of the right length is taken for
/// what it is until a check has read it.
async fn open_in_vault(
    ctx: &Context,
    asset: &Workpiece,
    place: &LivePlace,
) -> io::Result<Option<Original>> {
    let opened = ctx.blobs.open_file(asset.content_hash).await;
    let file = opened.map_err(|error| match error {
        BlobError::NotFound { .. } => io::ErrorKind::NotFound.into(),
        error => io::Error::other(error),
    })?;
    let size_bytes = file.metadata()?.len();
    let is_whole = i64::try_from(size_bytes) == Ok(place.size_bytes);
    Ok(is_whole.then_some(Original {
        file,
        size_bytes,
        is_damaged: place.damaged_at_ms.is_some(),
    }))
}

/// Opens the file at a place in a folder archive for reading; `None` when it does not lie there as it was
/// catalogued.
pub(crate) async fn open_place(place: LivePlace) -> io::Result<Option<Original>> {
    match place.root.clone() {
        Some(root) => open_in_folder(&root, place).await,
        None => Ok(None),
    }
}

async fn open_in_folder(root: &str, place: LivePlace) -> io::Result<Option<Original>> {
    let root = path_of(root).ok_or(io::ErrorKind::InvalidInput)?;
    let opened = tokio::task::spawn_blocking(move || open_at(&root, &place)).await;
    opened.map_err(io::Error::other).flatten()
}

/// Opens the file at a place; `None` when it is not what was catalogued there.
fn open_at(root: &Path, place: &LivePlace) -> io::Result<Option<Original>> {
    let folder = Root::open(root)?.open_folder(&place.folder_path)?;
    let (file, stat) = folder.open_file(&place.name)?;
    let catalogued = (place.size_bytes, place.modified_at_ns, place.changed_at_ns);
    let is_same = stat.kind == EntryKind::File
        && stat.is_as_catalogued(catalogued, folder.keeps_change_times()?);
    Ok(is_same.then_some(Original {
        file,
        size_bytes: stat.size_bytes,
        is_damaged: place.damaged_at_ms.is_some(),
    }))
}
