//! OpenAI's chat with pictures (<https://platform.openai.com/docs/api-reference/chat/create>), and the many who speak as it does:
//! vLLM and SGLang, which serve olmOCR, and llama.cpp and Ollama.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value as Json, json};

use super::{OPENAI, Provider, Question, Seen, SeenLine, post};
use crate::way::{Kind, ServiceSettings};

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
    fn kind(&self) -> Kind {
        OPENAI
    }

    fn ask(
        &self,
        client: &Client,
        service: &ServiceSettings,
        question: &Question,
    ) -> RequestBuilder {
        let mut asked = ASKED.to_owned();
        if !question.languages.is_empty() {
            let languages = question.languages.join(", ");
            asked.push_str(&format!(" Languages that may stand there: {languages}."));
        }
        let picture = BASE64_STANDARD.encode(&question.picture);
        let body = json!({
            "model": service.model,
            "temperature": 0,
            "max_tokens": TOKENS,
            "messages": [{
                "role": "user",
                "content": [
                    { "type": "text", "text": asked },
                    { "type": "image_url", "image_url": { "url": format!("data:image/jpeg;base64,{picture}") } },
                ],
            }],
        });
        let request = post(client, service, "chat/completions", &body);
        match &service.key {
            Some(key) => request.bearer_auth(key.text()),
            None => request,
        }
    }

    fn read(&self, answer: &Json) -> Result<Seen, String> {
        let choice = &answer["choices"][0];
        let said = &choice["message"]["content"];
        // Who writes nothing at all may say so with null.
        let text = match said {
            Json::Null if choice["finish_reason"] == "stop" => "",
            said => said
                .as_str()
                .ok_or("there is no message in it: does its model look at pictures?")?,
        };
        let cut =
            "A page is longer than what its service writes down at once: the end of it is missing.";
        Ok(Seen {
            blocks: blocks_of(without_frame(text)),
            problem: (choice["finish_reason"] == "length").then(|| cut.to_owned()),
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
