//! From what was typed to terms.

use std::ops::Range;

use super::{
    Ignored, MAX_CHARS, MAX_TERMS, Matcher, Query, State, Term, TextField, date,
    error::{QueryError, QueryErrorKind},
    name::{find_kind, find_state, is_undated},
};
use crate::{
    AssetId, MediaKind,
    meaning::Scene,
    text::{Phrase, count_edits},
};

pub(super) fn parse_query(text: &str) -> Result<Query, QueryError> {
    let too_long = |from| QueryError::new(text, from..text.len(), QueryErrorKind::TooLong);
    if let Some((from, _)) = text.char_indices().nth(MAX_CHARS) {
        return Err(too_long(from));
    }
    let mut parser = Parser {
        text,
        at: 0,
        query: Query::default(),
    };
    parser.skip_gap();
    while parser.at < text.len() {
        let start = parser.at;
        parser.parse_term()?;
        if parser.query.terms.len() > MAX_TERMS {
            return Err(QueryError::new(
                text,
                start..text.len(),
                QueryErrorKind::TooManyTerms,
            ));
        }
        parser.skip_gap();
    }
    // A phrase of ideographs is printed with spaces, and one character may stand for a sentence.
    if parser.query.to_string().chars().nth(MAX_CHARS).is_some() {
        return Err(too_long(0));
    }
    Ok(parser.query)
}

/// The words that may stand before a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    Date,
    Text(TextField),
    Archive,
    In,
    Like,
    Shows,
    Is,
}

impl Field {
    pub(super) const ALL: [Self; 11] = [
        Self::Type,
        Self::Date,
        Self::Text(TextField::Person),
        Self::Text(TextField::Place),
        Self::Text(TextField::Camera),
        Self::Text(TextField::Tag),
        Self::Archive,
        Self::In,
        Self::Like,
        Self::Shows,
        Self::Is,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Date => "date",
            Self::Text(field) => field.as_str(),
            Self::Archive => "archive",
            Self::In => "in",
            Self::Like => "like",
            Self::Shows => "shows",
            Self::Is => "is",
        }
    }

    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Type => "image",
            Self::Date => "1974..1980",
            Self::Text(TextField::Person) => "anna",
            Self::Text(TextField::Place) => "rome",
            Self::Text(TextField::Camera) => "leica",
            Self::Text(TextField::Tag) => "beach",
            Self::Archive => "attic",
            Self::In => "\"Summer 1974\"",
            Self::Like => "0198c0de-7a3e-7cc1-9b2e-3f5a8d2c1e07",
            Self::Shows => "\"a dog on a beach\"",
            Self::Is => "missing",
        }
    }
}

/// What separates terms: spaces of all kinds, and the invisible marks of direction that come along
/// when text is copied.
pub(super) fn is_gap(c: char) -> bool {
    let is_direction = matches!(
        c,
        '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            | '\u{200B}' | '\u{FEFF}'
    );
    c.is_whitespace() || c.is_control() || is_direction
}

/// What opens and closes phrases. Which one closes is not asked: German opens with what English
/// closes with.
pub(super) const fn is_quote(c: char) -> bool {
    matches!(
        c,
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '＂' | '「' | '」' | '『' | '』'
    )
}

pub(super) const fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2212}')
}

const fn is_colon(c: char) -> bool {
    matches!(c, ':' | '：')
}

pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    query: Query,
}

/// A term as it stands in the text, whether it can be read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Where it begins, behind what denies it.
    pub(super) start: usize,
    /// The field that it names, and where its value begins; the colon stands before that.
    pub(super) field: Option<(Field, usize)>,
    /// Where it ends.
    pub(super) end: usize,
}

/// What follows a colon, or stands alone.
struct Value {
    text: String,
    range: Range<usize>,
    /// A star that follows the closing quotation mark.
    has_star: bool,
}

impl<'a> Parser<'a> {
    /// Where the terms of a text are.
    pub(super) fn spans(text: &'a str) -> impl Iterator<Item = Span> + 'a {
        let mut parser = Self {
            text,
            at: 0,
            query: Query::default(),
        };
        std::iter::from_fn(move || parser.next_span())
    }

    fn next_span(&mut self) -> Option<Span> {
        self.skip_gap();
        if self.rest().is_empty() {
            return None;
        }
        self.at = self.text.len() - self.rest().trim_start_matches(is_minus).len();
        let start = self.at;
        let mut field = None;
        if let Some((found, length)) = find_field(self.peek_word()) {
            self.at += length;
            let name = start..self.at;
            let behind_colon = self.at;
            self.skip_gap();
            let value = self.at;
            self.at = behind_colon;
            let has_value = self.read_field_value(found, name).is_ok();
            field = Some((found, if has_value { value } else { behind_colon }));
        } else if !self.peek_word().is_empty() {
            self.read_value();
        }
        Some(Span {
            start,
            field,
            end: self.at,
        })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_gap(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_gap).len();
    }

    /// What stands here up to the next gap.
    fn peek_word(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(is_gap).unwrap_or(rest.len())]
    }

    fn error(&self, range: Range<usize>, kind: QueryErrorKind) -> QueryError {
        QueryError::new(self.text, range, kind)
    }

    fn ignore(&mut self, range: Range<usize>) {
        let text = self.text[range.clone()].to_owned();
        self.query.ignored.push(Ignored { text, range });
    }

    fn push(&mut self, is_negated: bool, matcher: Matcher) {
        self.query.terms.push(Term {
            is_negated,
            matcher,
        });
    }

    fn parse_term(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        let after_minus = self.rest().trim_start_matches(is_minus);
        self.at = self.text.len() - after_minus.len();
        let is_negated = self.at > start;
        if is_negated && self.peek_word().is_empty() {
            self.ignore(start..self.at);
            return Ok(());
        }
        if let Some((field, length)) = find_field(self.peek_word()) {
            let name = self.at..self.at + length;
            self.at += length;
            let value = self.read_field_value(field, name)?;
            return self.push_field(start, is_negated, field, value);
        }
        self.refuse_unknown_field()?;
        let value = self.read_value();
        if let Some(phrase) = self.read_phrase(start, &value) {
            self.push(is_negated, Matcher::Words(phrase));
        }
        Ok(())
    }

    /// Reads what is quoted, or one word. The parser stands before something that is no gap.
    fn read_value(&mut self) -> Value {
        let start = self.at;
        let mut rest = self.rest().chars();
        if !rest.next().is_some_and(is_quote) {
            let text = self.peek_word();
            self.at += text.len();
            return Value {
                text: text.to_owned(),
                range: start..self.at,
                has_star: false,
            };
        }
        let mut text = String::new();
        while let Some(c) = rest.next() {
            if is_quote(c) {
                let mut ahead = rest.clone();
                if ahead.next() != Some(c) {
                    break;
                }
                rest = ahead;
            }
            text.push(c);
        }
        let has_star = rest.as_str().starts_with('*');
        self.at = self.text.len() - rest.as_str().len() + usize::from(has_star);
        Value {
            text,
            range: start..self.at,
            has_star,
        }
    }

    /// The value of the field whose name and colon stand at `name`, just before the parser.
    fn read_field_value(&mut self, field: Field, name: Range<usize>) -> Result<Value, QueryError> {
        let colon = self.at;
        self.skip_gap();
        let begins_next_term = self.at > colon
            && (self.rest().starts_with(is_minus) || find_field(self.peek_word()).is_some());
        if begins_next_term {
            self.at = colon;
        }
        if !begins_next_term && !self.rest().is_empty() {
            let mut value = self.read_value();
            while field == Field::Type && value.text.trim_end().ends_with(',') {
                let Some(more) = self.find_more_kinds() else {
                    break;
                };
                self.at = more.end;
                value.text.push_str(&self.text[more.clone()]);
                value.range.end = more.end;
            }
            if !value.text.trim_matches(is_gap).is_empty() {
                return Ok(value);
            }
        }
        Err(self.error(
            name,
            QueryErrorKind::MissingValue {
                field: field.as_str(),
            },
        ))
    }

    /// After `type:image,` the word after the space, if it goes on with kinds.
    fn find_more_kinds(&self) -> Option<Range<usize>> {
        let mut ahead = Parser {
            text: self.text,
            at: self.at,
            query: Query::default(),
        };
        ahead.skip_gap();
        let word = ahead.peek_word();
        let are_kinds = parts(word).all(|part| find_kind(part).is_some());
        (are_kinds && parts(word).next().is_some()).then_some(ahead.at..ahead.at + word.len())
    }

    /// The words of a value, or nothing if it has none, which is then reported.
    fn read_phrase(&mut self, start: usize, value: &Value) -> Option<Phrase> {
        let text = value.text.as_str();
        let last = text.rfind(char::is_alphanumeric).unwrap_or(0);
        let is_prefix = value.has_star || text[last..].contains('*');
        let phrase = Phrase::new(text, is_prefix);
        if phrase.is_none() {
            self.ignore(start..value.range.end);
            return None;
        }
        // A star stands for the end of the last word only; anywhere else it was meant, but does
        // nothing.
        let stars = self.text[value.range.clone()].match_indices('*');
        let typed_last = self.text[value.range.clone()].rfind(char::is_alphanumeric);
        let idle: Vec<usize> = stars
            .map(|(at, _)| at)
            .filter(|at| typed_last.is_some_and(|last| *at < last))
            .map(|at| at + value.range.start)
            .collect();
        idle.into_iter().for_each(|at| self.ignore(at..at + 1));
        phrase
    }

    fn push_field(
        &mut self,
        start: usize,
        is_negated: bool,
        field: Field,
        value: Value,
    ) -> Result<(), QueryError> {
        let range = value.range.clone();
        let text = value.text.trim_matches(is_gap);
        let refuse = |expected: String, hint: Option<String>| {
            let (field, value) = (field.as_str(), text.to_owned());
            let kind = QueryErrorKind::InvalidValue {
                field,
                value,
                expected,
                hint,
            };
            QueryError::new(self.text, range, kind)
        };
        let matcher = match field {
            Field::Text(field) => {
                if let Some(phrase) = self.read_phrase(start, &value) {
                    self.push(is_negated, Matcher::Field { field, phrase });
                }
                return Ok(());
            }
            Field::Archive => Matcher::Archive(text.to_owned()),
            Field::In => Matcher::Collection(text.to_owned()),
            Field::Shows => {
                // What has no letters says nothing to anybody.
                if self.read_phrase(start, &value).is_some() {
                    let words = text.split(is_gap).filter(|word| !word.is_empty());
                    let words = words.collect::<Vec<_>>().join(" ");
                    let scene = Scene { words, meant: None };
                    self.push(is_negated, Matcher::Shows(scene));
                }
                return Ok(());
            }
            Field::Date if is_undated(text) => Matcher::Undated,
            Field::Date => date::parse_range(text)
                .map(Matcher::Date)
                .map_err(|error| refuse(error.expected, error.hint))?,
            Field::Type => parse_kinds(text).map_err(|word| {
                let kinds = MediaKind::ALL.map(MediaKind::as_str);
                refuse(
                    one_of(&kinds),
                    meant_kind(word).map(|kind| did_you_mean(field, kind)),
                )
            })?,
            Field::Is => {
                let states = State::ALL.map(State::as_str);
                Matcher::Is(find_state(text).ok_or_else(|| {
                    let meant = find_nearest(text, &states);
                    refuse(one_of(&states), meant.map(|it| did_you_mean(field, it)))
                })?)
            }
            Field::Like => Matcher::Like(text.parse::<AssetId>().map_err(|_| {
                refuse(
                    format!("the id of an asset, such as {}", Field::Like.example()),
                    Some("an asset's id is in its address and in what lists it".to_owned()),
                )
            })?),
        };
        self.push(is_negated, matcher);
        Ok(())
    }

    /// A word such as `foo:bar` is a field misspelt, unless it is plainly something else.
    fn refuse_unknown_field(&self) -> Result<(), QueryError> {
        const SCHEMES: [&str; 8] = [
            "http", "https", "ftp", "file", "mailto", "tel", "urn", "data",
        ];
        let word = self.peek_word();
        let Some((name, value)) = word.split_once(':') else {
            return Ok(());
        };
        let is_name = name.len() > 1 && name.bytes().all(|b| b.is_ascii_alphabetic());
        let is_scheme = SCHEMES
            .iter()
            .any(|scheme| name.eq_ignore_ascii_case(scheme));
        let has_value =
            value.contains(char::is_alphanumeric) && !value.starts_with(['/', '\\', ':']);
        let opens_quote = value.starts_with(is_quote);
        if !is_name || is_scheme || !(has_value || opens_quote) {
            return Ok(());
        }
        let after_colon = self.at + name.len() + 1;
        let mut ahead = Parser {
            text: self.text,
            at: after_colon,
            query: Query::default(),
        };
        let kind = QueryErrorKind::UnknownField {
            name: name.to_owned(),
            value: ahead.read_value().text,
            meant: find_nearest(&name.to_ascii_lowercase(), &Field::names()),
        };
        Err(self.error(self.at..after_colon, kind))
    }
}

/// The field that a word begins with, and the bytes of its name and colon.
fn find_field(word: &str) -> Option<(Field, usize)> {
    let (at, colon) = word.char_indices().find(|(_, c)| is_colon(*c))?;
    Some((Field::from_name(&word[..at])?, at + colon.len_utf8()))
}

fn parts(value: &str) -> impl Iterator<Item = &str> {
    value
        .split([',', '，'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// The kinds that are listed, or the word that is none.
fn parse_kinds(value: &str) -> Result<Matcher, &str> {
    let mut kinds = Vec::new();
    for part in parts(value) {
        kinds.push(find_kind(part).ok_or(part)?);
    }
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() {
        Err(value)
    } else {
        Ok(Matcher::Kind(kinds))
    }
}

/// The kind that somebody means who says "photo".
fn meant_kind(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let kind = match word.trim_end_matches('s') {
        "photo" | "photograph" | "picture" | "foto" | "pic" => MediaKind::Image,
        "film" | "movie" | "clip" => MediaKind::Video,
        "sound" | "recording" | "voice" | "music" => MediaKind::Audio,
        "letter" | "text" | "pdf" | "scan" => MediaKind::Document,
        _ => return find_nearest(&word, &MediaKind::ALL.map(MediaKind::as_str)),
    };
    Some(kind.as_str())
}

fn did_you_mean(field: Field, value: &str) -> String {
    format!("did you mean {}:{value}?", field.as_str())
}

fn one_of(words: &[&str]) -> String {
    match words {
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
        [] => String::new(),
    }
}

/// The word that is at most two letters away, or less for short ones.
fn find_nearest(typed: &str, words: &[&'static str]) -> Option<&'static str> {
    let typed: Vec<char> = typed.chars().collect();
    let distance = |word: &str| count_edits(&typed, &word.chars().collect::<Vec<_>>());
    let nearest = words.iter().copied().min_by_key(|word| distance(word))?;
    (distance(nearest) <= (nearest.len() / 2).min(2)).then_some(nearest)
}
