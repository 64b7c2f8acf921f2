//! The few EXIF tags that a test needs, as the payload of an APP1 segment (CIPA DC-008).

use super::Options;

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// One entry of a directory: tag, type, number of values, and the values in little endian.
struct Tag(u16, u16, u32, Vec<u8>);

/// The payload, or nothing when there is nothing to say.
pub(super) fn exif(options: &Options) -> Vec<u8> {
    let mut main = Vec::new();
    main.extend(options.make.as_deref().map(|make| text(0x010F, make)));
    main.extend(options.model.as_deref().map(|model| text(0x0110, model)));
    main.extend(
        options
            .orientation
            .map(|turn| Tag(0x0112, SHORT, 1, turn.to_le_bytes().into())),
    );
    let mut photo = Vec::new();
    photo.extend(options.taken.as_deref().map(|taken| text(0x9003, taken)));
    photo.extend(options.taken.as_deref().map(|taken| text(0x9004, taken)));
    photo.extend(options.offset.as_deref().map(|offset| text(0x9011, offset)));
    let gps = options.position.map(position).unwrap_or_default();
    if main.is_empty() && photo.is_empty() && gps.is_empty() {
        return Vec::new();
    }

    let pointers = u32::from(!photo.is_empty()) + u32::from(!gps.is_empty());
    let photo_at = 8 + size(&main) + 12 * pointers;
    let gps_at = photo_at + if photo.is_empty() { 0 } else { size(&photo) };
    if !photo.is_empty() {
        main.push(Tag(0x8769, LONG, 1, photo_at.to_le_bytes().into()));
    }
    if !gps.is_empty() {
        main.push(Tag(0x8825, LONG, 1, gps_at.to_le_bytes().into()));
    }
    let mut payload = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
    write(&mut payload, &main, 8);
    if !photo.is_empty() {
        write(&mut payload, &photo, photo_at);
    }
    if !gps.is_empty() {
        write(&mut payload, &gps, gps_at);
    }
    payload
}

fn text(tag: u16, text: &str) -> Tag {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    Tag(
        tag,
        ASCII,
        u32::try_from(bytes.len()).expect("a short text"),
        bytes,
    )
}

fn position((latitude, longitude): (f64, f64)) -> Vec<Tag> {
    let reference =
        |tag, value: f64, letters: [&str; 2]| text(tag, letters[usize::from(value < 0.0)]);
    vec![
        reference(1, latitude, ["N", "S"]),
        Tag(2, RATIONAL, 3, degrees(latitude)),
        reference(3, longitude, ["E", "W"]),
        Tag(4, RATIONAL, 3, degrees(longitude)),
    ]
}

/// Degrees, minutes and seconds to a ten-thousandth, as three fractions.
fn degrees(value: f64) -> Vec<u8> {
    let seconds = (value.abs() * 3600.0 * 10_000.0).round() as u64;
    let minutes = seconds / 600_000;
    [minutes / 60, 1, minutes % 60, 1, seconds % 600_000, 10_000]
        .iter()
        .flat_map(|part| (*part as u32).to_le_bytes())
        .collect()
}

/// Bytes that a directory takes with the values that do not fit into its entries.
fn size(tags: &[Tag]) -> u32 {
    let outside = tags.iter().map(|tag| outside(&tag.3)).sum::<usize>();
    u32::try_from(2 + 12 * tags.len() + 4 + outside).expect("a small directory")
}

fn outside(value: &[u8]) -> usize {
    if value.len() > 4 {
        value.len().next_multiple_of(2)
    } else {
        0
    }
}

/// Appends a directory that starts `at` bytes into the TIFF part.
fn write(payload: &mut Vec<u8>, tags: &[Tag], at: u32) {
    let mut tail = Vec::new();
    let tail_at = at as usize + 2 + 12 * tags.len() + 4;
    payload.extend((tags.len() as u16).to_le_bytes());
    for Tag(tag, kind, count, value) in tags {
        payload.extend(tag.to_le_bytes());
        payload.extend(kind.to_le_bytes());
        payload.extend(count.to_le_bytes());
        if value.len() > 4 {
            payload.extend(((tail_at + tail.len()) as u32).to_le_bytes());
            tail.extend(value);
            tail.resize(tail.len().next_multiple_of(2), 0);
        } else {
            payload.extend(value);
            payload.extend(&[0; 4][value.len()..]);
        }
    }
    payload.extend([0; 4]);
    payload.extend(tail);
}
