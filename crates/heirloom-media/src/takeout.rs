//! What Google Takeout and like exporters write beside a picture: JSON with date, place and words.

use heirloom_core::claim::ClaimKind;
use serde_json::Value;

use crate::{
    moment::{Moment, Reading},
    notes::Notes,
    property,
};

/// The longest file that is read.
const LENGTH_LIMIT: usize = 4 * 1024 * 1024;

/// The most persons and tags that are taken from one file.
const LIST_LIMIT: usize = 500;

/// Reads the file.
pub(crate) fn read(bytes: &[u8], out: &mut Notes) {
    if bytes.len() > LENGTH_LIMIT {
        out.problem("The JSON beside the picture is too long to be about one picture.");
        return;
    }
    let text = crate::xml::decode(bytes);
    let Ok(Value::Object(root)) = serde_json::from_str::<Value>(&text) else {
        out.problem("The JSON beside the picture is broken.");
        return;
    };
    let root = Value::Object(root);
    google(&root, out);
    exporter(&root, out);
}

fn google(root: &Value, out: &mut Notes) {
    if let Some(seconds) = root.pointer("/photoTakenTime/timestamp").and_then(whole) {
        // Google keeps no zone: the date is in UTC, wherever it was taken.
        match Moment::from_unix(seconds).filter(|_| seconds != 0) {
            Some(moment) => out.date(Reading::Moment(moment), "takeout:photoTakenTime", 0.8),
            None => out.problem("takeout:photoTakenTime is no date."),
        }
    }
    // Where somebody put it, or else where the camera was.
    for (name, confidence) in [("geoData", 0.86), ("geoDataExif", 0.84)] {
        let number = |part: &str| root.get(name)?.get(part)?.as_f64();
        if let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude"))
            && (latitude != 0.0 || longitude != 0.0)
        {
            let altitude = number("altitude").filter(|metres| *metres != 0.0);
            out.position(
                latitude,
                longitude,
                altitude,
                &format!("takeout:{name}"),
                confidence,
            );
        }
    }
    let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default();
    out.text(
        ClaimKind::Caption,
        text("description"),
        "takeout:description",
        0.85,
    );
    // What Takeout calls the title is the name that the file once had.
    out.property("original_name", text("title"));
    for person in list(root, "people") {
        let name = person
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        out.text(ClaimKind::Person, name, "takeout:people", 0.85);
    }
    if root.get("favorited").and_then(Value::as_bool) == Some(true) {
        out.property(property::FAVORITE, "true");
    }
    for (name, kept) in [
        ("trashed", property::DELETED),
        ("archived", property::ARCHIVED),
        ("inLockedFolder", property::PRIVATE),
    ] {
        if root.get(name).and_then(Value::as_bool) == Some(true) {
            out.property(kept, "true");
        }
    }
}

/// The fields that immich-go writes.
fn exporter(root: &Value, out: &mut Notes) {
    let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("dateTaken").is_empty() {
        out.date(Moment::read(text("dateTaken")), "takeout:dateTaken", 0.85);
    }
    let number = |name: &str| root.get(name).and_then(Value::as_f64);
    if let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude")) {
        out.position(latitude, longitude, None, "takeout:latitude", 0.85);
    }
    out.property("original_name", text("fileName"));
    for tag in list(root, "tags") {
        let words = tag
            .get("value")
            .and_then(Value::as_str)
            .or_else(|| tag.as_str());
        out.text(
            ClaimKind::Tag,
            words.unwrap_or_default(),
            "takeout:tags",
            0.7,
        );
    }
}

fn list<'v>(root: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    root.get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(LIST_LIMIT)
}

/// A whole number, written as one or as text.
fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}
