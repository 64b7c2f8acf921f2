//! Where a page of what was found ends.

/// The place after which the next page of a search begins. Its bytes are for whoever asks to give
/// back, and say nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Which of the plan's tiers, from 0.
    pub(super) tier: u8,
    /// The timeline key of the last asset shown.
    pub(super) key: i64,
}

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

    /// The place as bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [self.tier; 9];
        bytes[1..].copy_from_slice(&self.key.to_be_bytes());
        bytes
    }

    /// The place that [`to_bytes`](Self::to_bytes) gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 9]) -> Self {
        let [tier, key @ ..] = bytes;
        Self {
            tier,
            key: i64::from_be_bytes(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for key in [i64::MIN, -1, 0, i64::MAX] {
            let cursor = Cursor { tier: 1, key };
            assert_eq!(Cursor::from_bytes(cursor.to_bytes()), cursor);
        }
    }
}
