//! Where the next page of a list begins, in a form that says nothing and is not to be made up.

use uuid::Uuid;

use crate::problem::{Code, Problem};

/// What to do with a cursor that is none.
const CURSOR_HINT: &str =
    "Take the cursor from `next` of the page before, or leave it out to begin anew.";

/// A list of the API, by its name and by what was asked of it: a place in one is none in another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    /// The noun.
    pub(crate) name: &'static str,
    /// What was asked.
    pub(crate) question: &'a str,
}

impl List<'_> {
    /// Every asset, newest first.
    pub(crate) const ASSETS: List<'static> = List {
        name: "assets",
        question: "",
    };
    /// Every run, newest first.
    pub(crate) const RUNS: List<'static> = List {
        name: "runs",
        question: "",
    };

    /// Groups of pictures of which one is enough, those first that came last.
    pub(crate) const DUPLICATES: List<'static> = List {
        name: "duplicates",
        question: "",
    };

    /// What was decided of these groups, the last first.
    pub(crate) const DECISIONS: List<'static> = List {
        name: "decisions",
        question: "",
    };
    /// What was said of faces, the last first.
    pub(crate) const SAID: List<'static> = List {
        name: "said",
        question: "",
    };

    /// Those whose faces are in pictures, or those of them who are left out.
    pub(crate) const fn people(are_aside: bool) -> List<'static> {
        List {
            name: "people",
            question: if are_aside { "aside" } else { "" },
        }
    }

    /// The units of a run, or some of them.
    pub(crate) const fn units(question: &str) -> List<'_> {
        List {
            name: "units",
            question,
        }
    }

    /// Writes the key after which the next page begins.
    pub(crate) fn render_cursor(self, key: &[u8]) -> String {
        let mut text = String::with_capacity(9 + key.len() * 2);
        // The first letter leaves room for another form later.
        text.push('c');
        for byte in self.mark().iter().chain(key) {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// The key that a cursor stands for.
    ///
    /// # Errors
    /// `invalid_cursor` for a text that [`render_cursor`](Self::render_cursor) did not write for this
    /// very list.
    pub(crate) fn parse_cursor<const N: usize>(self, text: &str) -> Result<[u8; N], Problem> {
        let key = self.parse_bytes(text)?;
        key.try_into().map_err(|_| invalid())
    }

    /// The id that a cursor stands for.
    ///
    /// # Errors
    /// `invalid_cursor`, as of other keys.
    pub(crate) fn parse_id<I: From<Uuid>>(self, text: &str) -> Result<I, Problem> {
        Ok(Uuid::from_bytes(self.parse_cursor(text)?).into())
    }

    /// The text that a cursor stands for.
    ///
    /// # Errors
    /// `invalid_cursor`, as of other keys.
    pub(crate) fn parse_text(self, text: &str) -> Result<String, Problem> {
        String::from_utf8(self.parse_bytes(text)?).map_err(|_| invalid())
    }

    fn parse_bytes(self, text: &str) -> Result<Vec<u8>, Problem> {
        let digits = text.strip_prefix('c').ok_or_else(invalid)?.as_bytes();
        let mut bytes = Vec::new();
        for pair in digits.chunks(2) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            let is_byte = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            let byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_byte);
            bytes.push(byte.ok_or_else(invalid)?);
        }
        let key = bytes.strip_prefix(&self.mark()).ok_or_else(invalid)?;
        Ok(key.to_vec())
    }

    /// What tells lists apart: FNV-1a of name and question (Fowler, Noll, Vo, 32 bits). It keeps
    /// mistakes out, and nobody gains by making one up.
    fn mark(self) -> [u8; 4] {
        let bytes = self.name.bytes().chain([0]).chain(self.question.bytes());
        let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        hash.to_be_bytes()
    }
}

fn invalid() -> Problem {
    Problem::new(Code::InvalidCursor, "this is no place in this list").hint(CURSOR_HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for key in [i64::MIN, -1, 0, 1, i64::MAX] {
            let text = List::ASSETS.render_cursor(&key.to_be_bytes());
            let read = List::ASSETS.parse_cursor::<8>(&text);
            assert_eq!(read.unwrap(), key.to_be_bytes());
            assert!(List::ASSETS.parse_cursor::<16>(&text).is_err());
            assert!(List::RUNS.parse_cursor::<8>(&text).is_err());
        }
        let own = List::ASSETS.render_cursor(&[7; 8]);
        for text in [
            "",
            "c",
            "c00",
            "x0000000000000000",
            "c000000000000000g",
            "cééééééé",
            &own[..own.len() - 1],
            &own.replace("07", "+7"),
            &format!("{own}00"),
        ] {
            assert!(List::ASSETS.parse_cursor::<8>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_in_what_one_question_found_is_none_in_another() {
        let [karl, anna] = ["karl", "anna"].map(|question| List {
            name: "search",
            question,
        });
        let text = karl.render_cursor(&[1; 9]);
        assert!(karl.parse_cursor::<9>(&text).is_ok());
        assert!(anna.parse_cursor::<9>(&text).is_err());
    }
}
