//! The open catalogue: pools, transactions, and how statements reach them.

mod file;
mod taken;

use std::{
    borrow::Cow,
    fs::File,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Executor, PgPool, Postgres, SqlStr, Sqlite,
    SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    DbError, count, migrate,
    row::Row,
    sql::{self, Sql, ask_list, ask_rows},
    value::{Value, bind_lite, bind_pg},
};

pub use taken::take_pages;

/// Which database engine holds the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file in the data folder.
    Sqlite,
    /// A server that several machines share.
    Postgres,
}

/// Where the catalogue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database: `postgres://user:password@host/name`.
    Url(String),
}

/// The open catalogue. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
}

#[derive(Debug, Clone)]
enum Pools {
    // One writer: SQLite has no more, and waiting in a queue is fairer than on its lock.
    Lite {
        write: SqlitePool,
        read: SqlitePool,
        path: Arc<Path>,
        // Whoever closes a file lets go of every lock that this process has on it, SQLite's too: it is opened
        // once beside SQLite, and stays open.
        file: Arc<Mutex<Option<Arc<File>>>>,
    },
    Pg(PgPool),
}

/// A transaction. Dropped without [`Tx::commit`] it never happened.
pub struct Tx {
    inner: Inner,
}

enum Inner {
    Lite(Transaction<'static, Sqlite>, Arc<Path>),
    Pg(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens the catalogue, made if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`DbError::Newer`], [`DbError::Damaged`], [`DbError::ReadOnly`], [`DbError::NoSpace`],
    /// [`DbError::Unavailable`]. Nothing was changed then.
    pub async fn open(location: &Location) -> Result<Self, DbError> {
        Self::open_or_create(location, true).await
    }

    /// Opens a catalogue that was made before.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`DbError::NoCatalogue`].
    pub async fn open_existing(location: &Location) -> Result<Self, DbError> {
        Self::open_or_create(location, false).await
    }

    /// Makes a SQLite file as one was that went through these migrations alone, each with the hash of its text.
    pub(crate) async fn create_older(
        path: &Path,
        applied: &[(String, String)],
    ) -> Result<Self, DbError> {
        let (pools, _) = file::open_file(path, true).await?;
        let db = Self { pools };
        let begun = migrate::begin_at(&db, applied).await;
        if begun.is_err() {
            db.close().await;
        }
        begun.map(|()| db)
    }

    /// Reaches a database of PostgreSQL, whatever is in it.
    pub(crate) async fn connect(url: &str) -> Result<Self, DbError> {
        let pools = open_server(url).await?;
        Ok(Self { pools })
    }

    async fn open_or_create(location: &Location, is_creating: bool) -> Result<Self, DbError> {
        let (pools, lacks_checksums) = match location {
            Location::File(path) => file::open_file(path, is_creating)
                .await
                .map_err(|error| name_damage(error, path))?,
            Location::Url(url) => (open_server(url).await?, false),
        };
        let db = Self { pools };
        if let Err(error) = migrate::migrate(&db, is_creating).await {
            db.close().await;
            return Err(match location {
                Location::File(path) => name_damage(error, path),
                Location::Url(_) => error,
            });
        }
        match location {
            Location::File(path) if lacks_checksums => {
                db.close().await;
                tracing::info!("each page of the catalogue gets a checksum, once");
                if let Err(error) = taken::add_checksums(path).await {
                    tracing::warn!(%error, "the pages of the catalogue have no checksums yet");
                }
                let pools = file::open_file(path, false).await;
                let (pools, _) = pools.map_err(|error| name_damage(error, path))?;
                Ok(Self { pools })
            }
            _ => Ok(db),
        }
    }

    /// Which engine this is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.pools {
            Pools::Lite { .. } => Engine::Sqlite,
            Pools::Pg(_) => Engine::Postgres,
        }
    }

    /// The SQLite file, if that is what it is.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.pools {
            Pools::Lite { path, .. } => Some(path),
            Pools::Pg(_) => None,
        }
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Lite { write, read, .. } => {
                // The writer last: closing it folds the write-ahead log into the file.
                read.close().await;
                write.close().await;
            }
            Pools::Pg(pool) => pool.close().await,
        }
    }

    /// Begins a transaction that may write. On SQLite there is one at a time; others wait.
    ///
    /// # Errors
    /// [`DbError::Busy`] after half a minute of waiting, and what the engine says.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let inner = match &self.pools {
            Pools::Lite { write, path, .. } => {
                let begun = write.begin_with("BEGIN IMMEDIATE").await;
                let begun = begun.map_err(|error| name_damage(error.into(), path))?;
                Inner::Lite(begun, Arc::clone(path))
            }
            Pools::Pg(pool) => Inner::Pg(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    pub(crate) async fn fetch(&self, sql: Sql, args: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.fetch_text(sql.for_engine(self.engine()), args).await
    }

    /// Asks on a connection of its own, which knows nothing from before.
    pub(crate) async fn fetch_apart(
        &self,
        sql: Sql,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let text = sql.for_engine(self.engine());
        count_arguments(&text, args.len());
        match &self.pools {
            Pools::Lite { read, path, .. } => {
                let apart = read.connect_options().connect().await;
                let mut apart = apart.map_err(|error| name_damage(error.into(), path))?;
                let rows = lite_fetch(&mut apart, text, args).await;
                apart.close().await?;
                rows.map_err(|error| name_damage(error, path))
            }
            Pools::Pg(pool) => pg_fetch(pool, text, args).await,
        }
    }

    pub(crate) async fn fetch_optional(
        &self,
        sql: Sql,
        args: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// Runs a statement whose text was put together at run time, from this crate's own parts.
    pub(crate) async fn fetch_text(
        &self,
        text: Cow<'static, str>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        count_arguments(&text, args.len());
        match &self.pools {
            Pools::Lite { read, path, .. } => lite_fetch(read, text, args)
                .await
                .map_err(|error| name_damage(error, path)),
            Pools::Pg(pool) => pg_fetch(pool, text, args).await,
        }
    }

    /// Asks a `{list}` question about each of `list`, which is what an `IN` is compared with.
    pub(crate) async fn fetch_list(
        &self,
        sql: Sql,
        fixed: Vec<Value>,
        list: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let mut rows = Vec::new();
        for (text, args) in ask_list(self.engine(), sql, &fixed, list) {
            rows.extend(self.fetch_text(text.into(), args).await?);
        }
        Ok(rows)
    }

    /// Runs one statement by itself, outside a transaction: the few that must be.
    pub(crate) async fn execute_alone(&self, text: String) -> Result<(), DbError> {
        match &self.pools {
            Pools::Lite { write, path, .. } => {
                let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(write).await;
                done.map_err(|error| name_damage(error.into(), path))?;
            }
            Pools::Pg(pool) => {
                sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await?;
            }
        }
        Ok(())
    }

    /// The SQLite file, to be read beside SQLite.
    pub(crate) fn file(&self) -> Result<Arc<File>, DbError> {
        let Pools::Lite { path, file, .. } = &self.pools else {
            return Err(DbError::NoCatalogue);
        };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file {
            return Ok(Arc::clone(file));
        }
        let opened = File::open(path).map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Arc::clone(file.insert(Arc::new(opened))))
    }

    /// The connections of a SQLite file: the one that writes, and those that read.
    pub(crate) const fn lite_pools(&self) -> Option<(&SqlitePool, &SqlitePool)> {
        match &self.pools {
            Pools::Lite { write, read, .. } => Some((write, read)),
            Pools::Pg(_) => None,
        }
    }

    /// A connection of its own that holds a lock until it is dropped (PostgreSQL only).
    pub(crate) async fn pg_connection(
        &self,
    ) -> Result<Option<sqlx::pool::PoolConnection<Postgres>>, DbError> {
        match &self.pools {
            Pools::Lite { .. } => Ok(None),
            Pools::Pg(pool) => Ok(Some(pool.acquire().await?)),
        }
    }
}

impl Tx {
    /// Makes everything that was done durable, all of it at once.
    ///
    /// # Errors
    /// What the engine says; nothing was done then.
    pub async fn commit(mut self) -> Result<(), DbError> {
        count::settle(&mut self).await?;
        match self.inner {
            Inner::Lite(tx, path) => tx
                .commit()
                .await
                .map_err(|error| name_damage(error.into(), &path))?,
            Inner::Pg(tx) => tx.commit().await?,
        }
        Ok(())
    }

    pub(crate) const fn engine(&self) -> Engine {
        match self.inner {
            Inner::Lite(..) => Engine::Sqlite,
            Inner::Pg(_) => Engine::Postgres,
        }
    }

    pub(crate) async fn fetch(&mut self, sql: Sql, args: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.fetch_text(sql.for_engine(self.engine()), args).await
    }

    pub(crate) async fn fetch_optional(
        &mut self,
        sql: Sql,
        args: Vec<Value>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    pub(crate) async fn fetch_text(
        &mut self,
        text: Cow<'static, str>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        count_arguments(&text, args.len());
        match &mut self.inner {
            Inner::Lite(tx, path) => lite_fetch(&mut **tx, text, args)
                .await
                .map_err(|error| name_damage(error, path)),
            Inner::Pg(tx) => pg_fetch(&mut **tx, text, args).await,
        }
    }

    /// Asks a `{list}` question about each of `list`, which is what an `IN` is compared with.
    pub(crate) async fn fetch_list(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        list: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let mut rows = Vec::new();
        for (text, args) in ask_list(self.engine(), sql, &fixed, list) {
            rows.extend(self.fetch_text(text.into(), args).await?);
        }
        Ok(rows)
    }

    /// Runs a statement that changes rows; gives how many.
    pub(crate) async fn execute(&mut self, sql: Sql, args: Vec<Value>) -> Result<u64, DbError> {
        self.execute_text(sql.for_engine(self.engine()), args).await
    }

    /// Runs a `{list}` statement for each batch of `list`; gives how many rows it changed.
    pub(crate) async fn execute_list(
        &mut self,
        sql: Sql,
        fixed: Vec<Value>,
        list: Vec<Value>,
    ) -> Result<u64, DbError> {
        let mut changed = 0;
        for (text, args) in ask_list(self.engine(), sql, &fixed, list) {
            changed += self.execute_text(text.into(), args).await?;
        }
        Ok(changed)
    }

    /// Runs a `{rows}` statement for each batch of `rows`, all of `columns` values.
    pub(crate) async fn execute_rows(
        &mut self,
        sql: Sql,
        columns: usize,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, DbError> {
        let mut changed = 0;
        for (text, args) in ask_rows(self.engine(), sql, columns, rows) {
            changed += self.execute_text(text.into(), args).await?;
        }
        Ok(changed)
    }

    /// Runs several statements without arguments, as migrations do.
    pub(crate) async fn execute_script(&mut self, text: String) -> Result<(), DbError> {
        match &mut self.inner {
            Inner::Lite(tx, _) => {
                sqlx::raw_sql(AssertSqlSafe(text))
                    .execute(&mut **tx)
                    .await?;
            }
            Inner::Pg(tx) => {
                sqlx::raw_sql(AssertSqlSafe(text))
                    .execute(&mut **tx)
                    .await?;
            }
        }
        Ok(())
    }

    async fn execute_text(
        &mut self,
        text: Cow<'static, str>,
        args: Vec<Value>,
    ) -> Result<u64, DbError> {
        count_arguments(&text, args.len());
        Ok(match &mut self.inner {
            Inner::Lite(tx, path) => {
                let args = bind_lite(args)?;
                let done = sqlx::query_with(sql_str(text), args).execute(&mut **tx);
                let done = done
                    .await
                    .map_err(|error| name_damage(error.into(), path))?;
                done.rows_affected()
            }
            Inner::Pg(tx) => {
                let args = bind_pg(args)?;
                sqlx::query_with(sql_str(text), args)
                    .execute(&mut **tx)
                    .await?
                    .rows_affected()
            }
        })
    }
}

async fn open_server(url: &str) -> Result<Pools, DbError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| DbError::Unavailable(error.to_string()))?
        .application_name("catalogue")
        // A plan that is kept was made for tables as they were then: in a new catalogue each of them is
        // read from end to end, and goes on being so while it grows.
        .options([("plan_cache_mode", "force_custom_plan")])
        .statement_cache_capacity(200)
        .disable_statement_logging();
    // The pool would try for half a minute to reach a server that refuses; who opens a catalogue
    // wants to know at once.
    let silent = || DbError::Unavailable("the database server does not answer".to_owned());
    let first = tokio::time::timeout(Duration::from_secs(10), options.connect());
    let first = first.await.map_err(|_| silent())?;
    let first = first.map_err(|error| match DbError::from(error) {
        DbError::Sql(error) => DbError::Unavailable(error.to_string()),
        DbError::Busy => silent(),
        other => other,
    })?;
    first.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(12)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options);
    Ok(Pools::Pg(pool))
}

/// SQLite's errors do not name the file; people need to know which one.
pub(crate) fn name_damage(error: DbError, file: &Path) -> DbError {
    match error {
        DbError::Damaged { detail, .. } => DbError::Damaged {
            path: file.to_owned(),
            detail,
        },
        other => other,
    }
}

/// SQLite binds a missing argument as NULL without a word, so a miscount must not get that far.
fn count_arguments(text: &str, given: usize) {
    debug_assert_eq!(sql::count_arguments(text), given, "arguments of {text}");
}

fn sql_str(text: Cow<'static, str>) -> SqlStr {
    use sqlx::SqlSafeStr as _;
    match text {
        Cow::Borrowed(text) => text.into_sql_str(),
        // Put together from this crate's own constants and numbers; values are always bound.
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
    }
}

pub(crate) async fn lite_fetch<'e, E>(
    executor: E,
    text: Cow<'static, str>,
    args: Vec<Value>,
) -> Result<Vec<Row>, DbError>
where
    E: Executor<'e, Database = Sqlite>,
{
    let args = bind_lite(args)?;
    let rows = sqlx::query_with(sql_str(text), args)
        .fetch(executor)
        .map_ok(Row::Lite);
    Ok(rows.try_collect().await?)
}

pub(crate) async fn pg_fetch<'e, E>(
    executor: E,
    text: Cow<'static, str>,
    args: Vec<Value>,
) -> Result<Vec<Row>, DbError>
where
    E: Executor<'e, Database = Postgres>,
{
    let args = bind_pg(args)?;
    let rows = sqlx::query_with(sql_str(text), args)
        .fetch(executor)
        .map_ok(Row::Pg);
    Ok(rows.try_collect().await?)
}
