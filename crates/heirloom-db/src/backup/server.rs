//! A catalogue in a SQLite file, copied into an empty database of PostgreSQL: the other way round than `tables`.
//!
//! All of it comes in one transaction, or nothing. The same transaction leaves a note in the database, by which a restore
//! that was killed afterwards knows its own work.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection};

use super::tables::{TOGETHER, TOGETHER_BYTES, Table, list_tables};
use crate::{
    Db, DbError, Engine, Location,
    connection::pg_fetch,
    sql::statements,
    value::{Value, args},
};

statements! {
    // Indexes and types come with these.
    COUNT_ANY = "/*lite SELECT COUNT(*) FROM sqlite_schema */
      /*pg SELECT COUNT(*) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') */";
    FIND_MIGRATION = "/*lite SELECT '', '' LIMIT 0 */
      /*pg SELECT relname::text, COALESCE(obj_description(oid, 'pg_class'), '') FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname = 'migration' */";
    COUNT_FAMILIES = "SELECT COUNT(*) FROM family";
    LIST_REFERENCES = "/*lite SELECT '', '', '' LIMIT 0 */
      /*pg SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND contype = 'f' ORDER BY 1, 2 */";
}

/// Whether a database of PostgreSQL has what was copied under this name, to its end; if not, it is empty.
///
/// # Errors
/// [`DbError::Refused`] when something else is in it; [`DbError::Unavailable`].
pub async fn has_copy(url: &str, name: &str) -> Result<bool, DbError> {
    let server = Db::connect(url).await?;
    let found = find_copy(&server, name).await;
    server.close().await;
    found
}

async fn find_copy(server: &Db, name: &str) -> Result<bool, DbError> {
    let count = async |statement| {
        let rows = server.fetch(statement, args![]).await?;
        rows.first().map_or(Ok(0), |row| row.get::<i64>(0))
    };
    let migration = server.fetch_optional(FIND_MIGRATION, args![]).await?;
    let Some(migration) = migration else {
        return match count(COUNT_ANY).await? {
            0 => Ok(false),
            _ => Err(DbError::Refused(
                "the database is not empty: it has tables of something else. Name one that is empty, made with \
                 `createdb`"
                    .to_owned(),
            )),
        };
    };
    if migration.get::<String>(1)? == note(name) {
        return Ok(true);
    }
    match count(COUNT_FAMILIES).await? {
        0 => Ok(false),
        _ => Err(DbError::Refused(
            "the database is not empty: it has the catalogue of a library. Name one that is empty, made with `createdb`"
                .to_owned(),
        )),
    }
}

fn note(name: &str) -> String {
    format!("restored {name}")
}

/// Copies a catalogue in a SQLite file into an empty database of PostgreSQL, and makes the search index there. What was
/// copied under the same name before is there already.
///
/// # Errors
/// As [`has_copy`], and what the engine says. Nothing was copied then.
pub async fn copy_catalogue(from: &Db, url: &str, name: &str) -> Result<(), DbError> {
    let is_there = has_copy(url, name).await?;
    let server = Db::open(&Location::Url(url.to_owned())).await?;
    let copied = async {
        if !is_there {
            copy_tables(from, &server, name).await?;
        }
        // What was not stopped in between has it already.
        server.rebuild_search(&heirloom_core::Actor::Operator).await
    };
    let copied = copied.await;
    server.close().await;
    copied
}

async fn copy_tables(from: &Db, server: &Db, name: &str) -> Result<(), DbError> {
    let pooled = server.pg_connection().await?.ok_or(DbError::NoCatalogue)?;
    // Dropped before its end, it is closed, and nothing was done.
    let mut to = pooled.detach();
    run(&mut to, "BEGIN").await?;
    // The one that migrating takes.
    run(&mut to, "SELECT pg_advisory_xact_lock(7024117)").await?;
    let families = COUNT_FAMILIES.for_engine(Engine::Postgres);
    let families = pg_fetch(&mut to, families, args![]).await?;
    if families.first().map_or(Ok(0), |row| row.get::<i64>(0))? > 0 {
        return Err(DbError::Refused(
            "somebody else began a library in the database meanwhile".to_owned(),
        ));
    }
    let tables = list_tables(&mut to).await?;
    // What refers to what is checked when everything is there; what is counted is among it.
    let references = LIST_REFERENCES.for_engine(Engine::Postgres);
    let mut again = Vec::new();
    for row in pg_fetch(&mut to, references, args![]).await? {
        let (table, name, text): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        run(
            &mut to,
            &format!("ALTER TABLE {table} DROP CONSTRAINT \"{name}\""),
        )
        .await?;
        again.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT \"{name}\" {text}"
        ));
    }
    for table in tables.iter().filter(|table| table.name != "migration") {
        let name = &table.name;
        again.push(format!("ALTER TABLE \"{name}\" ENABLE TRIGGER USER"));
        run(
            &mut to,
            &format!("ALTER TABLE \"{name}\" DISABLE TRIGGER USER"),
        )
        .await?;
        // A migration may have put a row there.
        run(&mut to, &format!("DELETE FROM \"{name}\"")).await?;
        copy_table(from, &mut to, table).await?;
    }
    for text in again {
        run(&mut to, &text).await?;
    }
    let note = note(name).replace('\'', "''");
    run(&mut to, &format!("COMMENT ON TABLE migration IS '{note}'")).await?;
    run(&mut to, "COMMIT").await?;
    Ok(sqlx::Connection::close(to).await?)
}

/// Copies the rows of a table, and counts them there.
async fn copy_table(from: &Db, to: &mut PgConnection, table: &Table) -> Result<(), DbError> {
    let name = &table.name;
    let (mut columns, mut written, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for (at, (column, kind)) in table.columns.iter().enumerate() {
        columns.push(format!("\"{column}\""));
        written.push(match kind.as_str() {
            "bytea" => format!("hex(\"{column}\")"),
            // The shortest text that every number comes back from is longer than JSON has it.
            "float8" => format!("printf('%!.17g', \"{column}\")"),
            _ => format!("\"{column}\""),
        });
        if let Some(value) = written.last_mut() {
            *value = format!("iif(\"{column}\" IS NULL, NULL, {value})");
        }
        read.push(match kind.as_str() {
            "bytea" => format!("decode(value ->> {at}, 'hex')"),
            "text" => format!("value ->> {at}"),
            kind => format!("(value ->> {at})::{kind}"),
        });
    }
    let (columns, written, read) = (columns.join(", "), written.join(", "), read.join(", "));
    let insert = format!(
        "INSERT INTO \"{name}\" ({columns}) SELECT {read} FROM json_array_elements($1::json) AS row (value)"
    );
    let select = format!("SELECT json_array({written}) FROM \"{name}\"");
    let mut count = 0_usize;
    let mut together = String::new();
    let (_, pool) = from.lite_pools().ok_or(DbError::NoCatalogue)?;
    let mut rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(select)).fetch(pool);
    while let Some(row) = rows.try_next().await? {
        together.push(if together.is_empty() { '[' } else { ',' });
        together += &row;
        count += 1;
        if count.is_multiple_of(TOGETHER) || together.len() >= TOGETHER_BYTES {
            store(to, &insert, &mut together).await?;
        }
    }
    drop(rows);
    store(to, &insert, &mut together).await?;
    let counted = format!("SELECT COUNT(*) FROM \"{name}\"");
    let counted = pg_fetch(to, counted.into(), Vec::<Value>::new()).await?;
    let there: i64 = counted.first().map_or(Ok(0), |row| row.get(0))?;
    if usize::try_from(there) == Ok(count) {
        return Ok(());
    }
    Err(DbError::unreadable(
        "a table",
        format!("{name} had {count} rows and has {there} in the database"),
    ))
}

/// Stores rows, each but the first with a comma before it, after a bracket.
async fn store(to: &mut PgConnection, insert: &str, together: &mut String) -> Result<(), DbError> {
    if !together.is_empty() {
        together.push(']');
        let rows = std::mem::take(together);
        let insert = sqlx::query(AssertSqlSafe(insert.to_owned())).bind(rows);
        insert.execute(to).await?;
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, text: &str) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(connection)
        .await?;
    Ok(())
}
