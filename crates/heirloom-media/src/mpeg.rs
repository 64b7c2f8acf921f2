//! Films without a table: MPEG program and transport streams (MPG, VOB, TS, MTS), and Flash video.

use heirloom_core::claim::ClaimKind;

use crate::{
    bytes::{be16, be32, be64, find, rest, slice, u8_at},
    moment::{Moment, Reading},
    notes::Notes,
    source::Source,
};

/// How much of beginning and end is searched.
const HEAD: usize = 2 * 1024 * 1024;
const TAIL: usize = 512 * 1024;

/// Ticks of an MPEG clock in a millisecond.
const TICKS_PER_MS: u64 = 90;

/// Reads a transport stream of packets of 188 bytes, or of 192 with a time before each.
pub(crate) fn read_transport(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, HEAD);
    let Some((first, step)) = packets(&head) else {
        out.problem("The film has no readable packets.");
        return;
    };
    let video = payload(rest(&head, first), step);
    out.facts.video_codec = video.codec.map(str::to_owned);
    let found = find(&video.bytes, b"MDPM").map(|at| rest(&video.bytes, at.saturating_add(4)));
    if let Some(pack) = found {
        camcorder(pack, out);
    }
    if video.codec == Some("mpeg2") {
        sequence(&video.bytes, out);
    }
    let tail_at = source.len().saturating_sub(TAIL as u64);
    let tail = source.copy(tail_at, TAIL);
    let last = packets(&tail).and_then(|(at, step)| payload(rest(&tail, at), step).last_time);
    out.facts.duration_ms = elapsed(video.first_time, last);
}

/// Where the packets begin, and how far they are apart.
fn packets(bytes: &[u8]) -> Option<(usize, usize)> {
    (0..400).find_map(|at| {
        [188, 192].into_iter().find_map(|step| {
            let is_start = (0..4).all(|n| u8_at(bytes, at + n * step) == Some(0x47));
            is_start.then_some((at, step))
        })
    })
}

#[derive(Default)]
struct Payload {
    /// Beginning of the pictures' stream, put together from its packets.
    bytes: Vec<u8>,
    codec: Option<&'static str>,
    /// The earliest and the latest time: pictures are not stored in the order in which they are shown.
    first_time: Option<u64>,
    last_time: Option<u64>,
}

fn payload(bytes: &[u8], step: usize) -> Payload {
    let mut found = Payload::default();
    let mut video_id = None;
    for packet in bytes.chunks(step) {
        let (Some(0x47), Some(flags), Some(control)) =
            (u8_at(packet, 0), be16(packet, 1), u8_at(packet, 3))
        else {
            continue;
        };
        let id = flags & 0x1FFF;
        let skip = if control & 0x20 != 0 {
            usize::from(u8_at(packet, 4).unwrap_or(0)) + 5
        } else {
            4
        };
        let body = slice(packet, 0, 188)
            .map(|packet| rest(packet, skip))
            .unwrap_or_default();
        if control & 0x10 == 0 || body.is_empty() {
            continue;
        }
        let begins = flags & 0x4000 != 0;
        // A stream of pictures is told by the number that its parts begin with.
        if begins
            && video_id.is_none()
            && body.starts_with(&[0, 0, 1])
            && matches!(body.get(3), Some(0xE0..=0xEF))
        {
            video_id = Some(id);
        }
        if video_id != Some(id) {
            continue;
        }
        if begins && let Some(time) = presentation_time(body) {
            found.first_time = Some(found.first_time.map_or(time, |first| first.min(time)));
            found.last_time = Some(found.last_time.map_or(time, |last| last.max(time)));
        }
        // In front of the pictures is the head of their packet.
        let data = if begins {
            rest(body, 9 + usize::from(u8_at(body, 8).unwrap_or(0)))
        } else {
            body
        };
        found.bytes.extend_from_slice(data);
    }
    found.codec = if find(&found.bytes, &[0, 0, 1, 0xB3]).is_some() {
        Some("mpeg2")
    } else if found
        .bytes
        .windows(4)
        .any(|w| matches!(w, [0, 0, 1, nal] if nal & 0x1F == 7 && nal & 0x60 != 0))
    {
        Some("h264")
    } else {
        None
    };
    found
}

/// When a packet's picture is to be shown, in ticks.
fn presentation_time(packet: &[u8]) -> Option<u64> {
    (u8_at(packet, 7)? & 0x80 != 0).then_some(())?;
    clock(slice(packet, 9, 5)?)
}

/// Thirty-three bits in five bytes, with marks between.
fn clock(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e] = *bytes else { return None };
    let [a, b, c, d, e] = [a, b, c, d, e].map(u64::from);
    Some((a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

fn elapsed(first: Option<u64>, last: Option<u64>) -> Option<u64> {
    let (first, last) = (first?, last?);
    // The clock starts over after 26 hours.
    let last = if last < first {
        last.saturating_add(1 << 33)
    } else {
        last
    };
    Some((last - first) / TICKS_PER_MS)
}

/// What camcorders write into the pictures (AVCHD): pairs of a number and four bytes.
fn camcorder(pack: &[u8], out: &mut Notes) {
    let pack = unescaped(pack.get(..1024.min(pack.len())).unwrap_or_default());
    let count = usize::from(u8_at(&pack, 0).unwrap_or(0));
    let mut days = None;
    for entry in rest(&pack, 1).chunks_exact(5).take(count) {
        let [number, a, b, c, d] = *entry else { break };
        match number {
            // Zone, century, year, month; then day, hour, minute, second: decimal digits.
            0x18 => days = Some((a, decimal(b), decimal(c), decimal(d))),
            0x19 => {
                let Some((zone, Some(century), Some(year), Some(month))) = days else {
                    continue;
                };
                let (Some(day), Some(hour), Some(minute), Some(second)) =
                    (decimal(a), decimal(b), decimal(c), decimal(d))
                else {
                    continue;
                };
                let year = u16::from(century) * 100 + u16::from(year);
                let moment =
                    Moment::day(year, month, day).and_then(|day| day.at(hour, minute, second));
                let Some(moment) = moment else { continue };
                out.date(
                    Reading::Moment(moment.with_offset(zone_minutes(zone))),
                    "mdpm:DateTimeOriginal",
                    0.92,
                );
            }
            0xE0 => {
                let make = match u16::from_be_bytes([a, b]) {
                    0x0103 => "Panasonic",
                    0x0108 => "Sony",
                    0x1011 => "Canon",
                    0x1104 => "JVC",
                    _ => continue,
                };
                out.text(ClaimKind::CameraMake, make, "mdpm:Make", 0.85);
            }
            _ => {}
        }
    }
}

/// Half hours and hours east or west; all ones where the camera does not know.
fn zone_minutes(zone: u8) -> Option<i16> {
    if zone == 0xFF || zone & 0x1E == 0x1E {
        return None;
    }
    let minutes = i16::from(zone >> 1 & 0x0F) * 60 + if zone & 1 != 0 { 30 } else { 0 };
    let minutes = if zone & 0x20 != 0 { -minutes } else { minutes };
    Some(if zone & 0x40 != 0 {
        minutes + 60
    } else {
        minutes
    })
}

/// Two decimal digits in a byte.
fn decimal(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 15);
    (high < 10 && low < 10).then(|| high * 10 + low)
}

/// Takes out the bytes that keep a decoder from seeing a start where none is.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for byte in bytes {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

/// Reads a program stream, or pictures alone.
pub(crate) fn read_program(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, HEAD);
    sequence(&head, out);
    let first = find(&head, &[0, 0, 1, 0xBA]).and_then(|at| pack_time(rest(&head, at)));
    let tail_at = source.len().saturating_sub(TAIL as u64);
    let tail = source.copy(tail_at, TAIL);
    let last = tail
        .windows(4)
        .rposition(|mark| mark == [0, 0, 1, 0xBA])
        .and_then(|at| pack_time(rest(&tail, at)));
    out.facts.duration_ms = elapsed(first, last).filter(|ms| *ms > 0);
    if out.facts.width.is_none() {
        out.problem("The film has no readable header.");
    }
}

/// The clock of a pack: MPEG-2 has extra bits in between.
fn pack_time(pack: &[u8]) -> Option<u64> {
    let first = u8_at(pack, 4)?;
    if first & 0xC0 == 0x40 {
        let bits = be64(pack, 4)?;
        return Some((bits >> 59 & 7) << 30 | (bits >> 43 & 0x7FFF) << 15 | bits >> 27 & 0x7FFF);
    }
    clock(slice(pack, 4, 5)?)
}

/// Size and rate from the head of a sequence.
fn sequence(bytes: &[u8], out: &mut Notes) {
    const RATES: [f64; 9] = [0.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0];
    let Some(at) = find(bytes, &[0, 0, 1, 0xB3]) else {
        return;
    };
    let head = rest(bytes, at);
    let Some(bits) = be32(head, 4) else { return };
    out.facts.width = Some(bits >> 20).filter(|width| *width > 0);
    out.facts.height = Some(bits >> 8 & 0xFFF).filter(|height| *height > 0);
    let rate = RATES
        .get(crate::bytes::index(u64::from(bits & 15)))
        .copied();
    out.facts.frame_rate = rate.filter(|rate| *rate > 0.0);
    // Only MPEG-2 has an extension of the sequence.
    let is_second = find(
        head.get(..512.min(head.len())).unwrap_or_default(),
        &[0, 0, 1, 0xB5],
    )
    .is_some();
    out.facts.video_codec = Some(if is_second { "mpeg2" } else { "mpeg1" }.to_owned());
}

/// Reads a Flash video: what its script says of it.
pub(crate) fn read_flash(source: &mut Source<'_>, out: &mut Notes) {
    let head = source.copy(0, 64 * 1024);
    let Some(script) = find(&head, b"onMetaData").map(|at| rest(&head, at)) else {
        out.problem("The film does not say what is in it.");
        return;
    };
    let number = |name: &str| {
        let key = [
            &u16::try_from(name.len()).unwrap_or(0).to_be_bytes(),
            name.as_bytes(),
        ]
        .concat();
        let value = rest(script, find(script, &key)?.saturating_add(key.len()));
        (u8_at(value, 0)? == 0).then_some(())?;
        Some(f64::from_bits(be64(value, 1)?)).filter(|number| number.is_finite())
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    let side = |name| {
        number(name)
            .filter(|side| (1.0..1e6).contains(side))
            .map(|side| side as u32)
    };
    out.facts.width = side("width");
    out.facts.height = side("height");
    out.facts.frame_rate = number("framerate").filter(|rate| (0.1..1e4).contains(rate));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked"
    )]
    if let Some(seconds) = number("duration").filter(|seconds| (0.0..1e9).contains(seconds)) {
        out.facts.duration_ms = Some((seconds * 1000.0).round() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camcorder_writes_date_zone_and_make_into_the_pictures() {
        let pack = [
            3, 0x18, 0x02, 0x20, 0x09, 0x07, 0x19, 0x31, 0x23, 0x59, 0x58, 0xE0, 0x01, 0x08, 0, 0,
        ];
        let mut out = Notes::default();
        camcorder(&pack, &mut out);
        let found: Vec<String> = out
            .findings
            .iter()
            .map(|f| f.statement.value().to_json().to_string())
            .collect();
        assert_eq!(found, [r#""2009-07-31T23:59:58+01:00""#, r#""Sony""#]);
    }
}
