//! The words of the pages, in the reader's language.
//!
//! Each language is a file. A key that one of them lacks, or has with other gaps to fill, fails a
//! test; so does one that nothing knows.

use std::sync::LazyLock;

use axum::http::{HeaderMap, header};

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language(usize);

/// Tag (BCP 47) and words of each language; the first is spoken where none fits.
const FILES: [(&str, &str); 2] = [
    ("en", include_str!("words/en.json")),
    ("de", include_str!("words/de.json")),
];

macro_rules! words {
    ($($name:ident $key:literal)*) => {
        /// Something that the pages say.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Word { $($name,)* }

        impl Word {
            const ALL: [(Self, &str); [$(Word::$name),*].len()] = [$((Self::$name, $key)),*];
        }
    };
}

words! {
    Library "library"
    Skip "skip"
    SearchLabel "search_label"
    SearchButton "search_button"
    SearchHelp "search_help"
    SearchExample "search_example"
    ShowAll "show_all"
    Found "found"
    NothingFound "nothing_found"
    NothingYet "nothing_yet"
    NothingYetHint "nothing_yet_hint"
    Ignored "ignored"
    QueryWrong "query_wrong"
    Pages "pages"
    Newer "newer"
    Older "older"
    Newest "newest"
    Previous "previous"
    Next "next"
    Image "kind_image"
    Video "kind_video"
    Audio "kind_audio"
    Document "kind_document"
    Other "kind_other"
    Undated "undated"
    From "from"
    WasIn "was_in"
    Missing "missing"
    Replaced "replaced"
    Deleted "deleted"
    BackToList "back_to_list"
    OpenOriginal "open_original"
    SaveOriginal "save_original"
    NoOriginal "no_original"
    WhatIsKnown "what_is_known"
    NothingKnown "nothing_known"
    Fact "fact"
    Value "value"
    Source "source"
    AlsoSaid "also_said"
    WhereItIs "where_it_is"
    HereSince "here_since"
    HereUntil "here_until"
    BelongsTogether "belongs_together"
    StackLivePhoto "stack_live_photo"
    StackRawJpeg "stack_raw_jpeg"
    StackEdited "stack_edited"
    StackBurst "stack_burst"
    ThisOne "this_one"
    DescribedBy "described_by"
    TheFile "the_file"
    FileName "file_name"
    FileType "file_type"
    FileSize "file_size"
    Dimensions "dimensions"
    Plays "plays"
    Pixels "pixels"
    ClaimDate "claim_date"
    ClaimPosition "claim_position"
    ClaimPlace "claim_place"
    ClaimPerson "claim_person"
    ClaimTitle "claim_title"
    ClaimCaption "claim_caption"
    ClaimTag "claim_tag"
    ClaimAuthor "claim_author"
    ClaimRating "claim_rating"
    ClaimCameraMake "claim_camera_make"
    ClaimCameraModel "claim_camera_model"
    ClaimLens "claim_lens"
    ClaimOrientation "claim_orientation"
    ClaimLanguage "claim_language"
    ClaimSaid "claim_said"
    ClaimWritten "claim_written"
    ClaimSpeaker "claim_speaker"
    ClaimShown "claim_shown"
    ClaimGroup "claim_group"
    ClaimAside "claim_aside"
    ClaimSame "claim_same"
    SaidByYou "said_by_you"
    SaidBySomebody "said_by_somebody"
    FromCamera "from_camera"
    FromFile "from_file"
    FromSidecar "from_sidecar"
    FromTakeout "from_takeout"
    FromName "from_name"
    FromFolder "from_folder"
    RatingRejected "rating_rejected"
    RatingNone "rating_none"
    RatingStars "rating_stars"
    Upright "upright"
    Turned "turned"
    North "north"
    South "south"
    East "east"
    West "west"
    AboveSea "above_sea"
    About "about"
    Perhaps "perhaps"
    PerhapsAbout "perhaps_about"
    Day "day"
    Month "month"
    Year "year"
    YearBc "year_bc"
    Decade "decade"
    Century "century"
    Season "season"
    WinterSeason "winter_season"
    At "at"
    Range "range"
    OrLater "or_later"
    OrEarlier "or_earlier"
    Since "since"
    Until "until"
    Spring "spring"
    Summer "summer"
    Autumn "autumn"
    Winter "winter"
    January "january"
    February "february"
    March "march"
    April "april"
    May "may"
    June "june"
    July "july"
    August "august"
    September "september"
    October "october"
    November "november"
    December "december"
    Bytes "bytes"
    Kilobytes "kilobytes"
    Megabytes "megabytes"
    Gigabytes "gigabytes"
    DecimalSign "decimal_sign"
    ProblemNotFound "problem_not_found"
    ProblemDenied "problem_denied"
    ProblemUnknown "problem_unknown"
    ProblemForeign "problem_foreign"
    ProblemGone "problem_gone"
    ProblemChanged "problem_changed"
    ProblemBusy "problem_busy"
    ProblemRequest "problem_request"
    ProblemInside "problem_inside"
    ProblemTitle "problem_title"
    ProblemDetail "problem_detail"
    RequestId "request_id"
    AppMissing "app_missing"
    AppMissingHint "app_missing_hint"
    PlainList "plain_list"
    UnknownField "query_unknown_field"
    UnknownFieldMeant "query_unknown_field_meant"
    UnknownFieldHint "query_unknown_field_hint"
    MissingValue "query_missing_value"
    InvalidDate "query_invalid_date"
    InvalidType "query_invalid_type"
    InvalidValue "query_invalid_value"
    QueryTooLong "query_too_long"
}

type Texts = [String; Word::ALL.len()];

static TEXTS: LazyLock<[Texts; FILES.len()]> = LazyLock::new(|| FILES.map(|(_, file)| read(file)));

impl Language {
    /// The language that a reader likes best of those that there are (RFC 9110, `Accept-Language`).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut best = (Self(0), 0.0);
        for wish in header.split(',') {
            let (tag, rest) = wish.split_once(';').unwrap_or((wish, ""));
            let quality: f32 = rest
                .trim()
                .strip_prefix("q=")
                .and_then(|q| q.parse().ok())
                .unwrap_or(1.0);
            let spoken = tag.trim().split('-').next().unwrap_or_default();
            let found = FILES
                .iter()
                .position(|(known, _)| known.eq_ignore_ascii_case(spoken));
            if let Some(found) = found
                && quality > best.1
            {
                best = (Self(found), quality);
            }
        }
        best.0
    }

    /// Its tag, for `lang`.
    pub(crate) const fn tag(self) -> &'static str {
        FILES[self.0].0
    }

    /// What is said.
    pub(crate) fn say(self, word: Word) -> &'static str {
        &TEXTS[self.0][word as usize]
    }

    /// What is said, with its gaps filled.
    pub(crate) fn fill(self, word: Word, gaps: &[(&str, &str)]) -> String {
        // In one pass, so that what fills a gap is never taken for one.
        let mut text = String::new();
        let mut rest = self.say(word);
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let filled = gaps.iter().find(|(gap, _)| *gap == name);
            text.push_str(filled.map_or("", |(_, value)| value));
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

fn read(file: &str) -> Texts {
    let known: std::collections::HashMap<String, String> =
        serde_json::from_str(file).unwrap_or_default();
    Word::ALL.map(|(_, key)| known.get(key).cloned().unwrap_or_else(|| key.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn gaps(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect()
    }

    #[test]
    fn every_language_says_everything_and_fills_the_same_gaps() {
        let known: BTreeSet<&str> = Word::ALL.iter().map(|(_, key)| *key).collect();
        let english: BTreeMap<String, String> = serde_json::from_str(FILES[0].1).unwrap();
        for (tag, file) in FILES {
            let texts: BTreeMap<String, String> = serde_json::from_str(file).unwrap();
            let keys: BTreeSet<&str> = texts.keys().map(String::as_str).collect();
            assert_eq!(keys, known, "{tag}.json");
            for (key, text) in &texts {
                assert!(!text.trim().is_empty(), "{tag}.json: {key} is empty");
                assert_eq!(gaps(text), gaps(&english[key]), "{tag}.json: {key}");
            }
        }
    }

    #[test]
    fn a_word_stands_at_its_own_place() {
        for (at, (word, _)) in Word::ALL.into_iter().enumerate() {
            assert_eq!(word as usize, at);
        }
    }

    #[test]
    fn the_reader_is_answered_in_the_language_that_is_liked_best() {
        let cases = [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.5", "de"),
            ("fr,en;q=0.4,de;q=0.8", "de"),
            ("en-GB, de", "en"),
            ("fr", "en"),
            ("*", "en"),
            ("de;q=0", "en"),
            ("DE", "de"),
        ];
        for (wish, tag) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wish.parse().unwrap());
            assert_eq!(Language::of(&headers).tag(), tag, "{wish}");
        }
    }

    #[test]
    fn what_fills_a_gap_is_never_taken_for_one() {
        let english = Language(0);
        let text = english.fill(Word::Range, &[("from", "{until}"), ("until", "b")]);
        assert_eq!(text, "{until} to b");
    }
}
