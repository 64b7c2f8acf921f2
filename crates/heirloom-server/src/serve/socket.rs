//! The socket in the data folder. Who may open the file is the operator.

use std::{
    fs, io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use crate::{data_folder, problem::Problem};

/// The socket, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    listener: UnixListener,
}

impl Socket {
    /// Listens at `path`, in place of what a process that was killed left there: whoever holds the
    /// data folder's lock is the only one that listens.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn bind(path: &Path) -> Result<Self, Problem> {
        let listener = bind(path).map_err(|error| data_folder::explain(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            listener,
        })
    }

    pub(super) const fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let missing = || io::Error::from(io::ErrorKind::InvalidInput);
    let (folder, name) = (
        path.parent().ok_or_else(missing)?,
        path.file_name().ok_or_else(missing)?,
    );
    // It gets its place only when nobody else may open it.
    let mut draft_name = name.to_owned();
    draft_name.push(".new");
    let draft = folder.join(&draft_name);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // An address holds 107 bytes, and a data folder may lie deeper: through a handle of the folder
    // the address is short.
    let handle = fs::File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd())).join(&draft_name);
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o600))?;
    fs::rename(&draft, path)?;
    Ok(listener)
}
