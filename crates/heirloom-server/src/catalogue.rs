//! The catalogue's file, while no library is open.

use std::path::{Path, PathBuf};

use heirloom_db::{DbError, take_pages};

use crate::{data_folder::DataFolder, problem::Problem};

/// Takes the pages of a catalogue in SQLite as they are, where another program copied or changed it; gives where it is
/// kept as it was found, or `None` where each page is as it was written.
///
/// # Errors
/// `in_use` while somebody has the library open, `damaged` for what makes no sense, `no_library`, `no_space`,
/// `read_only`; the catalogue says what it said then.
pub async fn take_catalogue(folder: &Path) -> Result<Option<PathBuf>, Problem> {
    let folder = DataFolder::open(folder, false)?;
    take_pages(&folder.catalogue())
        .await
        .map_err(|error| match error {
            DbError::Damaged { .. } => Problem::from(error).hint(
                "It cannot be taken. `heirloom restore` has the catalogue of a backup; without one, what can still be \
                 read of this one goes into a new file: see docs/damage.md.",
            ),
            other => other.into(),
        })
}
