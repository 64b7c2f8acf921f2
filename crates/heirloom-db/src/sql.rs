//! Statement texts, and what little of them differs between the engines.
//!
//! A text is valid SQLite as it stands. `/*pg … */` is a comment to SQLite and is opened for
//! PostgreSQL; `/*lite … */` is opened for SQLite and a comment to PostgreSQL. `{list}` stands for a
//! list of arguments after the numbered ones, `{rows}` for rows of values.

use std::{borrow::Cow, fmt::Write as _};

use crate::connection::Engine;

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

/// How many items one execution of a `{list}` or `{rows}` statement takes. Few sizes, so that few
/// statements are prepared; a list is cut into the largest that fit.
const BATCHES: [usize; 4] = [256, 32, 4, 1];

impl Sql {
    pub(crate) const fn text(self) -> &'static str {
        self.0
    }

    /// The text as `engine` takes it.
    pub(crate) fn for_engine(self, engine: Engine) -> Cow<'static, str> {
        open_hooks(self.0, engine)
    }

    /// The text with `{list}` opened for `items` arguments that follow `fixed` numbered ones.
    pub(crate) fn with_list(self, engine: Engine, fixed: usize, items: usize) -> String {
        let mut list = String::with_capacity(items * 5);
        for item in 1..=items {
            let comma = if item == 1 { "" } else { "," };
            let _ = write!(list, "{comma}${}", fixed + item);
        }
        open_hooks(self.0, engine).replace("{list}", &list)
    }

    /// The text with `{rows}` opened for `rows` rows of `columns` values.
    pub(crate) fn with_rows(self, engine: Engine, columns: usize, rows: usize) -> String {
        let mut text = String::with_capacity(rows * columns * 5);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 1..=columns {
                let comma = if column == 1 { "" } else { "," };
                let _ = write!(text, "{comma}${}", row * columns + column);
            }
            text.push(')');
        }
        open_hooks(self.0, engine).replace("{rows}", &text)
    }
}

/// Cuts `length` items into batches of few sizes: (start, size), the largest first.
pub(crate) fn batches(length: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = length - start;
        let size = BATCHES.into_iter().find(|size| *size <= left)?;
        start += size;
        Some(start - size..start)
    })
}

/// The highest `$n` of a text.
pub(crate) fn highest_argument(text: &str) -> usize {
    text.match_indices('$')
        .filter_map(|(at, _)| {
            let digits: String = text[at + 1..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse::<usize>().ok()
        })
        .max()
        .unwrap_or(0)
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
        let list = Sql("x = $1 AND y IN ({list})").with_list(Engine::Sqlite, 1, 3);
        assert_eq!(list, "x = $1 AND y IN ($2,$3,$4)");
        let rows = Sql("VALUES {rows}").with_rows(Engine::Postgres, 2, 2);
        assert_eq!(rows, "VALUES ($1,$2),($3,$4)");
        assert_eq!(highest_argument(&rows), 4);
        assert_eq!(highest_argument("SELECT 1"), 0);
    }

    #[test]
    fn a_list_of_any_length_is_cut_into_few_sizes() {
        let cut: Vec<usize> = batches(301).map(|range| range.len()).collect();
        assert_eq!(cut, [256, 32, 4, 4, 4, 1]);
        assert_eq!(batches(0).count(), 0);
    }
}
