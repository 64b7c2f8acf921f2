//! OpenAI's chat with pictures (<https://platform.openai.com/docs/api-reference/chat/create>), and the many who speak as it does:
//! vLLM and SGLang, which serve olmOCR, and llama.cpp and Ollama.

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value as Json, json};

use super::{Seen, SeenLine};
use crate::way::{
    Kind, ServiceSettings,
    vision::{OPENAI, Provider, chat, message},
};

#[derive(Debug)]
pub(super) struct OpenAi;

/// It is asked for what stands there, letter by letter; a model that was made for reading does so whatever it is asked.
const ASKED: &str = "Write down all text that stands on this page exactly as it stands there, in the order in which a person \
reads it, line by line, with an empty line between paragraphs. Keep its language, its spelling and its line breaks. Add nothing, \
explain nothing, translate nothing. Write […] for what cannot be read. If there is no text on the page, write nothing at all.";
/// More than the densest page has.
const TOKENS: u32 = 8_000;
/// It does not say how sure it is of a word: more than half, for it was made to read.
const SURE: f32 = 0.75;

impl Provider for OpenAi {
    type Seen = Seen;

    fn kind(&self) -> Kind {
        OPENAI
    }

    fn ask(&self, client: &Client, service: &ServiceSettings, picture: &Bytes) -> RequestBuilder {
        let mut asked = ASKED.to_owned();
        if !service.languages.is_empty() {
            let languages = service.languages.join(", ");
            asked.push_str(&format!(" Languages that may stand there: {languages}."));
        }
        let body = json!({ "max_tokens": TOKENS });
        chat(client, service, (&asked, picture), body)
    }

    fn read(&self, answer: &Json) -> Result<Seen, String> {
        let (text, is_cut) = message(answer)?;
        let cut =
            "A page is longer than what its service writes down at once: the end of it is missing.";
        Ok(Seen {
            blocks: blocks_of(without_frame(text)),
            problem: is_cut.then(|| cut.to_owned()),
        })
    }
}

/// The text without what models put around it: a fence of code, or what olmOCR says of the page before it.
fn without_frame(text: &str) -> &str {
    let text = text.trim();
    let fenced = text.strip_prefix("```").and_then(|rest| {
        let (_, rest) = rest.split_once('\n')?;
        rest.trim_end().strip_suffix("```")
    });
    let text = fenced.unwrap_or(text).trim_start_matches('\n');
    let about = text.strip_prefix("---\n");
    let after = about.and_then(|about| {
        let (about, after) = about.split_once("\n---")?;
        // A letter may begin with a line of its own.
        about.contains("primary_language:").then_some(after)
    });
    after.unwrap_or(text).trim()
}

fn blocks_of(text: &str) -> Vec<Vec<SeenLine>> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let line = |text: &&str| SeenLine {
        text: (*text).to_owned(),
        confidence: SURE,
        ..SeenLine::default()
    };
    let blocks = lines.split(|line| line.is_empty());
    let blocks = blocks.filter(|lines| !lines.is_empty());
    blocks
        .map(|lines| lines.iter().map(line).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ended: &str) -> Seen {
        let answer =
            json!({ "choices": [{ "message": { "content": text }, "finish_reason": ended }] });
        OpenAi.read(&answer).unwrap()
    }

    fn texts(seen: &Seen) -> Vec<Vec<&str>> {
        let block = seen.blocks.iter();
        let texts = block.map(|lines| lines.iter().map(|line| line.text.as_str()).collect());
        texts.collect()
    }

    #[test]
    fn what_models_put_around_a_text_is_no_part_of_it() {
        let olmocr = "---\nprimary_language: de\nis_rotation_valid: True\nrotation_correction: 0\n---\nLiebe Anna,\n\nes geht mir gut.\nDein Karl";
        for text in [
            "Liebe Anna,\n\nes geht mir gut.\nDein Karl",
            "```text\nLiebe Anna,\n\nes geht mir gut.\nDein Karl\n```",
            olmocr,
        ] {
            let seen = read(text, "stop");
            assert_eq!(
                texts(&seen),
                [vec!["Liebe Anna,"], vec!["es geht mir gut.", "Dein Karl"]]
            );
            assert_eq!(seen.problem, None);
        }
        assert_eq!(
            texts(&read("---\nCopy\n---\nof it", "stop")),
            [vec!["---", "Copy", "---", "of it"]]
        );
    }

    #[test]
    fn an_empty_page_a_page_that_is_too_long_and_nonsense_are_told_apart() {
        assert!(read("", "stop").blocks.is_empty());
        let null =
            json!({ "choices": [{ "message": { "content": null }, "finish_reason": "stop" }] });
        assert!(OpenAi.read(&null).unwrap().blocks.is_empty());
        assert!(read("Once", "length").problem.is_some());
        OpenAi.read(&json!({ "choices": [] })).unwrap_err();
        OpenAi.read(&json!([])).unwrap_err();
    }
}
