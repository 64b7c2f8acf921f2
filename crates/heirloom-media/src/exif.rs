//! EXIF: what cameras write about a picture, in TIFF directories.
//!
//! Tags after EXIF 3.0 (CIPA DC-008), TIFF 6.0, TIFF/EP and DNG.

mod gps;
mod maker_note;
mod tag;

use std::collections::HashSet;

use heirloom_core::claim::ClaimKind;

use crate::{
    moment::{Moment, Reading, read_offset},
    notes::Notes,
    property,
    scanner::is_scanner,
    text,
    tiff::{self, Bytes, Directory, Entry, Layout, Value},
};

/// Where a TIFF structure was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// As a block about the picture around it.
    Block,
    /// As a block within a container that states the picture's rotation itself.
    BlockInRotated,
    /// As the picture file itself.
    File {
        /// Whether its directories are one picture in several sizes and not pages.
        is_raw: bool,
    },
}

/// What the directories of one structure say together.
#[derive(Debug, Default)]
struct Exif {
    make: String,
    model: String,
    original: Dating,
    digitized: Dating,
    modified: Dating,
    maker_note: Option<Entry>,
    largest: Option<(u64, u64)>,
    iptc: Option<Entry>,
    xmp: Option<Entry>,
    resources: Option<Entry>,
    rating_percent: Option<u64>,
    has_rating: bool,
    orientation: Option<u64>,
    file_source: Option<u8>,
}

/// A date that is spread over several tags.
#[derive(Debug, Default)]
struct Dating {
    text: Option<String>,
    subsecond: String,
    offset: Option<i16>,
}

/// The most directories that are followed in one structure.
const DIRECTORY_LIMIT: usize = 64;

/// No scanner that families had wrote EXIF before this year.
const FIRST_SCANNERS: u16 = 1995;

/// The longest embedded packet (XMP, IPTC) that is read.
const PACKET_LIMIT: usize = 8 * 1024 * 1024;

/// Reads a TIFF structure; says whether there was one.
pub(crate) fn read(bytes: &mut dyn Bytes, role: Role, out: &mut Notes) -> bool {
    // A file's own directories cost what is read of them, a block no more than its size.
    let is_file = matches!(role, Role::File { .. });
    if !is_file && !out.allow_packet(crate::bytes::index(bytes.size())) {
        return false;
    }
    let Some(header) = tiff::header(bytes) else {
        out.problem("The EXIF block does not begin as one.");
        return false;
    };
    let layout = header.layout;
    let mut exif = Exif::default();
    let Some(first) = tiff::directory(bytes, layout, header.first) else {
        out.problem("The first EXIF directory cannot be read.");
        return true;
    };
    if first.is_damaged {
        out.problem("An EXIF directory is damaged.");
    }
    exif.directory(bytes, layout, &first, role, out);
    let mut visited = vec![header.first];
    for tag in [tag::EXIF, tag::GPS] {
        for entry in first.entries.iter().filter(|entry| entry.tag == tag) {
            let Some(offset) = pointer(entry.value(bytes, layout).unsigned(0)) else {
                continue;
            };
            if visited.contains(&offset) || visited.len() > DIRECTORY_LIMIT {
                continue;
            }
            visited.push(offset);
            match tiff::directory(bytes, layout, offset) {
                Some(directory) if tag == tag::EXIF => {
                    if directory.is_damaged {
                        out.problem("An EXIF directory is damaged.");
                    }
                    exif.directory(bytes, layout, &directory, role, out);
                    // Some programs put the GPS pointer here.
                    if let Some(gps) = directory.value(bytes, layout, tag::GPS)
                        && let Some(offset) = pointer(gps.unsigned(0))
                        && let Some(directory) = tiff::directory(bytes, layout, offset)
                    {
                        gps::read(bytes, layout, &directory, out);
                    }
                }
                Some(directory) => gps::read(bytes, layout, &directory, out),
                None => out.problem("An EXIF directory cannot be read."),
            }
        }
    }
    if let Role::File { is_raw } = role {
        exif.sizes(bytes, layout, &first, &mut visited);
        if !is_raw {
            let pages = tiff::page_directories(bytes, layout, &first).len();
            out.facts.page_count = u32::try_from(pages).ok();
        }
        if let Some((width, height)) = exif.largest {
            out.facts.width = u32::try_from(width).ok();
            out.facts.height = u32::try_from(height).ok();
        }
    }
    exif.conclude(bytes, layout, role, out);
    true
}

/// Reads a GPS directory that stands alone.
pub(crate) fn read_gps(bytes: &mut dyn Bytes, header: tiff::Header, out: &mut Notes) {
    if let Some(directory) = tiff::directory(bytes, header.layout, header.first) {
        gps::read(bytes, header.layout, &directory, out);
    }
}

/// A pointer that points somewhere.
fn pointer(offset: Option<u64>) -> Option<u64> {
    offset.filter(|offset| *offset > 0)
}

impl Exif {
    fn directory(
        &mut self,
        bytes: &mut dyn Bytes,
        layout: Layout,
        directory: &Directory,
        role: Role,
        out: &mut Notes,
    ) {
        let mut seen = HashSet::new();
        for entry in &directory.entries {
            // The first of a tag counts, so that a directory costs no more than its tags.
            if !seen.insert(entry.tag) {
                continue;
            }
            match entry.tag {
                tag::IPTC => self.iptc = Some(*entry),
                tag::XMP => self.xmp = Some(*entry),
                tag::PHOTOSHOP => self.resources = Some(*entry),
                tag::MAKER_NOTE => self.maker_note = Some(*entry),
                _ if tag::INTERESTING.contains(&entry.tag) => {
                    let value = entry.value(bytes, layout);
                    self.tag(entry.tag, &value, layout, out);
                }
                _ => {}
            }
        }
        if matches!(role, Role::File { .. }) {
            self.size(bytes, layout, directory);
        }
    }

    fn tag(&mut self, tag: u16, value: &Value, layout: Layout, out: &mut Notes) {
        match tag {
            tag::MAKE => first_of(&mut self.make, value),
            tag::MODEL => first_of(&mut self.model, value),
            tag::ORIENTATION => self.orientation = self.orientation.or_else(|| value.unsigned(0)),
            tag::FILE_SOURCE => self.file_source = value.bytes.first().copied(),
            tag::MODIFY_DATE => self.modified.set(value),
            tag::ORIGINAL_DATE => self.original.set(value),
            tag::DIGITIZED_DATE => self.digitized.set(value),
            tag::OFFSET_MODIFY => self.modified.offset = read_offset(&value.text()),
            tag::OFFSET_ORIGINAL => self.original.offset = read_offset(&value.text()),
            tag::OFFSET_DIGITIZED => self.digitized.offset = read_offset(&value.text()),
            // Hours of the original date, then of the modification date (TIFF/EP).
            tag::TIME_ZONE_OFFSET => {
                let hours = |number| {
                    value
                        .signed(number)
                        .and_then(|h| i16::try_from(h.checked_mul(60)?).ok())
                };
                self.original.offset = self.original.offset.or(hours(0));
                self.modified.offset = self.modified.offset.or(hours(1));
            }
            tag::SUBSECOND_ORIGINAL => self.original.subsecond = value.text(),
            tag::DESCRIPTION => {
                let words = value.text();
                if is_camera_default(&words) {
                    out.property("camera_description", &words);
                } else {
                    out.text(ClaimKind::Caption, &words, "exif:ImageDescription", 0.8);
                }
            }
            tag::USER_COMMENT => {
                let words = user_comment(&value.bytes, layout);
                if is_sentence(&words) && !is_camera_default(&words) {
                    out.text(ClaimKind::Caption, &words, "exif:UserComment", 0.5);
                } else {
                    out.property("user_comment", &words);
                }
            }
            tag::SOFTWARE => out.property(property::SOFTWARE, value.text()),
            tag::ARTIST => author(&value.text(), "exif:Artist", out),
            tag::OWNER => out.property("camera_owner", value.text()),
            tag::SERIAL => out.property("camera_serial", value.text()),
            tag::COPYRIGHT => {
                // Photographer's and editor's rights, divided by a NUL.
                let words = text::decode_all(&value.bytes).replace('\0', "\n");
                out.property(property::COPYRIGHT, words);
            }
            tag::XP_TITLE => out.text(ClaimKind::Title, &value.utf16(), "exif:XPTitle", 0.8),
            tag::XP_COMMENT => {
                out.text(ClaimKind::Caption, &value.utf16(), "exif:XPComment", 0.7);
            }
            tag::XP_AUTHOR => author(&value.utf16(), "exif:XPAuthor", out),
            tag::XP_SUBJECT => {
                out.text(ClaimKind::Caption, &value.utf16(), "exif:XPSubject", 0.6);
            }
            tag::XP_KEYWORDS => {
                for word in value.utf16().split(';') {
                    out.text(ClaimKind::Tag, word, "exif:XPKeywords", 0.8);
                }
            }
            tag::RATING => {
                if let Some(stars) = value.signed(0) {
                    self.has_rating = true;
                    out.number(ClaimKind::Rating, stars, "exif:Rating", 0.8);
                }
            }
            tag::RATING_PERCENT => self.rating_percent = value.unsigned(0),
            tag::LENS_MODEL => {
                let words = value.text();
                // What adapters and old lenses without a chip give.
                if !words
                    .trim_matches(['-', ' ', '.', '0', 'm', '/', 'F', 'f'])
                    .is_empty()
                {
                    out.text(ClaimKind::Lens, &words, "exif:LensModel", 0.9);
                }
            }
            tag::LENS_MAKE => out.property("lens_make", value.text()),
            tag::IMAGE_UNIQUE_ID => out.property("image_unique_id", value.text()),
            tag::EXPOSURE_TIME => measure(property::EXPOSURE_TIME_S, value, out),
            tag::F_NUMBER => measure(property::F_NUMBER, value, out),
            tag::ISO => measure(property::ISO, value, out),
            tag::FOCAL_LENGTH => measure(property::FOCAL_LENGTH_MM, value, out),
            tag::FOCAL_LENGTH_35MM => measure("focal_length_35mm", value, out),
            tag::EXPOSURE_BIAS => measure("exposure_bias_ev", value, out),
            tag::FLASH => measure("flash", value, out),
            _ => {}
        }
    }

    /// Sizes of the pictures in the directories below and after the first, as RAW files have them.
    fn sizes(
        &mut self,
        bytes: &mut dyn Bytes,
        layout: Layout,
        first: &Directory,
        visited: &mut Vec<u64>,
    ) {
        let Some(pointers) = first.value(bytes, layout, tag::SUB_DIRECTORIES) else {
            return;
        };
        for number in 0..8 {
            let Some(offset) = pointer(pointers.unsigned(number)) else {
                break;
            };
            if visited.contains(&offset) {
                continue;
            }
            visited.push(offset);
            if let Some(directory) = tiff::directory(bytes, layout, offset) {
                self.size(bytes, layout, &directory);
            }
        }
    }

    fn size(&mut self, bytes: &mut dyn Bytes, layout: Layout, directory: &Directory) {
        let mut measure = |tag| {
            directory
                .value(bytes, layout, tag)
                .and_then(|value| value.unsigned(0))
        };
        // Panasonic's RAW has the sensor's borders in tags of its own.
        if let (Some(top), Some(left), Some(bottom), Some(right)) =
            (measure(4), measure(5), measure(6), measure(7))
            && directory.entry(tag::WIDTH).is_none()
        {
            self.larger(right.saturating_sub(left), bottom.saturating_sub(top));
        }
        if let (Some(width), Some(height)) = (measure(tag::WIDTH), measure(tag::HEIGHT)) {
            self.larger(width, height);
        }
    }

    fn larger(&mut self, width: u64, height: u64) {
        let area = |(width, height): (u64, u64)| width.saturating_mul(height);
        let size = (width, height);
        if width > 0 && height > 0 && self.largest.is_none_or(|known| area(size) > area(known)) {
            self.largest = Some(size);
        }
    }

    /// Whether the dates are of the scan and not of what was scanned. Somebody who found that out
    /// may have put the original's date right since.
    fn is_scan(&self) -> bool {
        // EXIF 2.3, FileSource: 1 a scanner for transparencies, 2 one for prints.
        let is_scanner = matches!(self.file_source, Some(1 | 2)) || is_scanner(&self.model);
        let year = |dating: &Dating| dating.moment().map(|moment| moment.year);
        let is_put_right = match (year(&self.original), year(&self.digitized)) {
            (Some(original), Some(digitized)) => original < digitized,
            (Some(original), None) => original < FIRST_SCANNERS,
            (None, _) => false,
        };
        is_scanner && !is_put_right
    }

    fn conclude(mut self, bytes: &mut dyn Bytes, layout: Layout, role: Role, out: &mut Notes) {
        out.text(ClaimKind::CameraMake, &self.make, "exif:Make", 0.9);
        out.text(ClaimKind::CameraModel, &self.model, "exif:Model", 0.9);
        if let Some(orientation) = self.orientation {
            let in_rotated = role == Role::BlockInRotated;
            let confidence = if in_rotated { 0.5 } else { 0.9 };
            let number = i64::try_from(orientation).unwrap_or(i64::MAX);
            // Zero is what cameras without a sensor for it write.
            if number != 0 {
                out.number(
                    ClaimKind::Orientation,
                    number,
                    "exif:Orientation",
                    confidence,
                );
            }
            if !in_rotated && (1..=8).contains(&number) && out.facts.orientation.is_none() {
                out.facts.orientation = u8::try_from(number).ok();
            }
        }
        if let Some(percent) = self.rating_percent.filter(|_| !self.has_rating) {
            let stars = match percent {
                0 => 0,
                1..=12 => 1,
                13..=37 => 2,
                38..=62 => 3,
                63..=87 => 4,
                _ => 5,
            };
            out.number(ClaimKind::Rating, stars, "exif:RatingPercent", 0.7);
        }
        out.property(
            property::SUBSECOND,
            std::mem::take(&mut self.original.subsecond),
        );
        out.is_scan |= self.is_scan();
        self.original.state("exif:DateTimeOriginal", 0.95, out);
        self.digitized.state("exif:DateTimeDigitized", 0.7, out);
        self.modified.state("exif:ModifyDate", 0.2, out);
        if let Some(note) = self.maker_note {
            let camera = maker_note::Camera {
                make: &self.make,
                original: self.original.moment(),
                layout,
            };
            maker_note::read(bytes, note, &camera, out);
        }
        for (entry, read) in [
            (self.iptc, crate::iptc::read as fn(&[u8], &mut Notes)),
            (self.resources, crate::psd::read_resources),
            (self.xmp, crate::xmp::read_embedded),
        ] {
            if let Some(entry) = entry {
                read(&entry.value_up_to(bytes, layout, PACKET_LIMIT).bytes, out);
            }
        }
    }
}

impl Dating {
    fn set(&mut self, value: &Value) {
        if self.text.is_none() {
            self.text = Some(value.text());
        }
    }

    fn reading(&self) -> Reading {
        match self.text.as_deref().map(Moment::read) {
            Some(Reading::Moment(moment)) if moment.offset_minutes.is_none() => {
                Reading::Moment(moment.with_offset(self.offset))
            }
            Some(reading) => reading,
            None => Reading::Blank,
        }
    }

    fn moment(&self) -> Option<Moment> {
        self.reading().moment()
    }

    /// States the date; knowing how far from UTC it is makes it a little surer.
    fn state(&self, source: &str, confidence: f32, out: &mut Notes) {
        let reading = self.reading();
        let has_offset = reading
            .moment()
            .is_some_and(|moment| moment.offset_minutes.is_some());
        out.date(
            reading,
            source,
            if has_offset {
                confidence
            } else {
                confidence - 0.05
            },
        );
    }
}

fn first_of(text: &mut String, value: &Value) {
    if text.is_empty() {
        value.text().trim().clone_into(text);
    }
}

fn measure(name: &str, value: &Value, out: &mut Notes) {
    if let Some(number) = value.number(0) {
        out.property(name, render_number(number));
    }
}

/// A number with at most six places and no trailing zeros.
pub(crate) fn render_number(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Names, one claim each, as far as a semicolon divides them.
pub(crate) fn author(names: &str, source: &str, out: &mut Notes) {
    for name in names.split(';') {
        out.text(ClaimKind::Author, name, source, 0.8);
    }
}

/// A comment with its character set in front.
fn user_comment(bytes: &[u8], layout: Layout) -> String {
    let (set, words) = bytes.split_at_checked(8).unwrap_or((bytes, &[]));
    match set {
        b"UNICODE\0" => text::decode_utf16(words, layout.endian),
        b"ASCII\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0] => text::decode(words),
        b"JIS\0\0\0\0\0" => String::new(),
        _ => text::decode(bytes),
    }
}

/// Whether a comment reads like words of a person rather than a camera's or program's own notes.
fn is_sentence(words: &str) -> bool {
    let words = words.trim();
    let letters = words.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 2
        && letters * 2 > words.chars().count()
        && !words.starts_with(['{', '<', '['])
        && !words.contains('\u{FFFD}')
        && (words.contains(' ') || words.len() < 40)
}

/// Whether a description is what the camera writes into every picture.
pub(crate) fn is_camera_default(words: &str) -> bool {
    const DEFAULTS: [&str; 14] = [
        "OLYMPUS DIGITAL CAMERA",
        "SONY DSC",
        "MINOLTA DIGITAL CAMERA",
        "KONICA MINOLTA DIGITAL CAMERA",
        "DIGITAL CAMERA",
        "SAMSUNG DIGITAL CAMERA",
        "SAMSUNG CAMERA PICTURES",
        "KODAK DIGITAL STILL CAMERA",
        "EXIF_JPEG_PICTURE",
        "JPEG IMAGE",
        "CREATED WITH GIMP",
        "DEFAULT",
        "SCREENSHOT",
        "PHOTO",
    ];
    let words = words
        .trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .to_ascii_uppercase();
    DEFAULTS.contains(&words.as_str())
        || words.starts_with("DCIM\\")
        || words.starts_with("EXIF_")
        || words.ends_with("DIGITAL CAMERA")
}
