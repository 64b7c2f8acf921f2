//! Compares what Heirloom reads with what exiftool read, field by field.
//!
//! `cargo run -p heirloom-media --example agreement -- MANIFEST.json FOLDER` prints for each field how
//! often both agree, and every difference. The manifest's entries have `file` and `truth.exiftool`
//! with values as `exiftool -n` gives them.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::{collections::BTreeMap, error::Error, fs::File, path::Path};

use heirloom_core::claim::{ClaimKind, ClaimValue};
use heirloom_media::{Finding, Metadata, SidecarKind, metadata, read_sidecar, sniff};
use serde_json::{Map, Value};

/// Where dates come from that are not the date of the original.
const OTHER_DATES: [&str; 13] = [
    "name:",
    "exif:ModifyDate",
    "exif:DateTimeDigitized",
    "exif:GPSDateTime",
    "xmp:xmp:",
    "xmp:exif:DateTimeDigitized",
    "xmp:exif:GPSTimeStamp",
    "xmp:tiff:",
    "quicktime:CreateDate",
    "png:tIME",
    "iptc:DigitalCreationDate",
    "pdf:",
    "takeout:",
];

#[derive(Default)]
struct Score {
    total: usize,
    right: usize,
    differences: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(manifest), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("use: agreement MANIFEST.json FOLDER".into());
    };
    let manifest: Value = serde_json::from_reader(File::open(manifest)?)?;
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let files = manifest["files"]
        .as_array()
        .ok_or("the manifest has no files")?;
    for entry in files {
        let (Some(file), Some(truth)) = (
            entry["file"].as_str(),
            entry.pointer("/truth/exiftool").and_then(Value::as_object),
        ) else {
            continue;
        };
        let read = read(&Path::new(&folder).join(file))?;
        for (field, is_right, seen) in compare(truth, &read) {
            let score = scores.entry(field).or_default();
            score.total += 1;
            if is_right {
                score.right += 1;
            } else {
                score.differences.push(format!("{file}: {seen}"));
            }
        }
    }
    for (field, score) in &scores {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred files")]
        let share = 100.0 * score.right as f64 / score.total as f64;
        println!(
            "{field:<20} {:>4} of {:>4}  {share:.1} %",
            score.right, score.total
        );
        for difference in &score.differences {
            println!("    {difference}");
        }
    }
    Ok(())
}

/// What is stated in a file, not by its name.
fn read(path: &Path) -> Result<Metadata, Box<dyn Error>> {
    let mut file = File::open(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file_type = sniff(&mut file, &name)?;
    let mut found = metadata(&mut file, file_type, &name)?;
    if file_type.name == "JSON" {
        found.absorb(read_sidecar(&std::fs::read(path)?, SidecarKind::Takeout));
    }
    found
        .properties
        .insert("media_type".to_owned(), file_type.media_type.to_owned());
    Ok(found)
}

fn compare(truth: &Map<String, Value>, read: &Metadata) -> Vec<(&'static str, bool, String)> {
    let mut rows = Vec::new();
    let words = |name: &str| truth.get(name).map(plain);
    let best = |kind: ClaimKind, wanted: &dyn Fn(&Finding) -> bool| {
        read.of_kind(kind)
            .filter(|finding| wanted(finding))
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
            .map(|finding| finding.statement.value().clone())
    };
    let mut row = |field, is_right, truth: &dyn std::fmt::Debug, read: &dyn std::fmt::Debug| {
        rows.push((
            field,
            is_right,
            format!("exiftool {truth:?}, Heirloom {read:?}"),
        ));
    };
    if let Some(date) = words("DateTimeOriginal") {
        let seen = best(ClaimKind::Date, &|f| {
            !OTHER_DATES.iter().any(|other| f.source.starts_with(other))
        });
        let seen = seen.map(|value| {
            if let ClaimValue::Date(date) = value {
                date.to_string()
            } else {
                String::new()
            }
        });
        let is_right = same_date(
            &date,
            words("OffsetTimeOriginal").as_deref(),
            seen.as_deref(),
        );
        row("DateTimeOriginal", is_right, &date, &seen);
    }
    if let (Some(latitude), Some(longitude)) =
        (number(truth, "GPSLatitude"), number(truth, "GPSLongitude"))
    {
        let seen = best(ClaimKind::Position, &|_| true);
        let seen = seen.and_then(|value| match value {
            ClaimValue::Position {
                latitude,
                longitude,
                ..
            } => Some((latitude, longitude)),
            _ => None,
        });
        // A position that was never found is rightly not stated.
        let is_right = match seen {
            None => latitude == 0.0 && longitude == 0.0,
            Some(seen) => (seen.0 - latitude).abs() < 1e-5 && (seen.1 - longitude).abs() < 1e-5,
        };
        row("GPS", is_right, &(latitude, longitude), &seen);
    }
    if let Some(orientation) = words("Orientation") {
        let seen = best(ClaimKind::Orientation, &|f| !f.source.starts_with("heif:"));
        let seen = seen.map(|value| {
            if let ClaimValue::Number(number) = value {
                number
            } else {
                0
            }
        });
        // A number that is no orientation is rightly not stated.
        let is_valid = orientation
            .parse::<i64>()
            .is_ok_and(|number| (1..=8).contains(&number));
        row(
            "Orientation",
            if is_valid {
                seen.map(|n| n.to_string()) == Some(orientation.clone())
            } else {
                seen.is_none()
            },
            &orientation,
            &seen,
        );
    }
    for (field, kind) in [
        ("Make", ClaimKind::CameraMake),
        ("Model", ClaimKind::CameraModel),
    ] {
        if let Some(name) = words(field) {
            let seen = best(kind, &|_| true);
            let seen = seen.map(|value| {
                if let ClaimValue::Text(text) = value {
                    text
                } else {
                    String::new()
                }
            });
            row(
                field,
                seen.clone().unwrap_or_default() == name.trim(),
                &name,
                &seen,
            );
        }
    }
    for (field, seen) in [
        ("ImageWidth", read.facts.width),
        ("ImageHeight", read.facts.height),
        ("PageCount", read.facts.page_count),
    ] {
        if let Some(truth) = words(field) {
            row(
                field,
                seen.map(|n| n.to_string()) == Some(truth.clone()),
                &truth,
                &seen,
            );
        }
    }
    if let Some(seconds) = number(truth, "Duration") {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
        let seen = read.facts.duration_ms.map(|ms| ms as f64 / 1000.0);
        row(
            "Duration",
            seen.is_some_and(|seen| (seen - seconds).abs() < 0.06 + seconds * 0.01),
            &seconds,
            &seen,
        );
    }
    if let Some(media_type) = words("MIMEType") {
        let seen = &read.properties["media_type"];
        row("MIMEType", *seen == media_type, &media_type, seen);
    }
    rows
}

fn number(truth: &Map<String, Value>, name: &str) -> Option<f64> {
    let value = truth.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether both are the same moment of the clock, to the second; where exiftool has an offset, it
/// must be the same, and where it has no date there must be none.
fn same_date(truth: &str, offset: Option<&str>, seen: Option<&str>) -> bool {
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let (day_and_time, own_offset) = match truth
        .char_indices()
        .skip(11)
        .find(|(_, c)| matches!(c, '+' | '-' | 'Z'))
    {
        Some((at, _)) => truth.split_at(at),
        None => (truth, ""),
    };
    // Hours are written with one digit by some.
    let day_and_time = day_and_time.split('.').next().unwrap_or_default().trim();
    let day_and_time = match day_and_time.split_once(' ') {
        Some((day, time)) if time.trim().find(':') == Some(1) => format!("{day} 0{}", time.trim()),
        _ => day_and_time.to_owned(),
    };
    let wanted = digits(&day_and_time);
    if wanted.is_empty() || wanted.bytes().all(|byte| byte == b'0') {
        return seen.is_none();
    }
    let Some(seen) = seen else { return false };
    let wanted_offset = if own_offset.is_empty() {
        offset.unwrap_or_default()
    } else {
        own_offset
    };
    let offset_agrees = wanted_offset.is_empty()
        || seen.ends_with(wanted_offset)
        || (seen.ends_with('Z') && digits(wanted_offset).bytes().all(|byte| byte == b'0'));
    digits(seen).starts_with(&wanted)
        && digits(seen.get(..19.min(seen.len())).unwrap_or(seen)).len() == wanted.len()
        && offset_agrees
}
