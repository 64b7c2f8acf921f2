//! Every format shows the picture that another program showed: upright, in its colours.

use std::{fs, io::Cursor};

use heirloom_media::{
    FileType,
    picture::{
        Limits, Picture, PictureError, Rendered, RenditionKind, Want, decode, render, render_pixels,
    },
    sniff,
};
use heirloom_testing::media::{malformed, media};

/// Pictures are compared by the colours of so many cells across and down.
const CELLS: (usize, usize) = (16, 10);

pub(crate) fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(media(name)).unwrap()
}

pub(crate) fn type_of(bytes: &[u8]) -> FileType {
    sniff(&mut Cursor::new(bytes), "a").unwrap()
}

fn drawn(bytes: &[u8]) -> Rendered {
    render(bytes, type_of(bytes), &Limits::default()).unwrap()
}

pub(crate) fn pixels(bytes: &[u8]) -> Picture {
    decode(bytes, type_of(bytes), &Limits::default(), Want::default()).unwrap()
}

/// The mean colour of each cell, on white paper.
fn cells(picture: &Picture) -> Vec<f64> {
    let channels = if picture.has_alpha { 4 } else { 3 };
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut sums = vec![[0.0; 4]; CELLS.0 * CELLS.1];
    for (number, pixel) in picture.pixels.chunks(channels).enumerate() {
        let cell = number % width * CELLS.0 / width + number / width * CELLS.1 / height * CELLS.0;
        let alpha = pixel.get(3).map_or(1.0, |alpha| f64::from(*alpha) / 255.0);
        for channel in 0..3 {
            sums[cell][channel] += f64::from(pixel[channel]) * alpha + 255.0 * (1.0 - alpha);
        }
        sums[cell][3] += 1.0;
    }
    let colours = sums
        .iter()
        .flat_map(|sum| [0, 1, 2].map(|c| sum[c] / sum[3]));
    colours.collect()
}

/// How far two pictures are from each other, of 255.
pub(crate) fn distance(a: &Picture, b: &Picture) -> f64 {
    let (a, b) = (cells(a), cells(b));
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64
}

/// Holds that all renditions of a file are near to the reference.
fn shows(name: &str, bytes: &[u8], file_type: FileType, reference: &Picture, tolerance: f64) {
    let rendered = render(bytes, file_type, &Limits::default())
        .unwrap_or_else(|error| panic!("{name}: {error} {error:?}"));
    assert_eq!(rendered.problems, [], "{name}");
    for rendition in &rendered.renditions {
        // Pixel by pixel and not made fast, the largest take too long.
        if rendition.width > 2000 {
            continue;
        }
        let seen = pixels(&rendition.bytes);
        assert_eq!(
            (seen.width, seen.height),
            (rendition.width, rendition.height)
        );
        assert_eq!(type_of(&rendition.bytes).media_type, rendition.media_type);
        let distance = distance(&seen, reference);
        let kind = rendition.kind;
        assert!(
            distance < tolerance,
            "{name}, {kind:?}: {distance:.2} of {tolerance}"
        );
    }
    let has_full = rendered.renditions.len() == 3;
    assert_eq!(
        has_full,
        !heirloom_media::picture::is_shown_by_browsers(file_type),
        "{name}"
    );
    let shape = |width: u32, height: u32| f64::from(width) / f64::from(height);
    let (own, wanted) = (
        shape(rendered.width, rendered.height),
        shape(reference.width, reference.height),
    );
    assert!((own / wanted - 1.0).abs() < 0.03, "{name}: {own} {wanted}");
}

#[test]
fn a_reference_tells_a_turned_or_discoloured_picture_from_the_right_one() {
    let cat = pixels(&bytes_of("pictures/chelsea.png"));
    let turned = |change: &dyn Fn(usize, usize) -> (usize, usize)| {
        let mut other = cat.clone();
        let (width, height) = (cat.width as usize, cat.height as usize);
        for (number, pixel) in other.pixels.chunks_mut(3).enumerate() {
            let (x, y) = change(number % width, number / width);
            let from = (y.min(height - 1) * width + x.min(width - 1)) * 3;
            pixel.copy_from_slice(&cat.pixels[from..from + 3]);
        }
        distance(&cat, &other)
    };
    let (width, height) = (cat.width as usize, cat.height as usize);
    assert!(turned(&|x, y| (width - 1 - x, y)) > 15.0);
    assert!(turned(&|x, y| (x, height - 1 - y)) > 15.0);
    assert!(turned(&|x, y| (width - 1 - x, height - 1 - y)) > 15.0);
    let mut blue = cat.clone();
    blue.pixels.chunks_mut(3).for_each(|pixel| pixel.swap(0, 2));
    assert!(distance(&cat, &blue) > 30.0);
}

#[test]
fn the_cat_is_the_same_in_every_format() {
    let cat = pixels(&bytes_of("pictures/chelsea.png"));
    let cases = [
        ("chelsea.png", 2.0),
        ("baseline.jpg", 2.0),
        ("progressive.jpg", 2.0),
        ("inks.jpg", 3.0),
        ("sixteen_bits.png", 2.0),
        ("palette.png", 3.0),
        ("plays_png.png", 2.5),
        ("lossy.webp", 2.5),
        ("lossless.webp", 2.0),
        ("plays.webp", 2.5),
        ("plays.gif", 4.0),
        ("lzw.tif", 2.0),
        ("palette.tif", 3.0),
        ("inks.tif", 3.0),
        ("sixteen_bits.tif", 2.0),
        ("jpeg.tif", 2.5),
        ("planes.tif", 2.0),
        ("lab.tif", 3.0),
        ("webp.tif", 2.5),
        ("zstd.tif", 2.0),
        ("pages.tif", 2.0),
        ("held_sideways.tif", 2.0),
        ("plain.bmp", 2.0),
        ("palette.bmp", 3.0),
        ("icon.ico", 3.0),
        ("heic.heic", 2.5),
        ("avif.avif", 2.5),
        ("lossy.jxl", 2.5),
        ("lossless.jxl", 2.0),
        ("plays.jxl", 3.0),
        ("held_sideways.jxl", 2.5),
        ("lossless.jp2", 2.0),
        ("lossy.j2k", 3.0),
        ("held_sideways.jpg", 2.0),
        ("orientation_2.jpg", 2.0),
        ("orientation_3.jpg", 2.0),
        ("orientation_4.jpg", 2.0),
        ("orientation_5.jpg", 2.0),
        ("orientation_7.jpg", 2.0),
        ("orientation_8.jpg", 2.0),
    ];
    for (name, tolerance) in cases {
        let bytes = bytes_of(&format!("pictures/{name}"));
        shows(name, &bytes, type_of(&bytes), &cat, tolerance);
        let rendered = drawn(&bytes);
        assert_eq!(rendered.is_animated, name.starts_with("plays"), "{name}");
        assert_eq!(
            rendered.pages,
            if name == "pages.tif" { 2 } else { 1 },
            "{name}"
        );
    }
}

#[test]
fn a_fax_is_black_on_white() {
    let reference = pixels(&bytes_of("pictures/fax_reference.png"));
    for name in ["fax.tif", "fax_rows.tif", "fax_t4.tif", "fax_t4_2d.tif"] {
        let bytes = bytes_of(&format!("pictures/{name}"));
        shows(name, &bytes, type_of(&bytes), &reference, 3.0);
    }
}

#[test]
fn what_is_clear_is_white_paper_in_jpeg_and_stays_clear_in_webp() {
    let reference = pixels(&bytes_of("pictures/on_white.png"));
    for name in [
        "clear.png",
        "clear.webp",
        "clear.gif",
        "clear.tif",
        "clear.jxl",
        "clear.heic",
        "clear.avif",
        "clear.jp2",
    ] {
        let bytes = bytes_of(&format!("pictures/{name}"));
        shows(name, &bytes, type_of(&bytes), &reference, 4.0);
        for rendition in drawn(&bytes).renditions {
            let is_jpeg = rendition.kind == RenditionKind::Screen;
            assert_eq!(pixels(&rendition.bytes).has_alpha, !is_jpeg, "{name}");
        }
    }
}

#[test]
fn pictures_of_telephones_and_cameras_are_what_other_programs_show() {
    let cases = [
        ("sample/2020/IMG_2927.HEIC", "IMG_2927"),
        ("sample/Old books/1783 balloon.jp2", "balloon"),
        ("sample/2014 Sugar shack/HNI_0015.MPO", "sugar"),
        ("pictures/pil_rot1mir0.avif", "pil_rot1mir0"),
        ("pictures/pil_rot3mir1.avif", "pil_rot3mir1"),
    ];
    for (name, reference) in cases {
        let reference = pixels(&bytes_of(&format!("pictures/{reference}_reference.png")));
        let bytes = bytes_of(name);
        shows(name, &bytes, type_of(&bytes), &reference, 4.0);
    }
}

#[test]
fn each_page_of_a_letter_can_be_drawn() {
    let bytes = bytes_of("pictures/pages.tif");
    let cat = pixels(&bytes_of("pictures/chelsea.png"));
    let page = |page| {
        let want = Want {
            page,
            longest_side: None,
        };
        decode(&bytes, type_of(&bytes), &Limits::default(), want)
    };
    assert!(distance(&page(0).unwrap(), &cat) < 1.0);
    let negative = page(1).unwrap();
    assert!(distance(&negative, &cat) > 40.0);
    assert_eq!(page(2), Err(PictureError::NoSuchPage));
    let rendered = render_pixels(negative.clone(), true, &Limits::default()).unwrap();
    let kinds: Vec<RenditionKind> = rendered.renditions.iter().map(|one| one.kind).collect();
    assert_eq!(
        kinds,
        [
            RenditionKind::Grid,
            RenditionKind::Screen,
            RenditionKind::Full
        ]
    );
    assert!(distance(&pixels(&rendered.renditions[2].bytes), &negative) < 2.0);
}

#[test]
fn colours_of_a_wide_profile_become_those_of_srgb() {
    // Half red in a telephone's colours is redder than half red.
    let icc = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let plain = drawn_jpeg(&[128, 60, 60]);
    let body = [b"ICC_PROFILE\0\x01\x01", icc.as_slice()].concat();
    let segment = super::bytes::segment(0xE2, &[&body]);
    let wide = [&plain[..2], &segment, &plain[2..]].concat();
    let (plain, wide) = (pixels(&plain), pixels(&wide));
    assert!(plain.pixels[0].abs_diff(128) < 3);
    assert!(
        wide.pixels[0] > 134 && wide.pixels[1] < 60,
        "{:?}",
        &wide.pixels[..3]
    );
}

/// A JPEG of one colour, as the screen rendition of it.
fn drawn_jpeg(colour: &[u8; 3]) -> Vec<u8> {
    let picture = Picture {
        width: 16,
        height: 16,
        pixels: colour.repeat(256),
        has_alpha: false,
        is_animated: false,
        pages: 1,
        problems: Vec::new(),
    };
    let rendered = render_pixels(picture, false, &Limits::default()).unwrap();
    rendered.renditions[1].bytes.clone()
}

/// A TIFF structure of the given beginning with entries of one number, and files that lie behind it: a value
/// of `None` is where the first of these begins.
fn raw_tiff(magic: &[u8; 4], entries: &[(u16, Option<u32>)], files: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [&magic[..], &8_u32.to_le_bytes()].concat();
    let behind = 8 + 2 + entries.len() as u32 * 12 + 4;
    bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.unwrap_or(behind).to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(files.concat());
    bytes
}

#[test]
fn of_a_camera_raw_the_picture_within_it_is_shown_as_the_camera_was_held() {
    let cat = pixels(&bytes_of("pictures/chelsea.png"));
    let sideways = bytes_of("pictures/sideways_plain.jpg");
    let upright = bytes_of("pictures/baseline.jpg");
    let small = drawn_jpeg(&[0, 0, 255]);
    let len = sideways.len() as u32;
    // The orientation, and the JPEG as a thumbnail or as a strip.
    let thumbnail = [(0x0112, Some(6)), (0x0201, None), (0x0202, Some(len))];
    let strip = [
        (0x0103, Some(6)),
        (0x0111, None),
        (0x0112, Some(6)),
        (0x0117, Some(len)),
    ];
    let elsewhere = [(0x0112, Some(6))];
    let noise = [0x55; 64];
    let sub = {
        // A directory within the directory, as Nikon and Adobe have it.
        let first = 8 + 2 + 2 * 12 + 4;
        let inner = [(0x0201_u16, first + 2 + 12 + 4)];
        let mut bytes = raw_tiff(b"II*\0", &[(0x0112, Some(6)), (0x014A, Some(first))], &[]);
        bytes.extend(1_u16.to_le_bytes());
        for (tag, value) in inner {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend([0; 4]);
        bytes.extend(&sideways);
        bytes
    };
    let fuji = {
        let mut head = b"FUJIFILMCCD-RAW 0201FF383501".to_vec();
        head.resize(84, 0);
        head.extend(108_u32.to_be_bytes());
        head.resize(108, 0);
        [head, bytes_of("pictures/held_sideways.jpg")].concat()
    };
    let canon = [
        super::bytes::atom(b"ftyp", &[b"crx ", &[0; 4]]),
        super::bytes::atom(b"moov", &[&[0; 8]]),
        super::bytes::atom(b"uuid", &[&[7; 16], b"\0\0\0\0PRVW", &upright]),
        super::bytes::atom(b"mdat", &[&noise]),
    ]
    .concat();
    let minolta = {
        // The first byte of its preview is not a JPEG's.
        let block = [&[0xFE], &upright[1..]].concat();
        let block = strip_to_tables(&block);
        let len = u32::try_from(block.len()).unwrap().to_be_bytes();
        let blocks = [b"\0TTW", &len[..], &block].concat();
        let all = u32::try_from(blocks.len()).unwrap().to_be_bytes();
        [b"\0MRM", &all[..], &blocks, &noise].concat()
    };
    let sigma = {
        let mut bytes = b"FOVb".to_vec();
        bytes.resize(40, 0);
        let at = bytes.len() as u32;
        bytes.extend(b"SECi");
        bytes.resize(at as usize + 28, 0);
        bytes.extend(&upright);
        let list = bytes.len() as u32;
        let len = list - at;
        bytes.extend([b"SECd", &[0, 0, 2, 0][..], &1_u32.to_le_bytes()].concat());
        bytes.extend([&at.to_le_bytes()[..], &len.to_le_bytes(), b"IMA2"].concat());
        bytes.extend(list.to_le_bytes());
        bytes
    };
    let cases = [
        (
            "Canon CR2",
            raw_tiff(b"II*\0", &strip, &[&sideways, &small]),
        ),
        ("Canon CR3", canon),
        ("Nikon NEF", sub.clone()),
        (
            "Sony ARW",
            raw_tiff(b"II*\0", &thumbnail, &[&sideways, &noise]),
        ),
        ("DNG", sub),
        (
            "Olympus ORF",
            raw_tiff(b"IIRO", &elsewhere, &[&noise, &small, &noise, &sideways]),
        ),
        (
            "Panasonic RW2",
            raw_tiff(b"IIU\0", &elsewhere, &[&noise, &sideways]),
        ),
        ("Fujifilm RAF", fuji),
        (
            "Pentax PEF",
            raw_tiff(b"II*\0", &elsewhere, &[&small, &sideways]),
        ),
        ("Samsung SRW", raw_tiff(b"II*\0", &thumbnail, &[&sideways])),
        ("Minolta MRW", minolta),
        ("Sigma X3F", sigma),
    ];
    for (name, bytes) in cases {
        let file_type = FileType::by_name(name).unwrap();
        shows(name, &bytes, file_type, &cat, 2.5);
    }
    let empty = raw_tiff(b"II*\0", &elsewhere, &[&noise]);
    let answer = render(
        &empty,
        FileType::by_name("DNG").unwrap(),
        &Limits::default(),
    );
    assert_eq!(answer, Err(PictureError::NoPreview));
}

/// A JPEG without the application's segments before its tables.
fn strip_to_tables(jpeg: &[u8]) -> Vec<u8> {
    let at = jpeg.windows(2).position(|two| two == [0xFF, 0xDB]).unwrap();
    [&jpeg[..2], &jpeg[at..]].concat()
}

#[test]
fn of_a_file_that_ends_early_the_upper_part_is_shown_and_it_is_said() {
    let cat = pixels(&bytes_of("pictures/chelsea.png"));
    let third = |picture: &Picture, number: usize| {
        let rows = picture.height as usize / 3;
        let row = picture.width as usize * if picture.has_alpha { 4 } else { 3 };
        let mut part = picture.clone();
        part.height = rows as u32;
        part.pixels = picture.pixels[number * rows * row..(number + 1) * rows * row].to_vec();
        part
    };
    // A BMP is stored from the bottom up.
    let cases = [
        ("baseline.jpg", 1.0, 0),
        ("chelsea.png", 1.0, 0),
        ("plays.gif", 0.5, 0),
        ("plain.bmp", 1.0, 2),
    ];
    for (name, share, number) in cases {
        let bytes = bytes_of(&format!("pictures/{name}"));
        let file_type = type_of(&bytes);
        let cut = &bytes[..(bytes.len() as f64 * share * 0.66) as usize];
        let picture = decode(cut, file_type, &Limits::default(), Want::default())
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let distance = distance(&third(&picture, number), &third(&cat, number));
        assert!(distance < 5.0, "{name}: {distance}");
        assert_eq!(picture.problems.len(), 1, "{name}");
    }
    // A TIFF has its directory at the end, without which nothing of it can be found.
    let bytes = bytes_of("pictures/lzw.tif");
    let answer = render(
        &bytes[..bytes.len() / 2],
        type_of(&bytes),
        &Limits::default(),
    );
    assert!(
        matches!(answer, Err(PictureError::Damaged { .. })),
        "{answer:?}"
    );
}

#[test]
fn a_picture_cut_anywhere_is_shown_in_part_or_refused_in_words() {
    for name in [
        "progressive.jpg",
        "palette.png",
        "plays.webp",
        "plays.gif",
        "jpeg.tif",
        "palette.bmp",
        "icon.ico",
        "heic.heic",
        "clear.avif",
        "lossy.jxl",
        "lossy.j2k",
    ] {
        let bytes = bytes_of(&format!("pictures/{name}"));
        let file_type = type_of(&bytes);
        for part in 0..12 {
            let cut = &bytes[..bytes.len() * part / 12];
            match render(cut, file_type, &Limits::default()) {
                Ok(rendered) => assert_eq!(rendered.renditions[0].kind, RenditionKind::Grid),
                Err(error) => assert!(error.to_string().ends_with('.'), "{name}: {error}"),
            }
        }
    }
}

#[test]
fn broken_pictures_end_with_a_picture_or_with_words() {
    for file in malformed() {
        let bytes = fs::read(&file.path).unwrap();
        let file_type = sniff(&mut Cursor::new(&bytes), &file.name).unwrap();
        if let Err(error) = render(&bytes, file_type, &Limits::default()) {
            assert!(error.to_string().ends_with('.'), "{}: {error}", file.name);
        }
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_opened() {
    let bomb = bytes_of("malformed/png_60000x60000.png");
    let answer = render(&bomb, type_of(&bomb), &Limits::default());
    assert!(
        matches!(
            answer,
            Err(PictureError::TooLarge {
                width: 60_000,
                height: 60_000,
                ..
            })
        ),
        "{answer:?}"
    );
    let limits = Limits {
        pixels: 160 * 106 - 1,
        ..Limits::default()
    };
    for name in [
        "baseline.jpg",
        "chelsea.png",
        "lossy.webp",
        "plays.gif",
        "lzw.tif",
        "plain.bmp",
        "heic.heic",
        "avif.avif",
        "lossy.jxl",
        "lossless.jp2",
    ] {
        let bytes = bytes_of(&format!("pictures/{name}"));
        let answer = render(&bytes, type_of(&bytes), &limits);
        assert!(
            matches!(answer, Err(PictureError::TooLarge { .. })),
            "{name}: {answer:?}"
        );
    }
    let limits = Limits {
        output_bytes: 1000,
        ..Limits::default()
    };
    let bytes = bytes_of("pictures/baseline.jpg");
    let answer = render(&bytes, type_of(&bytes), &limits);
    assert_eq!(answer, Err(PictureError::TooMuchOutput));
}

#[test]
fn a_large_photograph_is_shown_in_its_two_sizes_and_twice_the_same() {
    let bytes = bytes_of("sample/2019/20190926_163800.jpg");
    let rendered = drawn(&bytes);
    let sizes: Vec<(RenditionKind, u32)> = rendered
        .renditions
        .iter()
        .map(|one| (one.kind, one.width.max(one.height)))
        .collect();
    assert_eq!(
        sizes,
        [(RenditionKind::Grid, 250), (RenditionKind::Screen, 1440)]
    );
    assert!((10..40).contains(&rendered.thumbhash.len()));
    assert_eq!(rendered, drawn(&bytes));
    let other = drawn(&bytes_of("pictures/baseline.jpg"));
    assert!((rendered.perceptual_hash ^ other.perceptual_hash).count_ones() > 12);
    let same = drawn(&bytes_of("pictures/lossy.webp"));
    assert!((same.perceptual_hash ^ other.perceptual_hash).count_ones() <= 4);
}

#[test]
fn what_is_no_picture_to_draw_is_said_to_be_kept() {
    let script = bytes_of("malformed/script.svg");
    let error = render(&script, type_of(&script), &Limits::default()).unwrap_err();
    assert_eq!(error, PictureError::NotDrawn { name: "SVG" });
}
