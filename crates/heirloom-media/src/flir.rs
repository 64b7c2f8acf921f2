//! The records that FLIR thermal cameras add to a JPEG: they alone know when and where it was.
//!
//! After the public description by exiftool.

use crate::{
    bytes::{Endian, index, le32, slice, u16_at, u32_at, u64_at},
    moment::{Moment, Reading},
    notes::Notes,
    text,
};

const CAMERA: u16 = 0x20;
const GPS: u16 = 0x2B;

/// Where the date lies in the camera's record.
const DATE_AT: usize = 900;

/// Reads the records of a block.
pub(crate) fn read(block: &[u8], out: &mut Notes) {
    if !block.starts_with(b"FFF\0") {
        return;
    }
    // The version is small when read in the right order.
    let endian = match u32_at(block, 0x14, Endian::Big) {
        Some(version) if (100..200).contains(&version) => Endian::Big,
        _ => Endian::Little,
    };
    let (Some(start), Some(count)) = (u32_at(block, 0x18, endian), u32_at(block, 0x1C, endian))
    else {
        return;
    };
    for number in 0..index(u64::from(count.min(100))) {
        let at = index(u64::from(start)).saturating_add(number.saturating_mul(0x20));
        let Some(kind) = u16_at(block, at, endian) else {
            break;
        };
        let (Some(offset), Some(len)) = (
            u32_at(block, at.saturating_add(12), endian),
            u32_at(block, at.saturating_add(16), endian),
        ) else {
            break;
        };
        let record = slice(block, index(u64::from(offset)), index(u64::from(len)));
        match (kind, record) {
            (CAMERA, Some(record)) => camera(record, out),
            (GPS, Some(record)) => gps(record, out),
            _ => {}
        }
    }
}

/// Seconds since 1970 UTC, thousandths, and minutes west of UTC.
fn camera(record: &[u8], out: &mut Notes) {
    let (Some(seconds), Some(west)) = (
        le32(record, DATE_AT),
        u16_at(record, DATE_AT + 8, Endian::Little),
    ) else {
        return;
    };
    let east = west.cast_signed().checked_neg().unwrap_or(0);
    if seconds == 0 || east.unsigned_abs() > 14 * 60 {
        return;
    }
    let local = i64::from(seconds).saturating_add(i64::from(east) * 60);
    if let Some(moment) = Moment::from_unix(local) {
        let moment = moment.with_offset(Some(east));
        out.date(Reading::Moment(moment), "flir:DateTimeOriginal", 0.9);
    }
}

fn gps(record: &[u8], out: &mut Notes) {
    let side = |at: usize| text::decode(slice(record, at, 2).unwrap_or_default());
    let degrees = |at: usize| u64_at(record, at, Endian::Little).map(f64::from_bits);
    if u32_at(record, 0, Endian::Little).is_none_or(|is_valid| is_valid == 0) {
        return;
    }
    if let (Some(latitude), Some(longitude)) = (degrees(0x10), degrees(0x18)) {
        let signed =
            |degrees: f64, is_negative: bool| if is_negative { -degrees.abs() } else { degrees };
        let latitude = signed(latitude, side(8).starts_with('S'));
        let longitude = signed(longitude, side(10).starts_with('W'));
        let altitude = slice(record, 0x20, 4)
            .and_then(|_| u32_at(record, 0x20, Endian::Little))
            .map(|bits| f64::from(f32::from_bits(bits)));
        out.position(latitude, longitude, altitude, "flir:GPS", 0.9);
    }
}
