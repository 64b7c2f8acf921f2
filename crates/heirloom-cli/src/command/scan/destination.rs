//! The file that a report is written to. It must not be below an archive, where nothing is ever
//! written, nor in the place of something of Heirloom's own: not even what somebody asked for by mistake.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use heirloom_core::{RunId, path};
use heirloom_server::{
    Body, Code, Problem,
    wire::{Archive, Page},
};
use http::Method;
use http_body_util::BodyExt as _;
use tempfile::NamedTempFile;

use super::resolve;
use crate::api::Api;

/// Where the report goes, once it is whole.
#[derive(Debug)]
pub(super) struct Destination {
    file: PathBuf,
    draft: NamedTempFile,
}

/// Refuses a file that is or would be in `folder`, of which `what` says what it is.
pub(super) fn refuse_below(file: &Path, folder: &Path, what: &str) -> Result<(), Problem> {
    if !resolve(file).starts_with(folder) {
        return Ok(());
    }
    Err(refuse(file, &format!("would be inside {what}"))
        .hint("Nothing is ever written there. Name a file elsewhere."))
}

/// Refuses what a report must not take the place of: anything of Heirloom's own, by whichever name,
/// and anything that is no file, such as a device.
pub(super) fn refuse_existing(file: &Path, data_folder: &Path) -> Result<(), Problem> {
    refuse_below(file, data_folder, "Heirloom's own data folder")?;
    let meant = match fs::metadata(file) {
        Ok(meant) => meant,
        // Nothing is there, and no link that leads nowhere either.
        Err(_) if fs::symlink_metadata(file).is_err() => return Ok(()),
        Err(_) => return Err(refuse(file, "is a link that leads nowhere").hint(ELSEWHERE)),
    };
    if meant.is_dir() {
        return Err(refuse(file, "is a folder and not a file").hint("Name a file in it."));
    }
    if !meant.is_file() {
        return Err(refuse(file, "is no ordinary file").hint(ELSEWHERE));
    }
    if meant.nlink() > 1 && is_linked_below(data_folder, &meant) {
        return Err(refuse(file, "is another name of a file of Heirloom's own").hint(ELSEWHERE));
    }
    Ok(())
}

const ELSEWHERE: &str = "Name a new file, or an earlier report.";

fn refuse(file: &Path, why: &str) -> Problem {
    Problem::new(
        Code::InvalidRequest,
        format!("the report {} {why}", file.display()),
    )
}

/// Whether a file in the folder is that very file.
fn is_linked_below(folder: &Path, file: &fs::Metadata) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => is_linked_below(&entry.path(), file),
        Ok(found) => (found.dev(), found.ino()) == (file.dev(), file.ino()),
        Err(_) => false,
    })
}

impl Destination {
    /// Makes sure that the report can be written before anything is scanned.
    ///
    /// # Errors
    /// A file below an archive, and what the operating system says.
    pub(super) async fn prepare(api: &Api, file: &Path) -> Result<Self, Problem> {
        let archives: Page<Archive> = api.get("/api/v1/archives").await?;
        for archive in &archives.items {
            let root = archive.path.as_deref().and_then(path::to_bytes);
            if let Some(root) = root {
                let root = Path::new(std::ffi::OsStr::from_bytes(&root));
                refuse_below(file, root, &format!("the archive {:?}", archive.name))?;
            }
        }
        let file = resolve(file);
        let folder = file.parent().unwrap_or(Path::new("/"));
        // A new file under the old name: what else may have that name's bytes, by a hard link, keeps them.
        let draft = NamedTempFile::new_in(folder).map_err(|error| explain(&file, &error))?;
        Ok(Self { file, draft })
    }

    /// Writes what a run found.
    ///
    /// # Errors
    /// What the API refused and what the operating system says.
    pub(super) async fn fill(self, api: &Api, run: RunId) -> Result<(), Problem> {
        let path = format!("/api/v1/runs/{run}/report");
        let res = api.send(Method::GET, &path, &[], None).await?;
        copy(res.into_body(), &self.draft)
            .await
            .map_err(|error| explain(&self.file, &error))?;
        self.draft
            .persist(&self.file)
            .map_err(|error| explain(&self.file, &error.error))?;
        Ok(())
    }
}

async fn copy(mut body: Body, draft: &NamedTempFile) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(256 * 1024, draft.as_file());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        if let Ok(bytes) = frame.into_data() {
            file.write_all(&bytes)?;
        }
    }
    file.flush()?;
    drop(file);
    // A draft is for its maker alone; a report is an ordinary file.
    use std::os::unix::fs::PermissionsExt as _;
    draft
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))?;
    draft.as_file().sync_all()
}

fn explain(file: &Path, error: &io::Error) -> Problem {
    // Behind the cause stands the path of the draft, which nobody knows.
    let text = error.to_string();
    let cause = text.split(" at path ").next().unwrap_or_default();
    refuse(file, &format!("cannot be written: {cause}"))
        .hint("Name a file in a folder that exists and that you may write to.")
}
