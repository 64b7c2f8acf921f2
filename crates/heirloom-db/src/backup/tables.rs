//! The tables of a catalogue in PostgreSQL as files, and a catalogue in SQLite of those.
//!
//! Each table is a file of lines, `NAME.jsonl`: first its columns with their types, then a JSON array for each row in
//! the order of its primary key, so that what did not change has the same bytes in the next backup. Bytes are written as
//! hexadecimal digits. The search index is not among them: it is made anew. Whoever restores needs no PostgreSQL.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::TryStreamExt as _;
use heirloom_core::Actor;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::{Content, FrozenFile};
use crate::{Db, DbError, Engine, Location, connection::pg_fetch, sql::statements, value::args};

statements! {
    LIST_COLUMNS = "/*lite SELECT '', '', '', 0 LIMIT 0 */
      /*pg SELECT c.relname::text, a.attname::text, t.typname::text, COALESCE((
          SELECT key.position FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS key (number, position)
          WHERE i.indrelid = c.oid AND i.indisprimary AND key.number = a.attnum), 0)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'search_index'
        ORDER BY c.relname::text COLLATE \"C\", a.attnum */";
}

/// How a file of a table is called after the table.
const ENDING: &str = ".jsonl";
/// The table that says how the others look.
const MIGRATION: &str = "migration";
/// How many rows are stored at once.
pub(super) const TOGETHER: usize = 500;
pub(super) const TOGETHER_BYTES: usize = 4 << 20;

/// A table, with its columns and their types.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<(String, String)>,
    /// The columns of its primary key with their places in that.
    key: Vec<(i64, String)>,
}

/// Writes the tables as they are in the connection's transaction to files without names in a folder.
pub(super) async fn dump(
    connection: &mut PgConnection,
    folder: &Path,
) -> Result<Vec<FrozenFile>, DbError> {
    let mut tables = list_tables(connection).await?;
    let mut files = Vec::with_capacity(tables.len());
    for table in &mut tables {
        files.push(dump_table(connection, table, folder).await?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The tables by name, without the search index.
pub(super) async fn list_tables(connection: &mut PgConnection) -> Result<Vec<Table>, DbError> {
    let mut tables: Vec<Table> = Vec::new();
    let columns = pg_fetch(
        &mut *connection,
        LIST_COLUMNS.for_engine(Engine::Postgres),
        args![],
    );
    for row in columns.await? {
        let (name, column, kind): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table {
                name,
                columns: Vec::new(),
                key: Vec::new(),
            });
        }
        let Some(table) = tables.last_mut() else {
            continue;
        };
        let position: i64 = row.get(3)?;
        if position > 0 {
            table.key.push((position, column.clone()));
        }
        table.columns.push((column, kind));
    }
    Ok(tables)
}

async fn dump_table(
    connection: &mut PgConnection,
    table: &mut Table,
    folder: &Path,
) -> Result<FrozenFile, DbError> {
    let unavailable = |error: io::Error| DbError::Unavailable(error.to_string());
    let file = tempfile::tempfile_in(folder).map_err(unavailable)?;
    let mut writer = BufWriter::with_capacity(1 << 20, &file);
    let head = serde_json::to_string(&table.columns).unwrap_or_default();
    writeln!(writer, "{head}").map_err(unavailable)?;
    let values: Vec<String> = table
        .columns
        .iter()
        .map(|(name, kind)| match kind.as_str() {
            "bytea" => format!("encode(\"{name}\", 'hex')"),
            _ => format!("\"{name}\""),
        })
        .collect();
    table.key.sort();
    let key: Vec<String> = table
        .key
        .iter()
        .map(|(_, name)| format!("\"{name}\""))
        .collect();
    let order = match key.is_empty() {
        true => String::new(),
        false => format!(" ORDER BY {}", key.join(", ")),
    };
    let (name, values) = (&table.name, values.join(", "));
    let copy = format!("COPY (SELECT json_build_array({values}) FROM \"{name}\"{order}) TO STDOUT");
    let mut rows = connection.copy_out_raw(&copy).await?;
    while let Some(row) = rows.try_next().await? {
        // Of what is escaped on the way, JSON has this sign alone.
        let row = std::str::from_utf8(&row).map_err(|error| DbError::unreadable("a row", error))?;
        let row = row.replace(r"\\", r"\");
        writer.write_all(row.as_bytes()).map_err(unavailable)?;
    }
    drop(rows);
    writer.flush().map_err(unavailable)?;
    drop(writer);
    let size_bytes = file.metadata().map_err(unavailable)?.len();
    Ok(FrozenFile {
        name: format!("{name}{ENDING}"),
        size_bytes,
        times_ns: None,
        content: Content::File(Arc::new(file)),
    })
}

/// Whether a file of a catalogue has a table of one in PostgreSQL.
#[must_use]
pub fn is_table(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|table| {
        !table.is_empty()
            && table
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

/// Makes a catalogue in SQLite of the tables of one in PostgreSQL, each a file that [`is_table`], and opens it.
///
/// # Errors
/// [`DbError::Unreadable`] where a file is none of a table, what opening a catalogue says, and what the engine says.
/// What was made until then is of no use.
pub async fn load_tables(catalogue: &Path, files: &[PathBuf]) -> Result<Db, DbError> {
    let name_of = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix(ENDING).unwrap_or_default().to_owned()
    };
    let migrations = files.iter().find(|file| name_of(file) == MIGRATION);
    let migrations = migrations.ok_or(DbError::NoCatalogue)?;
    let db = Db::create_older(catalogue, &applied(migrations)?).await?;
    let loaded = async {
        let (write, _) = db.lite_pools().ok_or(DbError::NoCatalogue)?;
        let mut connection = write.acquire().await?;
        // What refers to what is checked when everything is there; what is counted is among it.
        run(&mut connection, "PRAGMA foreign_keys = OFF").await?;
        run(&mut connection, "BEGIN IMMEDIATE").await?;
        let triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
        let triggers = sqlx::query(triggers).fetch_all(&mut *connection).await?;
        for trigger in &triggers {
            let name: String = trigger.try_get(0)?;
            run(&mut connection, &format!("DROP TRIGGER \"{name}\"")).await?;
        }
        for file in files {
            load_table(&mut connection, &name_of(file), file).await?;
        }
        for trigger in &triggers {
            let text: String = trigger.try_get(1)?;
            run(&mut connection, &text).await?;
        }
        let lost = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut *connection);
        if let Some(lost) = lost.await? {
            let table: String = lost.try_get(0)?;
            return Err(DbError::unreadable(
                "a table",
                format!("{table} refers to nothing"),
            ));
        }
        run(&mut connection, "COMMIT").await?;
        run(&mut connection, "PRAGMA foreign_keys = ON").await
    };
    let loaded = loaded.await;
    db.close().await;
    loaded?;
    let db = Db::open_existing(&Location::File(catalogue.to_owned())).await?;
    db.rebuild_search(&Actor::Operator).await?;
    Ok(db)
}

/// The migrations that the tables went through.
fn applied(file: &Path) -> Result<Vec<(String, String)>, DbError> {
    let (columns, lines) = read(file)?;
    let place = |wanted: &str| columns.iter().position(|(name, _)| name == wanted);
    let (Some(name), Some(hash)) = (place("name"), place("text_hash")) else {
        return Err(DbError::unreadable("a table", MIGRATION));
    };
    lines
        .map(|line| {
            let line = line.map_err(|error| DbError::Unavailable(error.to_string()))?;
            let row: Vec<serde_json::Value> =
                serde_json::from_str(&line).map_err(|error| DbError::unreadable("a row", error))?;
            let text = |at: usize| {
                row.get(at)
                    .and_then(|value| value.as_str())
                    .map(str::to_owned)
            };
            text(name)
                .zip(text(hash))
                .ok_or_else(|| DbError::unreadable("a row", MIGRATION))
        })
        .collect()
}

type Lines = io::Lines<BufReader<File>>;

/// The columns of a table, and its rows.
fn read(file: &Path) -> Result<(Vec<(String, String)>, Lines), DbError> {
    let unavailable = |error: io::Error| DbError::Unavailable(error.to_string());
    let opened = File::open(file).map_err(unavailable)?;
    let mut lines = BufReader::with_capacity(1 << 20, opened).lines();
    let head = lines.next().transpose().map_err(unavailable)?;
    let columns = serde_json::from_str(&head.unwrap_or_default())
        .map_err(|error| DbError::unreadable("a table", error))?;
    Ok((columns, lines))
}

async fn load_table(
    connection: &mut SqliteConnection,
    table: &str,
    file: &Path,
) -> Result<(), DbError> {
    let (columns, lines) = read(file)?;
    let is_plain = |(name, _): &(String, String)| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if columns.is_empty() || !columns.iter().all(is_plain) {
        return Err(DbError::unreadable("a table", table));
    }
    // A migration may have put a row there.
    run(connection, &format!("DELETE FROM \"{table}\"")).await?;
    let names: Vec<String> = columns
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| match kind.as_str() {
            "bytea" => format!("unhex(row.value ->> {at})"),
            _ => format!("row.value ->> {at}"),
        })
        .collect();
    let (names, values) = (names.join(", "), values.join(", "));
    let insert =
        format!("INSERT INTO \"{table}\" ({names}) SELECT {values} FROM json_each(?1) AS row");
    let mut together = String::from("[");
    let mut count = 0;
    for line in lines {
        together += &line.map_err(|error| DbError::Unavailable(error.to_string()))?;
        together.push(',');
        count += 1;
        if count >= TOGETHER || together.len() >= TOGETHER_BYTES {
            store(connection, &insert, &mut together).await?;
            count = 0;
        }
    }
    store(connection, &insert, &mut together).await
}

/// Stores rows, each with a comma behind it after a bracket.
async fn store(
    connection: &mut SqliteConnection,
    insert: &str,
    together: &mut String,
) -> Result<(), DbError> {
    if together.pop() == Some(',') {
        together.push(']');
        let rows = std::mem::take(together);
        let insert = sqlx::query(AssertSqlSafe(insert.to_owned())).bind(rows);
        insert.execute(connection).await?;
    }
    "[".clone_into(together);
    Ok(())
}

async fn run(connection: &mut SqliteConnection, text: &str) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}
