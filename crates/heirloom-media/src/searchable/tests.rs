use heirloom_core::reading::{Block, Line};

use super::*;
use crate::{
    document::Pages,
    file_type as types,
    picture::{Limits, Picture},
};

fn about() -> About {
    About {
        title: "Karl & <Anna>".to_owned(),
        language: Some("de".to_owned()),
        made_at_s: -800_000_000,
        id: [7; 16],
        program: "a test".to_owned(),
    }
}

/// Stored from the top left with the clock: red, green, blue, white.
const COLOURS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

fn picture() -> Picture {
    let (width, height) = (64_u32, 32_u32);
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| {
            let corner = match (x < width / 2, y < height / 2) {
                (true, true) => 0,
                (false, true) => 1,
                (false, false) => 2,
                (true, false) => 3,
            };
            COLOURS[corner]
        })
    });
    Picture {
        width,
        height,
        pixels: pixels.collect(),
        has_alpha: false,
        is_animated: false,
        pages: 1,
        problems: Vec::new(),
    }
}

fn document(sheets: &[Sheet], read: &Read) -> Vec<u8> {
    let mut document = Searchable::begin(about());
    let mut bytes = Vec::new();
    for sheet in sheets {
        bytes.extend(document.add(sheet, read));
    }
    bytes.extend(document.finish());
    bytes
}

/// Which of the colours is in each corner of a page, from the top left with the clock.
fn corners(pages: &Pages, page: u32) -> [usize; 4] {
    let drawn = pages.pixels(page, 200, &Limits::default()).unwrap();
    let (width, height) = (drawn.width as usize, drawn.height as usize);
    let at = |x: usize, y: usize| {
        let pixel = &drawn.pixels[(y * width + x) * 3..][..3];
        let far = |colour: &[u8; 3]| -> u32 {
            let parts = colour.iter().zip(pixel);
            parts.map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
        };
        (0..4).min_by_key(|colour| far(&COLOURS[*colour])).unwrap()
    };
    let (left, right) = (width / 8, width * 7 / 8);
    let (top, bottom) = (height / 8, height * 7 / 8);
    [
        at(left, top),
        at(right, top),
        at(right, bottom),
        at(left, bottom),
    ]
}

#[test]
fn a_picture_is_shown_as_its_orientation_says() {
    let shown = [
        [0, 1, 2, 3],
        [1, 0, 3, 2],
        [2, 3, 0, 1],
        [3, 2, 1, 0],
        [0, 3, 2, 1],
        [3, 0, 1, 2],
        [2, 1, 0, 3],
        [1, 2, 3, 0],
    ];
    let stored = Sheet::of_pixels(picture()).unwrap();
    assert_eq!(stored.form, Form::Colour);
    let sheets: Vec<Sheet> = (1..=8)
        .map(|orientation| Sheet {
            orientation,
            ..stored.clone()
        })
        .collect();
    let bytes = document(&sheets, &Read::default());
    let pages = Pages::open(bytes, types::PDF).unwrap();
    assert_eq!(pages.count(), 8);
    for (page, expected) in (1..).zip(shown) {
        assert_eq!(corners(&pages, page), expected, "orientation {page}");
    }
}

#[test]
fn black_and_white_is_packed_without_loss_and_words_are_read_back() {
    let mut bits = picture();
    for pixel in bits.pixels.chunks_mut(3) {
        let level = if pixel[0] == 255 { 255 } else { 0 };
        pixel.fill(level);
    }
    let sheet = Sheet::of_pixels(bits).unwrap();
    assert_eq!(sheet.form, Form::Bits);
    let line = |text: &str, top: f32| {
        Line::of_text(text, Some(Corners::of_rectangle([0.1, top, 0.8, 0.1])))
    };
    let read = Read {
        blocks: vec![Block {
            lines: vec![line("Grüße aus дом", 0.2), line("\u{feff}港の\0町", 0.5)],
        }],
        ..Read::default()
    };
    let sheets = [sheet.clone(), sheet];
    let bytes = document(&sheets, &read);
    assert_eq!(bytes, document(&sheets, &read), "the same gives the same");
    let pages = Pages::open(bytes, types::PDF).unwrap();
    let text = pages.layer(2).unwrap().text;
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words, ["Grüße", "aus", "дом", "港の町"]);
    let drawn = pages.pixels(1, 200, &Limits::default()).unwrap();
    assert_eq!(&drawn.pixels[..3], [255; 3]);
}

#[test]
fn moments_are_those_of_the_calendar() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00+00:00"),
        (951_782_399, "2000-02-28T23:59:59+00:00"),
        (951_868_799, "2000-02-29T23:59:59+00:00"),
        (-800_000_000, "1944-08-25T17:46:40+00:00"),
    ] {
        assert_eq!(Moment::of(seconds).text(), text);
    }
}
