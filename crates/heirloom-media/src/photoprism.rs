//! What PhotoPrism writes beside a picture: YAML with what it knows, and for each value where it has it from.
//!
//! Only what a person set there, or what it read in the file itself, is taken for a statement. What it made up, such
//! as titles of places and labels of a network, is not.

use heirloom_core::claim::ClaimKind;
use serde_json::Value;

use crate::{
    moment::{Moment, Reading},
    notes::Notes,
    property,
};

/// The longest file that is read.
const LENGTH_LIMIT: usize = 1024 * 1024;

/// The most words that are taken from one list.
const LIST_LIMIT: usize = 500;

/// How far something is to be trusted that comes from there; `None` for what PhotoPrism made up.
fn confidence(source: &str) -> Option<f32> {
    match source {
        // Somebody typed it, and saw what the camera had said.
        "manual" | "batch" | "admin" => Some(0.97),
        // A name that somebody gave a face.
        "marker" => Some(0.8),
        "meta" | "xmp" | "yaml" => Some(0.6),
        _ => None,
    }
}

/// Reads the file.
pub(crate) fn read(bytes: &[u8], out: &mut Notes) {
    let Some(root) = parse(bytes) else {
        out.problem("The YAML beside the picture is broken, or too long to be about one picture.");
        return;
    };
    out.property(property::FOREIGN_ID, text(&root, "UID"));
    out.property("original_name", text(&root, "OriginalName"));
    for (name, kept) in [
        ("Favorite", property::FAVORITE),
        ("Private", property::PRIVATE),
        ("Scan", "scan"),
        ("Panorama", "panorama"),
    ] {
        if root.get(name).and_then(Value::as_bool) == Some(true) {
            out.property(kept, "true");
        }
    }
    if !text(&root, "DeletedAt").is_empty() {
        out.property(property::DELETED, "true");
    }
    if let Some(sure) = confidence(&text(&root, "TakenSrc")) {
        date(&root, sure, out);
    }
    position(&root, out);
    for (name, source, kind) in [
        ("Title", "TitleSrc", ClaimKind::Title),
        ("Caption", "CaptionSrc", ClaimKind::Caption),
        // Until 2024 what is a caption now.
        ("Description", "DescriptionSrc", ClaimKind::Caption),
    ] {
        if let Some(sure) = confidence(&text(&root, source)) {
            out.text(
                kind,
                &text(&root, name),
                &format!("photoprism:{name}"),
                sure,
            );
        }
    }
    if let Some(details) = root.get("Details") {
        read_details(details, out);
    }
}

/// The YAML as JSON; within the limits of what is about one thing.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > LENGTH_LIMIT {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    crate::yaml::read(text).filter(Value::is_object)
}

/// A scalar as text: a title may well be a number.
pub(crate) fn text(root: &Value, name: &str) -> String {
    match root.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// When it was made. The local time is written as if it were UTC; a part that is not known is negative.
fn date(root: &Value, sure: f32, out: &mut Notes) {
    let local = text(root, "TakenAtLocal");
    let (written, source) = if local.is_empty() {
        (text(root, "TakenAt"), "photoprism:TakenAt")
    } else {
        let local = local.trim_end_matches('Z').to_owned();
        (local, "photoprism:TakenAtLocal")
    };
    let is_unknown = |name: &str| {
        root.get(name)
            .and_then(Value::as_i64)
            .is_some_and(|number| number < 0)
    };
    if is_unknown("Year") {
        return;
    }
    let reading = match Moment::read(&written) {
        Reading::Moment(mut moment) => {
            if is_unknown("Month") {
                (moment.month, moment.day) = (None, None);
            } else if is_unknown("Day") {
                moment.day = None;
            }
            if moment.day.is_none() {
                (moment.time, moment.offset_minutes) = (None, None);
            }
            Reading::Moment(moment)
        }
        other => other,
    };
    out.date(reading, source, sure);
}

fn position(root: &Value, out: &mut Notes) {
    let number = |name: &str| root.get(name).and_then(Value::as_f64);
    if let (Some(latitude), Some(longitude)) = (number("Lat"), number("Lng"))
        && let Some(sure) = confidence(&text(root, "PlaceSrc"))
        && (latitude != 0.0 || longitude != 0.0)
    {
        let altitude = number("Altitude").filter(|metres| *metres != 0.0);
        out.position(latitude, longitude, altitude, "photoprism:Lat", sure);
    }
}

fn read_details(details: &Value, out: &mut Notes) {
    let of = |name: &str| {
        (
            text(details, name),
            confidence(&text(details, &format!("{name}Src"))),
        )
    };
    let (keywords, sure) = of("Keywords");
    if let Some(sure) = sure {
        for word in keywords.split(',').take(LIST_LIMIT) {
            out.text(ClaimKind::Tag, word, "photoprism:Keywords", sure);
        }
    }
    let (subject, sure) = of("Subject");
    if let Some(sure) = sure {
        // Names of faces are joined with commas and, before the last, an ampersand.
        let (kind, parts): (_, Vec<&str>) = if text(details, "SubjectSrc") == "marker" {
            (ClaimKind::Person, subject.split([',', '&']).collect())
        } else {
            (ClaimKind::Tag, subject.split(',').collect())
        };
        for part in parts.into_iter().take(LIST_LIMIT) {
            out.text(kind, part, "photoprism:Subject", sure);
        }
    }
    let (artist, sure) = of("Artist");
    if let Some(sure) = sure {
        out.text(ClaimKind::Author, &artist, "photoprism:Artist", sure);
    }
    for (name, kept) in [
        ("Copyright", property::COPYRIGHT),
        ("License", "license"),
        ("Notes", "notes"),
    ] {
        let (words, sure) = of(name);
        if sure.is_some() {
            out.property(kept, words);
        }
    }
}
