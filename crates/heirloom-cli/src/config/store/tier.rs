//! What is configured of places for blobs: which there are, and what is kept in which.

use heirloom_core::tier::{Rule, What};
use heirloom_server::{
    BUCKET_PLACE, Code, FOLDER_PLACE, PlaceConfig, Problem, RemoteLocation, S3Location,
    is_archive_class,
};

use toml::Spanned;

use super::super::{File, Origin, Setting, line_of, text_variable};

const STORE_PLACES: &str = "HEIRLOOM_STORE_PLACES";
const STORE_RULES: &str = "HEIRLOOM_STORE_RULES";

/// The places besides the one that what is new goes to, and the rules.
#[derive(Debug)]
pub(crate) struct Tiers {
    pub(crate) places: Setting<Vec<PlaceConfig>>,
    pub(crate) rules: Setting<Vec<Rule>>,
}

/// Storage classes of Amazon and others. The last two are archives.
const CLASSES: [&str; 7] = [
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
];

/// Something that was configured, and where it stands.
struct Said {
    text: String,
    at: String,
}

impl Said {
    /// What stands in the file, whose `text` is what spans are about.
    fn in_file(said: &Spanned<String>, text: &str, from: &Origin) -> Self {
        let line = line_of(text, said.span().start);
        Self {
            text: said.get_ref().clone(),
            at: format!("{}, line {line}", from.in_words()),
        }
    }

    /// What a variable says: several with `;` or a new line between them.
    fn in_variable(name: &'static str, text: &str) -> Vec<Self> {
        let mut is_quoted = false;
        let parts = text.split(|letter| {
            is_quoted ^= letter == '"';
            !is_quoted && matches!(letter, ';' | '\n')
        });
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        let said = parts.enumerate().map(|(number, part)| Self {
            text: part.to_owned(),
            at: format!(
                "{}, number {}",
                Origin::Environment(name).in_words(),
                number + 1
            ),
        });
        said.collect()
    }

    fn refuse(&self, wrong: &str) -> Problem {
        Problem::new(Code::InvalidRequest, format!("{}: {wrong}", self.at))
            .hint("docs/store.md says how places are named, and what rules can say.")
    }
}

impl Tiers {
    /// Puts together what the environment says, or else the file, whose `text` is what spans are about.
    pub(super) fn load(
        file: &File,
        bucket: Option<&S3Location>,
        text: &str,
        from: &Origin,
    ) -> Result<Self, Problem> {
        let in_file = |said: &Spanned<String>| Said::in_file(said, text, from);
        let from_file = |is_there: bool| match is_there {
            true => from.clone(),
            false => Origin::Default,
        };
        let mut places_from = from_file(file.store_places.is_some());
        let said: Vec<(String, Said)> = match text_variable(STORE_PLACES)? {
            Some(places) => {
                places_from = Origin::Environment(STORE_PLACES);
                Said::in_variable(STORE_PLACES, &places)
                    .into_iter()
                    .map(|mut said| match said.text.split_once('=') {
                        Some((name, place)) => {
                            let name = name.trim().to_owned();
                            said.text = place.trim().to_owned();
                            Ok((name, said))
                        }
                        None => {
                            let wrong = format!("`{}` is not NAME=s3://BUCKET/PREFIX", said.text);
                            Err(said.refuse(&wrong))
                        }
                    })
                    .collect::<Result<_, _>>()?
            }
            None => file
                .store_places
                .iter()
                .flatten()
                .map(|(name, place)| (name.clone(), in_file(place)))
                .collect(),
        };
        let mut places: Vec<PlaceConfig> = Vec::new();
        for (name, said) in said {
            let place = read_place(name, &said.text, &places, bucket);
            places.push(place.map_err(|wrong| said.refuse(&wrong))?);
        }
        let mut rules_from = from_file(file.store_rules.is_some());
        let said = match text_variable(STORE_RULES)? {
            Some(rules) => {
                rules_from = Origin::Environment(STORE_RULES);
                Said::in_variable(STORE_RULES, &rules)
            }
            None => file.store_rules.iter().flatten().map(in_file).collect(),
        };
        let mut rules: Vec<Rule> = Vec::new();
        for said in said {
            let rule = read_rule(&said.text, &rules, &places, bucket);
            rules.push(rule.map_err(|wrong| said.refuse(&wrong))?);
        }
        Ok(Self {
            places: Setting {
                value: places,
                origin: places_from,
            },
            rules: Setting {
                value: rules,
                origin: rules_from,
            },
        })
    }
}

fn read_place(
    name: String,
    text: &str,
    before: &[PlaceConfig],
    bucket: Option<&S3Location>,
) -> Result<PlaceConfig, String> {
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if name.is_empty() || !is_word || name.starts_with("left-") {
        return Err(format!(
            "`{name}` cannot be the name of a place: small letters, digits and dashes can"
        ));
    }
    let mut taken = before.iter().map(|place| place.name.as_str());
    if [FOLDER_PLACE, BUCKET_PLACE].contains(&name.as_str()) || taken.any(|taken| taken == name) {
        return Err(format!(
            "`{name}` is what another place is called: choose another name"
        ));
    }
    let (location, class) = parse_place(text)?;
    let mut others = before.iter().map(|place| &place.location).chain(bucket);
    if let Some(other) = others.find(|other| other.overlaps(&location)) {
        return Err(format!(
            "{location} and {other} are one place, or one is in the other"
        ));
    }
    Ok(PlaceConfig {
        name,
        location,
        class,
    })
}

fn read_rule(
    text: &str,
    before: &[Rule],
    places: &[PlaceConfig],
    bucket: Option<&S3Location>,
) -> Result<Rule, String> {
    let rule: Rule = text.parse()?;
    let mut names = vec![FOLDER_PLACE];
    names.extend(bucket.map(|_| BUCKET_PLACE));
    names.extend(places.iter().map(|place| place.name.as_str()));
    if !names.contains(&rule.place.as_str()) {
        return Err(format!(
            "`{rule}` names the place `{}`, and there are only {}",
            rule.place,
            names.join(", ")
        ));
    }
    let place = places.iter().find(|place| place.name == rule.place);
    if let Some(class) = place.and_then(|place| place.class.as_deref())
        && is_archive_class(class)
        && matches!(rule.what, What::Everything | What::Derived)
    {
        return Err(format!(
            "`{rule}` would put what is shown all the time where it is read hours after it was asked for ({class}): \
             only originals can be kept there"
        ));
    }
    if let Some(before) = before.iter().find(|before| before.covers(&rule)) {
        return Err(format!(
            "`{rule}` is never asked: `{before}` stands before it and fits all that it fits"
        ));
    }
    Ok(rule)
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
