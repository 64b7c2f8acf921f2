//! Tags of the machine: a vocabulary of plain nouns in every language, and which of them a picture gets.
//!
//! A tag is a claim like any other, so a person's word outranks the machine's, and one that somebody denied stays denied
//! whatever looks at the picture later. What a machine says is the English name of a [`Noun`]; whoever reads or searches
//! does so in their own language. A tag that people typed and that is one of the nouns is treated alike.

mod saying;
mod vocabulary;

use std::{collections::HashMap, sync::LazyLock};

use crate::query::Language;
pub use saying::{Likelihood, sayings};
use vocabulary::VOCABULARY;

/// A word for what can be seen in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noun {
    english: &'static str,
    german: &'static str,
    /// How likely it has to be.
    at_least: f32,
    /// The classes of ImageNet that it stands for, from one to another.
    classes: &'static [(u16, u16)],
}

/// How many classes a network that knows ImageNet tells apart.
pub const CLASSES: usize = 1000;
/// The most tags that a picture gets of one model.
pub const MOST: usize = 5;

static BY_NAME: LazyLock<HashMap<String, &'static Noun>> = LazyLock::new(|| {
    let nouns = VOCABULARY.iter();
    let names = nouns.flat_map(|noun| noun.names().map(|name| (name.to_lowercase(), noun)));
    names.collect()
});

impl Noun {
    /// The noun that is called so in some language, in upper or lower case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        BY_NAME.get(&name.trim().to_lowercase()).copied()
    }

    /// What it is called. The English name is also what a tag says that a machine gives.
    #[must_use]
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::German => self.german,
        }
    }

    /// What it is called in each language, in the order of [`Language::ALL`].
    #[must_use]
    pub fn names(&self) -> [&'static str; Language::ALL.len()] {
        Language::ALL.map(|language| self.name(language))
    }

    /// How likely it is, by how likely each class is.
    fn likely(&self, classes: &[f32]) -> f32 {
        let spans = self.classes.iter();
        let spans =
            spans.filter_map(|(first, last)| classes.get(usize::from(*first)..=usize::from(*last)));
        spans.flatten().sum()
    }
}

/// All nouns.
pub fn nouns() -> impl Iterator<Item = &'static Noun> {
    VOCABULARY.iter()
}

/// Whether two tags say the same, in whichever language.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    Noun::find(a).is_some_and(|noun| Noun::find(b) == Some(noun))
}

/// The nouns that a picture gets, the likeliest first, by how likely each of [`CLASSES`] is in each view of it. As likely
/// as in the view in which it is least so: what only one of them shows is not sure.
#[must_use]
pub fn seen(views: &[Vec<f32>]) -> Vec<(&'static Noun, f32)> {
    let least = |noun: &Noun| {
        let likely = views.iter().map(|classes| noun.likely(classes));
        likely.reduce(f32::min).unwrap_or_default().min(1.0)
    };
    let nouns = VOCABULARY.iter().map(|noun| (noun, least(noun)));
    let mut seen: Vec<_> = nouns
        .filter(|(noun, likely)| *likely >= noun.at_least)
        .collect();
    seen.sort_by(|a, b| b.1.total_cmp(&a.1));
    seen.truncate(MOST);
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{vocabulary::CAREFUL, *};

    /// Classes that must never become a tag, however the table grows: what people are, wear, or have on their bodies; what
    /// hurts or locks up; and animals whose names are insults.
    const NEVER: &[(u16, u16)] = &[
        // Hippopotamus, pigs; weasel to skunk; sloth, apes and monkeys; scorpion, tick, leech-like and other vermin.
        (71, 71),
        (78, 79),
        (110, 111),
        (114, 115),
        (126, 126),
        (276, 276),
        (308, 308),
        (313, 314),
        (341, 344),
        (356, 359),
        (361, 361),
        (364, 384),
        // Clothes, what is worn with them, and what is put on the body.
        (399, 400),
        (411, 411),
        (433, 434),
        (439, 439),
        (443, 443),
        (445, 445),
        (451, 452),
        (457, 457),
        (459, 459),
        (461, 461),
        (464, 465),
        (474, 474),
        (496, 496),
        (501, 502),
        (514, 515),
        (518, 518),
        (529, 529),
        (531, 531),
        (551, 552),
        (560, 560),
        (568, 568),
        (570, 570),
        (578, 578),
        (584, 585),
        (591, 591),
        (601, 601),
        (608, 608),
        (610, 610),
        (614, 615),
        (617, 617),
        (629, 631),
        (638, 639),
        (643, 643),
        (652, 652),
        (655, 655),
        (658, 658),
        (667, 667),
        (676, 676),
        (678, 680),
        (689, 689),
        (691, 691),
        (697, 697),
        (711, 711),
        (715, 715),
        (735, 735),
        (748, 748),
        (770, 770),
        (774, 775),
        (785, 785),
        (793, 793),
        (796, 796),
        (806, 806),
        (808, 808),
        (823, 824),
        (834, 834),
        (836, 838),
        (841, 842),
        (869, 869),
        (887, 887),
        (903, 903),
        (906, 906),
        // Weapons, prisons, drugs, hospitals and toilets.
        (403, 403),
        (413, 413),
        (419, 419),
        (471, 471),
        (523, 523),
        (583, 583),
        (597, 597),
        (657, 657),
        (734, 734),
        (743, 744),
        (763, 764),
        (777, 777),
        (845, 845),
        (847, 847),
        (861, 861),
    ];

    /// Words that no noun may have in it, in either language.
    const DENIED: &[&str] = &[
        "ape",
        "monkey",
        "affe",
        "gorilla",
        "pig",
        "schwein",
        "hippo",
        "nilpferd",
        "bra",
        "bikini",
        "maillot",
        "mask",
        "maske",
        "jail",
        "prison",
        "gefängnis",
        "gun",
        "rifle",
        "gewehr",
        "pistole",
        "revolver",
        "missile",
        "rakete",
        "diaper",
        "windel",
        "wig",
        "perücke",
        "nipple",
        "brassiere",
        "underwear",
        "unterwäsche",
        "toilet",
        "toilette",
        "bride",
        "groom",
        "weapon",
    ];

    #[test]
    fn each_noun_has_a_name_in_each_language_that_is_no_other_nouns() {
        assert!(
            (150..=260).contains(&VOCABULARY.len()),
            "{}",
            VOCABULARY.len()
        );
        let mut names = HashSet::new();
        for noun in &VOCABULARY {
            let mut own: Vec<String> = noun.names().map(str::to_lowercase).to_vec();
            own.dedup();
            for name in own {
                assert!(!name.is_empty() && name == name.trim(), "{name:?}");
                assert!(names.insert(name.clone()), "{name} is the name of two");
            }
            let first = noun.german.chars().next().unwrap();
            assert!(first.is_uppercase(), "{}", noun.german);
            assert!((0.25..=0.9).contains(&noun.at_least), "{}", noun.english);
        }
        let english: Vec<&str> = VOCABULARY.iter().map(|noun| noun.english).collect();
        assert!(
            english.is_sorted(),
            "they are in the order of their English names"
        );
    }

    #[test]
    fn no_class_is_in_two_nouns_and_none_is_beyond_the_last() {
        let mut seen = HashSet::new();
        for noun in &VOCABULARY {
            assert!(!noun.classes.is_empty());
            for (first, last) in noun.classes {
                assert!(
                    first <= last && usize::from(*last) < CLASSES,
                    "{}",
                    noun.english
                );
                for class in *first..=*last {
                    assert!(seen.insert(class), "{class} again in {}", noun.english);
                }
            }
        }
    }

    #[test]
    fn nothing_is_a_tag_that_insults_people() {
        for noun in &VOCABULARY {
            for (first, last) in noun.classes {
                for (from, until) in NEVER {
                    assert!(last < from || until < first, "{} has {from}", noun.english);
                }
            }
            for name in noun.names() {
                let name = name.to_lowercase();
                let mut words = name.split(|c: char| !c.is_alphanumeric());
                let is_denied = words.any(|word| DENIED.contains(&word));
                assert!(!is_denied || name == "guinea pig", "{name}");
            }
        }
    }

    /// Animals whose names are insults, in English or in German, and that families have pictures of.
    const INSULTS: &[&str] = &[
        "Kamel",
        "Rind",
        "Huhn",
        "Ente",
        "Elefant",
        "Frosch",
        "Ziege",
        "Gans",
        "Lama",
        "Eidechse",
        "Strauß",
        "Eule",
        "Papagei",
        "Pfau",
        "Robbe",
        "Schaf",
        "Schnecke",
        "Schlange",
        "Spinne",
        "Schildkröte",
        "Wal",
    ];

    #[test]
    fn an_animal_whose_name_is_an_insult_has_to_be_surer() {
        for name in INSULTS {
            let noun = Noun::find(name).unwrap_or_else(|| panic!("{name} is none"));
            assert!(noun.at_least >= CAREFUL, "{name}");
        }
        let careful = VOCABULARY.iter().filter(|noun| noun.at_least >= CAREFUL);
        let others: Vec<&str> = careful
            .filter(|noun| !INSULTS.contains(&noun.german))
            .map(|noun| noun.english)
            .collect();
        // Leaves with letters on them were one.
        assert_eq!(others, ["cabbage"]);
        // These are in no row.
        for name in [
            "Affe", "Schwein", "Esel", "Ratte", "Nilpferd", "Hyäne", "Faultier",
        ] {
            assert_eq!(Noun::find(name), None, "{name}");
        }
    }

    #[test]
    fn a_noun_is_found_by_its_name_in_each_language() {
        let dog = Noun::find("dog").unwrap();
        assert_eq!(Noun::find(" HUND "), Some(dog));
        assert_eq!(dog.name(Language::German), "Hund");
        assert_eq!(Noun::find("Bär").map(|noun| noun.english), Some("bear"));
        // A bar is no bear, although a search for it would find both.
        assert_eq!(Noun::find("bar"), None);
        assert!(is_same("Dog", "Hund") && !is_same("Dog", "Katze") && !is_same("Rex", "Rex"));
    }

    #[test]
    fn several_classes_are_one_noun_and_each_view_has_to_show_it() {
        let view = |likely: &[(usize, f32)]| {
            let mut classes = vec![0.0; CLASSES];
            for (class, share) in likely {
                classes[*class] = *share;
            }
            classes
        };
        // Two breeds of dogs, and a monkey.
        let whole = view(&[(151, 0.3), (260, 0.3), (365, 0.4)]);
        let middle = view(&[(151, 0.45), (497, 0.5)]);
        let names = |views: &[Vec<f32>]| -> Vec<(&str, f32)> {
            let seen = seen(views).into_iter();
            seen.map(|(noun, likely)| (noun.english, (likely * 100.0).round() / 100.0))
                .collect()
        };
        assert_eq!(names(&[whole.clone(), middle.clone()]), [("dog", 0.45)]);
        assert_eq!(names(&[middle]), [("church", 0.5), ("dog", 0.45)]);
        assert_eq!(names(&[view(&[(365, 0.99)])]), []);
        assert_eq!(names(&[]), []);
    }
}
