//! Every statement of this crate, prepared and run on both engines.
//!
//! PostgreSQL says which types a statement takes and gives. Values of these types go into both
//! engines, in a transaction that is rolled back. A constraint may refuse them; a name or a type that
//! an engine does not know may not be.

use heirloom_testing::postgres;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Either, Executor as _, SqlSafeStr as _,
    Statement as _, TypeInfo as _,
};

use super::{Sql, count_arguments, open_hooks};
use crate::{Db, DbError, Engine, Location, value::Value};

/// Statements whose types PostgreSQL does not infer, because they are values before they are columns.
const TOLD: [(&str, &[&str]); 4] = [
    ("heirloom_db::search::ADD", &["INT8", "TEXT"]),
    (
        "heirloom_db::plan::ADD_UNITS",
        &[
            "BYTEA", "BYTEA", "TEXT", "BYTEA", "TEXT", "INT8", "TEXT", "INT8", "BYTEA", "TEXT",
        ],
    ),
    ("heirloom_db::person::MOVE", &["BYTEA", "BYTEA"]),
    (
        "heirloom_db::unit::end::END",
        &[
            "BYTEA", "TEXT", "INT8", "INT8", "INT8", "TEXT", "BOOL", "INT8", "INT8", "TEXT",
            "BOOL", "TEXT",
        ],
    ),
];

#[test]
fn every_statement_is_prepared_and_runs_on_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let lite = Db::open(&Location::File(folder.path().join("c.db")))
            .await
            .unwrap();
        let pg = Db::open(&Location::Url(database.url.clone()))
            .await
            .unwrap();
        let mut wrong = Vec::new();
        let mut count = 0;
        for (name, text) in crate::statements() {
            count += 1;
            for items in [1, 4] {
                if let Err(problem) = probe(&lite, &pg, name, Sql(text), items).await {
                    wrong.push(format!("{name}: {problem}"));
                }
            }
        }
        assert!(count > 100, "{count} statements");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        lite.close().await;
        pg.close().await;
    });
}

/// What is sorted although it is a page: what belongs to one asset, families, places of one region,
/// replacements and what is damaged, which are few; names, which are few beside assets; two pages that
/// become one; and the search index of PostgreSQL, which has no order.
const SORTED: [&str; 14] = [
    "heirloom_db::artifact::FIND_NEWEST",
    "heirloom_db::family::FIND_FIRST",
    "heirloom_db::folder::LIST_FILES",
    "heirloom_db::folder::LIST_NEIGHBOURS",
    // The places of one asset.
    "heirloom_db::import::part::FIND_FOLDER_OF",
    "heirloom_db::location::LIST_LIVE",
    "heirloom_db::place::list::LIST_PLACES",
    // The fullest places of a country.
    "heirloom_db::place::list::LIST_DRAWN",
    // The fullest of sixteen.
    "heirloom_db::place::map::LIST_FULLEST",
    "heirloom_db::replacement::LIST",
    "heirloom_db::scrub::LIST_DAMAGED",
    "heirloom_db::search::suggest::LIST_BEGINNING",
    "heirloom_db::search::suggest::LIST_WITHIN",
    "heirloom_db::search::walk::GATHER",
];

/// Whoever asks for a page pays for a page, however much there is: SQLite takes it from an index that has
/// the order already.
#[tokio::test]
async fn pages_come_from_an_index_that_has_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let lite = Db::open(&Location::File(folder.path().join("c.db")))
        .await
        .unwrap();
    let mut sorted = Vec::new();
    let mut count = 0;
    for (name, text) in crate::statements() {
        if !(text.contains("ORDER BY") && text.contains("LIMIT")) {
            continue;
        }
        count += 1;
        let text = format!("EXPLAIN QUERY PLAN {}", open_lists(Sql(text), 1));
        let values = vec![Value::from(1_i64); count_arguments(&text)];
        let plan = lite.fetch_text(text.into(), values).await.unwrap();
        let mut steps = plan.iter().map(|row| row.get::<String>(3).unwrap());
        if steps.any(|step| step.contains("TEMP B-TREE FOR ORDER BY")) {
            sorted.push(name);
        }
    }
    assert!(count > 10, "{count} pages");
    assert_eq!(sorted, SORTED);
    lite.close().await;
}

/// What is typed is looked up by its beginning among the names of one field of each audience, and never among
/// assets.
#[tokio::test]
async fn a_name_is_looked_up_by_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let lite = Db::open(&Location::File(folder.path().join("c.db")))
        .await
        .unwrap();
    let cases = [
        (
            "LIST_BEGINNING",
            "audience_id=? AND field=? AND words>? AND words<?",
        ),
        ("LIST_WITHIN", "audience_id=? AND field=?"),
    ];
    for (name, condition) in cases {
        let name = format!("heirloom_db::search::suggest::{name}");
        let (_, text) = crate::statements().find(|(it, _)| **it == name).unwrap();
        let text = format!("EXPLAIN QUERY PLAN {}", open_lists(Sql(text), 2));
        let values = vec![Value::from("x"); count_arguments(&text)];
        let plan = lite.fetch_text(text.into(), values).await.unwrap();
        let step: String = plan[0].get(3).unwrap();
        let expected = format!("SEARCH name_count USING PRIMARY KEY ({condition})");
        assert_eq!(step, expected);
    }
    lite.close().await;
}

async fn probe(lite: &Db, pg: &Db, name: &str, sql: Sql, items: usize) -> Result<(), String> {
    let text = open_for_description(sql, items);
    let types = match TOLD.iter().find(|(told, _)| *told == name) {
        Some((_, types)) => types.repeat(items).into_iter().map(str::to_owned).collect(),
        None => describe(pg, &text).await?,
    };
    let values: Vec<Value> = types
        .iter()
        .map(|name| value_of(name))
        .collect::<Result<_, _>>()?;
    if values.len() != count_arguments(&text) {
        return Err(format!("{} values for {text}", values.len()));
    }
    for db in [pg, lite] {
        let (text, values) = match db.engine() {
            Engine::Sqlite => (open_lists(sql, items), values.clone()),
            Engine::Postgres => open_arrays(sql, items, values.clone()),
        };
        let mut tx = db.begin().await.map_err(|error| error.to_string())?;
        let run = tx.fetch_text(text.into(), values).await;
        if let Err(error) = run
            && !is_constraint(&error)
        {
            return Err(format!("{:?}: {error:?}", db.engine()));
        }
        drop(tx);
    }
    Ok(())
}

/// How many values a row of a `{rows}` statement has: as many as columns are named first.
fn columns_of(text: &str) -> usize {
    let columns = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    columns.map_or(0, |(columns, _)| columns.split(',').count())
}

fn without_dates(sql: Sql, engine: Engine) -> String {
    open_hooks(sql.text(), engine).replace("{dates}", "")
}

/// As SQLite is asked.
fn open_lists(sql: Sql, items: usize) -> String {
    let text = without_dates(sql, Engine::Sqlite);
    if text.contains("{list}") {
        return sql.with_list(count_arguments(&text), items);
    }
    if text.contains("{rows}") {
        return sql.with_rows(columns_of(&text), items);
    }
    text
}

/// As PostgreSQL is asked.
fn open_arrays(sql: Sql, items: usize, mut values: Vec<Value>) -> (String, Vec<Value>) {
    let text = without_dates(sql, Engine::Postgres);
    if text.contains("{list}") {
        let fixed = count_arguments(&text);
        let list = values.split_off(fixed);
        values.push(Value::Array(list));
        return (sql.with_array(fixed), values);
    }
    if text.contains("{rows}") {
        let columns = columns_of(&text);
        let of_column = |column| values.iter().skip(column).step_by(columns).cloned();
        let arrays = (0..columns).map(|column| Value::Array(of_column(column).collect()));
        debug_assert_eq!(values.len(), columns * items);
        return (sql.with_arrays(columns), arrays.collect());
    }
    (text, values)
}

/// For PostgreSQL with an argument for each value, whose types it can tell.
fn open_for_description(sql: Sql, items: usize) -> String {
    let text = without_dates(sql, Engine::Postgres);
    let fixed = count_arguments(&text);
    let numbered = |first: usize, count: usize| {
        let numbers = (first..first + count).map(|number| format!("${number}"));
        numbers.collect::<Vec<_>>().join(",")
    };
    let columns = columns_of(&text);
    let rows: Vec<String> = (0..items)
        .map(|row| format!("({})", numbered(1 + row * columns, columns)))
        .collect();
    text.replace("{list}", &numbered(fixed + 1, items))
        .replace("{rows}", &rows.join(","))
}

/// The names of the types that a statement takes; refuses results that no row of ours can read.
async fn describe(pg: &Db, text: &str) -> Result<Vec<String>, String> {
    let connection = pg
        .pg_connection()
        .await
        .map_err(|error| error.to_string())?;
    let mut connection = connection.ok_or("PostgreSQL was expected")?;
    let text = AssertSqlSafe(text.to_owned()).into_sql_str();
    let statement = connection
        .prepare(text)
        .await
        .map_err(|error| error.to_string())?;
    // Whoever gets this connection next says themselves what they give: a text in place of a query.
    let cleared = connection.clear_cached_statements().await;
    cleared.map_err(|error| error.to_string())?;
    for column in statement.columns() {
        let name = column.type_info().name();
        // What EXPLAIN and SHOW give is TEXT as well.
        if !["BOOL", "INT8", "FLOAT8", "TEXT", "BYTEA", "INT4"].contains(&name) {
            return Err(format!("the result {} is {name}", column.name()));
        }
    }
    match statement.parameters() {
        Some(Either::Left(types)) => Ok(types.iter().map(|info| info.name().to_owned()).collect()),
        _ => Err("PostgreSQL does not say what it takes".to_owned()),
    }
}

fn value_of(name: &str) -> Result<Value, String> {
    Ok(match name {
        "BOOL" => Value::from(false),
        "INT8" => Value::from(1_i64),
        "FLOAT8" => Value::from(0.5),
        // Texts that become words of the index in the statement itself.
        "TEXT" | "TSQUERY" | "tsquery" | "TSVECTOR" | "tsvector" => Value::from("x"),
        "BYTEA" => Value::from(vec![7_u8; 16]),
        other => return Err(format!("no value of ours is {other}")),
    })
}

fn is_constraint(error: &DbError) -> bool {
    let DbError::Sql(sqlx::Error::Database(error)) = error else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    // SQLite's low byte for constraints is 19 (https://sqlite.org/rescode.html), PostgreSQL's class 23.
    let is_lite = code.parse::<u32>().is_ok_and(|code| code & 0xff == 19);
    is_lite || (code.len() == 5 && code.starts_with("23"))
}
