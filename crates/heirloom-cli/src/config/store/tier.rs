//! What is configured of places for blobs: which there are, and what is kept in which. It stands in the file alone.

use std::collections::BTreeMap;

use heirloom_core::tier::Rule;
use heirloom_server::{
    BUCKET_PLACE, Code, FOLDER_PLACE, PlaceConfig, Problem, RemoteLocation, S3Location,
};

use super::super::{File, Origin, line_of};

/// The places besides the one that what is new goes to, and the rules.
#[derive(Debug, Default)]
pub(crate) struct Tiers {
    pub(crate) places: Vec<PlaceConfig>,
    pub(crate) rules: Vec<Rule>,
}

/// Storage classes whose objects are read at once.
const CLASSES: [&str; 5] = [
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
];
/// Those that have to be asked for first, and then take hours.
const ASLEEP: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

impl Tiers {
    /// Puts together what the file says, whose `text` is what spans are about.
    pub(super) fn load(
        file: &File,
        bucket: Option<&S3Location>,
        text: &str,
        from: &Origin,
    ) -> Result<Self, Problem> {
        let refuse = |span: std::ops::Range<usize>, wrong: String| {
            let line = line_of(text, span.start);
            Problem::new(
                Code::InvalidRequest,
                format!("{}, line {line}: {wrong}", from.in_words()),
            )
            .hint("docs/store.md says how places are named, and what rules can say.")
        };
        let empty = BTreeMap::new();
        let mut places: Vec<PlaceConfig> = Vec::new();
        for (name, place) in file.store_places.as_ref().unwrap_or(&empty) {
            let span = place.span();
            let is_word = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if name.is_empty() || !is_word || name.starts_with("left-") {
                let wrong = format!(
                    "`{name}` cannot be the name of a place: small letters, digits and dashes can"
                );
                return Err(refuse(span, wrong));
            }
            if [FOLDER_PLACE, BUCKET_PLACE].contains(&name.as_str()) {
                let wrong =
                    format!("`{name}` is what another place is called: choose another name");
                return Err(refuse(span, wrong));
            }
            let (location, class) =
                parse_place(place.get_ref()).map_err(|wrong| refuse(place.span(), wrong))?;
            let others = places.iter().map(|place| &place.location).chain(bucket);
            if let Some(other) = { others }.find(|other| other.overlaps(&location)) {
                let wrong = format!("{location} and {other} are one place, or one is in the other");
                return Err(refuse(span, wrong));
            }
            let name = name.clone();
            places.push(PlaceConfig {
                name,
                location,
                class,
            });
        }
        let mut names = vec![FOLDER_PLACE];
        names.extend(bucket.map(|_| BUCKET_PLACE));
        names.extend(places.iter().map(|place| place.name.as_str()));
        let mut rules: Vec<Rule> = Vec::new();
        for rule in file.store_rules.iter().flatten() {
            let read: Rule = rule
                .get_ref()
                .parse()
                .map_err(|wrong| refuse(rule.span(), wrong))?;
            if !names.contains(&read.place.as_str()) {
                let known = names.join(", ");
                let wrong = format!(
                    "`{read}` names the place `{}`, and there are only {known}",
                    read.place
                );
                return Err(refuse(rule.span(), wrong));
            }
            if let Some(before) = rules.iter().find(|before| before.covers(&read)) {
                let wrong = format!(
                    "`{read}` is never asked: `{before}` stands before it and fits all that it fits"
                );
                return Err(refuse(rule.span(), wrong));
            }
            rules.push(read);
        }
        Ok(Self { places, rules })
    }
}
/// `s3://BUCKET/PREFIX`, with a storage class behind it where one is meant.
fn parse_place(text: &str) -> Result<(S3Location, Option<String>), String> {
    let mut words = text.split_whitespace();
    let location = words.next().and_then(RemoteLocation::parse);
    let Some(Ok(RemoteLocation::S3(location))) = location else {
        return Err(format!(
            "`{text}` is not a place such as s3://BUCKET/PREFIX"
        ));
    };
    let class = words.next().map(str::to_owned);
    match class.as_deref() {
        Some(class) if ASLEEP.contains(&class) => {
            return Err(format!(
                "what has the class {class} is read only hours after it was asked for, and Heirloom shows and checks \
                 blobs at any time: use GLACIER_IR, which is read at once"
            ));
        }
        Some(class) if !CLASSES.contains(&class) => {
            return Err(format!(
                "`{class}` is none of the classes {}",
                CLASSES.join(", ")
            ));
        }
        _ => {}
    }
    match words.next() {
        None => Ok((location, class)),
        Some(more) => Err(format!("`{more}` stands behind the place")),
    }
}
