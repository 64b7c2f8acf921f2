//! Real files of many cameras and programs, with the truth that exiftool gives of them.

use std::fs::File;

use heirloom_core::{
    MediaKind,
    claim::{ClaimKind, ClaimValue},
};
use heirloom_media::{FileType, Finding, Metadata, metadata, sniff};
use heirloom_testing::media::{Known, known, sample};
use serde_json::Value;

struct Reading {
    file: Known,
    file_type: FileType,
    found: Metadata,
}

/// Every file of the repository's media that is not broken on purpose.
fn readings() -> Vec<Reading> {
    known("media/manifest.json", "media")
        .into_iter()
        .chain(sample())
        .map(|file| {
            let mut source = File::open(&file.path).unwrap();
            let name = file.path.file_name().unwrap().to_str().unwrap();
            let file_type = sniff(&mut source, name).unwrap();
            let found = metadata(&mut source, file_type, name).unwrap();
            Reading {
                file,
                file_type,
                found,
            }
        })
        .collect()
}

impl Reading {
    fn truth(&self, name: &str) -> Option<&Value> {
        self.file.entry["truth"]["exiftool"].get(name)
    }

    fn words(&self, name: &str) -> Option<String> {
        let value = self.truth(name)?;
        Some(
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        )
        .map(|text| text.trim().to_owned())
    }

    fn best(&self, kind: ClaimKind, wanted: impl Fn(&Finding) -> bool) -> Option<&ClaimValue> {
        self.found
            .of_kind(kind)
            .filter(|finding| wanted(finding))
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
            .map(|finding| finding.statement.value())
    }
}

/// Asserts that all is as it should be, and names everything that is not; at least `least` files
/// must have had a truth to compare with.
fn assert_none_differs(compared: &[(String, bool)], least: usize) {
    let differing: Vec<&str> = compared
        .iter()
        .filter(|(_, is_right)| !is_right)
        .map(|(what, _)| what.as_str())
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(
        compared.len() >= least,
        "only {} files were compared",
        compared.len()
    );
}

#[test]
fn make_and_model_are_what_exiftool_says() {
    let mut compared = Vec::new();
    for reading in readings() {
        for (name, kind) in [
            ("Make", ClaimKind::CameraMake),
            ("Model", ClaimKind::CameraModel),
        ] {
            let Some(truth) = reading.words(name) else {
                continue;
            };
            // Two cameras speak in it: the tag of 1998 and that of EXIF.
            if reading.file.name == "et_ExifTool.jpg" {
                continue;
            }
            let seen = match reading.best(kind, |_| true) {
                Some(ClaimValue::Text(text)) => text.clone(),
                _ => String::new(),
            };
            compared.push((
                format!("{} {name}: {truth:?}, read {seen:?}", reading.file.name),
                seen == truth,
            ));
        }
    }
    assert_none_differs(&compared, 140);
}

#[test]
fn the_orientation_is_what_exiftool_says() {
    let mut compared = Vec::new();
    for reading in readings() {
        let Some(truth) = reading.truth("Orientation").and_then(Value::as_i64) else {
            continue;
        };
        let seen = reading.best(ClaimKind::Orientation, |finding| {
            !finding.source.starts_with("heif:")
        });
        let is_right = seen == Some(&ClaimValue::Number(truth));
        compared.push((
            format!("{}: {truth}, read {seen:?}", reading.file.name),
            is_right,
        ));
    }
    assert_none_differs(&compared, 85);
}

#[test]
fn the_position_is_what_exiftool_says_and_never_zero() {
    let mut compared = Vec::new();
    for reading in readings() {
        let degrees = |name| reading.truth(name).and_then(Value::as_f64);
        let (Some(latitude), Some(longitude)) = (degrees("GPSLatitude"), degrees("GPSLongitude"))
        else {
            continue;
        };
        // exiftool 12.57 leaves out the side of the globe that a FLIR states: Los Angeles is west.
        let longitude = if reading.file.name == "mei_FLIR_iPhone_device.jpg" {
            -longitude
        } else {
            longitude
        };
        let seen = reading.best(ClaimKind::Position, |_| true);
        let is_right = match seen {
            Some(ClaimValue::Position {
                latitude: north,
                longitude: east,
                ..
            }) => (north - latitude).abs() < 1e-6 && (east - longitude).abs() < 1e-6,
            _ => (latitude, longitude) == (0.0, 0.0),
        };
        compared.push((
            format!(
                "{}: {latitude}, {longitude}, read {seen:?}",
                reading.file.name
            ),
            is_right,
        ));
    }
    assert_none_differs(&compared, 20);
}

#[test]
fn the_date_of_the_original_is_what_exiftool_says() {
    let is_original = |finding: &Finding| {
        let source = &finding.source;
        ![
            "name:",
            "exif:ModifyDate",
            "exif:DateTimeDigitized",
            "exif:GPSDateTime",
            "xmp:xmp:",
            "quicktime:CreateDate",
        ]
        .iter()
        .any(|other| source.starts_with(other))
    };
    let mut compared = Vec::new();
    for reading in readings() {
        let Some(truth) = reading.words("DateTimeOriginal") else {
            continue;
        };
        if reading.file.name == "et_ExifTool.jpg" {
            continue;
        }
        let seen = match reading.best(ClaimKind::Date, is_original) {
            Some(ClaimValue::Date(date)) => date.to_string(),
            _ => String::new(),
        };
        // 2008:05:30 15:56:01 with or without fraction and offset; zeros and blanks are no date.
        let offset = reading
            .words("OffsetTimeOriginal")
            .unwrap_or_default()
            .replace("+00:00", "Z");
        let (clock, own_offset) = truth.split_at(truth.len().min(19));
        let own_offset = own_offset.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        let wanted = match clock.split_once(' ') {
            None if clock.starts_with(|c: char| c.is_ascii_digit()) => clock.replace(':', "-"),
            Some((day, time))
                if !clock.starts_with("0000")
                    && clock.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                format!("{}T{time}{own_offset}{offset}", day.replace(':', "-"))
            }
            _ => String::new(),
        };
        // A maker note may add the zone that exiftool leaves where it is.
        let is_right = seen == wanted || (wanted.len() == 19 && seen.starts_with(&wanted));
        compared.push((
            format!("{}: {truth:?}, read {seen:?}", reading.file.name),
            is_right,
        ));
    }
    assert_none_differs(&compared, 70);
}

#[test]
fn sizes_pages_and_durations_are_what_exiftool_says() {
    let mut compared = Vec::new();
    for reading in readings() {
        let facts = &reading.found.facts;
        let is_picture_file = !matches!(reading.file_type.name, "XMP" | "SVG");
        for (name, seen) in [
            ("ImageWidth", facts.width),
            ("ImageHeight", facts.height),
            ("PageCount", facts.page_count),
        ] {
            let Some(truth) = reading
                .truth(name)
                .and_then(Value::as_u64)
                .filter(|_| is_picture_file)
            else {
                continue;
            };
            // The tag of 1998 has the size of another picture than the one in the file.
            if reading.file.name != "et_ExifTool.jpg" {
                let is_right = seen.map(u64::from) == Some(truth);
                compared.push((
                    format!("{} {name}: {truth}, read {seen:?}", reading.file.name),
                    is_right,
                ));
            }
        }
        if let Some(seconds) = reading.truth("Duration").and_then(Value::as_f64) {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
            let seen = facts.duration_ms.map_or(-1.0, |ms| ms as f64 / 1000.0);
            let is_right = (seen - seconds).abs() < 0.05 + seconds * 0.01;
            compared.push((
                format!("{}: {seconds} s, read {seen}", reading.file.name),
                is_right,
            ));
        }
    }
    assert_none_differs(&compared, 320);
}

#[test]
fn the_type_is_what_exiftool_says_or_more_exactly_so() {
    // What exiftool calls otherwise, and what Heirloom calls it.
    let others = [
        ("image/apng", "image/png"),
        ("audio/x-wav", "audio/wav"),
        ("audio/ogg", "audio/opus"),
        ("image/heif", "image/heic"),
        ("video/mp4", "audio/mp4"),
        ("application/vnd.apple.photos", "application/x-plist"),
    ];
    let mut compared = Vec::new();
    for reading in readings() {
        let Some(truth) = reading.words("MIMEType") else {
            continue;
        };
        let seen = reading.file_type.media_type;
        let is_right = truth == seen || others.contains(&(truth.as_str(), seen));
        compared.push((
            format!("{}: {truth}, read {seen}", reading.file.name),
            is_right,
        ));
    }
    assert_none_differs(&compared, 180);
}

#[test]
fn a_sound_file_of_the_sample_library_has_no_problems() {
    for reading in readings()
        .into_iter()
        .filter(|reading| reading.file.path.to_string_lossy().contains("/sample/"))
    {
        let problems = &reading.found.problems;
        let is_known = |what: &str| what.contains("0, 0");
        assert!(
            problems.iter().all(|problem| is_known(&problem.what)),
            "{}: {problems:?}",
            reading.file.name
        );
        assert_ne!(reading.file_type.name, "Unknown", "{}", reading.file.name);
        if reading.file_type.kind == MediaKind::Image {
            assert!(reading.found.facts.width.is_some(), "{}", reading.file.name);
        }
    }
}

#[test]
fn both_halves_of_a_live_photo_have_the_same_identifier() {
    let readings = readings();
    let id = |name: &str| {
        let reading = readings
            .iter()
            .find(|reading| reading.file.name.ends_with(name))
            .unwrap();
        reading
            .found
            .properties
            .get(heirloom_media::property::LIVE_PHOTO_ID)
            .cloned()
    };
    assert!(id("IMG_5195.HEIC").is_some());
    assert_eq!(id("IMG_5195.HEIC"), id("IMG_5195.MOV"));
}
