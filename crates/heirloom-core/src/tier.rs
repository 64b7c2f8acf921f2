//! Rules that say which blobs are kept in which place, and the words in which somebody writes them.

use std::{fmt, str::FromStr};

use crate::MediaKind;

/// What of a library a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// All blobs.
    Everything,
    /// What cannot be made again: originals in the vault and sidecars.
    Originals,
    /// Originals of one kind.
    OriginalsOf(MediaKind),
    /// What was made of originals, and can be made again.
    Derived,
}

/// A rule: `WHAT [of album "NAME"] [older than AGE] [larger than SIZE] [smaller than SIZE] to PLACE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub what: What,
    /// Only what belongs to this album.
    pub album: Option<String>,
    /// Only what has been in the catalogue for longer.
    pub older_than_ms: Option<i64>,
    /// Only what is larger.
    pub larger_than_bytes: Option<u64>,
    /// Only what is smaller.
    pub smaller_than_bytes: Option<u64>,
    /// Where that is kept.
    pub place: String,
    text: String,
}

/// What has to be known of a blob to say where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether it is an original or a sidecar.
    pub is_original: bool,
    /// The kind of the original that it is.
    pub kind: Option<MediaKind>,
    /// Its length.
    pub size_bytes: u64,
    /// When the catalogue first knew of it, in milliseconds since 1970 UTC.
    pub added_at_ms: i64,
}

const WHATS: [(&str, What); 8] = [
    ("everything", What::Everything),
    ("originals", What::Originals),
    ("pictures", What::OriginalsOf(MediaKind::Image)),
    ("films", What::OriginalsOf(MediaKind::Video)),
    ("recordings", What::OriginalsOf(MediaKind::Audio)),
    ("documents", What::OriginalsOf(MediaKind::Document)),
    ("others", What::OriginalsOf(MediaKind::Other)),
    ("derived", What::Derived),
];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const AGES: [(&str, i64); 4] = [
    ("day", DAY_MS),
    ("week", 7 * DAY_MS),
    ("month", 30 * DAY_MS),
    ("year", 365 * DAY_MS),
];
const SIZES: [(&str, u64); 4] = [
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Rule {
    /// Whether it says where a blob of these facts is kept; `is_in_album` is about the album that it names.
    #[must_use]
    pub fn fits(&self, facts: &Facts, is_in_album: bool, now_ms: i64) -> bool {
        let is_what = match self.what {
            What::Everything => true,
            What::Originals => facts.is_original,
            What::OriginalsOf(kind) => facts.is_original && facts.kind == Some(kind),
            What::Derived => !facts.is_original,
        };
        let age_ms = now_ms.saturating_sub(facts.added_at_ms);
        is_what
            && (self.album.is_none() || is_in_album)
            && self.older_than_ms.is_none_or(|least| age_ms > least)
            && self
                .larger_than_bytes
                .is_none_or(|least| facts.size_bytes > least)
            && self
                .smaller_than_bytes
                .is_none_or(|most| facts.size_bytes < most)
    }

    /// Whether it fits all that the other fits, so that the other is never asked behind it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_what = match (self.what, other.what) {
            (What::Everything, _) => true,
            (What::Originals, What::OriginalsOf(_)) => true,
            (what, other) => what == other,
        };
        is_what
            && (self.album.is_none() || self.album == other.album)
            && self
                .older_than_ms
                .is_none_or(|own| other.older_than_ms.is_some_and(|other| other >= own))
            && self
                .larger_than_bytes
                .is_none_or(|own| other.larger_than_bytes.is_some_and(|other| other >= own))
            && self
                .smaller_than_bytes
                .is_none_or(|own| other.smaller_than_bytes.is_some_and(|other| other <= own))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map_err(|wrong| format!("the rule `{text}` cannot be: {wrong}"))
    }
}

fn parse(text: &str) -> Result<Rule, String> {
    let words = split(text)?;
    let mut words = words.iter().map(String::as_str);
    let name = words.next().ok_or("it is empty")?;
    let what = WHATS.into_iter().find(|(word, _)| *word == name);
    let Some((_, what)) = what else {
        let known: Vec<_> = WHATS.iter().map(|(word, _)| *word).collect();
        return Err(format!("`{name}` is none of {}", known.join(", ")));
    };
    let mut rule = Rule {
        what,
        album: None,
        older_than_ms: None,
        larger_than_bytes: None,
        smaller_than_bytes: None,
        place: String::new(),
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    while let Some(word) = words.next() {
        let mut next = |what: &str| {
            words
                .next()
                .ok_or(format!("{what} is missing after `{word}`"))
        };
        let is_new = match word {
            "to" => {
                next("the place")?.clone_into(&mut rule.place);
                match words.next() {
                    None => return Ok(rule),
                    Some(more) => return Err(format!("`{more}` stands behind the place")),
                }
            }
            "of" => {
                expect(next("`album`")?, "album")?;
                rule.album
                    .replace(next("the name of the album")?.to_owned())
                    .is_none()
            }
            "older" => {
                expect(next("`than`")?, "than")?;
                let age_ms = measure(
                    next("a number")?,
                    next("days, weeks, months or years")?,
                    &AGES,
                );
                let age_ms = age_ms.ok_or("an age is such as `90 days` or `2 years`")?;
                rule.older_than_ms.replace(age_ms).is_none()
            }
            "larger" | "smaller" => {
                expect(next("`than`")?, "than")?;
                let bytes = measure(next("a number")?, next("kB, MB, GB or TB")?, &SIZES);
                let bytes = bytes.ok_or("a size is such as `500 MB`")?;
                let limit = match word {
                    "larger" => &mut rule.larger_than_bytes,
                    _ => &mut rule.smaller_than_bytes,
                };
                limit.replace(bytes).is_none()
            }
            other => {
                return Err(format!(
                    "`{other}` is none of `of album`, `older than`, `larger than`, `smaller than` and `to`"
                ));
            }
        };
        if !is_new {
            return Err(format!("`{word}` stands there twice"));
        }
        if let (Some(least), Some(most)) = (rule.larger_than_bytes, rule.smaller_than_bytes)
            && least >= most
        {
            return Err("nothing is as large and as small as that".to_owned());
        }
    }
    Err("it does not end with `to` and a place".to_owned())
}

/// The words; what stands in double quotes is one.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote does not end")?,
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    Ok(words)
}

fn expect(word: &str, expected: &str) -> Result<(), String> {
    match word == expected {
        true => Ok(()),
        false => Err(format!("`{expected}` has to stand where `{word}` does")),
    }
}

fn measure<N: Copy + FromStr + CheckedMul>(
    number: &str,
    unit: &str,
    units: &[(&str, N)],
) -> Option<N> {
    let is_unit = |name: &str| unit == name || unit.strip_suffix('s') == Some(name);
    let (_, factor) = units.iter().find(|(name, _)| is_unit(name))?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: N = number.parse().ok().filter(|_| is_number)?;
    number.times(*factor)
}

/// What ages and sizes have in common here.
trait CheckedMul: Sized {
    fn times(self, factor: Self) -> Option<Self>;
}

impl CheckedMul for i64 {
    fn times(self, factor: Self) -> Option<Self> {
        self.checked_mul(factor)
    }
}

impl CheckedMul for u64 {
    fn times(self, factor: Self) -> Option<Self> {
        self.checked_mul(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    const FILM: Facts = Facts {
        is_original: true,
        kind: Some(MediaKind::Video),
        size_bytes: 2_000_000_000,
        added_at_ms: 0,
    };
    const RENDITION: Facts = Facts {
        is_original: false,
        kind: None,
        size_bytes: 20_000,
        added_at_ms: 0,
    };

    #[test]
    fn a_rule_fits_what_it_says() {
        let year = 365 * DAY_MS;
        let cases = [
            ("everything to far", true, true),
            ("originals to far", true, false),
            ("films to far", true, false),
            ("pictures to far", false, false),
            ("derived to far", false, true),
            ("everything older than 1 year to far", true, true),
            ("everything older than 2 years to far", false, false),
            ("everything older than 12 months to far", true, true),
            ("films larger than 1 GB to far", true, false),
            ("films larger than 2 GB to far", false, false),
            ("everything smaller than 1 MB to far", false, true),
            (
                "everything larger than 10 kB smaller than 1 MB to far",
                false,
                true,
            ),
            ("films of album \"For Oma\" to far", false, false),
        ];
        for (text, fits_film, fits_rendition) in cases {
            let rule = rule(text);
            assert_eq!(rule.place, "far");
            assert_eq!(rule.fits(&FILM, false, year + 1), fits_film, "{text}");
            assert_eq!(
                rule.fits(&RENDITION, false, year + 1),
                fits_rendition,
                "{text}"
            );
        }
        let of_album = rule("  films of   album \"For  Oma\" to near");
        assert_eq!(of_album.album.as_deref(), Some("For  Oma"));
        assert!(of_album.fits(&FILM, true, 0));
    }

    #[test]
    fn a_rule_behind_one_that_fits_the_same_is_never_asked() {
        let cases = [
            ("everything to far", "films larger than 1 GB to near", true),
            ("originals to far", "films to near", true),
            ("films to far", "originals to near", false),
            (
                "films older than 1 year to far",
                "films older than 2 years to near",
                true,
            ),
            (
                "films older than 2 years to far",
                "films older than 1 year to near",
                false,
            ),
            ("films older than 1 year to far", "films to near", false),
            (
                "films larger than 1 GB to far",
                "films larger than 2 GB to near",
                true,
            ),
            (
                "films smaller than 1 GB to far",
                "films smaller than 2 GB to near",
                false,
            ),
            (
                "films of album \"A\" to far",
                "films of album \"B\" to near",
                false,
            ),
            ("films to far", "films of album \"B\" to near", true),
        ];
        for (first, second, covers) in cases {
            assert_eq!(
                rule(first).covers(&rule(second)),
                covers,
                "{first}; {second}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_said_in_words() {
        let cases = [
            ("", "empty"),
            ("movies to far", "`movies` is none of everything, originals"),
            ("films", "does not end with `to`"),
            ("films to", "the place is missing"),
            ("films to far away", "`away` stands behind"),
            (
                "films older 2 years to far",
                "`than` has to stand where `2` does",
            ),
            ("films older than two years to far", "an age is such as"),
            ("films older than -2 years to far", "an age is such as"),
            ("films older than 2 GB to far", "an age is such as"),
            ("films larger than 1.5 GB to far", "a size is such as"),
            (
                "films larger than 99999999999999 TB to far",
                "a size is such as",
            ),
            (
                "films larger than 2 GB smaller than 1 GB to far",
                "nothing is as large",
            ),
            (
                "films older than 1 day older than 2 days to far",
                "stands there twice",
            ),
            ("films of box \"x\" to far", "`album` has to stand"),
            ("films of album \"x to far", "a quote does not end"),
            ("films and pictures to far", "`and` is none of"),
        ];
        for (text, said) in cases {
            let wrong = text.parse::<Rule>().unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
            assert!(wrong.contains(&format!("`{text}`")), "{wrong}");
        }
    }
}
