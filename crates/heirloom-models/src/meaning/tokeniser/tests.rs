use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::*;

/// CLIP's list with these pairs, which begins with a line that says what it is.
fn list(pairs: &[&str]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"\"#version: 0.2\n").unwrap();
    packed.write_all(pairs.join("\n").as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// The number of a byte that prints, within a word and at its end.
fn within(byte: u8) -> i64 {
    i64::from(byte - b'!')
}

fn last(byte: u8) -> i64 {
    256 + within(byte)
}

#[test]
fn words_are_put_together_in_the_order_of_the_list() {
    let tokeniser = Tokeniser::read(&list(&["d o", "o g</w>", "do g</w>", "a t"]), true).unwrap();
    // Bytes come first, then bytes at an end, then pairs, then what stands around.
    let (made, start, end) = (512_i64, 516, 517);
    let read = |text: &str| {
        let tokens = tokeniser.read_text(text);
        assert_eq!(
            (tokens[0], tokens[tokens.len() - 1]),
            (start, end),
            "{text}"
        );
        tokens[1..tokens.len() - 1].to_vec()
    };
    // "d o" is before "o g", so "dog" is not "d" and "og".
    assert_eq!(read("dog"), [made + 2]);
    assert_eq!(read("  Dog\n DOG"), [made + 2, made + 2]);
    assert_eq!(read("at"), [within(b'a'), last(b't')]);
    assert_eq!(read("dog's"), [made + 2, within(b'\''), last(b's')]);
    assert_eq!(read("19!"), [last(b'1'), last(b'9'), last(b'!')]);
    assert_eq!(read(""), [0; 0]);
    // Letters with accents are the same however they are written, and are their bytes.
    assert_eq!(read("é"), read("e\u{301}"));
    assert_eq!(read("é").len(), 2);
    // What is too long ends as it should.
    assert_eq!(tokeniser.read_text(&"dog ".repeat(500)).len(), CLIP_TOKENS);
}

#[test]
fn a_tokenizer_json_says_the_same_as_the_list() {
    let pairs = ["d o", "o g</w>", "do g</w>"];
    let of_list = Tokeniser::read(&list(&pairs), true).unwrap();
    let letters = letters_of_bytes().0;
    let letters = letters.iter().map(char::to_string);
    let ends = letters.clone().map(|letter| letter + END);
    let wholes = ["do", "og</w>", "dog</w>"].map(str::to_owned);
    let names = letters.chain(ends).chain(wholes);
    let vocabulary: serde_json::Map<String, Json> = names
        .enumerate()
        .map(|(id, name)| (name, json!(id)))
        .collect();
    let special = |id: i64, name: &str| json!({ "id": id, "content": name });
    let file = json!({
        "added_tokens": [special(515, "<|startoftext|>"), special(516, "<|endoftext|>")],
        "post_processor": { "type": "RobertaProcessing", "sep": ["<|endoftext|>", 516], "cls": ["<|startoftext|>", 515] },
        "model": { "type": "BPE", "vocab": vocabulary, "merges": pairs, "end_of_word_suffix": END },
    });
    let of_json = |file: &Json| Tokeniser::read(file.to_string().as_bytes(), false).unwrap();
    let mut bare = file.clone();
    bare["post_processor"] = json!(null);
    bare["model"]["merges"] = json!([["d", "o"], ["o", "g</w>"], ["do", "g</w>"]]);
    for text in ["dog", "a dog, 1974", "Zoë & Müller", ""] {
        let tokens = of_list.read_text(text);
        assert_eq!(of_json(&file).read_text(text), tokens, "{text}");
        assert_eq!(of_json(&bare).read_text(text), tokens, "{text}");
    }
}

#[test]
fn letters_are_put_together_across_spaces_and_filled_up() {
    let names = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<0xC3>",
        "<0xA9>",
        "\u{2581}",
        "a",
        "d",
        "o",
        "g",
        "do",
        "dog",
        "\u{2581}dog",
    ];
    let vocabulary: serde_json::Map<String, Json> = names
        .iter()
        .enumerate()
        .map(|(id, name)| ((*name).to_owned(), json!(id)))
        .collect();
    let file = json!({
        "added_tokens": [],
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{ "Sequence": { "id": "A" } }, { "SpecialToken": { "id": "<eos>" } }],
            "special_tokens": { "<eos>": { "id": "<eos>", "ids": [1] } },
        },
        "model": { "type": "BPE", "vocab": vocabulary, "merges": ["d o", "do g", "\u{2581} dog"] },
    });
    let read = |has_mask, text: &str| {
        let tokeniser = Tokeniser::read(file.to_string().as_bytes(), has_mask).unwrap();
        tokeniser.read_text(text)
    };
    assert_eq!(read(true, "A dog"), [6, 12, 1]);
    assert_eq!(read(true, "dog é"), [11, 5, 3, 4, 1]);
    let filled = read(false, "a dog");
    assert_eq!(
        (filled.len(), &filled[..4]),
        (SIGLIP_TOKENS, &[6, 12, 1, 0][..])
    );
    assert_eq!(read(false, &"dog ".repeat(200)).len(), SIGLIP_TOKENS);
}

#[test]
fn tokens_that_cannot_be_used_are_refused() {
    let other = json!({ "model": { "type": "Unigram", "vocab": [] } }).to_string();
    let lost = json!({ "model": { "type": "BPE", "vocab": { "a": 0 }, "merges": ["a b"] } });
    for (bytes, why) in [
        (b"{".to_vec(), "cannot be read"),
        (other.into_bytes(), "of the kind Unigram"),
        (lost.to_string().into_bytes(), "no \"b\""),
        (vec![0x1f, 0x8b, 0], "cannot be unpacked"),
        (list(&["one"]), "is none"),
    ] {
        let error = Tokeniser::read(&bytes, true).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
