//! Taking a catalogue in SQLite whose pages another program wrote, so that their checksums do not hold.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::file::{RESERVE, begin, check_file, run};
use crate::{
    DbError, clock,
    migrate::{FOUND, remove, sync_folder_of, unavailable},
    page::find_damaged,
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
    let incoming = PathBuf::from(format!("{text}.incoming"));
    remove(&incoming).await.map_err(unavailable)?;
    let written = write_anew(path, &incoming).await;
    let placed = match written {
        Ok(()) => put_in_place(path, &incoming).await.map_err(unavailable),
        Err(DbError::Damaged { detail, .. }) => Err(DbError::Damaged {
            path: path.to_owned(),
            detail,
        }),
        Err(error) => Err(error),
    };
    if placed.is_err() {
        remove(&incoming).await.map_err(unavailable)?;
    }
    placed.map(Some)
}

async fn is_as_written(path: PathBuf) -> Result<bool, DbError> {
    let looking = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        find_damaged(|buffer, mut offset| {
            let mut length = 0;
            while length < buffer.len() {
                match file.read_at(&mut buffer[length..], offset)? {
                    0 => break,
                    read => (length, offset) = (length + read, offset + read as u64),
                }
            }
            Ok(length)
        })
    });
    let damaged = looking.await.map_err(io::Error::other).flatten();
    Ok(damaged.map_err(unavailable)?.count == 0)
}

/// Reads a file without asking for its checksums, and writes another of what it says.
async fn write_anew(path: &Path, incoming: &Path) -> Result<(), DbError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let written = async {
        run(
            &mut connection,
            "PRAGMA checksum_verification = OFF".to_owned(),
        )
        .await?;
        let found = ask(&mut connection, "PRAGMA integrity_check(1)").await?;
        if found != "ok" {
            return Err(DbError::Damaged {
                path: path.to_owned(),
                detail: format!("also as its pages are, it contradicts itself: {found}"),
            });
        }
        run(&mut connection, RESERVE.to_owned()).await?;
        let quoted = incoming.to_str().unwrap_or_default().replace('\'', "''");
        run(&mut connection, format!("VACUUM INTO '{quoted}'")).await
    };
    let written = written.await;
    let closed = connection.close().await;
    written?;
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

/// Keeps the file under another name, and gives its own to the one that was written anew; it has it at any moment.
async fn put_in_place(path: &Path, incoming: &Path) -> io::Result<PathBuf> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(format!("{FOUND}{}", clock::now_ms()));
    let kept = PathBuf::from(kept);
    tokio::fs::File::open(incoming).await?.sync_all().await?;
    if tokio::fs::hard_link(path, &kept).await.is_err() {
        // Some file systems have one name for each file.
        tokio::fs::copy(path, &kept).await?;
        tokio::fs::File::open(&kept).await?.sync_all().await?;
    }
    tokio::fs::rename(incoming, path).await?;
    sync_folder_of(path).await?;
    Ok(kept)
}
