//! XMP packets, embedded or beside the file: RDF read into properties, properties into findings.
//!
//! After ISO 16684-1 and the schemas of Adobe, IPTC, the Metadata Working Group, Microsoft and the
//! programs that people use (Lightroom, digiKam, darktable, Picasa).

mod node;
mod region;

use heirloom_core::claim::ClaimKind;

use crate::{exif, moment::Moment, notes::Notes, property, xml};
use node::Node;

/// Where a packet was found; it decides how its statements weigh against the EXIF of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Embedded,
    Sidecar,
}

/// The longest packet that is read.
const PACKET_LIMIT: usize = 8 * 1024 * 1024;

/// Reads a packet that lies in a media file.
pub(crate) fn read_embedded(bytes: &[u8], out: &mut Notes) {
    read(bytes, Place::Embedded, out);
}

/// Reads a packet that lies beside its media file.
pub(crate) fn read_sidecar(bytes: &[u8], out: &mut Notes) {
    read(bytes, Place::Sidecar, out);
}

/// Reads the packet in an XML document that is already a tree, such as an SVG picture.
pub(crate) fn read_tree(document: &xml::Element, out: &mut Notes) {
    emit(&node::properties(document), Place::Embedded, out);
}

fn read(bytes: &[u8], place: Place, out: &mut Notes) {
    let bytes = bytes.get(..PACKET_LIMIT).unwrap_or(bytes);
    if !out.allow_packet(bytes.len()) {
        return;
    }
    let text = xml::decode(bytes);
    let document = xml::parse(text.trim_end_matches('\0'));
    if let Some(problem) = document.problem {
        out.problem(format!("The XMP is damaged. {problem}"));
    }
    emit(&node::properties(&document.root), place, out);
}

/// Dates: property and confidence without a known offset.
const DATES: [(&str, f32); 9] = [
    ("exif:DateTimeOriginal", 0.84),
    ("photoshop:DateCreated", 0.82),
    ("acdsee:datetime", 0.8),
    ("xmpDM:shotDate", 0.78),
    ("exif:DateTimeDigitized", 0.64),
    ("xmp:CreateDate", 0.62),
    ("exif:GPSTimeStamp", 0.5),
    ("tiff:DateTime", 0.17),
    ("xmp:ModifyDate", 0.15),
];

/// Texts: property, kind of claim, confidence.
const TEXTS: [(&str, ClaimKind, f32); 18] = [
    ("dc:title", ClaimKind::Title, 0.85),
    ("photoshop:Headline", ClaimKind::Title, 0.6),
    ("acdsee:caption", ClaimKind::Title, 0.6),
    ("dc:description", ClaimKind::Caption, 0.85),
    ("tiff:ImageDescription", ClaimKind::Caption, 0.6),
    ("acdsee:notes", ClaimKind::Caption, 0.6),
    ("exif:UserComment", ClaimKind::Caption, 0.5),
    ("dc:creator", ClaimKind::Author, 0.85),
    ("dc:subject", ClaimKind::Tag, 0.85),
    ("acdsee:keywords", ClaimKind::Tag, 0.7),
    ("Iptc4xmpExt:PersonInImage", ClaimKind::Person, 0.85),
    ("tiff:Make", ClaimKind::CameraMake, 0.8),
    ("tiff:Model", ClaimKind::CameraModel, 0.8),
    ("exifEX:LensModel", ClaimKind::Lens, 0.8),
    ("aux:Lens", ClaimKind::Lens, 0.75),
    ("tiff:Artist", ClaimKind::Author, 0.7),
    ("xmpDM:artist", ClaimKind::Author, 0.7),
    ("xmpDM:album", ClaimKind::Tag, 0.4),
];

/// Tags with their ancestors, and what divides them.
const TREES_OF_TAGS: [(&str, char); 4] = [
    ("lr:hierarchicalSubject", '|'),
    ("digiKam:TagsList", '/'),
    ("MicrosoftPhoto:LastKeywordXMP", '/'),
    ("mediapro:CatalogSets", '|'),
];

/// Values that are kept without being claims.
const PROPERTIES: [(&str, &str); 6] = [
    ("xmp:CreatorTool", property::SOFTWARE),
    ("dc:rights", property::COPYRIGHT),
    ("GCamera:BurstID", property::BURST_ID),
    ("xmpMM:DocumentID", "xmp_document_id"),
    ("xmpMM:OriginalDocumentID", "xmp_original_document_id"),
    ("xmp:Label", "label"),
];

/// Places in one property each, from the smallest to the largest.
const PLACE_PARTS: [&str; 4] = [
    "Iptc4xmpCore:Location",
    "photoshop:City",
    "photoshop:State",
    "photoshop:Country",
];
const LOCATION_PARTS: [&str; 5] = [
    "Iptc4xmpExt:LocationName",
    "Iptc4xmpExt:Sublocation",
    "Iptc4xmpExt:City",
    "Iptc4xmpExt:ProvinceState",
    "Iptc4xmpExt:CountryName",
];

fn emit(properties: &[(String, Node)], place: Place, out: &mut Notes) {
    let get = |name: &str| {
        properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, node)| node)
    };
    let (prefix, raise) = match place {
        Place::Embedded => ("xmp", 0.0),
        // What somebody wrote beside the file was written later than what is in it.
        Place::Sidecar => ("sidecar-xmp", 0.1),
    };
    let source = |name: &str| format!("{prefix}:{name}");
    for (name, confidence) in DATES {
        let Some(text) = get(name).and_then(Node::text) else {
            continue;
        };
        let reading = Moment::read(text);
        let has_offset = reading
            .moment()
            .is_some_and(|moment| moment.offset_minutes.is_some());
        let surer = if has_offset { 0.05 } else { 0.0 };
        out.date(reading, &source(name), confidence + raise + surer);
    }
    // Vaguer than a date of XMP can be, as Heirloom writes it itself.
    let vague = get("dcterms:created").and_then(Node::text);
    if let Some(date) = vague.and_then(|text| text.trim().parse().ok()) {
        out.edtf(date, &source("dcterms:created"), 0.86 + raise);
    }
    for (name, kind, confidence) in TEXTS {
        let Some(node) = get(name) else { continue };
        for words in node.texts() {
            if !(kind == ClaimKind::Caption && exif::is_camera_default(words)) {
                out.text(kind, words, &source(name), confidence + raise);
            }
        }
    }
    for (name, divider) in TREES_OF_TAGS {
        for path in get(name).map(Node::texts).unwrap_or_default() {
            let path = path
                .split(divider)
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("/");
            out.text(ClaimKind::Tag, &path, &source(name), 0.8 + raise);
        }
    }
    for (name, known) in PROPERTIES {
        if let Some(value) = get(name).and_then(Node::text) {
            out.property(known, value);
        }
    }
    position(&get, place, out);
    numbers(&get, place, out);
    places(&get, prefix, raise, out);
    region::read(&get, prefix, raise, out);
}

/// Looks a property up.
type Get<'a> = dyn Fn(&str) -> Option<&'a Node> + 'a;

fn position(get: &Get<'_>, place: Place, out: &mut Notes) {
    let text = |name: &str| get(name).and_then(Node::text);
    let side = |name: &str| text(name).unwrap_or_default();
    let (Some(latitude), Some(longitude)) = (text("exif:GPSLatitude"), text("exif:GPSLongitude"))
    else {
        return;
    };
    let (source, confidence) = match place {
        Place::Embedded => ("xmp:exif:GPS", 0.85),
        Place::Sidecar => ("sidecar-xmp:exif:GPS", 0.95),
    };
    let degrees = (
        coordinate(latitude, side("exif:GPSLatitudeRef")),
        coordinate(longitude, side("exif:GPSLongitudeRef")),
    );
    let (Some(latitude), Some(longitude)) = degrees else {
        out.problem(format!("{source} has no readable position."));
        return;
    };
    let altitude = text("exif:GPSAltitude").and_then(number).map(|metres| {
        if text("exif:GPSAltitudeRef") == Some("1") {
            -metres.abs()
        } else {
            metres
        }
    });
    out.position(latitude, longitude, altitude, source, confidence);
}

/// `40,14.0786450N`, `52,1,12N`, or decimal degrees.
fn coordinate(text: &str, side: &str) -> Option<f64> {
    let text = text.trim();
    let letter = text.chars().next_back().filter(char::is_ascii_alphabetic);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let mut parts = digits
        .split([',', ' ', '°', '\'', '"'])
        .filter(|part| !part.is_empty());
    let degrees: f64 = number(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0.0), number)?;
    let seconds = parts.next().map_or(Some(0.0), number)?;
    let magnitude = degrees.abs() + minutes / 60.0 + seconds / 3600.0;
    let side = letter.or_else(|| side.trim().chars().next());
    let is_negative = degrees < 0.0 || matches!(side, Some('S' | 's' | 'W' | 'w'));
    magnitude
        .is_finite()
        .then_some(if is_negative { -magnitude } else { magnitude })
}

/// A decimal number or a fraction.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let value = match text.split_once('/') {
        Some((top, bottom)) => {
            let (top, bottom): (f64, f64) = (top.trim().parse().ok()?, bottom.trim().parse().ok()?);
            (bottom != 0.0).then(|| top / bottom)?
        }
        None => text.parse().ok()?,
    };
    value.is_finite().then_some(value)
}

fn numbers(get: &Get<'_>, place: Place, out: &mut Notes) {
    let (prefix, raise) = match place {
        Place::Embedded => ("xmp", 0.0),
        Place::Sidecar => ("sidecar-xmp", 0.1),
    };
    let whole = |name: &str| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked against its bounds"
        )]
        get(name)
            .and_then(Node::text)
            .and_then(number)
            .filter(|number| number.abs() < 1e6)
            .map(|number| number.round() as i64)
    };
    if let Some(stars) = whole("xmp:Rating") {
        out.number(
            ClaimKind::Rating,
            stars,
            &format!("{prefix}:xmp:Rating"),
            0.85 + raise,
        );
    } else if let Some(percent) = whole("MicrosoftPhoto:Rating") {
        let stars = match percent {
            ..=0 => 0,
            1..=12 => 1,
            13..=37 => 2,
            38..=62 => 3,
            63..=87 => 4,
            _ => 5,
        };
        out.number(
            ClaimKind::Rating,
            stars,
            &format!("{prefix}:MicrosoftPhoto:Rating"),
            0.7 + raise,
        );
    }
    if let Some(orientation) = whole("tiff:Orientation").filter(|number| *number != 0) {
        let confidence = if place == Place::Sidecar { 0.92 } else { 0.6 };
        let source = format!("{prefix}:tiff:Orientation");
        out.number(ClaimKind::Orientation, orientation, &source, confidence);
    }
    let is_set = |name: &str| {
        get(name)
            .and_then(Node::text)
            .is_some_and(|value| matches!(value.trim(), "1" | "True" | "true"))
    };
    if is_set("GCamera:MotionPhoto") || is_set("GCamera:MicroVideo") {
        out.property(property::MOTION_PHOTO, "true");
    }
    if is_set("GCamera:BurstPrimary") {
        out.property(property::BURST_COVER, "true");
    }
}

fn places(get: &Get<'_>, prefix: &str, raise: f32, out: &mut Notes) {
    let parts: Vec<&str> = PLACE_PARTS
        .iter()
        .filter_map(|name| get(name).and_then(Node::text))
        .collect();
    state_place(
        &parts,
        &format!("{prefix}:photoshop:City"),
        0.8 + raise,
        out,
    );
    for (name, confidence) in [
        ("Iptc4xmpExt:LocationCreated", 0.85),
        ("Iptc4xmpExt:LocationShown", 0.7),
    ] {
        for location in get(name).map(Node::items).unwrap_or_default() {
            let parts: Vec<&str> = LOCATION_PARTS
                .iter()
                .filter_map(|name| location.field(name).and_then(Node::text))
                .collect();
            state_place(&parts, &format!("{prefix}:{name}"), confidence + raise, out);
        }
    }
}

/// A place from its parts, the smallest first; a part that repeats is named once.
pub(crate) fn state_place(parts: &[&str], source: &str, confidence: f32, out: &mut Notes) {
    let mut named: Vec<&str> = Vec::new();
    for part in parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        if !named.contains(&part) {
            named.push(part);
        }
    }
    out.text(ClaimKind::Place, &named.join(", "), source, confidence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinate_is_read_in_each_form_that_programs_write() {
        let cases = [
            ("40,14.0786450N", "", Some(40.234_644_083)),
            ("76,17.2284900W", "", Some(-76.287_141_5)),
            ("52,1,12N", "", Some(52.02)),
            ("52.02", "", Some(52.02)),
            ("52.02", "S", Some(-52.02)),
            ("-12.5", "", Some(-12.5)),
            ("12/0,1N", "", None),
            ("N", "", None),
        ];
        for (text, side, degrees) in cases {
            let read = coordinate(text, side);
            let is_right = match (read, degrees) {
                (Some(read), Some(degrees)) => (read - degrees).abs() < 1e-8,
                (read, degrees) => read == degrees,
            };
            assert!(is_right, "{text}: {read:?}");
        }
    }
}
