//! Bringing a catalogue's tables up to date.
//!
//! Migrations are only ever appended. A SQLite file that holds anything is copied beside itself
//! before the first of the missing ones is applied. The copy is made by `VACUUM INTO`, which reads one
//! consistent state while the file is open, as the backup API does, needs no foreign function, and
//! leaves out what was deleted. It does not wait for the disk; that is done here, before anything is
//! changed. A copy is kept until it is replaced, taken away, or something is purged: what is purged
//! is in it too.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use crate::{
    Db, DbError, Engine, clock, name, page, place,
    sql::{open_hooks, statements},
    value::args,
};

/// Name and text of each migration, in order.
const MIGRATIONS: [(&str, &str); 34] = [
    (
        "0001_catalogue",
        include_str!("../migrations/0001_catalogue.sql"),
    ),
    ("0002_search", include_str!("../migrations/0002_search.sql")),
    ("0003_runs", include_str!("../migrations/0003_runs.sql")),
    ("0004_vault", include_str!("../migrations/0004_vault.sql")),
    (
        "0005_rebuild",
        include_str!("../migrations/0005_rebuild.sql"),
    ),
    ("0006_text", include_str!("../migrations/0006_text.sql")),
    (
        "0007_timeline",
        include_str!("../migrations/0007_timeline.sql"),
    ),
    (PLACES, include_str!("../migrations/0008_places.sql")),
    (
        "0009_collections",
        include_str!("../migrations/0009_collections.sql"),
    ),
    (
        "0010_counting",
        include_str!("../migrations/0010_counting.sql"),
    ),
    (
        "0011_settling",
        include_str!("../migrations/0011_settling.sql"),
    ),
    ("0012_scrub", include_str!("../migrations/0012_scrub.sql")),
    (
        "0013_failure_code",
        include_str!("../migrations/0013_failure_code.sql"),
    ),
    ("0014_import", include_str!("../migrations/0014_import.sql")),
    ("0015_backup", include_str!("../migrations/0015_backup.sql")),
    (
        "0016_skipped",
        include_str!("../migrations/0016_skipped.sql"),
    ),
    (
        "0017_run_ended",
        include_str!("../migrations/0017_run_ended.sql"),
    ),
    (
        "0018_store_move",
        include_str!("../migrations/0018_store_move.sql"),
    ),
    (
        "0019_backup_error",
        include_str!("../migrations/0019_backup_error.sql"),
    ),
    (NAMES, include_str!("../migrations/0020_names.sql")),
    (
        "0021_publication",
        include_str!("../migrations/0021_publication.sql"),
    ),
    (
        "0022_checksums",
        include_str!("../migrations/0022_checksums.sql"),
    ),
    ("0023_edited", include_str!("../migrations/0023_edited.sql")),
    ("0024_spoken", include_str!("../migrations/0024_spoken.sql")),
    (
        "0025_language",
        include_str!("../migrations/0025_language.sql"),
    ),
    ("0026_voices", include_str!("../migrations/0026_voices.sql")),
    ("0027_read", include_str!("../migrations/0027_read.sql")),
    ("0028_faces", include_str!("../migrations/0028_faces.sql")),
    (
        "0029_imprints",
        include_str!("../migrations/0029_imprints.sql"),
    ),
    (
        "0030_duplicates",
        include_str!("../migrations/0030_duplicates.sql"),
    ),
    (
        "0031_meanings",
        include_str!("../migrations/0031_meanings.sql"),
    ),
    ("0032_films", include_str!("../migrations/0032_films.sql")),
    (
        "0033_moments",
        include_str!("../migrations/0033_moments.sql"),
    ),
    ("0034_people", include_str!("../migrations/0034_people.sql")),
];

/// The migration after which it has to be computed where assets were made.
const PLACES: &str = "0008_places";
/// The migration after which it has to be computed by which names assets are asked for.
const NAMES: &str = "0020_names";

/// What stands between the name of a file and the last migration in it, in the name of a copy.
const COPY: &str = ".after-";
/// What stands between the name of a file and the time, in the name of one that was kept as it was found.
pub(crate) const FOUND: &str = ".as-found-";

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
  name TEXT NOT NULL PRIMARY KEY,
  text_hash TEXT NOT NULL,
  applied_at_ms BIGINT NOT NULL
)";

statements! {
    FIND_TABLE = "/*lite SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration' */
        /*pg SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'migration' */";
    LIST_APPLIED = "SELECT name, text_hash FROM migration ORDER BY name";
    ADD_APPLIED = "INSERT INTO migration (name, text_hash, applied_at_ms) VALUES ($1, $2, $3)";
}

/// Applies what is missing, all of it or nothing; where there are no tables yet, only when a catalogue
/// is to be made.
pub(crate) async fn migrate(db: &Db, is_creating: bool) -> Result<(), DbError> {
    let applied = list_applied(db).await?;
    if applied.is_empty() && !is_creating {
        return Err(DbError::NoCatalogue);
    }
    if count_known(&applied)? == MIGRATIONS.len() {
        return Ok(());
    }
    if !applied.is_empty() {
        copy_file(db, &applied[applied.len() - 1].0).await?;
    }
    apply(db, MIGRATIONS.len()).await
}

/// Applies those that another catalogue went through, and no more, where there are no tables yet.
pub(crate) async fn begin_at(db: &Db, applied: &[(String, String)]) -> Result<(), DbError> {
    apply(db, count_known(applied)?).await
}

/// Applies what is missing of the first so many.
async fn apply(db: &Db, wanted: usize) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    if tx.engine() == Engine::Postgres {
        // Two servers that start at once must not both migrate. The number names this lock.
        tx.execute_script("SELECT pg_advisory_xact_lock(7024117)".to_owned())
            .await?;
    }
    tx.execute_script(CREATE_TABLE.to_owned()).await?;
    let mut applied = Vec::new();
    for row in tx.fetch(LIST_APPLIED, args![]).await? {
        applied.push((row.get(0)?, row.get(1)?));
    }
    let (mut has_new_places, mut has_new_names) = (false, false);
    for (name, text) in MIGRATIONS
        .into_iter()
        .take(wanted)
        .skip(count_known(&applied)?)
    {
        tx.execute_script(open_hooks(text, tx.engine()).into_owned())
            .await?;
        has_new_places |= name == PLACES;
        has_new_names |= name == NAMES;
        tx.execute(ADD_APPLIED, args![name, text_hash(text), clock::now_ms()])
            .await?;
        tracing::info!(migration = name, "applied");
    }
    if has_new_places {
        // When the tables are as the code knows them.
        place::fill(&mut tx).await?;
    }
    if has_new_names {
        name::fill(&mut tx).await?;
    }
    tx.commit().await
}

async fn list_applied(db: &Db) -> Result<Vec<(String, String)>, DbError> {
    let found = db.fetch(FIND_TABLE, args![]).await?;
    if found.first().map_or(Ok(0), |row| row.get::<i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let rows = db.fetch(LIST_APPLIED, args![]).await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// How many of our migrations are applied; refuses a catalogue with others.
fn count_known(applied: &[(String, String)]) -> Result<usize, DbError> {
    for (at, (name, hash)) in applied.iter().enumerate() {
        match MIGRATIONS.get(at) {
            Some((known, text)) if known == name => {
                if text_hash(text) != *hash {
                    return Err(DbError::MigrationChanged {
                        migration: name.clone(),
                    });
                }
            }
            _ => {
                return Err(DbError::Newer {
                    migration: name.clone(),
                });
            }
        }
    }
    Ok(applied.len())
}

/// Copies a SQLite file to `FILE.after-LAST_APPLIED` beside it. The copy has that name once it is whole
/// and on disk.
async fn copy_file(db: &Db, last_applied: &str) -> Result<(), DbError> {
    let Some(path) = db.path() else { return Ok(()) };
    let mut copy = path.as_os_str().to_owned();
    copy.push(COPY);
    copy.push(last_applied);
    let mut partial = copy.clone();
    partial.push(".partial");
    remove(Path::new(&partial)).await.map_err(unavailable)?;
    // Opening it took care that the path is text.
    let Some(quoted) = partial.to_str().map(|path| path.replace('\'', "''")) else {
        return Err(DbError::NotUtf8(path.to_owned()));
    };
    db.execute_alone(format!("VACUUM INTO '{quoted}'")).await?;
    let place = async {
        complete_file(Path::new(&partial)).await?;
        tokio::fs::rename(&partial, &copy).await?;
        sync_folder_of(path).await
    };
    place.await.map_err(unavailable)
}

/// Deletes the copies that were made before migrating, and what was kept as it was found.
pub(crate) async fn delete_copies(db: &Db) -> Result<(), DbError> {
    let Some(path) = db.path() else { return Ok(()) };
    let copies = [COPY, FOUND].map(|what| {
        let mut start = path.file_name().unwrap_or_default().to_owned();
        start.push(what);
        start
    });
    let delete = async {
        let mut has_deleted = false;
        let mut entries = tokio::fs::read_dir(folder_of(path)).await?;
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let mut starts = copies.iter().map(|start| start.as_encoded_bytes());
            if starts.any(|start| name.as_encoded_bytes().starts_with(start)) {
                remove(&entry.path()).await?;
                has_deleted = true;
            }
        }
        if has_deleted {
            sync_folder_of(path).await?;
        }
        Ok(())
    };
    delete.await.map_err(unavailable)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Sees to it that a file which SQLite just made has all its checksums, and is on the disk.
pub(crate) async fn complete_file(path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    let completing = tokio::task::spawn_blocking(move || page::complete(&path));
    completing.await.map_err(io::Error::other)?
}

pub(crate) async fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = tokio::fs::File::open(folder_of(path)).await?;
    match folder.sync_all().await {
        // Some network file systems have no sync for folders and write them through.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

pub(crate) async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

pub(crate) fn unavailable(error: io::Error) -> DbError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DbError::NoSpace,
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => DbError::ReadOnly,
        _ => DbError::Unavailable(error.to_string()),
    }
}

fn text_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
