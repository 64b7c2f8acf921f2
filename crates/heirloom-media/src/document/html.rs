//! What one reads of an HTML page: no scripts, no styles, nothing of its head.
//!
//! Tokens are taken as they come, by the rules of <https://html.spec.whatwg.org/multipage/parsing.html>, and no
//! tree is built: memory does not grow with how deep elements lie, and what is never closed does no harm.

use std::cell::RefCell;

use encoding_rs::Encoding;
use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};

use super::{Text, TextLimits, lines::Lines, plain};

/// Where a page says what character set it is written in.
const HEAD_BYTES: usize = 1024;

pub(super) fn read(bytes: &[u8], limits: &TextLimits) -> Text {
    let reader = Reader(RefCell::new(State {
        lines: Lines::new(limits.bytes),
        hidden: None,
        preformatted: 0,
        tables: Vec::new(),
    }));
    let tokenizer = Tokenizer::new(reader, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(plain::decode(bytes, said(bytes))));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.into_inner().lines.finish()
}

/// The character set that a page names at its beginning.
fn said(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes
        .get(..HEAD_BYTES)
        .unwrap_or(bytes)
        .to_ascii_lowercase();
    let at = crate::bytes::find(&head, b"charset=")?;
    let name = head.get(at.checked_add(8)?..)?;
    let name = name
        .strip_prefix(b"\"")
        .or(name.strip_prefix(b"'"))
        .unwrap_or(name);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    let len = name.iter().take_while(|byte| is_part(byte)).count();
    Encoding::for_label(name.get(..len)?)
}

struct Reader(RefCell<State>);

struct State {
    lines: Lines,
    /// The element within which nothing is read.
    hidden: Option<String>,
    /// How many elements are open in which white space counts.
    preformatted: usize,
    /// Of each open table, whether a cell of it is open: few pages close all of theirs.
    tables: Vec<bool>,
}

/// How deep tables may lie in each other; what lies deeper is read without its cells.
const TABLES: usize = 32;

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return state.tag(&tag),
            Token::CharacterTokens(words) if state.hidden.is_none() => {
                if state.preformatted > 0 {
                    state.preformatted_words(&words);
                } else {
                    state.lines.flowing_words(&words);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        let is_start = tag.kind == TagKind::StartTag;
        if let Some(hidden) = &self.hidden {
            if !is_start && hidden == name {
                self.hidden = None;
            }
            return TokenSinkResult::Continue;
        }
        if is_start {
            // What is written in these is no markup.
            let raw = match name {
                "script" => Some(RawKind::ScriptData),
                "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
                "title" | "textarea" => Some(RawKind::Rcdata),
                _ => None,
            };
            let is_hidden = matches!(
                name,
                "script"
                    | "style"
                    | "title"
                    | "iframe"
                    | "noembed"
                    | "noframes"
                    | "template"
                    | "svg"
                    | "math"
                    | "select"
                    | "datalist"
                    | "object"
                    | "audio"
                    | "video"
                    | "canvas"
            );
            if is_hidden && !tag.self_closing {
                self.hidden = Some(name.to_owned());
            }
            if name == "html" && self.lines.language.is_none() {
                let said = tag
                    .attrs
                    .iter()
                    .find(|attribute| &*attribute.name.local == "lang");
                let said = said.map(|attribute| attribute.value.trim().to_owned());
                self.lines.language = said.filter(|said| is_language(said));
            }
            self.start(name);
            if let Some(raw) = raw {
                return TokenSinkResult::RawData(raw);
            }
        } else {
            self.end(name);
        }
        TokenSinkResult::Continue
    }

    fn start(&mut self, name: &str) {
        match name {
            "br" => self.lines.break_line(),
            "table" => {
                self.lines.end_block();
                if self.tables.len() < TABLES {
                    self.tables.push(false);
                }
            }
            "td" | "th" => {
                self.close_cell();
                if let Some(is_open) = self.tables.last_mut() {
                    *is_open = true;
                    self.lines.open_cell();
                }
            }
            "pre" | "textarea" => {
                self.lines.end_block();
                self.preformatted += 1;
            }
            "tr" => {
                self.close_cell();
                self.lines.end_row();
            }
            _ if is_block(name) => self.lines.end_block(),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "td" | "th" => self.close_cell(),
            "tr" => {
                self.close_cell();
                self.lines.end_row();
            }
            "table" => {
                self.close_cell();
                self.tables.pop();
                self.lines.end_row();
            }
            "pre" | "textarea" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.lines.end_block();
            }
            _ if is_block(name) => self.lines.end_block(),
            _ => {}
        }
    }

    fn close_cell(&mut self) {
        if let Some(is_open) = self.tables.last_mut()
            && std::mem::take(is_open)
        {
            self.lines.close_cell();
        }
    }

    fn preformatted_words(&mut self, words: &str) {
        for (number, line) in words.split('\n').enumerate() {
            if number > 0 {
                self.lines.break_line();
            }
            self.lines.words(line);
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "ul"
    )
}

/// Whether a word can be a language of BCP 47.
pub(super) fn is_language(word: &str) -> bool {
    (2..=35).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        let text = read(html.as_bytes(), &TextLimits::default());
        text.pages[0].text.clone()
    }

    #[test]
    fn what_is_read_of_a_page_is_what_one_sees_of_it() {
        let cases = [
            (
                "<p>Dear <b>Anna</b>,<p>all is well&mdash;here.",
                "Dear Anna,\nall is well—here.",
            ),
            (
                "<title>no</title><script>if (a<b) 'no'</script><style>p{}</style>yes",
                "yes",
            ),
            ("a<!-- <p>no -->b<br>c", "ab\nc"),
            ("<ul><li>one<li>two</ul>", "one\ntwo"),
            ("<table><tr><td>a<td>b</table>c", "a\tb\nc"),
            (
                "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td><p>d</p><p>e</p></td></tr></table>f",
                "a\tb\nc\td\ne\nf",
            ),
            ("<pre>  two\n    four</pre>after", "  two\n    four\nafter"),
            (
                "<p onclick='no'>&lt;yes&gt; &#8364; &nbsp;&copy;",
                "<yes> € \u{a0}©",
            ),
            ("<svg><text>no</text></svg>yes<script>never closed", "yes"),
        ];
        for (html, wanted) in cases {
            assert_eq!(text(html), wanted, "{html}");
        }
    }

    #[test]
    fn a_page_says_its_language_and_character_set() {
        let page = b"<html lang='de'><meta charset=\"iso-8859-2\"><p>\xa3\xf3d\xbc";
        let read = read(page, &TextLimits::default());
        assert_eq!(read.language.as_deref(), Some("de"));
        assert_eq!(read.pages[0].text, "Łódź");
    }

    #[test]
    fn a_page_without_end_is_read_within_bounds() {
        let deep = "<div><b>x".repeat(200_000);
        assert_eq!(text(&deep).lines().count(), 200_000);
        let limits = TextLimits {
            bytes: 100,
            ..TextLimits::default()
        };
        let read = read("word ".repeat(1000).as_bytes(), &limits);
        assert!(read.pages[0].text.len() < 110);
        assert_eq!(read.problems.len(), 1);
    }
}
