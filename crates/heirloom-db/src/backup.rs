//! The catalogue as it is at one moment, for a backup, and what a restored one is told of its new place.
//!
//! **SQLite.** The file is read as it lies, so that what did not change costs nothing. While a connection of
//! its own reads in a transaction, a checkpoint writes only pages into the file that are in the write-ahead
//! log too, and the log is not begun anew. So the file, whenever it is read meanwhile, together with the log as
//! it was when that transaction began, is the catalogue as it was then. SQLite puts the two together by itself.
//! Where the log was folded in before, the file alone is.
//!
//! **PostgreSQL.** Its tables are written to files, all of them as they are in one transaction (`backup::tables`). They
//! become a catalogue in SQLite again, which needs no server, and that one in an empty database (`backup::server`).

mod history;
mod server;
mod tables;

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
    sync::Arc,
};

use heirloom_core::{Actor, ArchiveId, ContentHash, permission::Action};
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection};

use crate::{
    Db, DbError, Engine,
    connection::{lite_fetch, name_damage, pg_fetch},
    page::{self, DamagedPages},
    row::Row,
    sql::{Sql, statements},
    value::{Value, args},
};

pub(crate) use history::STATEMENTS as HISTORY_STATEMENTS;
pub use history::{Backup, BackupPage, BackupSchedule};
pub(crate) use server::STATEMENTS as SERVER_STATEMENTS;
pub use server::{copy_catalogue, has_copy};
pub(crate) use tables::STATEMENTS as TABLE_STATEMENTS;
pub use tables::{is_table, load_tables};

statements! {
    LIST_BLOBS = "SELECT content_hash, size_bytes FROM blob WHERE content_hash > $1 ORDER BY content_hash LIMIT $2";
    COUNT_ASSETS = "SELECT COUNT(*) FROM asset";
    LIST_ROOTS = "SELECT id, name, root FROM archive WHERE kind = 'folder' ORDER BY name, id";
    LIST_ORIGINALS = "SELECT l.id, f.archive_id, f.path, l.name, l.size_bytes, l.modified_at_ns, l.changed_at_ns,
          a.content_hash, l.damaged_at_ms
        FROM asset_location l JOIN folder f ON f.id = l.folder_id JOIN asset a ON a.id = l.asset_id
        JOIN archive r ON r.id = f.archive_id AND r.kind = 'folder'
        WHERE l.gone_at_ms IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2";
    LIST_SIDECARS = "SELECT s.id, f.archive_id, f.path, s.name, s.size_bytes, s.modified_at_ns, s.changed_at_ns,
          s.content_hash, CAST(NULL AS BIGINT)
        FROM sidecar s JOIN folder f ON f.id = s.folder_id
        JOIN archive r ON r.id = f.archive_id AND r.kind = 'folder'
        WHERE s.gone_at_ms IS NULL AND s.id > $1 ORDER BY s.id LIMIT $2";
    COUNT_WRITES = "/*lite SELECT '' */
        /*pg SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del)::text FROM pg_stat_user_tables
          WHERE schemaname = current_schema() AND relname <> 'scrub_pass' */";
    SET_ROOT = "UPDATE archive SET root = $2, version = version + 1 WHERE id = $1";
    SET_ORIGINAL_TIMES = "UPDATE asset_location SET modified_at_ns = $2, changed_at_ns = $3, damaged_at_ms = NULL
        WHERE id = $1";
    SET_SIDECAR_TIMES = "UPDATE sidecar SET modified_at_ns = $2, changed_at_ns = $3 WHERE id = $1";
}

/// How many rows are asked for at once.
const PAGE: i64 = 5_000;
/// A log that is longer is folded into the file first.
const LONGEST_LOG_BYTES: u64 = 64 << 20;

/// The catalogue as it was at one moment.
#[derive(Debug)]
pub struct FrozenCatalogue {
    hold: Hold,
    /// The files that it consists of.
    pub files: Vec<FrozenFile>,
}

/// What keeps a file of the catalogue from being written to for as long as it is there.
#[derive(Debug)]
pub struct Hold {
    connection: Held,
}

#[derive(Debug)]
enum Held {
    Lite(SqliteConnection),
    Pg(Box<PgConnection>),
}

/// One file that the catalogue consists of.
#[derive(Debug, Clone)]
pub struct FrozenFile {
    /// What it is called.
    pub name: String,
    /// How long it is.
    pub size_bytes: u64,
    /// When it was modified and when anything about it changed, in nanoseconds since 1970; of bytes that are
    /// in memory, nothing is known.
    pub times_ns: Option<(i64, i64)>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    File(Arc<File>),
    Bytes(Arc<Vec<u8>>),
}

/// An archive that is a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRoot {
    /// The archive.
    pub archive: ArchiveId,
    /// What it is called.
    pub name: String,
    /// Where it is, as path text.
    pub root: String,
}

/// A file in a folder archive that the catalogue knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Whether it is an original or describes one, and which.
    pub id: KnownId,
    /// The archive.
    pub archive: ArchiveId,
    /// The folder's path below the archive's root, as path text.
    pub folder: Box<str>,
    /// Its name, as path text.
    pub name: Box<str>,
    /// How long it is.
    pub size_bytes: i64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified_at_ns: i64,
    /// When anything about it changed, in nanoseconds since 1970.
    pub changed_at_ns: i64,
    /// The hash of its bytes.
    pub content_hash: ContentHash,
    /// Whether its bytes were found to be others.
    pub is_damaged: bool,
}

/// Which row knows a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownId {
    /// A location of an asset.
    Original([u8; 16]),
    /// A sidecar.
    Sidecar([u8; 16]),
}

impl FrozenFile {
    /// Reads at an offset; fewer bytes only at its end.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size_bytes.saturating_sub(offset);
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = &mut buffer[..wanted];
        match &self.content {
            Content::File(file) => {
                let mut length = 0;
                while length < buffer.len() {
                    match file.read_at(&mut buffer[length..], offset + length as u64) {
                        Ok(0) => break,
                        Ok(more) => length += more,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(length)
            }
            Content::Bytes(bytes) => {
                let from = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let rest = &bytes[from..];
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            }
        }
    }
}

impl Db {
    /// The catalogue as it is now. With `is_folding` the write-ahead log of SQLite is folded into its file first. The
    /// tables of PostgreSQL go into files without names in `folder`.
    ///
    /// # Errors
    /// [`DbError::Denied`], [`DbError::Damaged`] where a page is not as it was written, and what the engine says.
    pub async fn freeze_catalogue(
        &self,
        actor: &Actor,
        is_folding: bool,
        folder: &Path,
    ) -> Result<FrozenCatalogue, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let Some(path) = self.path() else {
            return self.freeze_server(folder).await;
        };
        let mut frozen = self.freeze_parts(path, is_folding).await?;
        let mut damaged = frozen.find_damaged_pages().await?;
        if damaged.count > 0 && !is_folding {
            // A page that was half written when something was stopped is whole in the log.
            frozen = self.freeze_parts(path, true).await?;
            damaged = frozen.find_damaged_pages().await?;
        }
        match damaged.count {
            0 => Ok(frozen),
            _ => Err(DbError::Damaged {
                path: path.to_owned(),
                detail: damaged.to_string(),
            }),
        }
    }

    /// The pages of a SQLite file that are not as they were written; each of them is read.
    pub(crate) async fn find_damaged_pages(&self) -> Result<DamagedPages, DbError> {
        match self.path() {
            Some(path) => {
                let frozen = self.freeze_parts(path, true).await?;
                frozen.find_damaged_pages().await
            }
            None => Ok(DamagedPages::default()),
        }
    }

    /// The file and its log.
    async fn freeze_parts(
        &self,
        path: &Path,
        is_folding: bool,
    ) -> Result<FrozenCatalogue, DbError> {
        let file = self.file()?;
        let mut log_path = path.as_os_str().to_owned();
        log_path.push("-wal");
        let frozen = self.freeze_file(is_folding, log_path.as_ref()).await;
        let (connection, log) = frozen.map_err(|error| name_damage(error, path))?;
        let unavailable = |error: io::Error| DbError::Unavailable(error.to_string());
        let found = file.metadata().map_err(unavailable)?;
        let ns = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000) + rest;
        let mut files = vec![FrozenFile {
            name: "catalogue.db".to_owned(),
            size_bytes: found.len(),
            times_ns: Some((
                ns(found.mtime(), found.mtime_nsec()),
                ns(found.ctime(), found.ctime_nsec()),
            )),
            content: Content::File(file),
        }];
        if !log.is_empty() {
            files.push(FrozenFile {
                name: "catalogue.db-wal".to_owned(),
                size_bytes: log.len() as u64,
                times_ns: None,
                content: Content::Bytes(Arc::new(log)),
            });
        }
        Ok(FrozenCatalogue {
            hold: Hold {
                connection: Held::Lite(connection),
            },
            files,
        })
    }

    async fn freeze_server(&self, folder: &Path) -> Result<FrozenCatalogue, DbError> {
        let pooled = self.pg_connection().await?.ok_or(DbError::NoCatalogue)?;
        let mut held = pooled.detach();
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        sqlx::raw_sql(begin).execute(&mut held).await?;
        let files = tables::dump(&mut held, folder).await?;
        Ok(FrozenCatalogue {
            hold: Hold {
                connection: Held::Pg(Box::new(held)),
            },
            files,
        })
    }

    /// A connection in a transaction that reads the file as it is now, and the bytes of its write-ahead log as
    /// they are now.
    async fn freeze_file(
        &self,
        is_folding: bool,
        log: &Path,
    ) -> Result<(SqliteConnection, Vec<u8>), DbError> {
        let (write, read) = self.lite_pools().ok_or(DbError::NoCatalogue)?;
        // Nobody else writes while this one is taken.
        let mut writer = write.acquire().await?;
        let length = tokio::fs::metadata(log).await.map_or(0, |log| log.len());
        if is_folding || length > LONGEST_LOG_BYTES {
            // Somebody who reads for long keeps a part of it where it is, which is no harm.
            let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
            sqlx::raw_sql(fold).execute(&mut *writer).await?;
        }
        let mut held = read.connect_options().connect().await?;
        for text in ["BEGIN", "SELECT COUNT(*) FROM sqlite_schema"] {
            sqlx::raw_sql(text).execute(&mut held).await?;
        }
        let log = match tokio::fs::read(log).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(|error| DbError::Unavailable(error.to_string())),
        };
        drop(writer);
        Ok((held, log?))
    }

    /// What is another as soon as anything in the catalogue is; `None` where the engine does not say.
    pub async fn change_mark(&self) -> Option<String> {
        let Some(path) = self.path() else {
            // Counted a moment later than it is done, which delays what is captured and loses none of it.
            let rows = self.fetch(COUNT_WRITES, args![]).await.ok()?;
            return rows.first()?.get(0).ok();
        };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let mut mark = String::new();
        for file in [path.as_os_str(), &log] {
            let found = tokio::fs::metadata(Path::new(file)).await;
            let found = found.map(|it| (it.len(), it.mtime(), it.mtime_nsec()));
            mark += &format!("{found:?} ", found = found.ok());
        }
        Some(mark)
    }

    /// Tells the catalogue that an archive's folder is elsewhere now, and how the files in it look there, each
    /// with when it was modified and changed in nanoseconds since 1970. Their bytes were compared.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn move_archive(
        &self,
        actor: &Actor,
        archive: ArchiveId,
        root: &str,
        files: &[(KnownId, i64, i64)],
    ) -> Result<(), DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let mut tx = self.begin().await?;
        tx.execute(SET_ROOT, args![archive, root]).await?;
        for (id, modified_at_ns, changed_at_ns) in files {
            let (statement, id) = match id {
                KnownId::Original(id) => (SET_ORIGINAL_TIMES, id),
                KnownId::Sidecar(id) => (SET_SIDECAR_TIMES, id),
            };
            tx.execute(
                statement,
                args![id.to_vec(), *modified_at_ns, *changed_at_ns],
            )
            .await?;
        }
        tx.commit().await
    }
}

impl FrozenCatalogue {
    /// Those pages of its file that are not as they were written.
    async fn find_damaged_pages(&self) -> Result<DamagedPages, DbError> {
        let file = self.files.first().cloned().ok_or(DbError::NoCatalogue)?;
        let finding = move || page::find_damaged(|buffer, at| file.read_at(buffer, at));
        let found = tokio::task::spawn_blocking(finding).await;
        let found = found.unwrap_or_else(|error| Err(io::Error::other(error)));
        found.map_err(|error| DbError::Unavailable(error.to_string()))
    }

    /// How many assets it has, whatever their state.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn count_assets(&mut self) -> Result<i64, DbError> {
        let rows = self.hold.fetch(COUNT_ASSETS, args![]).await?;
        rows.first().map_or(Ok(0), |row| row.get(0))
    }

    /// The archives that are folders.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_roots(&mut self) -> Result<Vec<FolderRoot>, DbError> {
        let rows = self.hold.fetch(LIST_ROOTS, args![]).await?;
        rows.iter()
            .map(|row| {
                Ok(FolderRoot {
                    archive: row.get(0)?,
                    name: row.get(1)?,
                    root: row.get::<Option<String>>(2)?.unwrap_or_default(),
                })
            })
            .collect()
    }

    /// The blobs that it refers to with their sizes in bytes, by hash.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_blobs(&mut self) -> Result<Vec<(ContentHash, u64)>, DbError> {
        let mut blobs: Vec<(ContentHash, u64)> = Vec::new();
        loop {
            let after = blobs
                .last()
                .map_or_else(Vec::new, |(hash, _)| hash.as_bytes().to_vec());
            let rows = self.hold.fetch(LIST_BLOBS, args![after, PAGE]).await?;
            if rows.is_empty() {
                return Ok(blobs);
            }
            for row in &rows {
                let size_bytes: i64 = row.get(1)?;
                blobs.push((row.get(0)?, u64::try_from(size_bytes).unwrap_or(0)));
            }
        }
    }

    /// The files in folder archives that it knows, in no order: originals, and what describes them.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_files(&mut self) -> Result<Vec<KnownFile>, DbError> {
        let mut files = Vec::new();
        type Wrap = fn([u8; 16]) -> KnownId;
        let parts: [(Sql, Wrap); 2] = [
            (LIST_ORIGINALS, KnownId::Original),
            (LIST_SIDECARS, KnownId::Sidecar),
        ];
        for (statement, wrap) in parts {
            let mut after = Vec::new();
            loop {
                let rows = self.hold.fetch(statement, args![after, PAGE]).await?;
                let Some(last) = rows.last() else { break };
                after = last.get::<Vec<u8>>(0)?;
                for row in &rows {
                    files.push(read_file(row, wrap)?);
                }
            }
        }
        Ok(files)
    }

    /// Its files, and what keeps them from changing until it is dropped.
    #[must_use]
    pub fn into_files(self) -> (Vec<FrozenFile>, Hold) {
        (self.files, self.hold)
    }
}

impl Hold {
    async fn fetch(&mut self, sql: Sql, args: Vec<Value>) -> Result<Vec<Row>, DbError> {
        match &mut self.connection {
            Held::Lite(connection) => {
                lite_fetch(connection, sql.for_engine(Engine::Sqlite), args).await
            }
            Held::Pg(connection) => {
                pg_fetch(&mut **connection, sql.for_engine(Engine::Postgres), args).await
            }
        }
    }
}

fn read_file(row: &Row, wrap: fn([u8; 16]) -> KnownId) -> Result<KnownFile, DbError> {
    let id: Vec<u8> = row.get(0)?;
    let id =
        <[u8; 16]>::try_from(id.as_slice()).map_err(|error| DbError::unreadable("an id", error))?;
    Ok(KnownFile {
        id: wrap(id),
        archive: row.get(1)?,
        folder: row.get::<String>(2)?.into(),
        name: row.get::<String>(3)?.into(),
        size_bytes: row.get(4)?,
        modified_at_ns: row.get(5)?,
        changed_at_ns: row.get(6)?,
        content_hash: row.get(7)?,
        is_damaged: row.get::<Option<i64>>(8)?.is_some(),
    })
}
