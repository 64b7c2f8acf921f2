//! Statement texts, and what little of them differs between the engines.
//!
//! A text is valid SQLite as it stands. `/*pg … */` is a comment to SQLite and is opened for
//! PostgreSQL; `/*lite … */` is opened for SQLite and a comment to PostgreSQL. `{list}` stands for a
//! list of arguments after the numbered ones, `{rows}` for rows of values. SQLite takes each value as an
//! argument; PostgreSQL takes a list as one array and rows as one array for each column, so that a
//! statement of any length is parsed and planned once.

#[cfg(test)]
mod probe;

use std::{borrow::Cow, fmt::Write as _};

use crate::{connection::Engine, value::Value};

/// The text of one statement, a constant of this crate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql(pub(crate) &'static str);

/// Declares a module's statements and lists them for the test that prepares each.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* const $name: $crate::sql::Sql = $crate::sql::Sql($text);)*
        pub(crate) const STATEMENTS: &[(&str, $crate::sql::Sql)] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}
pub(crate) use statements;

/// How many rows one execution of a `{rows}` statement takes on SQLite. Few sizes, so that few statements
/// are prepared; rows are cut into the largest that fit.
const BATCHES: [usize; 4] = [256, 32, 4, 1];

impl Sql {
    pub(crate) const fn text(self) -> &'static str {
        self.0
    }

    /// The text as `engine` takes it.
    pub(crate) fn for_engine(self, engine: Engine) -> Cow<'static, str> {
        open_hooks(self.0, engine)
    }

    /// The text for PostgreSQL with `{list}` opened for one array that follows `fixed` arguments.
    pub(crate) fn with_array(self, fixed: usize) -> String {
        let array = fixed + 1;
        open_hooks(self.0, Engine::Postgres)
            .replace("NOT IN ({list})", &format!("<> ALL (${array})"))
            .replace("IN ({list})", &format!("= ANY (${array})"))
    }

    /// The text for PostgreSQL with `{rows}` opened for an array for each of `columns` columns.
    pub(crate) fn with_arrays(self, columns: usize) -> String {
        let list = |prefix: &str| {
            let numbered = (1..=columns).map(|column| format!("{prefix}{column}"));
            numbered.collect::<Vec<_>>().join(", ")
        };
        let rows = format!(
            "SELECT * FROM unnest({}) AS given ({})",
            list("$"),
            list("column")
        );
        open_hooks(self.0, Engine::Postgres).replace("VALUES {rows}", &rows)
    }

    /// The text for SQLite with `{list}` opened for `items` arguments that follow `fixed` numbered ones.
    pub(crate) fn with_list(self, fixed: usize, items: usize) -> String {
        let mut list = String::with_capacity(items * 5);
        for item in 1..=items {
            list.push_str(if item == 1 { "" } else { "," });
            // sqlx counts unnumbered arguments from the first, so they do not mix with numbered ones.
            write_argument(&mut list, fixed == 0, fixed + item);
        }
        open_hooks(self.0, Engine::Sqlite).replace("{list}", &list)
    }

    /// The text for SQLite with `{rows}` opened for `rows` rows of `columns` values.
    pub(crate) fn with_rows(self, columns: usize, rows: usize) -> String {
        let mut text = String::with_capacity(rows * columns * 5);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 1..=columns {
                text.push_str(if column == 1 { "" } else { "," });
                write_argument(&mut text, true, row * columns + column);
            }
            text.push(')');
        }
        open_hooks(self.0, Engine::Sqlite).replace("{rows}", &text)
    }
}

/// SQLite keeps the names of numbered arguments in a list that is searched from its beginning for
/// each of them: thousands of them took three quarters of the time of storing a scan. Arguments
/// without a number have no name.
fn write_argument(to: &mut String, may_be_unnumbered: bool, number: usize) {
    if may_be_unnumbered {
        to.push('?');
    } else {
        let _ = write!(to, "${number}");
    }
}

/// Cuts `length` rows into batches of few sizes, the largest first.
fn batches(length: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = length - start;
        let size = BATCHES.into_iter().find(|size| *size <= left)?;
        start += size;
        Some(start - size..start)
    })
}

/// Cuts a list that an `IN` is compared with into parts of few sizes. The last value of a list is
/// repeated where it fills a part up: an `IN` does not mind, and one statement is quicker than many.
fn list_parts(list: Vec<Value>) -> impl Iterator<Item = Vec<Value>> {
    const SIZES: [usize; 4] = [1, 8, 64, 256];
    let mut list = list.into_iter();
    std::iter::from_fn(move || {
        let left = list.len();
        let mut part: Vec<Value> = list.by_ref().take(256).collect();
        let size = SIZES.into_iter().find(|size| *size >= left).unwrap_or(256);
        let last = part.last()?.clone();
        part.resize(size, last);
        Some(part)
    })
}

/// The texts, each with its arguments, that ask a `{list}` question about all of `list`.
pub(crate) fn ask_list(
    engine: Engine,
    sql: Sql,
    fixed: &[Value],
    list: Vec<Value>,
) -> Vec<(String, Vec<Value>)> {
    let with_fixed = |list: Vec<Value>| fixed.iter().cloned().chain(list).collect();
    match engine {
        Engine::Sqlite => list_parts(list)
            .map(|part| (sql.with_list(fixed.len(), part.len()), with_fixed(part)))
            .collect(),
        Engine::Postgres if list.is_empty() => Vec::new(),
        Engine::Postgres => {
            let array = vec![Value::Array(list)];
            vec![(sql.with_array(fixed.len()), with_fixed(array))]
        }
    }
}

/// The texts, each with its arguments, that run a `{rows}` statement for all of `rows`, of `columns` values
/// each.
pub(crate) fn ask_rows(
    engine: Engine,
    sql: Sql,
    columns: usize,
    rows: Vec<Vec<Value>>,
) -> Vec<(String, Vec<Value>)> {
    debug_assert!(rows.iter().all(|row| row.len() == columns));
    match engine {
        Engine::Sqlite => {
            let sizes = batches(rows.len()).map(|range| range.len());
            let mut rows = rows.into_iter();
            sizes
                .map(|size| {
                    let args = rows.by_ref().take(size).flatten().collect();
                    (sql.with_rows(columns, size), args)
                })
                .collect()
        }
        Engine::Postgres if rows.is_empty() => Vec::new(),
        Engine::Postgres => {
            let mut arrays = vec![Vec::with_capacity(rows.len()); columns];
            for row in rows {
                for (array, value) in arrays.iter_mut().zip(row) {
                    array.push(value);
                }
            }
            let arrays = arrays.into_iter().map(Value::Array).collect();
            vec![(sql.with_arrays(columns), arrays)]
        }
    }
}

/// How many arguments a text takes: its highest `$n`, or its `?`s.
pub(crate) fn count_arguments(text: &str) -> usize {
    let numbered = text.match_indices('$').filter_map(|(at, _)| {
        let digits: String = text[at + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<usize>().ok()
    });
    numbered.max().unwrap_or(0) + text.matches('?').count()
}

pub(crate) fn open_hooks(text: &str, engine: Engine) -> Cow<'_, str> {
    let hook = match engine {
        Engine::Sqlite => "/*lite",
        Engine::Postgres => "/*pg",
    };
    if !text.contains(hook) {
        return Cow::Borrowed(text);
    }
    let mut opened = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(hook) {
        opened.push_str(&rest[..at]);
        rest = &rest[at + hook.len()..];
        let end = rest.find("*/").unwrap_or(rest.len());
        opened.push_str(&rest[..end]);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    opened.push_str(rest);
    Cow::Owned(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_open_for_their_engine_alone() {
        let text = "a /*lite b */c /*pg d */e";
        assert_eq!(open_hooks(text, Engine::Sqlite), "a  b c /*pg d */e");
        assert_eq!(open_hooks(text, Engine::Postgres), "a /*lite b */c  d e");
    }

    #[test]
    fn lists_and_rows_are_numbered_after_what_is_fixed() {
        let list = Sql("x = $1 AND y IN ({list})").with_list(1, 3);
        assert_eq!(list, "x = $1 AND y IN ($2,$3,$4)");
        let list = Sql("x = $1 AND y IN ({list}) AND z NOT IN ({list})").with_array(1);
        assert_eq!(list, "x = $1 AND y = ANY ($2) AND z <> ALL ($2)");
        let rows = Sql("VALUES {rows}").with_arrays(2);
        assert_eq!(
            rows,
            "SELECT * FROM unnest($1, $2) AS given (column1, column2)"
        );
        assert_eq!(count_arguments(&rows), 2);
        assert_eq!(count_arguments("SELECT 1"), 0);
        let rows = Sql("VALUES {rows}").with_rows(2, 2);
        assert_eq!(rows, "VALUES (?,?),(?,?)");
        assert_eq!(count_arguments(&rows), 4);
    }

    #[test]
    fn a_list_of_any_length_is_cut_into_few_sizes() {
        let cut: Vec<usize> = batches(301).map(|range| range.len()).collect();
        assert_eq!(cut, [256, 32, 4, 4, 4, 1]);
        assert_eq!(batches(0).count(), 0);
        for (length, parts) in [
            (0, vec![]),
            (1, vec![1]),
            (5, vec![8]),
            (50, vec![64]),
            (300, vec![256, 64]),
        ] {
            let list = vec![Value::from(7_i64); length];
            let cut: Vec<usize> = list_parts(list).map(|part| part.len()).collect();
            assert_eq!(cut, parts);
        }
    }
}
