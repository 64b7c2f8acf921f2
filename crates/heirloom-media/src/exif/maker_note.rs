//! Maker notes, where they know what the standard tags do not say: dates, zones, lenses, bursts.
//!
//! Each maker has a layout of its own; offsets count from the note or from the EXIF block.
//! Layouts and tags after the public descriptions by exiftool and Exiv2.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{Endian, be16, index},
    moment::{Moment, Reading},
    notes::Notes,
    property,
    tiff::{self, Bytes, Directory, Entry, Layout},
};

/// What is known of the camera before its note is read.
pub(super) struct Camera<'a> {
    pub(super) make: &'a str,
    pub(super) original: Option<Moment>,
    pub(super) layout: Layout,
}

/// Reads a note by its beginning, then by the make.
pub(super) fn read(bytes: &mut dyn Bytes, note: Entry, camera: &Camera<'_>, out: &mut Notes) {
    let head = bytes.block(note.at, index(note.len).min(64)).to_vec();
    let own = |endian, base| Layout {
        endian,
        is_big: false,
        base,
    };
    let here = note.at;
    let outer = camera.layout;
    // Where offsets count from the EXIF block, the directory's own place does too.
    let place = here.saturating_sub(outer.base);
    let make = camera.make.to_ascii_uppercase();
    if head.starts_with(b"Apple iOS\0") {
        let layout = own(Endian::Big, here);
        if let Some(directory) = tiff::directory(bytes, layout, 14) {
            apple(bytes, layout, &directory, out);
        }
    } else if head.starts_with(b"Nikon\0\x02") {
        let Some(endian) = endian_of(head.get(10..12)) else {
            return;
        };
        let layout = own(endian, here.saturating_add(10));
        let first = crate::bytes::u32_at(&head, 14, endian).unwrap_or(8);
        if let Some(directory) = tiff::directory(bytes, layout, u64::from(first)) {
            nikon(bytes, layout, &directory, camera, out);
        }
    } else if head.starts_with(b"OLYMPUS\0") || head.starts_with(b"OM SYSTEM\0") {
        let (mark, start) = if head.starts_with(b"OLYMPUS\0") {
            (8, 12)
        } else {
            (12, 16)
        };
        let Some(endian) = endian_of(head.get(mark..mark + 2)) else {
            return;
        };
        olympus(bytes, own(endian, here), start, out);
    } else if head.starts_with(b"OLYMP\0") {
        olympus(bytes, outer, place.saturating_add(8), out);
    } else if head.starts_with(b"Panasonic\0\0\0") {
        if let Some(directory) = tiff::directory(bytes, outer, place.saturating_add(12)) {
            lens(bytes, outer, &directory, 0x51, "panasonic:LensType", out);
        }
    } else if head.starts_with(b"KDK") {
        kodak(&head, out);
    } else if head.starts_with(b"PENTAX \0") {
        let Some(endian) = endian_of(head.get(8..10)) else {
            return;
        };
        pentax(bytes, own(endian, here), 10, out);
    } else if head.starts_with(b"AOC\0") {
        let endian = endian_of(head.get(4..6)).unwrap_or(outer.endian);
        pentax(
            bytes,
            Layout { endian, ..outer },
            place.saturating_add(6),
            out,
        );
    } else if make.starts_with("CANON") {
        canon(bytes, outer, place, camera, out);
    }
}

fn endian_of(mark: Option<&[u8]>) -> Option<Endian> {
    match mark? {
        b"II" => Some(Endian::Little),
        b"MM" => Some(Endian::Big),
        _ => None,
    }
}

fn lens(
    bytes: &mut dyn Bytes,
    layout: Layout,
    directory: &Directory,
    tag: u16,
    source: &str,
    out: &mut Notes,
) {
    if let Some(value) = directory.value(bytes, layout, tag) {
        let words = value.text();
        if !matches!(
            words.trim(),
            "" | "n/a" | "N/A" | "NO-LENS" | "NO LENS" | "NONE"
        ) {
            out.text(ClaimKind::Lens, &words, source, 0.8);
        }
    }
}

/// States the original date once more, now with the offset that the camera was set to.
fn zoned(camera: &Camera<'_>, minutes: i64, source: &str, out: &mut Notes) {
    let Some(original) = camera
        .original
        .filter(|moment| moment.offset_minutes.is_none())
    else {
        return;
    };
    let moment = original.with_offset(i16::try_from(minutes).ok());
    // Greenwich is what the camera comes with: only another zone was certainly set by somebody.
    let confidence = if minutes == 0 { 0.88 } else { 0.92 };
    if moment.offset_minutes.is_some() {
        out.date(Reading::Moment(moment), source, confidence);
    }
}

fn apple(bytes: &mut dyn Bytes, layout: Layout, directory: &Directory, out: &mut Notes) {
    for (tag, name) in [
        (0x000B, property::BURST_ID),
        (0x0011, property::LIVE_PHOTO_ID),
        (0x0015, "image_unique_id"),
    ] {
        if let Some(value) = directory.value(bytes, layout, tag) {
            out.property(name, value.text());
        }
    }
}

fn canon(bytes: &mut dyn Bytes, layout: Layout, place: u64, camera: &Camera<'_>, out: &mut Notes) {
    let Some(directory) = tiff::directory(bytes, layout, place) else {
        return;
    };
    lens(bytes, layout, &directory, 0x0095, "canon:LensModel", out);
    if let Some(owner) = directory.value(bytes, layout, 0x0009) {
        out.property("camera_owner", owner.text());
    }
    // Length, minutes east of UTC, city, minutes of summer time.
    if let Some(zone) = directory.value(bytes, layout, 0x0035)
        && let (Some(minutes), Some(city)) = (zone.signed(1), zone.signed(2))
        && (minutes != 0 || city != 0)
    {
        let summer = zone
            .signed(3)
            .filter(|minutes| (0..=60).contains(minutes))
            .unwrap_or(0);
        zoned(
            camera,
            minutes.saturating_add(summer),
            "canon:TimeZone",
            out,
        );
    }
}

fn nikon(
    bytes: &mut dyn Bytes,
    layout: Layout,
    directory: &Directory,
    camera: &Camera<'_>,
    out: &mut Notes,
) {
    // Shortest and longest focal length, and the widest opening at each.
    if let Some(value) = directory.value(bytes, layout, 0x0084)
        && let (Some(short), Some(long), Some(wide), Some(narrow)) = (
            value.number(0),
            value.number(1),
            value.number(2),
            value.number(3),
        )
        && short > 0.0
        && wide > 0.0
    {
        let range = |from: f64, to: f64| {
            let (from, to) = (super::render_number(from), super::render_number(to));
            if from == to {
                from
            } else {
                format!("{from}-{to}")
            }
        };
        let words = format!("{}mm f/{}", range(short, long), range(wide, narrow));
        out.text(ClaimKind::Lens, &words, "nikon:Lens", 0.6);
    }
    // Minutes east of UTC, then whether it is summer time, whose hour is not in them.
    if let Some(world_time) = directory.value(bytes, layout, 0x0024)
        && let Some(minutes) = crate::bytes::u16_at(&world_time.bytes, 0, layout.endian)
        && let Some(is_summer) = world_time.bytes.get(2)
    {
        let minutes = i64::from(minutes.cast_signed()) + if *is_summer == 1 { 60 } else { 0 };
        zoned(camera, minutes, "nikon:TimeZone", out);
    }
}

fn olympus(bytes: &mut dyn Bytes, layout: Layout, start: u64, out: &mut Notes) {
    let Some(directory) = tiff::directory(bytes, layout, start) else {
        return;
    };
    let Some(equipment) = directory.entry(0x2010) else {
        return;
    };
    // The directory itself, or a pointer to it.
    let offset = if equipment.format == 13 || equipment.len == 4 {
        equipment.value(bytes, layout).unsigned(0)
    } else {
        Some(equipment.at.saturating_sub(layout.base))
    };
    let Some(offset) = offset else { return };
    if let Some(directory) = tiff::directory(bytes, layout, offset) {
        lens(bytes, layout, &directory, 0x0203, "olympus:LensModel", out);
    }
}

fn pentax(bytes: &mut dyn Bytes, layout: Layout, start: u64, out: &mut Notes) {
    let Some(directory) = tiff::directory(bytes, layout, start) else {
        return;
    };
    let date = directory
        .value(bytes, layout, 0x0006)
        .map(|value| value.bytes)
        .unwrap_or_default();
    let time = directory
        .value(bytes, layout, 0x0007)
        .map(|value| value.bytes)
        .unwrap_or_default();
    if let (Some(year), [_, _, month, day, ..], [hour, minute, second, ..]) =
        (be16(&date, 0), date.as_slice(), time.as_slice())
        && let Some(moment) =
            Moment::day(year, *month, *day).and_then(|day| day.at(*hour, *minute, *second))
    {
        out.date(Reading::Moment(moment), "pentax:Date", 0.8);
    }
}

fn kodak(head: &[u8], out: &mut Notes) {
    // The block is in the order of the maker's processor: a year that makes sense tells which.
    let years = [crate::bytes::le16(head, 24), be16(head, 24)];
    let Some(year) = years
        .into_iter()
        .flatten()
        .find(|year| (1990..2100).contains(year))
    else {
        return;
    };
    if let Some([month, day, hour, minute, second, ..]) = head.get(26..)
        && let Some(moment) =
            Moment::day(year, *month, *day).and_then(|day| day.at(*hour, *minute, *second))
    {
        out.date(Reading::Moment(moment), "kodak:DateCreated", 0.8);
    }
}
