//! A catalogue in a SQLite file: how it is opened, and how its pages get their checksums.

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::OnceCell;

use super::Pools;
use crate::{
    DbError,
    page::{HEADER_BYTES, Header, MARK},
};

/// How many rows of an answer may wait to be taken.
const ROW_BUFFER: usize = 1024;

/// Has this connection keep the last bytes of each page for a checksum, in a file that it makes or writes anew.
pub(super) const RESERVE: &str = "SELECT reserve_checksums('main')";

/// SQLite, begun once and by one alone: who opened a file meanwhile would write pages without checksums.
static BEGUN: OnceCell<()> = OnceCell::const_new();

pub(super) async fn begin() -> Result<(), DbError> {
    let begin = async || {
        let options = SqliteConnectOptions::new().filename(":memory:");
        let mut connection = options.connect().await?;
        let asked = sqlx::raw_sql("SELECT verify_checksum(x'')").execute(&mut connection);
        if asked.await.is_err() {
            return Err(DbError::Unavailable(
                "this program was built without the checksums of SQLite's pages: build it in its own folder, where \
                 .cargo/config.toml asks for them"
                    .to_owned(),
            ));
        }
        Ok(connection.close().await?)
    };
    BEGUN.get_or_try_init(begin).await.copied()
}

/// The header of a file as it lies. Refuses a file that is no database: SQLite takes one that is shorter than a page
/// for an empty database and would write over what is left of it.
pub(super) async fn check_file(path: &Path) -> Result<Option<Header>, DbError> {
    use tokio::io::AsyncReadExt as _;
    let damaged = |detail: &str| DbError::Damaged {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    let file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        // What cannot be opened, SQLite explains.
        Err(_) => return Ok(None),
    };
    let found = file.metadata().await;
    if found.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return Ok(None);
    }
    let length = found.map_or(0, |found| found.len());
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    let read = file.take(HEADER_BYTES as u64).read_to_end(&mut bytes).await;
    if read.is_err() || length == 0 {
        return Ok(None);
    }
    match Header::read(&bytes) {
        None => Err(damaged("it is no SQLite database")),
        Some(_) if length < 512 => Err(damaged("it was cut off")),
        // Whether there are checksums is told there alone, so it is told twice.
        Some(header) if header.is_marked && !header.has_checksums() => {
            Err(damaged("its first page is not as it was written"))
        }
        header => Ok(header),
    }
}

/// Makes a file whose pages have checksums from the first one on.
async fn create(path: &Path) -> Result<(), DbError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let created = async {
        for text in [
            RESERVE.to_owned(),
            "PRAGMA auto_vacuum = INCREMENTAL".to_owned(),
            format!("PRAGMA application_id = {MARK}"),
        ] {
            run(&mut connection, text).await?;
        }
        Ok(())
    };
    let created = created.await;
    connection.close().await?;
    created
}

pub(super) async fn run(connection: &mut SqliteConnection, text: String) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await?;
    Ok(())
}

/// Opens a file; says whether its pages have no checksums yet.
pub(super) async fn open_file(path: &Path, is_creating: bool) -> Result<(Pools, bool), DbError> {
    // SQLite names files by text, and a path that is made into text goes elsewhere.
    if path.to_str().is_none() {
        return Err(DbError::NotUtf8(path.to_owned()));
    }
    begin().await?;
    // Before SQLite opens it: whoever closes it afterwards lets go of SQLite's locks.
    let header = check_file(path).await?;
    let lacks_checksums = header.is_some_and(|header| header.reserved_bytes == 0);
    let is_new = match tokio::fs::metadata(path).await {
        Ok(found) => found.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_new && !is_creating {
        return Err(DbError::NoCatalogue);
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        // Rows come from a thread of their own, which waits each time that so many are not taken yet.
        .row_buffer_size(ROW_BUFFER)
        // Pages that many transactions change are written back once in 32 MiB of them, and not once
        // in each.
        .pragma("wal_autocheckpoint", "8192")
        // What was purged is overwritten, and a purge gives its pages back.
        .pragma("secure_delete", "ON")
        // Nothing of a family's is written outside of the data folder.
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // Asking for this again writes to the file, and opening a catalogue must not: it may turn out to
    // be from a newer version.
    let mut first = options.clone();
    if is_new {
        create(path).await?;
    } else if header.is_some_and(|header| header.has_checksums() && !header.is_marked) {
        first = first.pragma("application_id", MARK.to_string());
    }
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30))
        // When the disk is full SQLite rolls back by itself, and the driver goes on to count a
        // transaction that is no more: such a connection is given up, and the next one is sound.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(first.pragma("cache_size", "-65536"))
        .await?;
    write.set_connect_options(options.clone().pragma("cache_size", "-65536"));
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .min_connections(0)
        // Their caches go with them: an idle server is small.
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(
            options
                .pragma("query_only", "ON")
                .pragma("cache_size", "-16384"),
        );
    let pools = Pools::Lite {
        write,
        read,
        path: path.into(),
        file: Arc::default(),
    };
    Ok((pools, lacks_checksums))
}
