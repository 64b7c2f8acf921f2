//! What is said about a film: QuickTime user data, Apple's keys, iTunes items, makers' blocks.

use heirloom_core::claim::ClaimKind;

use super::{Atom, children, movie};
use crate::{
    bytes::{be16, be32, index, rest, slice},
    exif::{self, Role},
    moment::Moment,
    notes::Notes,
    property,
    source::Source,
    text, xmp,
};

/// The longest text of one tag.
const TEXT_LIMIT: usize = 64 * 1024;

/// Reads a `udta` box.
pub(super) fn user_data(source: &mut Source<'_>, udta: &Atom, out: &mut Notes) {
    for atom in children(source, udta) {
        match &atom.kind {
            b"meta" => movie::meta(source, &atom, out),
            b"XMP_" => xmp::read_embedded(&atom.content(source), out),
            b"uuid" => movie::uuid(source, &atom, out),
            b"TAGS" | b"PENT" | b"thmb" | b"FFMV" | b"MMA0" | b"MMA1" | b"CNDA" | b"CNTH" => {
                maker(
                    &source.copy(atom.at, index(atom.len()).min(TEXT_LIMIT)),
                    out,
                );
            }
            _ => {
                let content = source.copy(atom.at, index(atom.len()).min(TEXT_LIMIT));
                user_text(atom.kind, &content, out);
            }
        }
    }
}

/// One text of the user data: QuickTime's begin with ©, those of 3GPP have a version first.
fn user_text(kind: [u8; 4], content: &[u8], out: &mut Notes) {
    let name = String::from_utf8_lossy(kind.get(1..).unwrap_or_default()).into_owned();
    if kind[0] == 0xA9 {
        // Length and language; where they make no sense the text stands alone.
        let len = be16(content, 0).map_or(0, usize::from);
        let words = match slice(content, 4, len) {
            Some(words) if len > 0 => text::decode(words),
            _ => text::decode(content),
        };
        state(&name, &words, &format!("quicktime:©{name}"), out);
        return;
    }
    let localised = || {
        let words = rest(content, 6);
        if words.starts_with(&[0xFE, 0xFF]) {
            text::decode_utf16(words, crate::bytes::Endian::Big)
        } else {
            text::decode(words)
        }
    };
    match &kind {
        b"titl" => out.text(ClaimKind::Title, &localised(), "3gpp:titl", 0.8),
        b"dscp" => out.text(ClaimKind::Caption, &localised(), "3gpp:dscp", 0.7),
        b"auth" | b"perf" => exif::author(&localised(), "3gpp:auth", out),
        b"cprt" => out.property(property::COPYRIGHT, localised()),
        b"yrrc" => {
            if let Some(year) = be16(content, 4) {
                out.date(Moment::read(&format!("{year:04}")), "3gpp:yrrc", 0.5);
            }
        }
        b"loci" => location(content, out),
        b"manu" => out.text(
            ClaimKind::CameraMake,
            &text::decode(rest(content, 6)),
            "udta:manu",
            0.7,
        ),
        b"modl" => out.text(
            ClaimKind::CameraModel,
            &text::decode(rest(content, 6)),
            "udta:modl",
            0.7,
        ),
        b"date" => out.date(Moment::read(&text::decode(content)), "udta:date", 0.7),
        _ => {}
    }
}

/// Name, role, then longitude, latitude and height in 65536ths.
fn location(content: &[u8], out: &mut Notes) {
    let words = rest(content, 6);
    let end = words
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(words.len());
    let numbers = rest(words, end.saturating_add(2));
    let degrees = |at| be32(numbers, at).map(|bits| f64::from(bits.cast_signed()) / 65_536.0);
    if let (Some(longitude), Some(latitude)) = (degrees(0), degrees(4)) {
        out.position(latitude, longitude, degrees(8), "3gpp:loci", 0.8);
    }
}

/// The names in a `keys` box.
pub(super) fn keys(content: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 8_usize;
    for _ in 0..be32(content, 4).unwrap_or(0).min(1_000) {
        let Some(len) = be32(content, at).map(|len| index(u64::from(len))) else {
            break;
        };
        let name = len
            .checked_sub(8)
            .and_then(|len| slice(content, at.saturating_add(8), len));
        names.push(name.map(text::decode).unwrap_or_default());
        at = at.saturating_add(len.max(8));
    }
    names
}

/// Reads an `ilst` box: items by number of their key, or by their own four characters.
pub(super) fn items(source: &mut Source<'_>, ilst: &Atom, keys: &[String], out: &mut Notes) {
    for item in children(source, ilst) {
        let parts = children(source, &item);
        let Some(data) = super::first(&parts, b"data") else {
            continue;
        };
        let content = source.copy(data.at, index(data.len()).min(TEXT_LIMIT));
        let kind = be32(&content, 0).unwrap_or(0) & 0xFF_FFFF;
        let value = rest(&content, 8);
        let words = match kind {
            1 => text::decode(value),
            2 => text::decode_utf16(value, crate::bytes::Endian::Big),
            21 | 22 => value
                .iter()
                .take(8)
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
                .to_string(),
            0 => text::decode(value),
            _ => continue,
        };
        let number = be32(&item.kind, 0).unwrap_or(0);
        if let Some(key) = index(u64::from(number))
            .checked_sub(1)
            .and_then(|number| keys.get(number))
        {
            keyed(key, &words, out);
        } else if item.kind[0] == 0xA9 {
            let name = String::from_utf8_lossy(item.kind.get(1..).unwrap_or_default()).into_owned();
            state(&name, &words, &format!("mp4:©{name}"), out);
        } else {
            match &item.kind {
                b"desc" | b"ldes" => out.text(ClaimKind::Caption, &words, "mp4:desc", 0.7),
                b"cprt" => out.property(property::COPYRIGHT, words),
                b"keyw" => {
                    for word in words.split([',', ';']) {
                        out.text(ClaimKind::Tag, word, "mp4:keyw", 0.7);
                    }
                }
                _ => {}
            }
        }
    }
}

/// An item by its key, as Apple and Android name them.
fn keyed(key: &str, words: &str, out: &mut Notes) {
    let source = format!("quicktime:{key}");
    let name = key
        .strip_prefix("com.apple.quicktime.")
        .or_else(|| key.strip_prefix("com.android."))
        .or_else(|| key.strip_prefix("mdta"))
        .unwrap_or(key);
    match name {
        "creationdate" => out.date(Moment::read(words), &source, 0.94),
        "location.ISO6709" => iso6709(words, &source, 0.9, out),
        "location.name" => out.text(ClaimKind::Place, words, &source, 0.8),
        "make" | "manufacturer" => out.text(ClaimKind::CameraMake, words, &source, 0.9),
        "model" => out.text(ClaimKind::CameraModel, words, &source, 0.9),
        "software" => out.property(property::SOFTWARE, words),
        "camera.lens_model" => out.text(ClaimKind::Lens, words, &source, 0.9),
        "content.identifier" => out.property(property::LIVE_PHOTO_ID, words),
        "title" | "displayname" => out.text(ClaimKind::Title, words, &source, 0.8),
        "description" | "comment" => out.text(ClaimKind::Caption, words, &source, 0.7),
        "author" | "artist" => exif::author(words, &source, out),
        "copyright" => out.property(property::COPYRIGHT, words),
        "keywords" => {
            for word in words.split([',', ';']) {
                out.text(ClaimKind::Tag, word, &source, 0.7);
            }
        }
        "rating.user" => {
            if let Ok(stars) = words.trim().parse::<f64>()
                && (0.0..=5.0).contains(&stars)
            {
                #[expect(clippy::cast_possible_truncation, reason = "checked")]
                out.number(ClaimKind::Rating, stars.round() as i64, &source, 0.7);
            }
        }
        _ => {}
    }
}

/// A text by the three characters after ©.
fn state(name: &str, words: &str, source: &str, out: &mut Notes) {
    match name {
        "nam" => out.text(ClaimKind::Title, words, source, 0.8),
        "day" => out.date(Moment::read(words), source, 0.85),
        "xyz" => iso6709(words, source, 0.88, out),
        "mak" => out.text(ClaimKind::CameraMake, words, source, 0.88),
        "mod" => out.text(ClaimKind::CameraModel, words, source, 0.88),
        "swr" | "too" | "enc" => out.property(property::SOFTWARE, words),
        "cmt" | "des" | "inf" => out.text(ClaimKind::Caption, words, source, 0.65),
        "ART" | "aut" | "dir" | "prd" => exif::author(words, source, out),
        "cpy" => out.property(property::COPYRIGHT, words),
        "alb" => out.property("album", words),
        "gen" => out.property("genre", words),
        "key" => {
            for word in words.split([',', ';']) {
                out.text(ClaimKind::Tag, word, source, 0.7);
            }
        }
        _ => {}
    }
}

/// Blocks that cameras of the first years wrote: make and model stand at their beginning, dates
/// further in, as plain text.
fn maker(content: &[u8], out: &mut Notes) {
    if movie::is_tiff(content) {
        let mut block = content;
        exif::read(&mut block, Role::Block, out);
        return;
    }
    let make = text::decode(content.get(..24.min(content.len())).unwrap_or_default());
    const MAKES: [&str; 10] = [
        "PENTAX", "OLYMPUS", "KONICA", "MINOLTA", "NIKON", "SANYO", "KODAK", "EASTMAN", "SAMSUNG",
        "RICOH",
    ];
    let upper = make.to_ascii_uppercase();
    if MAKES.iter().any(|known| upper.starts_with(known)) {
        out.text(ClaimKind::CameraMake, &make, "quicktime:TAGS:Make", 0.85);
    }
}

/// A point as ISO 6709 writes it: `+32.0929+034.8620+010/`, degrees with or without minutes.
fn iso6709(words: &str, source: &str, confidence: f32, out: &mut Notes) {
    match parse_iso6709(words) {
        Some((latitude, longitude, altitude)) => {
            out.position(latitude, longitude, altitude, source, confidence);
        }
        None if words.trim().is_empty() => {}
        None => out.problem(format!("{source} has no readable position.")),
    }
}

fn parse_iso6709(words: &str) -> Option<(f64, f64, Option<f64>)> {
    let words = words.trim().trim_end_matches('/');
    let words = words.split("CRS").next()?;
    let mut starts = words
        .char_indices()
        .filter(|(_, c)| matches!(c, '+' | '-'))
        .map(|(at, _)| at);
    let (first, second) = (starts.next()?, starts.next()?);
    let third = starts.next();
    let latitude = sexagesimal(words.get(first..second)?, 2)?;
    let longitude = sexagesimal(words.get(second..third.unwrap_or(words.len()))?, 3)?;
    let altitude = third.and_then(|at| words.get(at..)?.trim_end_matches('/').parse().ok());
    Some((latitude, longitude, altitude))
}

/// Degrees, or degrees and minutes, or all three, run together: how many digits stand before the
/// point tells which.
fn sexagesimal(text: &str, degree_digits: usize) -> Option<f64> {
    let (sign, digits) = text.split_at_checked(1)?;
    let whole = digits.split('.').next()?.len();
    let number = |text: &str| text.parse::<f64>().ok();
    let value = if whole <= degree_digits {
        number(digits)?
    } else if whole == degree_digits + 2 {
        let (degrees, minutes) = digits.split_at_checked(degree_digits)?;
        number(degrees)? + number(minutes)? / 60.0
    } else if whole == degree_digits + 4 {
        let (degrees, others) = digits.split_at_checked(degree_digits)?;
        let (minutes, seconds) = others.split_at_checked(2)?;
        number(degrees)? + number(minutes)? / 60.0 + number(seconds)? / 3600.0
    } else {
        return None;
    };
    value
        .is_finite()
        .then_some(if sign == "-" { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_with_degrees_minutes_and_seconds_run_together() {
        let cases = [
            (
                "+32.0929+034.8620+010.5/",
                Some((32.0929, 34.862, Some(10.5))),
            ),
            ("+48.8577-002.2950/", Some((48.8577, -2.295, None))),
            ("-4030.5+07400.25/", Some((-40.508_333, 74.004_166, None))),
            ("+123456+1234030/", Some((12.582_222, 123.675, None))),
            ("+1+2+3CRSWGS_84/", Some((1.0, 2.0, Some(3.0)))),
            ("nowhere", None),
            ("+1", None),
        ];
        for (words, point) in cases {
            let read = parse_iso6709(words);
            let is_right = match (read, point) {
                (Some(a), Some(b)) => {
                    (a.0 - b.0).abs() < 1e-5 && (a.1 - b.1).abs() < 1e-5 && a.2 == b.2
                }
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(is_right, "{words}: {read:?}");
        }
    }
}
