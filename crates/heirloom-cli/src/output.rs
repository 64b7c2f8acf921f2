//! What a command prints: data on standard output, words and problems on standard error.

use std::io::{self, IsTerminal as _, Write as _};

use clap_complete::Shell;
use heirloom_core::edtf::Edtf;
use heirloom_server::{Code, Problem};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    is_json: bool,
}

impl Output {
    pub(crate) const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Whether somebody watches, so that a line may be drawn over.
    pub(crate) fn is_watched() -> bool {
        io::stderr().is_terminal()
    }

    /// Prints the data: as one JSON document for programs, else as `words` puts it.
    pub(crate) fn data(self, data: &impl Serialize, words: impl FnOnce() -> String) {
        let text = if self.is_json {
            serde_json::to_string_pretty(data).unwrap_or_default()
        } else {
            harmless(&words())
        };
        let text = text.trim_end();
        if !text.is_empty() {
            // Whoever stops reading has seen enough.
            let _ = writeln!(io::stdout(), "{text}");
        }
    }

    /// Prints one of many for programs as it comes, in a line of its own. `false` where people read it.
    pub(crate) fn each(self, data: &impl Serialize) -> bool {
        if self.is_json {
            let text = serde_json::to_string(data).unwrap_or_default();
            // Whoever stops reading has seen enough.
            let _ = writeln!(io::stdout(), "{text}");
        }
        self.is_json
    }

    /// Prints a part of the data for people as soon as it is there; for programs it comes at the end.
    pub(crate) fn tell(self, words: &str) {
        if !self.is_json {
            let _ = writeln!(io::stdout(), "{}", harmless(words));
        }
    }

    /// Says something that is no data.
    pub(crate) fn say(self, words: &str) {
        let _ = writeln!(io::stderr(), "{}", harmless(words));
    }

    /// Says what was refused or failed, and what can be done.
    pub(crate) fn problem(self, problem: &Problem) {
        self.say_problem("", problem);
        if self.is_json {
            self.json_problem(problem);
        }
    }

    /// Says what was refused for one of several.
    pub(crate) fn refused_of(self, one: &str, problem: &Problem) {
        self.say_problem(&format!("{one}: "), problem);
    }

    /// Says what was refused for one of several, where the sentence itself says for which.
    pub(crate) fn refused_one(self, problem: &Problem) {
        self.say_problem("", problem);
    }

    fn say_problem(self, of: &str, problem: &Problem) {
        self.say(&line(&format!("error: {of}{problem}")));
        // A sentence that says what is wrong needs no more; one that cannot does.
        if problem.code() == Code::Internal {
            let told = problem.detail("cause").and_then(|cause| cause.as_str());
            let cause = told.map_or_else(|| problem.causes(), str::to_owned);
            if !cause.is_empty() {
                self.say(&line(&format!("cause: {cause}")));
            }
        }
        if let Some(hint) = problem.get_hint() {
            self.say(&line(&format!("hint: {hint}")));
        }
    }

    fn json_problem(self, problem: &Problem) {
        let error = json!({ "error": error_document(problem) });
        let text = serde_json::to_string_pretty(&error).unwrap_or_default();
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// Prints completions for a shell.
    pub(crate) fn completions(self, shell: Shell) {
        let mut command = crate::command_line();
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "heirloom", &mut script);
        let _ = io::stdout().write_all(&script);
    }
}

/// A problem for programs.
pub(crate) fn error_document(problem: &Problem) -> Json {
    json!({
        "code": problem.code().as_str(),
        "message": problem.to_string(),
        "hint": problem.get_hint(),
    })
}

/// Columns that line up, the last one ragged. Nothing is cut: what is wider than a column gets, stands
/// out of it.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| line(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest.unwrap_or(0).min(WIDEST_COLUMN)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = width.saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', padding + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A table with a line for each of many things. On a terminal what is too wide is cut; what goes
/// elsewhere is whole.
pub(crate) fn list(rows: &[Vec<String>]) -> String {
    if io::stdout().is_terminal() {
        table(&cut(rows))
    } else {
        table(rows)
    }
}

/// Characters that a column gets, the last one aside.
const WIDEST_COLUMN: usize = 48;

fn cut(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let cut_cell = |(column, cell): (usize, &String), last: usize| {
        let cell = line(cell);
        if column == last || cell.chars().count() <= WIDEST_COLUMN {
            return cell;
        }
        cell.chars().take(WIDEST_COLUMN - 1).chain(['…']).collect()
    };
    rows.iter()
        .map(|row| {
            let cells = row.iter().enumerate();
            cells.map(|cell| cut_cell(cell, row.len() - 1)).collect()
        })
        .collect()
}

/// A text on one line, in which nothing is left that a terminal would obey or that would turn the
/// direction of what follows: names of files may have it.
pub(crate) fn line(text: &str) -> String {
    escape(text, is_obeyed)
}

/// The same for a text that has lines of its own.
fn harmless(text: &str) -> String {
    escape(text, |c| is_obeyed(c) && c != '\n')
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

const fn is_obeyed(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{61C}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// Bytes as people say them.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let (mut unit, mut scale) = (0, 1000);
    while unit + 1 < units.len() && bytes / scale >= 1000 {
        unit += 1;
        scale *= 1000;
    }
    let tenths = u128::from(bytes) * 10 / u128::from(scale);
    let number = if tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        (tenths / 10).to_string()
    };
    format!("{number} {}", units[unit])
}

/// The day of a time in milliseconds since 1970, in UTC.
pub(crate) fn day(ms: i64) -> String {
    Edtf::from_unix_seconds(ms.div_euclid(1000), None)
        .map(|time| time.to_string().chars().take(10).collect())
        .unwrap_or_default()
}

/// A stretch of time as people say it.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A moment of a film, as players show it: 1:02:03.
pub(crate) fn moment(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A stretch of a film.
pub(crate) fn stretch(start_ms: u64, end_ms: u64) -> String {
    format!("{}–{}", moment(start_ms), moment(end_ms))
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun.
pub(crate) fn number_of(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_say_them() {
        assert_eq!(
            [0, 999, 1000, 12_345, 9_999_999, 25_000_000_000].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "12 kB", "9.9 MB", "25 GB"]
        );
        assert_eq!(
            [0, 1_250, 59_999, 61_000, 7_260_000].map(duration),
            ["0.0 s", "1.2 s", "59 s", "1 min 1 s", "2 h 1 min"]
        );
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(number_of(1, "file", "files"), "1 file");
    }

    #[test]
    fn nothing_is_left_that_a_terminal_would_obey() {
        let cases = [
            (
                "Oma & Opa, Düne 日本 👩\u{200D}👧",
                "Oma & Opa, Düne 日本 👩\u{200D}👧",
            ),
            ("two\nlines\r\t", r"two\nlines\r\t"),
            ("\u{1b}[31mred\u{7}", r"\u{1b}[31mred\u{7}"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
            (
                "gpj.\u{202E}exe\u{2066}\u{200F}",
                r"gpj.\u{202e}exe\u{2066}\u{200f}",
            ),
            ("a\u{2028}b", r"a\u{2028}b"),
        ];
        for (text, shown) in cases {
            assert_eq!(line(text), shown);
            assert_eq!(line(shown), shown, "what is harmless stays");
        }
        assert_eq!(harmless("a\n\u{1b}b\n"), "a\n\\u{1b}b\n");
    }

    #[test]
    fn a_long_name_neither_widens_its_column_nor_is_lost() {
        let long = "n".repeat(240);
        let rows = [
            vec!["1".to_owned(), long.clone(), long.clone()],
            vec!["2".to_owned(), "short".to_owned(), "end".to_owned()],
        ];
        let padded = format!("2  {:48}  end\n", "short");
        assert_eq!(table(&rows), format!("1  {long}  {long}\n{padded}"));
        let shown = format!("1  {}…  {long}\n{padded}", "n".repeat(47));
        assert_eq!(table(&cut(&rows)), shown);
    }

    #[test]
    fn columns_line_up_by_characters() {
        let rows = [
            vec!["ä".to_owned(), "b".to_owned()],
            vec!["ccc".to_owned(), "d".to_owned()],
        ];
        assert_eq!(table(&rows), "ä    b\nccc  d\n");
    }
}
