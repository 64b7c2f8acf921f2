//! What can be said of a picture, for models that tell how near a text is to it: each noun of the vocabulary, and what is
//! none of them.
//!
//! What is said of people, papers and rooms is never a tag. It is there so that a picture of one is near to something, and
//! need not be the thing that is least unlike it.

use super::{MOST, Noun, vocabulary::VOCABULARY};

/// How likely it is that a text is true of a picture, by how near they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// What nearness, from -1 to 1, is multiplied by.
    pub slope: f32,
    /// What is added to that.
    pub offset: f32,
}

/// What is no noun.
const OTHERS: [&str; 24] = [
    "a photo",
    "a portrait of a person",
    "a photo of a woman",
    "a photo of a man",
    "a photo of a child",
    "a photo of a baby",
    "a photo of two people",
    "a photo of a group of people",
    "a photo of a family at a table",
    "a photo of a wedding",
    "a photo of somebody's clothes",
    "a photo of somebody's hands",
    "a handwritten letter",
    "a page of printed text",
    "a map",
    "a drawing",
    "a painting",
    "a screenshot",
    "a photo of a room",
    "a photo of a street",
    "a photo of a landscape",
    "a photo of an animal",
    "a photo that is out of focus",
    "a dark photo",
];
/// From this offset on down a model says of each text by itself how likely it is.
const BY_ITSELF: f32 = -1.0;
/// How likely a noun has to be among all that can be said. One of them is always likeliest, so it has to be so by far.
const AMONG_ALL: f32 = 0.7;
/// How likely a noun has to be that is likely by itself: more so than not.
const ALONE: f32 = 0.5;

/// All that can be said: first the nouns.
#[must_use]
pub fn sayings() -> Vec<String> {
    let nouns = VOCABULARY.iter();
    let nouns = nouns.map(|noun| format!("a photo of a {}", noun.english));
    nouns.chain(OTHERS.map(str::to_owned)).collect()
}

impl Likelihood {
    /// The nouns that a picture gets, the likeliest first, by how near each of [`sayings`] is to it.
    #[must_use]
    pub fn said(&self, nearness: &[f32]) -> Vec<(&'static Noun, f32)> {
        let strength = nearness.iter().map(|near| near * self.slope + self.offset);
        let strength: Vec<f32> = strength.collect();
        let is_alone = self.offset < BY_ITSELF;
        let most = strength.iter().copied().fold(f32::MIN, f32::max);
        let all: f32 = strength.iter().map(|it| (it - most).exp()).sum();
        let likely = |strength: f32| match is_alone {
            true => 1.0 / (1.0 + (-strength).exp()),
            false => (strength - most).exp() / all,
        };
        let at_least = if is_alone { ALONE } else { AMONG_ALL };
        let nouns = VOCABULARY.iter().zip(&strength);
        let nouns = nouns.map(|(noun, strength)| (noun, likely(*strength)));
        let is_so = |(noun, likely): &(&Noun, f32)| *likely >= noun.at_least.max(at_least);
        let mut said: Vec<_> = nouns.filter(is_so).collect();
        said.sort_by(|a, b| b.1.total_cmp(&a.1));
        said.truncate(MOST);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: Likelihood = Likelihood {
        slope: 100.0,
        offset: 0.0,
    };
    const SIGLIP: Likelihood = Likelihood {
        slope: 112.0,
        offset: -16.5,
    };

    /// How near each saying is: these are, and all others are not.
    fn near(these: &[(&str, f32)]) -> Vec<f32> {
        let nearness = |saying: &String| {
            let it = these.iter().find(|(it, _)| it == saying);
            it.map_or(0.1, |(_, nearness)| *nearness)
        };
        sayings().iter().map(nearness).collect()
    }

    fn said(likelihood: Likelihood, these: &[(&str, f32)]) -> Vec<&'static str> {
        let said = likelihood.said(&near(these)).into_iter();
        said.map(|(noun, _)| noun.english).collect()
    }

    #[test]
    fn a_noun_that_stands_out_is_said() {
        assert_eq!(said(CLIP, &[("a photo of a dog", 0.3)]), ["dog"]);
        // Neither of two that are alike, nor the least unlike of all.
        let two = [("a photo of a dog", 0.3), ("a photo of a cat", 0.3)];
        assert_eq!(said(CLIP, &two), <[&str; 0]>::default());
        assert_eq!(
            said(CLIP, &[("a photo of a dog", 0.12)]),
            <[&str; 0]>::default()
        );
        assert_eq!(CLIP.said(&[]), []);
    }

    #[test]
    fn where_each_is_likely_by_itself_several_are_said() {
        let two = [("a photo of a dog", 0.16), ("a photo of a cat", 0.17)];
        assert_eq!(said(SIGLIP, &two), ["cat", "dog"]);
        assert_eq!(
            said(SIGLIP, &[("a photo of a dog", 0.14)]),
            <[&str; 0]>::default()
        );
    }

    #[test]
    fn a_picture_of_people_gets_no_word() {
        let these = [("a photo of a woman", 0.3), ("a photo of a dog", 0.28)];
        assert_eq!(said(CLIP, &these), <[&str; 0]>::default());
        for likelihood in [CLIP, SIGLIP] {
            let people = [("a portrait of a person", 0.4)];
            assert_eq!(said(likelihood, &people), <[&str; 0]>::default());
        }
    }
}
