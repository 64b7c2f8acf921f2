//! Tokens of Whisper as text.

/// The bytes that a token stands for. Byte pair encodings of GPT-2 write bytes as letters: printable ones as
/// they are, the rest from U+0100 on.
fn bytes_of(token: &str) -> Vec<u8> {
    token.chars().filter_map(byte_of).collect()
}

fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        // In the order in which they are missing above.
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// What tokens say together.
pub(in crate::speech) fn text_of(tokens: Vec<&str>) -> String {
    let bytes: Vec<u8> = tokens.into_iter().flat_map(bytes_of).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Groups tokens to words: how many tokens each has, and what it says with the space before it.
pub(in crate::speech) fn words_of(tokens: Vec<&str>, has_spaces: bool) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, Vec<u8>)> = Vec::new();
    for token in tokens {
        let bytes = bytes_of(token);
        let begins = match words.last() {
            None => true,
            Some((_, open)) if std::str::from_utf8(open).is_err() => false,
            Some(_) if has_spaces => bytes.first() == Some(&b' '),
            Some(_) => true,
        };
        match words.last_mut() {
            Some((count, word)) if !begins => {
                *count += 1;
                word.extend(bytes);
            }
            _ => words.push((1, bytes)),
        }
    }
    words
        .into_iter()
        .map(|(count, word)| (count, String::from_utf8_lossy(&word).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_stand_for_bytes_are_read() {
        assert_eq!(text_of(vec!["Ġfor", "Ãª", "ts"]), " forêts");
        assert_eq!(text_of(vec!["å", "ĽĽ"]), "四");
    }

    #[test]
    fn every_byte_has_one_letter() {
        let letters = (0..0x200).filter_map(char::from_u32);
        let mut bytes: Vec<u8> = letters.filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn a_word_begins_with_a_space() {
        let words = words_of(vec!["ĠLe", "ichen", "halle", ",", "Ġja"], true);
        assert_eq!(
            words,
            [(4, " Leichenhalle,".to_owned()), (1, " ja".to_owned())]
        );
    }

    #[test]
    fn without_spaces_each_sign_is_a_word_once_it_is_whole() {
        let words = words_of(vec!["å", "ĽĽ", "ä¸Ģ"], false);
        assert_eq!(words, [(2, "四".to_owned()), (1, "一".to_owned())]);
    }
}
