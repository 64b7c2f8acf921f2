//! Opening one original to hand its bytes on.

use std::{fs::File, io, path::Path};

use heirloom_db::{DbError, asset::Asset, location::LivePlace};

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
/// [`OpenError`] tells whether it is gone, changed or damaged.
pub async fn open_original(
    ctx: &Context,
    asset: &Asset,
    may_be_damaged: bool,
) -> Result<Original, OpenError> {
    let (mut has_changed, mut is_damaged) = (false, false);
    for place in ctx.db.list_live_places(asset.id, PLACES).await? {
        let Some(root) = place.root.as_deref().and_then(path_of) else {
            continue;
        };
        if place.damaged_at_ms.is_some() && !may_be_damaged {
            is_damaged = true;
            continue;
        }
        let opened = tokio::task::spawn_blocking(move || open_at(&root, &place)).await;
        match opened.map_err(io::Error::other).flatten() {
            Ok(Some(original)) => return Ok(original),
            Ok(None) => has_changed = true,
            Err(error) => tracing::debug!(%error, asset = %asset.id, "a place cannot be opened"),
        }
    }
    let name = asset.name.clone();
    Err(if is_damaged {
        OpenError::Damaged { name }
    } else if has_changed {
        OpenError::Changed { name }
    } else {
        OpenError::Gone { name }
    })
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
