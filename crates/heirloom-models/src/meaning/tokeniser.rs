//! A text as the numbers of its tokens, in the two ways that are used for pictures: CLIP's, which takes words apart into
//! bytes, and that of SigLIP 2 (Gemma's), which takes a whole text apart into letters.

use std::{collections::HashMap, io::Read as _};

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization as _;

use super::bpe::Pieces;

/// Reads texts.
#[derive(Debug)]
pub(super) struct Tokeniser {
    pieces: Pieces,
    way: Way,
    /// What stands before and behind each text.
    around: [Vec<i64>; 2],
    /// The most tokens of a text, with what stands around it.
    most: usize,
    /// What follows a text until it has the most, for networks that are not told where it ends.
    filler: Option<i64>,
}

/// How a text is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Into words, and these into bytes; the last one of each has a mark.
    Words,
    /// Into letters; a space is one too.
    Letters,
}

/// Ends the last piece of a word.
const END: &str = "</w>";
/// A space, where it is a letter.
const SPACE: &str = "\u{2581}";
/// The tokens that CLIP takes, and those that SigLIP 2 does.
const CLIP_TOKENS: usize = 77;
const SIGLIP_TOKENS: usize = 64;
/// The pairs that CLIP puts together: the list goes on, and the rest was never used.
const CLIP_PAIRS: usize = 49_152 - 256 - 2;
/// The most that a list of pairs is unpacked to.
const LIST_BYTES: u64 = 64 << 20;
/// A text that is longer has more tokens than any network takes.
const MOST_CHARS: usize = 2_000;
/// What words end with in English that is a word of its own.
const ENDINGS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

impl Tokeniser {
    /// From `tokenizer.json`, or from CLIP's list of pairs. A text is filled up where the network has no mask to be told its
    /// end by.
    pub(super) fn read(bytes: &[u8], has_mask: bool) -> Result<Self, String> {
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            let json: Json = serde_json::from_slice(bytes)
                .map_err(|error| format!("its tokenizer.json cannot be read: {error}"))?;
            return Self::of_json(&json, has_mask);
        }
        let mut list = String::new();
        let mut unpacked = GzDecoder::new(bytes).take(LIST_BYTES);
        unpacked
            .read_to_string(&mut list)
            .map_err(|error| format!("its list of pairs cannot be unpacked: {error}"))?;
        Self::of_list(&list)
    }

    /// As OpenAI published it: bytes, bytes at the end of words, and what is made of them, in this order.
    fn of_list(list: &str) -> Result<Self, String> {
        let lines = list.lines().skip(1).take(CLIP_PAIRS);
        let pairs: Option<Vec<(&str, &str)>> = lines.map(|line| line.split_once(' ')).collect();
        let pairs = pairs.ok_or("its list of pairs is none")?;
        let letters = letters_of_bytes().0;
        let letters = letters.iter().map(char::to_string);
        let ends = letters.clone().map(|letter| letter + END);
        let wholes = pairs.iter();
        let wholes = wholes.map(|(first, second)| format!("{first}{second}"));
        let names: Vec<String> = letters.chain(ends).chain(wholes).collect();
        let start = i64::try_from(names.len()).map_err(|error| error.to_string())?;
        let mut pieces = Pieces::new(names.into_iter().zip(0..).collect());
        for (first, second) in pairs {
            pieces.join(first, second)?;
        }
        Ok(Self {
            pieces,
            way: Way::Words,
            around: [vec![start], vec![start + 1]],
            most: CLIP_TOKENS,
            filler: None,
        })
    }

    fn of_json(json: &Json, has_mask: bool) -> Result<Self, String> {
        let model = &json["model"];
        let kind = model["type"].as_str().unwrap_or("BPE");
        let Some(vocabulary) = model["vocab"].as_object().filter(|_| kind == "BPE") else {
            return Err(format!(
                "its tokenizer.json is of the kind {kind}, and not BPE"
            ));
        };
        let id = |id: &Json| u32::try_from(id.as_u64()?).ok();
        let mut ids: HashMap<String, u32> = vocabulary
            .iter()
            .filter_map(|(name, number)| Some((name.clone(), id(number)?)))
            .collect();
        for added in json["added_tokens"].as_array().into_iter().flatten() {
            if let (Some(name), Some(id)) = (added["content"].as_str(), id(&added["id"])) {
                ids.insert(name.to_owned(), id);
            }
        }
        let mut pieces = Pieces::new(ids);
        for pair in model["merges"].as_array().into_iter().flatten() {
            let parts = match pair {
                Json::String(pair) => pair.split_once(' '),
                pair => pair[0].as_str().zip(pair[1].as_str()),
            };
            let (first, second) = parts.ok_or("a pair of its tokenizer.json is none")?;
            pieces.join(first, second)?;
        }
        let (way, most) = match model["end_of_word_suffix"].as_str() == Some(END) {
            true => (Way::Words, CLIP_TOKENS),
            false => (Way::Letters, SIGLIP_TOKENS),
        };
        let named = |names: &[&str]| {
            let found = names.iter().find_map(|name| pieces.find(name));
            found.map(i64::from)
        };
        let around = around(&json["post_processor"]).unwrap_or_else(|| {
            let start = named(&["<|startoftext|>"]).filter(|_| way == Way::Words);
            let end = named(&["<|endoftext|>", "<eos>", "</s>"]);
            [start, end].map(Vec::from_iter)
        });
        let limit = &json["truncation"]["max_length"];
        let limit = limit.as_u64().and_then(|limit| usize::try_from(limit).ok());
        let filler = if has_mask || way == Way::Words {
            None
        } else {
            let filler = json["padding"]["pad_id"].as_i64();
            let filler = filler.or_else(|| named(&["<pad>", "<eos>", "</s>"]));
            Some(filler.ok_or("its tokenizer.json has no <pad>")?)
        };
        Ok(Self {
            pieces,
            way,
            around,
            most: limit.unwrap_or(most).clamp(8, 1_024),
            filler,
        })
    }

    /// The tokens of a text, with what stands around it. What is too long is cut off. Capital letters say nothing to these
    /// networks.
    pub(super) fn read_text(&self, text: &str) -> Vec<i64> {
        let text: String = text.nfc().take(MOST_CHARS).collect();
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        let pieces = match self.way {
            Way::Words => self.words(&text),
            Way::Letters => self.letters(&text),
        };
        let [before, behind] = &self.around;
        let room = self.most.saturating_sub(before.len() + behind.len());
        let pieces = pieces.into_iter().map(i64::from).take(room);
        let mut tokens: Vec<i64> = before.iter().copied().chain(pieces).collect();
        tokens.extend(behind);
        if let Some(filler) = self.filler {
            tokens.resize(self.most.max(tokens.len()), filler);
        }
        tokens
    }

    fn words(&self, text: &str) -> Vec<u32> {
        let letters = letters_of_bytes().1;
        let mut tokens = Vec::new();
        for word in split_words(text) {
            let bytes = word.bytes();
            let names = bytes.map(|byte| letters[usize::from(byte)].to_string());
            let mut names: Vec<String> = names.collect();
            if let Some(last) = names.last_mut() {
                last.push_str(END);
            }
            let pieces = names.iter().filter_map(|name| self.pieces.find(name));
            tokens.extend(self.pieces.merge(pieces.collect()));
        }
        tokens
    }

    fn letters(&self, text: &str) -> Vec<u32> {
        let mut pieces = Vec::new();
        for letter in text.replace(' ', SPACE).chars() {
            let letter = letter.to_string();
            match self.pieces.find(&letter) {
                Some(piece) => pieces.push(piece),
                // What has no piece is its bytes.
                None => {
                    let bytes = letter.bytes().map(|byte| format!("<0x{byte:02X}>"));
                    pieces.extend(bytes.filter_map(|byte| self.pieces.find(&byte)));
                }
            }
        }
        self.pieces.merge(pieces)
    }
}

/// What a tokenizer.json puts before and behind a text.
fn around(processor: &Json) -> Option<[Vec<i64>; 2]> {
    match processor["type"].as_str()? {
        "Sequence" => processor["processors"].as_array()?.iter().find_map(around),
        "RobertaProcessing" | "BertProcessing" => {
            let token = |name: &str| Some(vec![processor[name][1].as_i64()?]);
            Some([token("cls")?, token("sep")?])
        }
        "TemplateProcessing" => {
            let mut around = [Vec::new(), Vec::new()];
            let mut side = 0;
            for part in processor["single"].as_array()? {
                if part["Sequence"].is_object() {
                    side = 1;
                } else {
                    let name = part["SpecialToken"]["id"].as_str()?;
                    let ids = processor["special_tokens"][name]["ids"].as_array()?;
                    around[side].extend(ids.iter().filter_map(Json::as_i64));
                }
            }
            Some(around)
        }
        _ => None,
    }
}

/// The letters that stand for the 256 bytes: in the order of CLIP's vocabulary, and by byte. A byte that prints stands for
/// itself.
fn letters_of_bytes() -> ([char; 256], [char; 256]) {
    let (mut ordered, mut by_byte) = (['\0'; 256], ['\0'; 256]);
    let is_printed = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let printed = (0..=u8::MAX).filter(is_printed);
    let printed = printed.map(|byte| (byte, char::from(byte)));
    let others = (0..=u8::MAX).filter(|byte| !is_printed(byte));
    let others = others.zip('\u{100}'..);
    for ((byte, letter), place) in printed.chain(others).zip(&mut ordered) {
        *place = letter;
        by_byte[usize::from(byte)] = letter;
    }
    (ordered, by_byte)
}

#[derive(PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Gap,
    Other,
}

impl Kind {
    fn of(letter: char) -> Self {
        match letter {
            letter if letter.is_whitespace() => Self::Gap,
            letter if letter.is_alphabetic() => Self::Letter,
            letter if letter.is_numeric() => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// Words, single digits, English endings, and what else stands together.
fn split_words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let ending = ENDINGS.iter().find(|ending| rest.starts_with(**ending));
        let kind = Kind::of(first);
        let length = match ending {
            Some(ending) => ending.len(),
            None if kind == Kind::Digit => first.len_utf8(),
            None => {
                let end = rest.find(|next| Kind::of(next) != kind);
                end.unwrap_or(rest.len())
            }
        };
        let (word, behind) = rest.split_at(length);
        if kind != Kind::Gap {
            words.push(word);
        }
        rest = behind;
    }
    words
}

#[cfg(test)]
mod tests;
