//! Who says which word.

use super::Word;

/// While somebody speaks. Turns overlap where two speak at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Who: the label of a speaker.
    pub speaker: u32,
    /// When it begins.
    pub start_ms: u64,
    /// When it ends.
    pub end_ms: u64,
}

impl Turn {
    /// How much of a word lies in it.
    fn heard(&self, word: &Word) -> u64 {
        let start = self.start_ms.max(word.start_ms);
        self.end_ms.min(word.end_ms).saturating_sub(start)
    }

    /// How far a word is away from it.
    fn distance(&self, word: &Word) -> u64 {
        let before = self.start_ms.saturating_sub(word.end_ms);
        before.max(word.start_ms.saturating_sub(self.end_ms))
    }
}

/// The speaker of each word: whoever speaks during most of it, and where that is nobody, whoever is next to it. Turns
/// are sorted by their beginnings, words by theirs.
pub(super) fn who_says(words: &[Word], turns: &[Turn]) -> Vec<Option<u32>> {
    let mut before = None;
    let mut said_by: Vec<Option<u32>> = Vec::with_capacity(words.len());
    let mut from = 0;
    for word in words {
        // What ended long before this word began is next to no later one either.
        let is_past = |turn: &&Turn| turn.end_ms + FAR_MS < word.start_ms;
        from += turns[from..].iter().take_while(is_past).count();
        let near = turns[from..].iter();
        let near = near.take_while(|turn| turn.start_ms <= word.end_ms + FAR_MS);
        let best = near.max_by_key(|turn| {
            let goes_on = Some(turn.speaker) == before;
            (
                turn.heard(word),
                std::cmp::Reverse(turn.distance(word)),
                goes_on,
            )
        });
        before = best.map(|turn| turn.speaker).or(before);
        said_by.push(before);
    }
    // Before anybody is known to speak it is who speaks first.
    let first = said_by.iter().flatten().next().copied();
    let begin = said_by.iter_mut().take_while(|speaker| speaker.is_none());
    begin.for_each(|speaker| *speaker = first);
    keep_sentences(words, &mut said_by);
    said_by
}

/// A single word in the middle of a sentence is its speaker's: the times of words are only so good.
fn keep_sentences(words: &[Word], said_by: &mut [Option<u32>]) {
    for at in 1..words.len().saturating_sub(1) {
        let is_alone = said_by[at] != said_by[at - 1] && said_by[at - 1] == said_by[at + 1];
        let goes_on = [at - 1, at].iter().all(|at| !ends(&words[*at].text));
        if is_alone && goes_on {
            said_by[at] = said_by[at - 1];
        }
    }
}

fn ends(word: &str) -> bool {
    word.trim_end()
        .ends_with(['.', '!', '?', '…', '。', '！', '？'])
}

/// No word is nearer to a turn that is farther away than to the one before it.
const FAR_MS: u64 = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Transcript;

    fn words(said: &[(u64, u64, &str)]) -> Vec<Word> {
        let said = said.iter();
        said.map(|(start_ms, end_ms, text)| Word {
            start_ms: *start_ms,
            end_ms: *end_ms,
            text: format!(" {text}"),
            probability: 0.9,
        })
        .collect()
    }

    fn turn(speaker: u32, start_ms: u64, end_ms: u64) -> Turn {
        Turn {
            speaker,
            start_ms,
            end_ms,
        }
    }

    fn passages(said: &[(u64, u64, &str)], turns: &[Turn]) -> Vec<(Option<u32>, String)> {
        let transcript = Transcript::of_turns(None, words(said), turns, Vec::new());
        let passages = transcript.passages.into_iter();
        passages
            .map(|passage| (passage.speaker, passage.text))
            .collect()
    }

    #[test]
    fn a_passage_ends_when_somebody_else_speaks() {
        let said = [
            (0, 300, "did"),
            (300, 700, "you"),
            (700, 1000, "yes"),
            (1000, 1400, "I"),
            (1400, 1800, "did"),
        ];
        let turns = [turn(0, 0, 680), turn(1, 680, 1900)];
        assert_eq!(
            passages(&said, &turns),
            [
                (Some(0), "did you".to_owned()),
                (Some(1), "yes I did".to_owned())
            ]
        );
    }

    #[test]
    fn a_word_beside_all_turns_is_who_is_nearest() {
        let said = [(0, 200, "well"), (5000, 5300, "and"), (5300, 5600, "then")];
        let turns = [turn(0, 300, 4000), turn(1, 5200, 6000)];
        assert_eq!(
            passages(&said, &turns),
            [
                (Some(0), "well".to_owned()),
                (Some(1), "and then".to_owned())
            ]
        );
    }

    #[test]
    fn a_word_in_the_middle_of_a_sentence_is_its_speakers() {
        let said = [
            (0, 300, "we"),
            (300, 500, "went"),
            (500, 800, "home"),
            (800, 1000, "Oh!"),
            (1000, 1300, "So"),
        ];
        let turns = [turn(0, 0, 300), turn(1, 300, 500), turn(0, 500, 1400)];
        assert_eq!(passages(&said, &turns)[0].1, "we went home Oh!");
        // Where it is a sentence of its own it is not.
        let said = [(0, 300, "home."), (300, 500, "Oh!"), (500, 800, "So")];
        let said_by: Vec<_> = passages(&said, &turns)
            .into_iter()
            .map(|said| said.0)
            .collect();
        assert_eq!(said_by, [Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn where_nobody_is_known_nobody_says_it() {
        let said = [(0, 300, "hm")];
        assert_eq!(passages(&said, &[]), [(None, "hm".to_owned())]);
    }
}
