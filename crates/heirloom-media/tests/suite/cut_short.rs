//! Pictures whose files end too early, or are broken in part: what is there is shown, and it is said that
//! it is not all.

use heirloom_media::picture::{Limits, Picture, PictureError, Want, decode};

use super::pictures::{bytes_of, type_of};

fn drawn(bytes: &[u8]) -> Result<Picture, PictureError> {
    // Where a file is cut does not change what it is.
    decode(bytes, type_of(bytes), &Limits::default(), Want::default())
}

/// How many rows from the top are those of the whole picture, nearly.
fn rows_like(part: &Picture, whole: &Picture) -> usize {
    let (width, channels) = (whole.width as usize, if part.has_alpha { 4 } else { 3 });
    let rows = part.pixels.chunks(width * channels);
    let rows = rows.zip(whole.pixels.chunks(width * 3));
    let is_alike = |(row, wanted): &(&[u8], &[u8])| {
        let pixels = row.chunks(channels).zip(wanted.chunks(3));
        let far = pixels.flat_map(|(pixel, wanted)| {
            let colours = pixel.iter().zip(wanted);
            colours.map(|(is, should)| usize::from(is.abs_diff(*should)))
        });
        far.sum::<usize>() < width * 3 * 12
    };
    rows.take_while(is_alike).count()
}

#[test]
fn of_a_picture_that_was_cut_short_the_upper_part_is_shown() {
    let cat = drawn(&bytes_of("pictures/chelsea.png")).unwrap();
    assert_eq!(rows_like(&cat, &cat), 106);
    let missing = "The picture's file ends too early; the rest of the picture is missing.";
    let parts = "Parts of the picture are damaged or missing.";
    let dull = "The picture's file ends too early; the picture is not as sharp as it was.";
    // A file, how much of it is left in percent, rows that are there at least, and what is said.
    let cases = [
        ("baseline.jpg", 60, 40, missing),
        ("progressive.jpg", 60, 106, missing),
        ("chelsea.png", 60, 50, parts),
        ("lossy.webp", 30, 16, missing),
        ("lossy.webp", 60, 48, missing),
        ("lossy.webp", 90, 90, missing),
        ("lossless.webp", 60, 50, missing),
        ("plays.webp", 30, 40, missing),
        ("plays.gif", 30, 50, parts),
        ("lossy.jxl", 60, 40, dull),
        ("lossless.jp2", 60, 106, dull),
    ];
    for (name, percent, rows, said) in cases {
        let mut bytes = bytes_of(&format!("pictures/{name}"));
        bytes.truncate(bytes.len() * percent / 100);
        let part = drawn(&bytes).unwrap_or_else(|error| panic!("{name}, {percent} %: {error:?}"));
        assert_eq!((part.width, part.height), (cat.width, cat.height), "{name}");
        let alike = rows_like(&part, &cat);
        assert!(alike >= rows, "{name}, {percent} %: {alike} rows are right");
        let problems: Vec<&str> = part.problems.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(problems, [said], "{name}, {percent} %");
    }
}

#[test]
fn of_what_has_lost_nearly_everything_nothing_is_made_up() {
    for name in ["lossy.webp", "lossless.webp", "baseline.jpg"] {
        let mut bytes = bytes_of(&format!("pictures/{name}"));
        bytes.truncate(bytes.len() / 20);
        match drawn(&bytes) {
            Err(PictureError::Damaged { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_in_a_header_and_harms_nothing_is_overlooked() {
    let picture = drawn(&bytes_of("malformed/pil_truncated_app14.jpg")).unwrap();
    assert_eq!((picture.width, picture.height), (100, 100));
    let first = &picture.pixels[..3];
    let is_flat = picture.pixels.chunks(3).all(|pixel| pixel == first);
    assert!(!is_flat, "there is something to be seen");
}

#[test]
fn what_is_only_not_known_here_is_not_called_damaged() {
    let mut bytes = bytes_of("pictures/lzw.tif");
    // The tag of the compression, one short number: 5 is LZW, 34712 is JPEG 2000.
    let entry = [3, 1, 3, 0, 1, 0, 0, 0, 5, 0];
    let at = bytes
        .windows(10)
        .position(|window| window == entry)
        .unwrap();
    bytes[at + 8..at + 10].copy_from_slice(&34712_u16.to_le_bytes());
    match drawn(&bytes) {
        Err(PictureError::Unsupported { detail }) => assert!(detail.contains("34712"), "{detail}"),
        other => panic!("{other:?}"),
    }
}
