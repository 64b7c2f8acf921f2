//! What goes through the socket between a hand and its parent: a kind, two lengths, JSON, bytes.

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A job, with the input's descriptor beside it.
    Job,
    /// A part of an answer.
    Part,
    /// The end of an answer: all went well.
    Done,
    /// The end of an answer: it could not be done, and the JSON is why.
    Failed,
    /// The same, and the end of the process: nobody knows what is left behind in it.
    Over,
}

/// What comes before a frame's JSON and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) json_bytes: u32,
    pub(super) bytes: u64,
}

/// The length of a head: one byte of kind, then both lengths, the least significant byte first.
pub(super) const HEAD_BYTES: usize = 1 + 4 + 8;

/// The most JSON in one frame.
pub(super) const JSON_BYTES: usize = 256 * 1024;

impl Head {
    pub(super) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let kind = match self.kind {
            Kind::Job => 0,
            Kind::Part => 1,
            Kind::Done => 2,
            Kind::Failed => 3,
            Kind::Over => 4,
        };
        let mut all = [kind; HEAD_BYTES];
        let (_, lengths) = all.split_at_mut(1);
        let (json, bytes) = lengths.split_at_mut(4);
        json.copy_from_slice(&self.json_bytes.to_le_bytes());
        bytes.copy_from_slice(&self.bytes.to_le_bytes());
        all
    }

    /// `None` when that is no head.
    pub(super) fn parse(all: [u8; HEAD_BYTES]) -> Option<Self> {
        let [kind, a, b, c, d, bytes @ ..] = all;
        let head = Self {
            kind: match kind {
                0 => Kind::Job,
                1 => Kind::Part,
                2 => Kind::Done,
                3 => Kind::Failed,
                4 => Kind::Over,
                _ => return None,
            },
            json_bytes: u32::from_le_bytes([a, b, c, d]),
            bytes: u64::from_le_bytes(bytes),
        };
        (head.json_bytes as usize <= JSON_BYTES).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_as_it_went() {
        for kind in [Kind::Job, Kind::Part, Kind::Done, Kind::Failed] {
            let head = Head {
                kind,
                json_bytes: 77_000,
                bytes: u64::MAX - 7,
            };
            assert_eq!(Head::parse(head.to_bytes()), Some(head));
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let mut unknown = [0; HEAD_BYTES];
        unknown[0] = 9;
        assert_eq!(Head::parse(unknown), None);
        let mut too_long = [0; HEAD_BYTES];
        too_long[4] = 1;
        assert_eq!(Head::parse(too_long), None);
    }
}
