//! What one reads of a document in Rich Text Format.
//!
//! After Microsoft's specification 1.9.1: groups in braces, control words, and characters by the code page that
//! the document names or by their Unicode number. Pictures, styles, fields' commands and whatever is marked as
//! ignorable are not read.

use encoding_rs::{Encoding, WINDOWS_1252};

use super::{Text, TextLimits, lines::Lines};

/// How deep groups may lie; within what lies deeper no setting is kept apart.
const DEPTH: usize = 1000;
/// The longest control word with its number; the specification has 32 letters.
const WORD: usize = 48;

pub(super) fn read(bytes: &[u8], limits: &TextLimits) -> Text {
    let mut reader = Reader {
        lines: Lines::new(limits.bytes),
        group: Group::default(),
        outer: Vec::new(),
        deeper: 0,
        encoding: WINDOWS_1252,
        pending: Vec::new(),
        high: None,
        skip: 0,
        note: None,
        notes: Vec::new(),
    };
    reader.read(bytes);
    reader.end();
    let mut text = reader.lines.finish();
    if !bytes.trim_ascii_start().starts_with(b"{\\rtf") {
        text.problem("The document is damaged: it has no beginning.");
    } else if !reader.outer.is_empty() {
        text.problem("The document ends too early; what came before was read.");
    }
    text
}

struct Reader {
    lines: Lines,
    group: Group,
    outer: Vec<Group>,
    /// Groups beyond [`DEPTH`].
    deeper: usize,
    encoding: &'static Encoding,
    /// Characters of the code page that are not decoded yet.
    pending: Vec<u8>,
    /// The first half of a character that UTF-16 writes as two.
    high: Option<u16>,
    /// How many characters are left that stand in for one by its number.
    skip: usize,
    /// How deep the note lies that is being read, and what it stands in.
    note: Option<(usize, Lines)>,
    notes: Vec<String>,
}

#[derive(Clone, Copy)]
struct Group {
    is_hidden: bool,
    /// How many characters stand in for one by its number.
    stand_ins: usize,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            is_hidden: false,
            stand_ins: 1,
        }
    }
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if self.lines.is_full() {
                return;
            }
            match byte {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => rest = self.control(after),
                b'\r' | b'\n' | 0 => {}
                byte => self.character(*byte),
            }
        }
    }

    fn open(&mut self) {
        self.flush();
        self.skip = 0;
        if self.outer.len() < DEPTH {
            self.outer.push(self.group);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        self.skip = 0;
        if let Some(fewer) = self.deeper.checked_sub(1) {
            self.deeper = fewer;
        } else if let Some(group) = self.outer.pop() {
            self.group = group;
            if self
                .note
                .as_ref()
                .is_some_and(|(depth, _)| *depth > self.outer.len())
            {
                self.end_note();
            }
        }
    }

    /// Begins a note, which stands in a group of its own.
    fn begin_note(&mut self) {
        if self.note.is_none() {
            self.lines.words(&format!("[{}]", self.notes.len() + 1));
            self.note = Some((self.outer.len(), self.lines.set_aside()));
            self.group.is_hidden = false;
        }
    }

    fn end_note(&mut self) {
        if let Some((_, aside)) = self.note.take() {
            self.notes.push(self.lines.take_up(aside));
        }
    }

    /// Puts the notes where they are read.
    fn end(&mut self) {
        self.flush();
        self.end_note();
        self.lines.end_block();
        for (number, note) in (1..).zip(std::mem::take(&mut self.notes)) {
            self.lines.words(&format!("[{number}] {note}"));
            self.lines.end_block();
        }
    }

    /// Takes what follows a backslash; gives what follows that.
    fn control<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some((first, after)) = bytes.split_first() else {
            return bytes;
        };
        match first {
            b'\'' => {
                let digits = after
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                if let Some(byte) = byte {
                    self.character(byte);
                    return after.get(2..).unwrap_or_default();
                }
                after
            }
            b'\\' | b'{' | b'}' => {
                self.character(*first);
                after
            }
            b'~' => self.symbol("\u{a0}", after),
            b'_' => self.symbol("\u{2011}", after),
            b'\n' | b'\r' => {
                self.end_line();
                after
            }
            b'*' => {
                self.group.is_hidden = true;
                after
            }
            first if first.is_ascii_alphabetic() => self.word(bytes),
            _ => after,
        }
    }

    fn symbol<'b>(&mut self, words: &str, after: &'b [u8]) -> &'b [u8] {
        self.flush();
        if !self.group.is_hidden {
            self.lines.words(words);
        }
        after
    }

    fn word<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let letters = bytes.iter().take(WORD);
        let letters = letters.take_while(|b| b.is_ascii_alphabetic()).count();
        let (word, after) = bytes.split_at(letters);
        let is_number =
            |(at, byte): &(usize, &u8)| byte.is_ascii_digit() || *at == 0 && **byte == b'-';
        let digits = after
            .iter()
            .enumerate()
            .take(12)
            .take_while(is_number)
            .count();
        let (digits, after) = after.split_at(digits);
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<i64>().ok());
        let after = after.strip_prefix(b" ").unwrap_or(after);
        let word = std::str::from_utf8(word).unwrap_or_default();
        self.obey(word, number);
        if word == "bin" {
            let length = number
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(0);
            return after.get(length..).unwrap_or_default();
        }
        after
    }

    fn obey(&mut self, word: &str, number: Option<i64>) {
        if let ("u", Some(number)) = (word, number) {
            self.unicode(number);
            return;
        }
        self.flush();
        match word {
            "ansicpg" => {
                let said = number
                    .and_then(code_page)
                    .and_then(Encoding::for_label_no_replacement);
                self.encoding = said.unwrap_or(self.encoding);
            }
            "mac" => self.encoding = encoding_rs::MACINTOSH,
            "uc" => {
                self.group.stand_ins = number.map_or(1, |n| usize::try_from(n).unwrap_or(0).min(8))
            }
            "fonttbl" | "colortbl" | "stylesheet" | "info" | "pict" | "object" | "fldinst"
            | "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr"
            | "footerf" | "listtable" | "revtbl" | "nonshppict" => self.group.is_hidden = true,
            // Marked as ignorable for readers that know no notes.
            "footnote" => self.begin_note(),
            _ if self.group.is_hidden => {}
            "v" => self.group.is_hidden = number != Some(0),
            "par" | "line" | "sect" | "page" => self.end_line(),
            "trowd" => {
                self.lines.end_block();
                self.lines.open_cell();
            }
            "cell" => {
                self.lines.close_cell();
                self.lines.open_cell();
            }
            "row" => {
                self.lines.close_cell();
                self.lines.end_row();
            }
            "tab" => self.lines.tab(),
            "emdash" => self.lines.words("—"),
            "endash" => self.lines.words("–"),
            "lquote" => self.lines.words("‘"),
            "rquote" => self.lines.words("’"),
            "ldblquote" => self.lines.words("“"),
            "rdblquote" => self.lines.words("”"),
            "bullet" => self.lines.words("•"),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.flush();
        if !self.group.is_hidden {
            self.lines.break_line();
        }
    }

    /// A character by its number, which is that of UTF-16 and may be written as a negative one.
    fn unicode(&mut self, number: i64) {
        self.decode();
        let unit = u16::try_from(number.rem_euclid(65_536)).unwrap_or(0);
        self.skip = self.group.stand_ins;
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        let units = [self.high.take().unwrap_or(unit), unit];
        let first = usize::from(units.first() == units.last());
        for character in char::decode_utf16(units.iter().skip(first).copied()) {
            let character = character.unwrap_or('\u{fffd}');
            if !self.group.is_hidden {
                self.lines.words(character.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn character(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.group.is_hidden {
            self.pending.push(byte);
        }
    }

    /// Decodes what is pending and forgets what would have followed.
    fn flush(&mut self) {
        self.decode();
        self.high = None;
        self.skip = 0;
    }

    fn decode(&mut self) {
        if !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            self.lines
                .words(&self.encoding.decode_without_bom_handling(&pending).0);
        }
    }
}

/// The label of a Windows code page.
fn code_page(number: i64) -> Option<&'static [u8]> {
    Some(match number {
        874 => b"windows-874",
        932 => b"shift_jis",
        936 => b"gbk",
        949 => b"euc-kr",
        950 => b"big5",
        1250 => b"windows-1250",
        1251 => b"windows-1251",
        1252 => b"windows-1252",
        1253 => b"windows-1253",
        1254 => b"windows-1254",
        1255 => b"windows-1255",
        1256 => b"windows-1256",
        1257 => b"windows-1257",
        1258 => b"windows-1258",
        10_000 => b"macintosh",
        65_001 => b"utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_without_what_sets_it() {
        let cases: [(&str, &str); 10] = [
            (
                r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Dear \b Anna\b0 ,\par all is well.}",
                "Dear Anna,\nall is well.",
            ),
            (r"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe}", "Grüße"),
            (
                r"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}",
                "Привет",
            ),
            (
                r"{\rtf1 \u8364?5 \uc0\u-10179\u-8704 \uc2\u252 ue.}",
                "€5 😀ü.",
            ),
            (r"{\rtf1 a\{b\}\\c\~d}", "a{b}\\c\u{a0}d"),
            (
                r"{\rtf1{\*\generator no}{\info{\title no}}yes{\pict\bin3 }}}}yes}",
                "yesyes",
            ),
            ("{\\rtf1 one\ntwo\\\nthree}", "onetwo\nthree"),
            (
                r"{\rtf1\trowd a\cell b\par\cell\row\trowd c\cell d\cell\row e}",
                "a\tb\nc\td\ne",
            ),
            (
                r"{\rtf1 one{\super\chftn}{\*\footnote\chftn\~ two} three}",
                "one[1] three\n[1] two",
            ),
            (
                r"{\rtf1{\field{\*\fldinst HYPERLINK no}{\fldrslt yes}}}",
                "yes",
            ),
        ];
        for (rtf, wanted) in cases {
            let text = read(rtf.as_bytes(), &TextLimits::default());
            assert_eq!(text.pages[0].text, wanted, "{rtf}");
            assert_eq!(text.problems, [], "{rtf}");
        }
    }

    #[test]
    fn what_is_damaged_is_read_as_far_as_it_goes() {
        let cut = read(br"{\rtf1 Dear {\b Anna", &TextLimits::default());
        assert_eq!(
            (cut.pages[0].text.as_str(), cut.problems.len()),
            ("Dear Anna", 1)
        );
        let deep = format!(
            "{{\\rtf1 {}deep{}",
            "{".repeat(100_000),
            "}".repeat(100_001)
        );
        let deep = read(deep.as_bytes(), &TextLimits::default());
        assert_eq!(
            (deep.pages[0].text.as_str(), deep.problems.len()),
            ("deep", 0)
        );
    }
}
