//! The file that a report is written to. It must not be below an archive: nothing is ever written
//! there, not even what somebody asked for by mistake.

use std::{
    io::{self, BufWriter, Write as _},
    os::unix::ffi::OsStrExt as _,
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

/// Refuses a file that is or would be below `root`.
pub(super) fn refuse_below(file: &Path, root: &Path, archive: Option<&str>) -> Result<(), Problem> {
    if !resolve(file).starts_with(root) {
        return Ok(());
    }
    let what = archive.map_or_else(
        || "the folder that is to be scanned".to_owned(),
        |name| format!("the archive {name:?}"),
    );
    Err(Problem::new(
        Code::InvalidRequest,
        format!("the report {} would be inside {what}", file.display()),
    )
    .hint("Nothing is ever written there. Name a file elsewhere."))
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
                refuse_below(file, root, Some(&archive.name))?;
            }
        }
        let file = resolve(file);
        if file.is_dir() {
            return Err(Problem::new(
                Code::InvalidRequest,
                format!("{} is a folder and not a file", file.display()),
            )
            .hint("Name a file in it."));
        }
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
    Problem::new(
        Code::InvalidRequest,
        format!("the report {} cannot be written: {error}", file.display()),
    )
    .hint("Name a file in a folder that exists and that you may write to.")
}
