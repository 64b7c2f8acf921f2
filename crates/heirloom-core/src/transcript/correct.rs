//! What people say of a transcript: which words are said, and who says them.
//!
//! Their claims are anchored to milliseconds of the recording, so they hold for whatever a better model hears there.

use std::collections::BTreeMap;

use super::{Passage, Transcript, Word};
use crate::{
    Segment, Subject,
    claim::{self, Claim, ClaimKind},
    text::{fold, spread},
};

/// What is claimed of a stretch of a recording.
type Anchored<'a> = claim::Anchored<'a, Segment>;

fn anchored(kind: ClaimKind, claims: &[Claim]) -> Vec<Anchored<'_>> {
    claim::anchored(kind, claims, Subject::as_segment)
}

impl Transcript {
    /// As people corrected it. Of two corrections that overlap the later one holds where they do.
    #[must_use]
    pub fn corrected(mut self, claims: &[Claim]) -> Self {
        for said in anchored(ClaimKind::Said, claims) {
            self.correct(&said);
        }
        self.name_speakers(&anchored(ClaimKind::Speaker, claims));
        self
    }

    fn correct(&mut self, said: &Anchored<'_>) {
        let segment = said.place;
        let mut kept = Vec::new();
        let mut heard = Vec::new();
        for passage in std::mem::take(&mut self.passages) {
            let [before, within, after] = passage.split(segment);
            kept.extend(before);
            heard.extend(within);
            kept.extend(after);
        }
        let text = said.claim.words();
        if let Some(text) = text.filter(|_| !said.claim.is_negation) {
            let voice = |passage: &Passage| passage.end_ms.saturating_sub(passage.start_ms);
            let loudest = heard.iter().max_by_key(|passage| voice(passage));
            let words: Vec<Word> = heard.iter().flat_map(Passage::spoken_words).collect();
            kept.push(Passage {
                start_ms: segment.start_ms(),
                end_ms: segment.end_ms(),
                speaker: loudest.and_then(|passage| passage.speaker),
                speaker_name: None,
                speaker_claim_id: None,
                correction_id: Some(said.claim.id),
                confidence: said.claim.confidence,
                words: retime(&words, &text, segment, said.claim.confidence),
                text,
            });
        }
        kept.sort_by_key(|passage| (passage.start_ms, passage.end_ms));
        self.passages = kept;
    }

    /// A voice is called what people called it first; a passage of which they say otherwise, otherwise. That it is not
    /// somebody takes away no other name.
    fn name_speakers(&mut self, claims: &[Anchored<'_>]) {
        let mut said: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
        for passage in &self.passages {
            let times = (passage.start_ms, passage.end_ms);
            if let Some(voice) = passage.speaker {
                said.entry(voice).or_default().push(times);
            }
        }
        let voices = said.into_iter();
        let voices = voices.map(|(voice, passages)| (voice, first_name(&passages, claims)));
        let voices: BTreeMap<u32, Option<&Claim>> = voices.collect();
        for passage in &mut self.passages {
            let of_voice = passage.speaker.and_then(|voice| voices[&voice]);
            let direct = last_about(claims, passage.start_ms, passage.end_ms);
            let direct = direct.map(|said| said.claim);
            let denies_another = |claim: &&Claim| {
                let denied = claim.words().filter(|_| claim.is_negation);
                let name = of_voice.and_then(Claim::words);
                matches!((denied, name), (Some(denied), Some(name)) if fold(&denied) != fold(&name))
            };
            let Some(claim) = direct.filter(|claim| !denies_another(claim)).or(of_voice) else {
                continue;
            };
            passage.speaker_claim_id = Some(claim.id);
            passage.speaker_name = claim.words().filter(|_| !claim.is_negation);
        }
    }
}

/// What people say of a voice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoiceName {
    /// Who it is.
    pub name: Option<String>,
    /// Who it is not.
    pub denied: Vec<String>,
}

impl VoiceName {
    /// Of a voice that says what lasts from one millisecond to another.
    #[must_use]
    pub fn of(passages: &[(u64, u64)], claims: &[Claim]) -> Self {
        let name =
            first_name(passages, &anchored(ClaimKind::Speaker, claims)).and_then(Claim::words);
        let is_about = |claim: &&Claim| {
            let segment = claim.subject.as_segment();
            let is_held = |segment: Segment| {
                let mut all = passages.iter();
                all.any(|(start_ms, end_ms)| segment.holds(*start_ms, *end_ms))
                    || is_within(segment, passages)
            };
            claim.statement.kind() == ClaimKind::Speaker
                && claim.undone_at_ms.is_none()
                && claim.is_negation
                && segment.is_some_and(is_held)
        };
        Self {
            name,
            denied: claims
                .iter()
                .filter(is_about)
                .filter_map(Claim::words)
                .collect(),
        }
    }

    /// Whether people say that it is not somebody.
    #[must_use]
    pub fn denies(&self, name: &str) -> bool {
        self.denied.iter().any(|denied| fold(denied) == fold(name))
    }
}

/// What a voice was called first of all that it is called, each passage by the last word about it, and so is each piece of
/// one that anything is said about: a correction may have cut it out.
fn first_name<'a>(passages: &[(u64, u64)], claims: &[Anchored<'a>]) -> Option<&'a Claim> {
    let pieces = claims.iter().map(|said| said.place);
    let pieces = pieces.filter(|segment| is_within(*segment, passages));
    let pieces = pieces.map(|segment| (segment.start_ms(), segment.end_ms()));
    let said = passages.iter().copied().chain(pieces);
    let said = said.filter_map(|(start_ms, end_ms)| last_about(claims, start_ms, end_ms));
    let names = said.filter(|said| !said.claim.is_negation);
    names
        .min_by_key(|said| said.since_ms)
        .map(|said| said.claim)
}

/// Whether the middle of a stretch is in one of these passages.
fn is_within(segment: Segment, passages: &[(u64, u64)]) -> bool {
    let middle = segment.start_ms().midpoint(segment.end_ms());
    let mut passages = passages.iter();
    passages.any(|(start_ms, end_ms)| (*start_ms..*end_ms).contains(&middle))
}

/// The last word about what lasts from one millisecond to another.
fn last_about<'a>(claims: &[Anchored<'a>], start_ms: u64, end_ms: u64) -> Option<Anchored<'a>> {
    let is_about = |claim: &&Anchored<'_>| claim.place.holds(start_ms, end_ms);
    claims.iter().rfind(is_about).copied()
}

impl Passage {
    /// What of it is said before a stretch, in it and after it.
    fn split(self, segment: Segment) -> [Option<Self>; 3] {
        let place = |start_ms: u64, end_ms: u64| match () {
            () if segment.holds(start_ms, end_ms) => 1,
            () if start_ms < segment.start_ms() => 0,
            () => 2,
        };
        let mut parts: [Vec<Word>; 3] = Default::default();
        for word in &self.words {
            parts[place(word.start_ms, word.end_ms)].push(word.clone());
        }
        let count = parts.iter().filter(|words| !words.is_empty()).count();
        let mut whole = Some(self);
        if count < 2 {
            // It is not cut, so it stays as it is.
            let mut split = [None, None, None];
            let at = parts.iter().position(|words| !words.is_empty());
            let at = at.or_else(|| whole.as_ref().map(|it| place(it.start_ms, it.end_ms)));
            split[at.unwrap_or_default()] = whole.take();
            return split;
        }
        parts.map(|words| {
            let of = whole.as_ref()?;
            Some(Self {
                correction_id: of.correction_id,
                ..Self::of_words(words, of.speaker)?
            })
        })
    }
}

/// When each word of a corrected text is said: what begins and what ends as it was heard keeps its time, and the words
/// between share what is left.
fn retime(heard: &[Word], text: &str, segment: Segment, probability: f32) -> Vec<Word> {
    let known: Vec<_> = heard
        .iter()
        .map(|word| (word.text.as_str(), (word.start_ms, word.end_ms)))
        .collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let times = spread(&known, &words, (segment.start_ms(), segment.end_ms()));
    words
        .iter()
        .zip(times)
        .map(|(word, (start_ms, end_ms))| Word {
            start_ms,
            end_ms,
            text: format!(" {word}"),
            probability,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AssetId, Subject,
        claim::{Author, ClaimValue, Statement},
    };

    /// Words of 300 ms each, one after the other, said by these voices in turn.
    fn transcript(passages: &[(u32, &str)]) -> Transcript {
        let mut at_ms = 0;
        let passages = passages.iter().map(|(speaker, text)| {
            let words = text.split(' ').map(|word| {
                at_ms += 300;
                Word {
                    start_ms: at_ms - 300,
                    end_ms: at_ms,
                    text: format!(" {word}"),
                    probability: 0.5,
                }
            });
            Passage {
                ..Passage::of_words(words.collect(), Some(*speaker)).unwrap()
            }
        });
        Transcript {
            language: Some("en".to_owned()),
            passages: passages.collect(),
            speakers: Vec::new(),
        }
    }

    fn claim(at: i64, kind: ClaimKind, segment: &str, words: &str) -> Claim {
        let value = ClaimValue::Text(words.to_owned());
        Claim {
            id: uuid::Uuid::from_u128(at.try_into().unwrap()).into(),
            subject: Subject::segment(
                AssetId::from_uuid(uuid::Uuid::nil()),
                segment.parse().unwrap(),
            ),
            statement: Statement::new(kind, value).unwrap(),
            is_negation: false,
            author: Author::Operator,
            source: String::new(),
            confidence: 1.0,
            made_at_ms: at,
            undone_at_ms: None,
        }
    }

    fn lines(transcript: &Transcript) -> Vec<(u64, u64, &str)> {
        let passages = transcript.passages.iter();
        let line = |passage: &'_ Passage| (passage.start_ms, passage.end_ms);
        passages
            .map(|passage| (line(passage).0, line(passage).1, passage.text.as_str()))
            .collect()
    }

    #[test]
    fn a_correction_replaces_what_was_heard_there() {
        let heard = transcript(&[(0, "The heart wrist is in."), (1, "So it is.")]);
        let said = claim(1, ClaimKind::Said, "0-1500", "The harvest  is\nin!");
        let corrected = heard.corrected(std::slice::from_ref(&said));
        assert_eq!(
            lines(&corrected),
            [
                (0, 1_500, "The harvest is in!"),
                (1_500, 2_400, "So it is.")
            ]
        );
        let first = &corrected.passages[0];
        assert_eq!(
            (first.speaker, first.correction_id),
            (Some(0), Some(said.id))
        );
        assert!(corrected.passages[1].correction_id.is_none());
        let times: Vec<_> = first
            .words
            .iter()
            .map(|word| (word.start_ms, word.end_ms))
            .collect();
        assert_eq!(times, [(0, 300), (300, 900), (900, 1_200), (1_200, 1_500)]);
    }

    #[test]
    fn a_correction_holds_for_what_a_better_model_hears() {
        let said = [claim(1, ClaimKind::Said, "0-1500", "The harvest is in.")];
        let mut better = transcript(&[(0, "The harvests in."), (1, "So it is.")]);
        for passage in &mut better.passages {
            for word in &mut passage.words {
                (word.start_ms, word.end_ms) = (word.start_ms + 560, word.end_ms + 640);
            }
            let (first, last) = (&passage.words[0], passage.words.last().unwrap());
            (passage.start_ms, passage.end_ms) = (first.start_ms, last.end_ms);
        }
        let corrected = better.corrected(&said);
        let texts: Vec<&str> = lines(&corrected).iter().map(|line| line.2).collect();
        assert_eq!(texts, ["The harvest is in.", "So it is."]);
    }

    #[test]
    fn a_correction_within_a_passage_leaves_the_rest() {
        let heard = transcript(&[(0, "We went to see Lot on Sunday.")]);
        let said = claim(1, ClaimKind::Said, "1200-1500", "Lotte");
        let corrected = heard.corrected(&[said]);
        assert_eq!(
            lines(&corrected),
            [
                (0, 1_200, "We went to see"),
                (1_200, 1_500, "Lotte"),
                (1_500, 2_100, "on Sunday.")
            ]
        );
    }

    #[test]
    fn what_is_said_where_nothing_was_heard_is_added() {
        let heard = transcript(&[(0, "Yes.")]);
        let corrected = heard.corrected(&[claim(1, ClaimKind::Said, "5000-6000", "No, no.")]);
        assert_eq!(
            lines(&corrected),
            [(0, 300, "Yes."), (5_000, 6_000, "No, no.")]
        );
        let words: Vec<_> = corrected.passages[1]
            .words
            .iter()
            .map(|word| word.start_ms)
            .collect();
        assert_eq!(words, [5_000, 5_500]);
    }

    #[test]
    fn nothing_is_said_where_somebody_says_so() {
        let heard = transcript(&[(0, "Thank you for watching."), (0, "Good night.")]);
        let mut denied = claim(1, ClaimKind::Said, "0-1200", "Thank you for watching.");
        denied.is_negation = true;
        let corrected = heard.corrected(&[denied]);
        assert_eq!(lines(&corrected), [(1_200, 1_800, "Good night.")]);
    }

    #[test]
    fn the_last_word_about_a_stretch_holds_until_it_is_taken_back() {
        let heard = || transcript(&[(0, "One too three.")]);
        let first = claim(1, ClaimKind::Said, "0-900", "One to three.");
        let mut second = claim(2, ClaimKind::Said, "0-900", "One two three.");
        let text = |claims: &[Claim]| heard().corrected(claims).to_text();
        assert_eq!(text(&[second.clone(), first.clone()]), "One two three.\n");
        second.undone_at_ms = Some(3);
        assert_eq!(text(&[second, first.clone()]), "One to three.\n");
        let mut first = first;
        first.undone_at_ms = Some(4);
        assert_eq!(text(&[first]), "One too three.\n");
    }

    #[test]
    fn a_voice_has_a_name_and_a_passage_may_be_somebody_elses() {
        let names = |claims: &[Claim]| {
            let heard = transcript(&[
                (0, "Guten Tag."),
                (1, "Hello."),
                (0, "Wie geht es?"),
                (0, "Gut."),
            ]);
            let corrected = heard.corrected(claims);
            let names = corrected.passages.into_iter();
            names
                .map(|passage| passage.speaker_name.unwrap_or_default())
                .collect::<Vec<_>>()
        };
        let lotte = claim(1, ClaimKind::Speaker, "0-600", "Lotte");
        assert_eq!(
            names(std::slice::from_ref(&lotte)),
            ["Lotte", "", "Lotte", "Lotte"]
        );
        let karl = claim(2, ClaimKind::Speaker, "1800-2100", "Karl");
        assert_eq!(
            names(&[lotte.clone(), karl.clone()]),
            ["Lotte", "", "Lotte", "Karl"]
        );
        // Called otherwise where it was named first, all of the voice is.
        let charlotte = claim(3, ClaimKind::Speaker, "0-600", "Charlotte");
        let all = [lotte.clone(), karl, charlotte];
        assert_eq!(names(&all), ["Charlotte", "", "Charlotte", "Karl"]);
        let mut nobody = claim(4, ClaimKind::Speaker, "0-600", "Lotte");
        nobody.is_negation = true;
        assert_eq!(names(&[lotte, nobody]), ["", "", "", ""]);
    }

    #[test]
    fn a_voice_that_was_named_in_a_piece_of_a_passage_has_that_name() {
        let heard = transcript(&[(0, "We went to see Lot on Sunday."), (1, "So it is.")]);
        let voice = |speaker: u32| {
            let own = heard.passages.iter();
            let own = own.filter(move |passage| passage.speaker == Some(speaker));
            let times = own.map(|passage| (passage.start_ms, passage.end_ms));
            times.collect::<Vec<_>>()
        };
        let said = claim(1, ClaimKind::Said, "1200-1500", "Lotte");
        // Of what the correction left of the passage: its middle is elsewhere.
        let after = claim(2, ClaimKind::Speaker, "1500-2100", "Karl");
        let corrected = heard.clone().corrected(&[said.clone(), after.clone()]);
        let names = corrected.passages.iter();
        let names: Vec<_> = names
            .map(|passage| passage.speaker_name.as_deref())
            .collect();
        assert_eq!(names, [Some("Karl"), Some("Karl"), Some("Karl"), None]);
        let name = VoiceName::of(&voice(0), &[said.clone(), after.clone()]).name;
        assert_eq!(name.as_deref(), Some("Karl"));
        let not_karl = Claim {
            is_negation: true,
            ..after.clone()
        };
        let denied = VoiceName::of(&voice(0), &[said.clone(), not_karl]);
        assert!(denied.name.is_none() && denied.denies("Karl"));
        assert_eq!(
            VoiceName::of(&voice(1), &[said, after]),
            VoiceName::default()
        );
    }

    #[test]
    fn that_a_voice_is_not_somebody_is_kept_and_takes_no_other_name_away() {
        let denied = |at: i64, name: &str| Claim {
            is_negation: true,
            ..claim(at, ClaimKind::Speaker, "0-600", name)
        };
        let said = [(0, 600), (900, 1_800)];
        let not_lotte = denied(1, "Lotte");
        let voice = VoiceName::of(&said, std::slice::from_ref(&not_lotte));
        assert_eq!(voice.name, None);
        assert!(voice.denies("lotte") && !voice.denies("Karl"));
        // Another denial does not undo the first, and a name holds wherever the voice is heard.
        let karl = claim(3, ClaimKind::Speaker, "900-1800", "Karl");
        let claims = [not_lotte, denied(2, "Otto"), karl];
        let voice = VoiceName::of(&said, &claims);
        assert_eq!(voice.name.as_deref(), Some("Karl"));
        assert!(voice.denies("Lotte") && voice.denies("Otto"));
        let heard = transcript(&[(0, "Guten Tag."), (1, "Hello."), (0, "Wie geht es?")]);
        let names = heard.corrected(&claims).passages.into_iter();
        let names: Vec<_> = names.map(|passage| passage.speaker_name).collect();
        let karl = Some("Karl".to_owned());
        assert_eq!(names, [karl.clone(), None, karl]);
        let undone = claims.map(|claim| Claim {
            undone_at_ms: Some(9),
            ..claim
        });
        assert_eq!(VoiceName::of(&said, &undone), VoiceName::default());
    }
}
