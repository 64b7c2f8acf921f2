//! What is said in a recording, word by word, and how it is written down.
//!
//! Times are milliseconds from the beginning of the recording. A [`Passage`] is a sentence or what is said between
//! two pauses: short enough to be read while it is heard.

mod correct;
mod keywords;
mod turn;
mod voiceprint;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::ClaimId;

pub use correct::VoiceName;
pub use turn::Turn;
pub use voiceprint::{SAME_VOICE, Voiceprint, same_voice};

/// What is said in a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    /// The language that most of it is in, by its code of ISO 639 (`en`, `de`, `yue`); `None` where nothing is said.
    pub language: Option<String>,
    /// In the order in which they are said.
    pub passages: Vec<Passage>,
    /// Who speaks, in the order in which they begin; none where that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speakers: Vec<Speaker>,
}

/// Somebody who speaks in a recording, whose name only people know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speaker {
    /// What passages call them: 0 for who speaks first, 1 for who speaks next.
    pub label: u32,
    /// What they sound like, which may be compared with voices of other recordings.
    pub voice: Voiceprint,
    /// How long they speak.
    pub spoken_ms: u64,
}

/// A sentence, or what is said between two pauses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// What is said.
    pub text: String,
    /// Who says it: the label of a [`Speaker`], which means one voice within this recording, from 0 on; `None` where
    /// that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<u32>,
    /// What people call who says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_name: Option<String>,
    /// The claim that this name is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_claim_id: Option<ClaimId>,
    /// The claim that its words are from, where a person corrected what was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction_id: Option<ClaimId>,
    /// How sure it is, from 0 to 1: the mean of its words.
    pub confidence: f32,
    /// Its words, where they are known one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
}

/// A word with the space before it and the marks around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
    /// As it is written, with a space before it where there is one.
    pub text: String,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
}

/// A pause that ends a passage.
const PAUSE_MS: u64 = 1200;
/// A passage that is longer ends at a lesser mark or at the next word.
const LONG_MS: u64 = 9000;
/// As many letters as two lines of captions have.
const LONG_LETTERS: usize = 84;

impl Transcript {
    /// Puts words together to passages: at the ends of sentences, at pauses and where it becomes too long to be read.
    #[must_use]
    pub fn of_words(language: Option<String>, words: Vec<Word>) -> Self {
        let mut transcript = Self {
            language,
            ..Self::default()
        };
        transcript.add(words, None);
        transcript
    }

    /// The same where it is known when each of `speakers` speaks: a passage ends when somebody else speaks.
    #[must_use]
    pub fn of_turns(
        language: Option<String>,
        words: Vec<Word>,
        turns: &[Turn],
        speakers: Vec<Speaker>,
    ) -> Self {
        let said_by = turn::who_says(&words, turns);
        let mut transcript = Self {
            language,
            speakers,
            ..Self::default()
        };
        let mut words = words.into_iter();
        for of_one in said_by.chunk_by(|a, b| a == b) {
            let words = words.by_ref().take(of_one.len()).collect();
            transcript.add(words, of_one.first().copied().flatten());
        }
        transcript
    }

    /// What one speaker says without anybody else saying a word.
    fn add(&mut self, words: Vec<Word>, speaker: Option<u32>) {
        let mut open: Vec<Word> = Vec::new();
        for word in words {
            if open.last().is_some_and(|last| is_over(&open, last, &word)) {
                let passage = Passage::of_words(std::mem::take(&mut open), speaker);
                self.passages.extend(passage);
            }
            open.push(word);
        }
        self.passages.extend(Passage::of_words(open, speaker));
    }

    /// The words alone, a passage a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for passage in &self.passages {
            text.push_str(&passage.text);
            text.push('\n');
        }
        text
    }

    /// Captions in the form of browsers (WebVTT, <https://www.w3.org/TR/webvtt1/>), with who speaks as voices.
    #[must_use]
    pub fn to_vtt(&self) -> String {
        let mut vtt = String::from("WEBVTT\n");
        for passage in &self.passages {
            let (start, end) = (
                Clock(passage.start_ms),
                Clock(passage.end_ms.max(passage.start_ms + 1)),
            );
            let text = escape(&passage.text);
            let number = || {
                passage
                    .speaker
                    .map(|label| format!("Speaker {}", label + 1))
            };
            let name = passage.speaker_name.as_deref().map(escape);
            let voice = name.or_else(number).map(|voice| format!("<v {voice}>"));
            let _ = write!(
                vtt,
                "\n{start} --> {end}\n{}{text}\n",
                voice.unwrap_or_default()
            );
        }
        vtt
    }

    /// How sure all of it is: the mean of its passages, each as much as it is long; 0 where nothing is said.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "lengths of passages are far below 2^52 milliseconds"
    )]
    pub fn confidence(&self) -> f64 {
        let length =
            |passage: &Passage| passage.end_ms.saturating_sub(passage.start_ms).max(1) as f64;
        let all: f64 = self.passages.iter().map(length).sum();
        let sure = self.passages.iter();
        let sure: f64 = sure
            .map(|passage| length(passage) * f64::from(passage.confidence))
            .sum();
        if all > 0.0 { sure / all } else { 0.0 }
    }
}

impl Passage {
    /// Of words that follow one another, said by one speaker; `None` of no words.
    #[must_use]
    pub fn of_words(words: Vec<Word>, speaker: Option<u32>) -> Option<Self> {
        let (start_ms, end_ms) = (words.first()?.start_ms, words.last()?.end_ms);
        let text: String = words.iter().map(|word| word.text.as_str()).collect();
        let sum: f32 = words.iter().map(|word| word.probability).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a passage has far fewer than 2^23 words"
        )]
        let confidence = sum / words.len() as f32;
        Some(Self {
            start_ms,
            end_ms,
            text: text.trim().to_owned(),
            speaker,
            speaker_name: None,
            speaker_claim_id: None,
            correction_id: None,
            confidence,
            words,
        })
    }
}

impl Passage {
    /// From when to when each word of its text, as spaces part them, is said.
    #[must_use]
    pub fn word_times_ms(&self) -> Vec<(u64, u64)> {
        let spoken = self.spoken_words().into_iter();
        let mut times: Vec<_> = spoken.map(|word| (word.start_ms, word.end_ms)).collect();
        let count = self.text.split_whitespace().count();
        times.resize(count, (self.start_ms, self.end_ms));
        times
    }

    /// Its words as spaces part them: several of what is known one by one may be one of them, and the other way round.
    fn spoken_words(&self) -> Vec<Word> {
        let mut spoken: Vec<Word> = Vec::new();
        let mut is_within = false;
        for word in &self.words {
            for letter in word.text.chars() {
                if letter.is_whitespace() {
                    is_within = false;
                    continue;
                }
                if !is_within {
                    spoken.push(Word {
                        text: String::new(),
                        ..word.clone()
                    });
                }
                is_within = true;
                if let Some(last) = spoken.last_mut() {
                    last.text.push(letter);
                    last.end_ms = word.end_ms;
                }
            }
        }
        spoken
    }
}

/// Whether a passage ends before this word.
fn is_over(open: &[Word], last: &Word, word: &Word) -> bool {
    let mut letters = last.text.trim_end().chars().rev();
    let mark = letters.find(|letter| !matches!(letter, '"' | '\'' | '»' | '”' | '’' | ')' | ']'));
    let is_sentence = matches!(mark, Some('.' | '!' | '?' | '…' | '。' | '！' | '？'))
        && !is_abbreviation(&last.text);
    let is_clause = matches!(mark, Some(',' | ';' | ':' | '、' | '，'));
    let pause_ms = word.start_ms.saturating_sub(last.end_ms);
    let length_ms = word
        .end_ms
        .saturating_sub(open.first().map_or(0, |first| first.start_ms));
    let written: usize = open.iter().map(|word| word.text.chars().count()).sum();
    let letters = written + word.text.chars().count();
    let is_long = length_ms > LONG_MS || letters > LONG_LETTERS;
    let begins_anew = word.text.starts_with(' ') || !word.text.is_ascii();
    (is_sentence && begins_anew)
        || pause_ms >= PAUSE_MS
        || (is_long && begins_anew)
        || (is_clause && begins_anew && letters * 3 > LONG_LETTERS * 2)
}

/// Whether the stop after a word belongs to it: `Mr.`, `Dr.`, `J.`.
fn is_abbreviation(word: &str) -> bool {
    let word = word.trim().trim_end_matches('.');
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    is_initial || ABBREVIATIONS.contains(&word)
}

const ABBREVIATIONS: [&str; 14] = [
    "Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Hr", "Fr", "Nr", "Sr", "Sra", "Mme", "Mlle", "Dott",
];

/// A time as WebVTT writes it.
struct Clock(u64);

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, ms) = (self.0 / 1000, self.0 % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{ms:03}", seconds % 60)
    }
}

/// What means something else in a caption is written so that it is read.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that each take 300 ms and follow one another without a pause.
    fn words(text: &str) -> Vec<Word> {
        let each = text.split_inclusive(' ');
        each.zip(0_u64..)
            .map(|(word, at)| Word {
                start_ms: at * 300,
                end_ms: at * 300 + 300,
                text: format!(" {}", word.trim()),
                probability: 0.5,
            })
            .collect()
    }

    fn passages(text: &str) -> Vec<String> {
        let transcript = Transcript::of_words(None, words(text));
        let passages = transcript.passages.into_iter();
        passages.map(|passage| passage.text).collect()
    }

    #[test]
    fn a_passage_ends_with_its_sentence() {
        assert_eq!(
            passages("He came. Did she? Yes!"),
            ["He came.", "Did she?", "Yes!"]
        );
        assert_eq!(
            passages("Then \"Go.\" she said"),
            ["Then \"Go.\"", "she said"]
        );
    }

    #[test]
    fn each_word_between_spaces_has_its_time() {
        let mut said = words("We went to town.");
        // A mark, or the end of a word, may stand by itself.
        said[3].text = " to".to_owned();
        said.push(Word {
            start_ms: 1_200,
            end_ms: 1_300,
            text: "wn.".to_owned(),
            probability: 0.5,
        });
        let transcript = Transcript::of_words(None, said);
        let passage = &transcript.passages[0];
        assert_eq!(passage.text, "We went to town.");
        assert_eq!(
            passage.word_times_ms(),
            [(0, 300), (300, 600), (600, 900), (900, 1_300)]
        );
        let unknown = Passage {
            words: Vec::new(),
            ..passage.clone()
        };
        assert_eq!(unknown.word_times_ms(), [(0, 1_300); 4]);
    }

    #[test]
    fn a_stop_that_belongs_to_a_word_ends_nothing() {
        assert_eq!(
            passages("Mr. Quilter met Dr. J. Smith."),
            ["Mr. Quilter met Dr. J. Smith."]
        );
    }

    #[test]
    fn a_pause_ends_a_passage() {
        let mut said = words("and then they left");
        for word in &mut said[2..] {
            word.start_ms += PAUSE_MS;
            word.end_ms += PAUSE_MS;
        }
        let transcript = Transcript::of_words(None, said);
        let texts = transcript.passages.iter();
        let texts: Vec<&str> = texts.map(|passage| passage.text.as_str()).collect();
        assert_eq!(texts, ["and then", "they left"]);
    }

    #[test]
    fn what_has_no_end_is_cut_where_it_becomes_too_long() {
        let endless = "well ".repeat(100);
        for passage in Transcript::of_words(None, words(&endless)).passages {
            assert!(passage.end_ms - passage.start_ms <= LONG_MS);
            assert!(passage.text.chars().count() <= LONG_LETTERS);
        }
    }

    #[test]
    fn no_word_is_lost() {
        let text = "One, two, three; four. Five? Six seven eight nine ten, eleven twelve.";
        assert_eq!(passages(text).join(" "), text);
    }

    #[test]
    fn captions_are_webvtt() {
        let mut transcript =
            Transcript::of_words(Some("en".to_owned()), words("Rock & <roll>. Yes."));
        transcript.passages[0].speaker = Some(0);
        transcript.passages[1].start_ms = 3_723_004;
        transcript.passages[1].end_ms = 3_724_000;
        assert_eq!(
            transcript.to_vtt(),
            "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\n<v Speaker 1>Rock &amp; &lt;roll&gt;.\n\n\
             01:02:03.004 --> 01:02:04.000\nYes.\n"
        );
        assert_eq!(transcript.to_text(), "Rock & <roll>.\nYes.\n");
    }

    #[test]
    fn nothing_said_is_nothing_to_be_sure_of() {
        let silence = Transcript::of_words(None, Vec::new());
        assert_eq!((silence.passages.len(), silence.confidence()), (0, 0.0));
        assert_eq!(silence.to_vtt(), "WEBVTT\n");
    }
}
