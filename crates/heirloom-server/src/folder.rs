//! The folders of this machine, for who names one: their names alone, and the operator's alone.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use axum::{Json, extract::State};
use heirloom_core::{path, permission::Action, text::fold};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::Query,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(list_folders))
}

/// The most folders that are named.
const MOST: usize = 1_000;
/// Folders that are the system's, and nobody's pictures.
const SYSTEM: [&str; 12] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin",
    "/sys", "/usr",
];
/// What systems leave in any folder.
const LEFTOVERS: [&str; 4] = [
    "lost+found",
    "System Volume Information",
    "$RECYCLE.BIN",
    "@eaDir",
];

/// Which folder.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Within {
    /// The folder whose folders are listed: an absolute path of the machine that serves, as path text. Without it,
    /// the root.
    path: Option<String>,
}

/// The folders in a folder of the machine that serves, by name: no files, nothing hidden, nothing of the system's and
/// nothing of Heirloom's own. For who chooses an archive, or a folder for an export or a backup.
#[utoipa::path(get, path = "/api/v1/folders", tag = "machine", params(Within), responses(
    (status = 200, description = "The folders in it", body = wire::Folders),
    (status = 422, description = "It is not there, is no folder, or may not be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_folders(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(within): Query<Within>,
) -> Result<Json<wire::Folders>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let folder = parse_folder(within.path.as_deref().unwrap_or("/"))?;
    let own = library.folder().to_owned();
    let listing = tokio::task::spawn_blocking(move || list(&folder, &own));
    Ok(Json(listing.await.map_err(Problem::internal)??))
}

fn list(folder: &Path, own: &Path) -> Result<wire::Folders, Problem> {
    let refused = |error: io::Error| refuse(folder, &error);
    let folder = folder.canonicalize().map_err(refused)?;
    let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
    if is_of_others(&folder) || folder.starts_with(&own) {
        let what = format!("{} is the system's or Heirloom's own", folder.display());
        return Err(Problem::new(Code::FolderForbidden, what).hint("Choose another folder."));
    }
    let mut names: Vec<OsString> = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_left_out = name.as_bytes().starts_with(b".")
            || LEFTOVERS.iter().any(|left| name == *left)
            || is_of_others(&path)
            || path == own;
        // What a link leads to counts, so that a folder is not lost for lying elsewhere.
        if !is_left_out && std::fs::metadata(&path).is_ok_and(|it| it.is_dir()) {
            names.push(name);
        }
    }
    names.sort_by_cached_key(|name| (fold(&name.to_string_lossy()), name.clone()));
    let is_cut = names.len() > MOST;
    names.truncate(MOST);
    let text = |path: &OsStr| path::to_text(path.as_bytes());
    Ok(wire::Folders {
        path: text(folder.as_os_str()),
        parent: folder.parent().map(|parent| text(parent.as_os_str())),
        folders: names
            .iter()
            .map(|name| wire::Folder {
                name: text(name),
                path: text(folder.join(name).as_os_str()),
            })
            .collect(),
        is_cut,
    })
}

fn is_of_others(folder: &Path) -> bool {
    SYSTEM.iter().any(|system| folder.starts_with(system))
}

fn refuse(folder: &Path, error: &io::Error) -> Problem {
    let (code, what, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            Code::NothingThere,
            format!("there is nothing at {}", folder.display()),
            "Check the path. Is the disk that it is on plugged in and mounted?",
        ),
        io::ErrorKind::NotADirectory => (
            Code::NotAFolder,
            format!("{} is not a folder", folder.display()),
            "Choose the folder that it is in.",
        ),
        io::ErrorKind::PermissionDenied => (
            Code::FolderUnreadable,
            format!("the folder {} may not be read", folder.display()),
            "Give the user that Heirloom runs as the right to read it.",
        ),
        _ => (
            Code::Unavailable,
            format!("the folder {} cannot be read: {error}", folder.display()),
            "Look at the disk that it is on.",
        ),
    };
    Problem::new(code, what).hint(hint)
}

/// A folder that is named by path text.
pub(crate) fn parse_folder(text: &str) -> Result<PathBuf, Problem> {
    let bytes = path::to_bytes(text).filter(|bytes| bytes.starts_with(b"/") && !bytes.contains(&0));
    bytes
        .map(|bytes| OsString::from_vec(bytes).into())
        .ok_or_else(|| {
            Problem::new(Code::NotAbsolute, format!("{text:?} is no absolute path"))
                .hint("Write it from the root on, such as /media/stick/Family.")
        })
}
