//! Where a page of what was found ends.

use std::{fmt, str::FromStr};

/// The place after which the next page of a search begins. Its text is for whoever asks to give
/// back, and says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Which of the plan's tiers, from 0.
    pub(super) tier: u8,
    /// The timeline key of the last asset shown.
    pub(super) key: i64,
}

/// A text that no page of a search ended with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the place where a page of a search ended")]
pub struct InvalidCursor(String);

impl Default for Cursor {
    fn default() -> Self {
        Self {
            tier: 0,
            key: i64::MAX,
        }
    }
}

impl Cursor {
    /// Whether what stands at `other` comes after this.
    pub(super) const fn is_before(&self, other: &Self) -> bool {
        self.tier < other.tier || (self.tier == other.tier && other.key < self.key)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}{:016x}", self.tier, self.key)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let invalid = || InvalidCursor(text.chars().take(40).collect());
        if text.len() != 17 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let tier = u8::from_str_radix(&text[..1], 16).map_err(|_| invalid())?;
        let key = u64::from_str_radix(&text[1..], 16).map_err(|_| invalid())?;
        Ok(Self {
            tier,
            key: key.cast_signed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for key in [i64::MIN, -1, 0, i64::MAX] {
            let cursor = Cursor { tier: 1, key };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in [
            "",
            "0",
            "00000000000000zz0",
            "+0000000000000000",
            "é000000000000000",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
