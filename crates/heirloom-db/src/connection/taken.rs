//! Writing a catalogue in SQLite anew: one whose pages have no checksums yet, or none that hold because another program
//! wrote them.

use std::{
    fs::File,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::file::{RESERVE, begin, check_file, run};
use crate::{
    DbError, clock,
    migrate::{FOUND, complete_file, remove, sync_folder_of, unavailable},
    page::{find_damaged, read_full},
};

/// Takes the pages of a SQLite file as they are, if what they say makes sense in itself, and writes them anew with
/// checksums. Gives where the file is kept as it was found; `None` where each page is as it was written and nothing is
/// to be done. Nobody else has it open.
///
/// # Errors
/// [`DbError::Damaged`] for what makes no sense, [`DbError::NoSpace`], [`DbError::ReadOnly`], and what SQLite says. The
/// file has what it had then.
pub async fn take_pages(path: &Path) -> Result<Option<PathBuf>, DbError> {
    let Some(text) = path.to_str() else {
        return Err(DbError::NotUtf8(path.to_owned()));
    };
    begin().await?;
    check_file(path).await?;
    if is_as_written(path.to_owned()).await? {
        return Ok(None);
    }
    let incoming = write_anew(path, true).await?;
    let kept = PathBuf::from(format!("{text}{FOUND}{}", clock::now_ms()));
    let placed = async {
        if tokio::fs::hard_link(path, &kept).await.is_err() {
            // Some file systems have one name for each file.
            tokio::fs::copy(path, &kept).await?;
            tokio::fs::File::open(&kept).await?.sync_all().await?;
        }
        put_in_place(path, &incoming).await
    };
    placed.await.map_err(unavailable)?;
    Ok(Some(kept))
}

/// Gives each page of a SQLite file a checksum, by writing all of it anew beside itself. Nobody else has it open.
///
/// # Errors
/// What SQLite says: the file is as it was then.
pub(super) async fn add_checksums(path: &Path) -> Result<(), DbError> {
    let incoming = write_anew(path, false).await?;
    put_in_place(path, &incoming).await.map_err(unavailable)
}

async fn is_as_written(path: PathBuf) -> Result<bool, DbError> {
    let looking = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        find_damaged(|buffer, offset| read_full(&file, buffer, offset))
    });
    let damaged = looking.await.map_err(io::Error::other).flatten();
    Ok(damaged.map_err(unavailable)?.count == 0)
}

/// Writes another file beside one that says the same and has all its checksums; `is_trusting` reads it without asking
/// for its own.
async fn write_anew(path: &Path, is_trusting: bool) -> Result<PathBuf, DbError> {
    let incoming = PathBuf::from(format!("{}.incoming", path.display()));
    remove(&incoming).await.map_err(unavailable)?;
    let written = async {
        copy_to(path, &incoming, is_trusting).await?;
        complete_file(&incoming).await.map_err(unavailable)
    };
    let written = written.await;
    if written.is_err() {
        remove(&incoming).await.map_err(unavailable)?;
    }
    written.map(|()| incoming).map_err(|error| match error {
        DbError::Damaged { detail, .. } => DbError::Damaged {
            path: path.to_owned(),
            detail,
        },
        error => error,
    })
}

async fn copy_to(path: &Path, incoming: &Path, is_trusting: bool) -> Result<(), DbError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let copied = async {
        if is_trusting {
            let text = "PRAGMA checksum_verification = OFF".to_owned();
            run(&mut connection, text).await?;
        }
        // What is damaged already is not to look as if it were right.
        let found = ask(&mut connection, "PRAGMA integrity_check(1)").await?;
        if found != "ok" {
            return Err(DbError::Damaged {
                path: path.to_owned(),
                detail: format!("as its pages are, it contradicts itself: {found}"),
            });
        }
        run(&mut connection, RESERVE.to_owned()).await?;
        let quoted = incoming.to_str().unwrap_or_default().replace('\'', "''");
        run(&mut connection, format!("VACUUM INTO '{quoted}'")).await
    };
    let copied = copied.await;
    let closed = connection.close().await;
    copied?;
    closed?;
    // What was not yet folded into the file is by now: it must not be taken for a part of the other one.
    let log = tokio::fs::metadata(format!("{}-wal", path.display())).await;
    if log.is_ok_and(|log| log.len() > 0) {
        return Err(DbError::Busy);
    }
    Ok(())
}

async fn ask(connection: &mut SqliteConnection, question: &'static str) -> Result<String, DbError> {
    Ok(sqlx::query_scalar(question).fetch_one(connection).await?)
}

/// Gives the name of a file to the one that was written anew, which then is as private as that was; a file has the name
/// at any moment.
async fn put_in_place(path: &Path, incoming: &Path) -> io::Result<()> {
    let (was, is) = (
        tokio::fs::metadata(path).await?,
        tokio::fs::metadata(incoming).await?,
    );
    tokio::fs::set_permissions(incoming, was.permissions()).await?;
    if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
        std::os::unix::fs::chown(incoming, Some(was.uid()), Some(was.gid()))?;
    }
    tokio::fs::rename(incoming, path).await?;
    sync_folder_of(path).await
}
