//! Text as it is put together: paragraphs as lines, tables as rows with tabs.

use super::Text;

/// How deep tables may lie within cells; what lies deeper is read without its cells.
const CELLS: usize = 32;

/// Text under construction, bounded.
pub(super) struct Lines {
    text: String,
    limit: usize,
    /// Whether whatever comes next begins with a space, unless it begins a line.
    space: bool,
    /// Where the open cells of tables begin, the innermost last.
    cells: Vec<usize>,
    pub(super) language: Option<String>,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            space: false,
            cells: Vec::new(),
            language: None,
        }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= self.limit
    }

    /// Words in which every space stands for itself.
    pub(super) fn words(&mut self, words: &str) {
        if self.is_full() || words.is_empty() {
            return;
        }
        if std::mem::take(&mut self.space) && !self.is_at_line_start() {
            self.text.push(' ');
        }
        self.text.push_str(words);
    }

    /// Words in which any run of white space is one space, and none where a line begins.
    pub(super) fn flowing_words(&mut self, words: &str) {
        for part in words.split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let word = part.trim_end_matches(|c: char| c.is_ascii_whitespace());
            self.words(word);
            self.space |= word.len() < part.len();
        }
    }

    /// The end of a line, wanted or not.
    pub(super) fn break_line(&mut self) {
        self.space = false;
        if !self.is_full() {
            self.text.push('\n');
        }
    }

    /// The end of a paragraph: the end of a line, unless it has just been there.
    pub(super) fn end_block(&mut self) {
        self.space = false;
        if !self.is_at_line_start() {
            self.break_line();
        }
    }

    pub(super) fn tab(&mut self) {
        self.space = false;
        self.words("\t");
    }

    /// The beginning of a cell in a row of a table.
    pub(super) fn open_cell(&mut self) {
        self.space = false;
        if self.cells.len() < CELLS {
            self.cells.push(self.text.len());
        }
    }

    /// The end of a cell: a tab, or the end of a line where the cell has several.
    pub(super) fn close_cell(&mut self) {
        self.space = false;
        let Some(start) = self.cells.pop() else {
            return;
        };
        let start = start.min(self.text.len());
        let (before, cell) = self.text.split_at(start);
        let cell = cell.trim_end_matches(['\n', '\t', ' ']);
        let end = if cell.contains('\n') { '\n' } else { '\t' };
        self.text.truncate(before.len() + cell.len());
        if !self.is_full() {
            self.text.push(end);
        }
    }

    /// The end of a row.
    pub(super) fn end_row(&mut self) {
        self.text.truncate(self.text.trim_end_matches('\t').len());
        self.end_block();
    }

    /// Text that is put together apart, such as a footnote's.
    pub(super) fn set_aside(&mut self) -> Self {
        let left = self.limit.saturating_sub(self.text.len());
        std::mem::replace(self, Self::new(left))
    }

    /// Goes on with what was set aside; gives what was put together meanwhile.
    pub(super) fn take_up(&mut self, aside: Self) -> String {
        let text = tidy(&std::mem::replace(self, aside).text);
        text.trim().to_owned()
    }

    pub(super) fn finish(self) -> Text {
        let is_full = self.is_full();
        let mut text = Text::flowing(tidy(&self.text));
        text.language = self.language;
        if is_full {
            text.problem("The document has more text than is kept; the rest was left out.");
        }
        text
    }

    fn is_at_line_start(&self) -> bool {
        let first = self.cells.last().copied().unwrap_or(0);
        self.text.len() <= first || self.text.ends_with('\n')
    }
}

/// The text with `\n` for every line end, without control characters and spaces at the ends of lines, with
/// one empty line at most between two others.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    let text = text.replace("\r\n", "\n");
    for line in text.split([
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ]) {
        let line = line.trim_end();
        let is_meant =
            |c: &char| !c.is_control() && !matches!(c, '\u{feff}' | '\u{ad}') || *c == '\t';
        let before = tidied.len();
        if !line.is_empty() {
            if !tidied.is_empty() {
                tidied.push_str(if empty > 0 { "\n\n" } else { "\n" });
            }
            let start = tidied.len();
            tidied.extend(line.chars().filter(is_meant));
            if tidied.len() == start {
                tidied.truncate(before);
            } else {
                empty = 0;
                continue;
            }
        }
        empty += 1;
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_kind_of_line_end_and_nothing_invisible() {
        let cases = [
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("a \t\n\n\n\n b", "a\n\n b"),
            ("\n\na\u{0}\u{7}b\u{feff}\n\n", "ab"),
            ("page 1\u{c}page 2", "page 1\npage 2"),
            ("a\n\u{0}\nb", "a\n\nb"),
            ("Fa\u{ad}mi\u{ad}lie", "Familie"),
            ("", ""),
        ];
        for (text, tidied) in cases {
            assert_eq!(tidy(text), tidied, "{text:?}");
        }
    }

    #[test]
    fn a_table_is_rows_with_tabs_and_a_long_cell_has_lines_of_its_own() {
        let mut lines = Lines::new(1000);
        lines.flowing_words("  Dear\n  all, ");
        lines.end_block();
        for row in [["a", "b"], ["c", ""], ["d e", "f"]] {
            for cell in row {
                lines.open_cell();
                for paragraph in cell.split(' ') {
                    lines.end_block();
                    lines.flowing_words(paragraph);
                    lines.end_block();
                }
                lines.close_cell();
            }
            lines.end_row();
        }
        assert_eq!(lines.finish().pages[0].text, "Dear all,\na\tb\nc\nd\ne\nf");
    }
}
