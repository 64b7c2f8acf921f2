//! What answers of services mean: the `verbose_json` of OpenAI, as it and others write it.

use heirloom_core::transcript::{Passage, Transcript, Word};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    language::code_of,
    provider::{Said, SaidPassage, SaidWord},
};

#[derive(Debug, Deserialize)]
struct Verbose {
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    duration: Option<f64>,
    #[serde(default)]
    segments: Option<Vec<Segment>>,
    #[serde(default)]
    words: Option<Vec<Timed>>,
}

#[derive(Debug, Deserialize)]
struct Segment {
    start: f64,
    end: f64,
    text: String,
    #[serde(default)]
    avg_logprob: Option<f64>,
    #[serde(default)]
    no_speech_prob: Option<f64>,
    /// Some have words within what they are in.
    #[serde(default)]
    words: Option<Vec<Timed>>,
}

#[derive(Debug, Deserialize)]
struct Timed {
    word: String,
    start: f64,
    end: f64,
    #[serde(default)]
    probability: Option<f64>,
}

/// As Whisper does: what is hardly speech and hardly likely is nothing.
const NO_SPEECH: f64 = 0.6;
const HARDLY_LIKELY: f64 = -1.0;
/// How sure a service is that does not say it.
const UNKNOWN: f32 = 0.5;
/// A word may begin a little before what it is in.
const SLACK: f64 = 0.05;

/// Reads an answer.
///
/// # Errors
/// Why it makes no sense.
pub(super) fn read(answer: &Json) -> Result<Said, String> {
    if !answer.is_object() {
        return Err("it is no JSON object".to_owned());
    }
    let verbose = Verbose::deserialize(answer).map_err(|error| error.to_string())?;
    let text = verbose.text.unwrap_or_default();
    let Some(segments) = verbose.segments else {
        if answer.get("text").is_none() {
            return Err("there is no text in it".to_owned());
        }
        let seconds = (0.0, verbose.duration.unwrap_or(f64::MAX));
        let words = verbose.words.unwrap_or_default();
        let whole = SaidPassage {
            seconds,
            confidence: UNKNOWN,
            words: words.into_iter().map(SaidWord::from).collect(),
            text,
        };
        return Ok(Said {
            language: verbose.language.as_deref().and_then(code_of),
            passages: vec![whole],
        });
    };
    let mut words = verbose.words.unwrap_or_default().into_iter().peekable();
    let mut passages = Vec::with_capacity(segments.len());
    let count = segments.len();
    for (at, segment) in segments.into_iter().enumerate() {
        let is_last = at + 1 == count;
        let own = segment.words.unwrap_or_default();
        let mut own: Vec<_> = own.into_iter().map(SaidWord::from).collect();
        while let Some(word) = words.next_if(|word| is_last || word.start < segment.end - SLACK) {
            own.push(word.into());
        }
        let likely = segment.avg_logprob.unwrap_or(0.0);
        if segment.no_speech_prob.unwrap_or(0.0) > NO_SPEECH && likely < HARDLY_LIKELY {
            continue;
        }
        passages.push(SaidPassage {
            seconds: (segment.start, segment.end),
            text: segment.text,
            confidence: segment
                .avg_logprob
                .map_or(UNKNOWN, |likely| share(likely.exp())),
            words: own,
        });
    }
    Ok(Said {
        language: verbose.language.as_deref().and_then(code_of),
        passages,
    })
}

impl From<Timed> for SaidWord {
    fn from(word: Timed) -> Self {
        Self {
            seconds: (word.start, word.end),
            text: word.word,
            probability: word.probability.map(share),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it lies between 0 and 1")]
fn share(number: f64) -> f32 {
    if number.is_finite() {
        number.clamp(0.0, 1.0) as f32
    } else {
        UNKNOWN
    }
}

/// Puts what was said in a piece that begins and ends there into the transcript of the whole. Words take their marks from
/// what they are in; where the two do not agree, what is written holds, and has no words with times.
pub(super) fn add(transcript: &mut Transcript, said: Said, (from_ms, until_ms): (u64, u64)) {
    let mut words = Vec::new();
    for passage in said.passages {
        let text = clean(&passage.text);
        if text.is_empty() {
            continue;
        }
        let place = |seconds: f64| place(seconds, (from_ms, until_ms));
        let (start_ms, end_ms) = (place(passage.seconds.0), place(passage.seconds.1));
        let end_ms = end_ms.max(start_ms);
        let Some(aligned) = align(&text, &passage.words) else {
            transcript
                .passages
                .extend(Transcript::of_words(None, std::mem::take(&mut words)).passages);
            transcript.passages.push(Passage {
                start_ms,
                end_ms,
                text,
                speaker: None,
                speaker_name: None,
                speaker_claim_id: None,
                correction_id: None,
                confidence: passage.confidence,
                words: Vec::new(),
            });
            continue;
        };
        for (word, text) in passage.words.iter().zip(aligned) {
            let start_ms = place(word.seconds.0).clamp(start_ms, end_ms);
            let before_ms = words.last().map_or(from_ms, |last: &Word| last.start_ms);
            let start_ms = start_ms.max(before_ms);
            words.push(Word {
                start_ms,
                end_ms: place(word.seconds.1).max(start_ms),
                text,
                probability: word.probability.unwrap_or(passage.confidence),
            });
        }
    }
    transcript
        .passages
        .extend(Transcript::of_words(None, words).passages);
}

/// A moment of a piece in the whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is clamped to the piece, which is minutes long"
)]
fn place(seconds: f64, (from_ms, until_ms): (u64, u64)) -> u64 {
    let length_ms = until_ms.saturating_sub(from_ms);
    // What is no number is the beginning.
    let ms = (seconds * 1000.0).round().max(0.0).min(length_ms as f64);
    from_ms + ms as u64
}

/// The text of each word as it stands in what it is in, with the space before it and the marks around it.
fn align(text: &str, words: &[SaidWord]) -> Option<Vec<String>> {
    let mut at = 0;
    // Where in the text each word begins and ends.
    let mut places = Vec::with_capacity(words.len());
    for word in words {
        let word = word.text.trim();
        let found = find(&text[at..], word)?;
        // Between two words there are marks and no letters.
        if text[at..at + found.0].chars().any(char::is_alphanumeric) {
            return None;
        }
        places.push((at + found.0, at + found.1));
        at += found.1;
    }
    if places.is_empty() || text[at..].chars().any(char::is_alphanumeric) {
        return None;
    }
    let mut texts = Vec::with_capacity(places.len());
    let mut begin = 0;
    for (number, (_, end)) in places.iter().enumerate() {
        // Marks after a word are its own up to the next space.
        let rest = &text[*end..];
        let next = places.get(number + 1).map_or(text.len(), |next| next.0);
        let marks = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let until = if number + 1 == places.len() {
            text.len()
        } else {
            (end + marks).min(next)
        };
        let piece = &text[begin..until];
        let spaced = number == 0 && !piece.starts_with(char::is_whitespace);
        texts.push(if spaced {
            format!(" {piece}")
        } else {
            piece.to_owned()
        });
        begin = until;
    }
    Some(texts)
}

/// Where a word stands first, whatever the case of its letters.
fn find(text: &str, word: &str) -> Option<(usize, usize)> {
    if word.is_empty() {
        return None;
    }
    text.char_indices().find_map(|(at, _)| {
        let mut wanted = word.chars().flat_map(char::to_lowercase);
        let mut next = wanted.next();
        for (offset, letter) in text[at..].char_indices() {
            for small in letter.to_lowercase() {
                if Some(small) != next {
                    return None;
                }
                next = wanted.next();
            }
            if next.is_none() {
                return Some((at, at + offset + letter.len_utf8()));
            }
        }
        None
    })
}

/// Without what is no letter, mark or space.
fn clean(text: &str) -> String {
    let text = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    text.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(answer: &Json) -> Transcript {
        let mut transcript = Transcript::default();
        let said = read(answer).unwrap();
        add(&mut transcript, said, (60_000, 70_000));
        transcript
    }

    fn words(transcript: &Transcript) -> Vec<(&str, u64)> {
        let words = transcript
            .passages
            .iter()
            .flat_map(|passage| &passage.words);
        words
            .map(|word| (word.text.as_str(), word.start_ms))
            .collect()
    }

    #[test]
    fn words_take_their_marks_from_what_they_are_in() {
        let heard = heard(&json!({
            "language": "english",
            "text": "\"Well,\" he said, don't go. Rock-and-roll!",
            "segments": [
                { "start": 0.0, "end": 2.0, "text": " \"Well,\" he said, don't go.", "avg_logprob": -0.1 },
                { "start": 2.0, "end": 3.0, "text": " Rock-and-roll!", "avg_logprob": -0.2 },
            ],
            "words": [
                { "word": "Well", "start": 0.0, "end": 0.4 },
                { "word": "he", "start": 0.5, "end": 0.6 },
                { "word": "said", "start": 0.6, "end": 0.9 },
                { "word": "don't", "start": 1.0, "end": 1.2 },
                { "word": "go", "start": 1.2, "end": 1.5 },
                { "word": "Rock", "start": 2.0, "end": 2.2 },
                { "word": "and", "start": 2.2, "end": 2.4 },
                { "word": "roll", "start": 2.4, "end": 2.9 },
            ],
        }));
        assert_eq!(
            words(&heard),
            [
                (" \"Well,\"", 60_000),
                (" he", 60_500),
                (" said,", 60_600),
                (" don't", 61_000),
                (" go.", 61_200),
                (" Rock-", 62_000),
                ("and-", 62_200),
                ("roll!", 62_400),
            ]
        );
        assert_eq!(
            heard.to_text(),
            "\"Well,\" he said, don't go.\nRock-and-roll!\n"
        );
    }

    #[test]
    fn writing_without_spaces_has_its_words_all_the_same() {
        let heard = heard(&json!({
            "text": "今日は、晴れ。",
            "segments": [{ "start": 0, "end": 2, "text": "今日は、晴れ。" }],
            "words": [
                { "word": "今日", "start": 0.0, "end": 0.5 },
                { "word": "は", "start": 0.5, "end": 0.8 },
                { "word": "晴れ", "start": 1.0, "end": 1.5 },
            ],
        }));
        assert_eq!(
            words(&heard),
            [(" 今日", 60_000), ("は、", 60_500), ("晴れ。", 61_000)]
        );
    }

    #[test]
    fn words_that_are_not_those_that_are_written_have_no_times() {
        let heard = heard(&json!({
            "text": "It is 25 degrees.",
            "segments": [{ "start": 1.0, "end": 2.0, "text": "It is 25 degrees." }],
            "words": [{ "word": "It", "start": 1.0, "end": 1.1 }, { "word": "was", "start": 1.1, "end": 1.2 }],
        }));
        let passage = &heard.passages[0];
        assert_eq!((passage.start_ms, passage.end_ms), (61_000, 62_000));
        assert_eq!(
            (passage.text.as_str(), passage.words.len()),
            ("It is 25 degrees.", 0)
        );
    }

    #[test]
    fn what_is_hardly_speech_and_hardly_likely_is_nothing() {
        let heard = heard(&json!({
            "text": "Thanks for watching!",
            "segments": [
                { "start": 0, "end": 9, "text": "Thanks for watching!", "avg_logprob": -1.4, "no_speech_prob": 0.9 },
            ],
            "words": [{ "word": "Thanks", "start": 0.0, "end": 1.0 }],
        }));
        assert_eq!(heard.passages, []);
    }

    #[test]
    fn times_outside_of_the_piece_lie_at_its_ends() {
        let heard = heard(&json!({
            "text": "a b",
            "segments": [{ "start": -4.0, "end": 1e300, "text": "a b", "avg_logprob": 7.0 }],
            "words": [{ "word": "a", "start": -4.0, "end": 0.1 }, { "word": "b", "start": 1e300, "end": 0.0 }],
        }));
        assert_eq!(words(&heard), [(" a", 60_000), (" b", 70_000)]);
        assert!(heard.passages[0].confidence <= 1.0);
    }

    #[test]
    fn text_alone_is_taken_as_it_is() {
        let heard = heard(&json!({ "text": " Hello there.\u{0}" }));
        assert_eq!(heard.to_text(), "Hello there.\n");
        assert_eq!(heard.passages[0].end_ms, 70_000);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for nonsense in [
            json!([]),
            json!("text"),
            json!({ "result": 1 }),
            json!({ "text": 5 }),
            json!({ "text": "a", "segments": [{ "start": "soon" }] }),
        ] {
            assert!(read(&nonsense).is_err(), "{nonsense}");
        }
    }
}
