//! Where the next page of a list begins, in a form that says nothing and is not to be made up.

use crate::problem::{Code, Problem};

/// What to do with a cursor that is none.
pub(crate) const CURSOR_HINT: &str =
    "Take the cursor from `next` of the page before, or leave it out to begin anew.";

/// Writes the key after which the next page begins.
pub(crate) fn render_cursor(key: &[u8]) -> String {
    let mut text = String::with_capacity(2 + key.len() * 2);
    // The first letter leaves room for another form later.
    text.push('c');
    for byte in key {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The key that a cursor stands for.
///
/// # Errors
/// `invalid_cursor` for a text that [`render_cursor`] did not write, and for a key of another list.
pub(crate) fn parse_cursor<const N: usize>(text: &str) -> Result<[u8; N], Problem> {
    let invalid =
        || Problem::new(Code::InvalidCursor, "this is no place in this list").hint(CURSOR_HINT);
    let digits = text.strip_prefix('c').ok_or_else(invalid)?.as_bytes();
    if digits.len() != N * 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(invalid());
    }
    let mut key = [0; N];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for key in [i64::MIN, -1, 0, 1, i64::MAX] {
            let text = render_cursor(&key.to_be_bytes());
            assert_eq!(parse_cursor::<8>(&text).unwrap(), key.to_be_bytes());
            assert!(parse_cursor::<16>(&text).is_err());
        }
        for text in [
            "",
            "c",
            "c00",
            "x0000000000000000",
            "c000000000000000g",
            "cééééééé",
        ] {
            assert!(parse_cursor::<8>(text).is_err(), "{text}");
        }
    }
}
