//! The objects that PDF is made of, read from bytes.

use crate::bytes::{rest, u8_at};

/// How deep arrays and dictionaries may lie within each other.
const DEPTH_LIMIT: usize = 24;

/// The most items of one array or dictionary.
const ITEM_LIMIT: usize = 20_000;

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    /// Nothing, a truth value, or a word of the language.
    Word,
    /// A number.
    Number(f64),
    /// A name, without its stroke.
    Name(String),
    /// A string.
    Text(Vec<u8>),
    /// A list.
    List(Vec<Object>),
    /// Names with their values.
    Dictionary(Vec<(String, Object)>),
    /// The number of another object.
    Reference(u32),
}

/// A value of a dictionary.
pub(super) fn get<'d>(dictionary: &'d [(String, Object)], name: &str) -> Option<&'d Object> {
    dictionary
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// Reads objects one after the other.
pub(super) struct Lexer<'b> {
    /// What is read.
    pub(super) bytes: &'b [u8],
    /// Where.
    pub(super) at: usize,
}

impl Lexer<'_> {
    /// The next object.
    pub(super) fn object(&mut self) -> Option<Object> {
        self.nested(0)
    }

    /// Whether a word stands here; then it is passed.
    pub(super) fn accept(&mut self, word: &[u8]) -> bool {
        self.blank();
        let is_there = rest(self.bytes, self.at).starts_with(word);
        if is_there {
            self.at = self.at.saturating_add(word.len());
        }
        is_there
    }

    /// A whole number.
    pub(super) fn whole(&mut self) -> Option<u64> {
        self.blank();
        let digits = rest(self.bytes, self.at)
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let text = std::str::from_utf8(crate::bytes::slice(self.bytes, self.at, digits)?).ok()?;
        self.at = self.at.saturating_add(digits);
        text.parse().ok()
    }

    fn nested(&mut self, depth: usize) -> Option<Object> {
        if depth > DEPTH_LIMIT {
            return None;
        }
        self.blank();
        match u8_at(self.bytes, self.at)? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal(),
            b'<' if u8_at(self.bytes, self.at.saturating_add(1)) == Some(b'<') => {
                self.at = self.at.saturating_add(2);
                let mut pairs = Vec::new();
                while !self.accept(b">>") {
                    if pairs.len() > ITEM_LIMIT || u8_at(self.bytes, self.at)? != b'/' {
                        return Some(Object::Dictionary(pairs));
                    }
                    let name = self.name()?;
                    pairs.push((name, self.nested(depth + 1)?));
                }
                Some(Object::Dictionary(pairs))
            }
            b'<' => self.hexadecimal(),
            b'[' => {
                self.at = self.at.saturating_add(1);
                let mut items = Vec::new();
                while !self.accept(b"]") {
                    if items.len() > ITEM_LIMIT {
                        return None;
                    }
                    items.push(self.nested(depth + 1)?);
                }
                Some(Object::List(items))
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(),
            _ => {
                let len = rest(self.bytes, self.at)
                    .iter()
                    .take_while(|b| b.is_ascii_alphabetic())
                    .count();
                self.at = self.at.saturating_add(len);
                (len > 0).then_some(Object::Word)
            }
        }
    }

    /// Passes blanks and remarks.
    fn blank(&mut self) {
        while let Some(byte) = u8_at(self.bytes, self.at) {
            if byte == b'%' {
                let line = rest(self.bytes, self.at)
                    .iter()
                    .take_while(|b| !matches!(b, b'\r' | b'\n'));
                self.at = self.at.saturating_add(line.count());
            } else if byte.is_ascii_whitespace() || byte == 0 {
                self.at = self.at.saturating_add(1);
            } else {
                break;
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        self.at = self.at.saturating_add(1);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"()<>[]{}/%\0".contains(byte);
        let len = rest(self.bytes, self.at)
            .iter()
            .take_while(|byte| !is_end(byte))
            .count();
        let name = crate::bytes::slice(self.bytes, self.at, len)?;
        self.at = self.at.saturating_add(len);
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// A number, or two numbers and an R: another object.
    fn number(&mut self) -> Option<Object> {
        let len = rest(self.bytes, self.at)
            .iter()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.'))
            .count();
        let text = std::str::from_utf8(crate::bytes::slice(self.bytes, self.at, len)?).ok()?;
        self.at = self.at.saturating_add(len);
        if let Ok(number) = text.parse::<u32>() {
            let after = self.at;
            if self.whole().is_some() && self.accept(b"R") {
                return Some(Object::Reference(number));
            }
            self.at = after;
        }
        Some(text.parse().map_or(Object::Word, Object::Number))
    }

    fn literal(&mut self) -> Option<Object> {
        let mut text = Vec::new();
        let mut depth = 0_usize;
        loop {
            let byte = u8_at(self.bytes, self.at)?;
            self.at = self.at.saturating_add(1);
            match byte {
                b'(' => {
                    depth = depth.saturating_add(1);
                    if depth > 1 {
                        text.push(byte);
                    }
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(Object::Text(text));
                    }
                    text.push(byte);
                }
                b'\\' => self.escaped(&mut text)?,
                _ => text.push(byte),
            }
        }
    }

    fn escaped(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = u8_at(self.bytes, self.at)?;
        self.at = self.at.saturating_add(1);
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' | b'f' | b'\n' => {}
            b'\r' => {
                if u8_at(self.bytes, self.at) == Some(b'\n') {
                    self.at = self.at.saturating_add(1);
                }
            }
            b'0'..=b'7' => {
                let mut number = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit) =
                        u8_at(self.bytes, self.at).filter(|b| matches!(b, b'0'..=b'7'))
                    else {
                        break;
                    };
                    number = number * 8 + u32::from(digit - b'0');
                    self.at = self.at.saturating_add(1);
                }
                text.push(u8::try_from(number & 0xFF).unwrap_or(0));
            }
            _ => text.push(byte),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<Object> {
        self.at = self.at.saturating_add(1);
        let len = rest(self.bytes, self.at)
            .iter()
            .position(|byte| *byte == b'>')?;
        let digits: Vec<u8> = crate::bytes::slice(self.bytes, self.at, len)?
            .iter()
            .filter_map(|byte| char::from(*byte).to_digit(16)?.try_into().ok())
            .collect();
        self.at = self.at.saturating_add(len).saturating_add(1);
        let byte = |pair: &[u8]| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0);
        Some(Object::Text(digits.chunks(2).map(byte).collect()))
    }
}
