//! Small valid JPEG files, each with its own bytes and its own EXIF, made without an encoder.
//!
//! One costs about a microsecond, so that a test or a benchmark can have a million photographs.

mod exif;

use std::{fs, path::Path};

/// What the EXIF of a photograph says; what is `None` is not written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `DateTimeOriginal` and `CreateDate`, as `2008:10:22 16:28:39`.
    pub taken: Option<String>,
    /// `OffsetTimeOriginal`, as `+02:00`.
    pub offset: Option<String>,
    /// The camera's maker.
    pub make: Option<String>,
    /// The camera's model.
    pub model: Option<String>,
    /// EXIF orientation, 1 to 8.
    pub orientation: Option<u16>,
    /// Latitude and longitude in degrees, north and east positive.
    pub position: Option<(f64, f64)>,
    /// How many further bytes of noise the file carries, for tests that need size.
    pub padding_bytes: usize,
}

impl Options {
    /// A plausible photograph between 1998 and 2025: date, offset and camera always, a turned
    /// camera for some and a position for about half. The same seed gives the same options.
    #[must_use]
    pub fn varied(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (make, model) = CAMERAS[dice.below(CAMERAS.len())];
        let place = PLACES[dice.below(PLACES.len())];
        let near = |degrees: f64, roll: usize| degrees + roll as f64 / 1e6 - 0.05;
        let date = format!(
            "{}:{:02}:{:02}",
            1998 + dice.below(28),
            1 + dice.below(12),
            1 + dice.below(28)
        );
        let time = format!(
            "{:02}:{:02}:{:02}",
            dice.below(24),
            dice.below(60),
            dice.below(60)
        );
        let position = (
            near(place.0, dice.below(100_000)),
            near(place.1, dice.below(100_000)),
        );
        Self {
            taken: Some(format!("{date} {time}")),
            offset: Some("+00:00".to_owned()),
            make: Some(make.to_owned()),
            model: Some(model.to_owned()),
            orientation: Some([1, 1, 1, 1, 1, 3, 6, 8][dice.below(8)]),
            position: (dice.below(100) < 55).then_some(position),
            padding_bytes: 0,
        }
    }

    /// A photograph of a day out: so many in a row are of one day, place and camera, as they lie in
    /// a family's folders, a few minutes after each other.
    #[must_use]
    pub fn of_a_day(number: u64) -> Self {
        let mut options = Self::varied(number / PER_DAY);
        let minute = 5 * (number % PER_DAY);
        if let Some(taken) = &mut options.taken {
            taken.truncate("2001:02:03".len());
            taken.push_str(&format!(" {:02}:{:02}:00", 9 + minute / 60, minute % 60));
        }
        options
    }
}

/// How many photographs people take on a day on which they take some.
const PER_DAY: u64 = 25;

/// The bytes of a grey baseline JPEG of 8 by 8 pixels. Different seeds give different bytes: the
/// seed is its comment.
#[must_use]
pub fn tiny(seed: u64, options: &Options) -> Vec<u8> {
    let mut file = Vec::with_capacity(640 + options.padding_bytes);
    file.extend(SOI);
    let exif = exif::exif(options);
    if !exif.is_empty() {
        segment(&mut file, 0xE1, &exif);
    }
    segment(
        &mut file,
        0xFE,
        format!("tiny photograph {seed}").as_bytes(),
    );
    let mut dice = Dice(seed);
    let mut missing = options.padding_bytes;
    while missing > 0 {
        let length = missing.min(65_000);
        let noise: Vec<u8> = (0..length.div_ceil(8))
            .flat_map(|_| (dice.next() & PLAIN).to_le_bytes())
            .collect();
        segment(&mut file, 0xFE, &noise[..length]);
        missing -= length;
    }
    file.extend([0xFF, 0xDB, 0, 0x43, 0]);
    file.extend([0x10; 64]);
    file.extend(PICTURE);
    file
}

/// Writes photographs number 0 to `count` below `root`, which is made, in folders of `per_folder`
/// files: `0000/IMG_0000000.jpg` and so on. As in a family's folders, those that lie together were
/// taken together, many on one day; which day that was is all over the years.
///
/// # Panics
/// When a file cannot be written or `per_folder` is zero.
pub fn write_library(root: &Path, count: u64, per_folder: u64) {
    for number in 0..count {
        let folder = root.join(format!("{:04}", number / per_folder));
        if number % per_folder == 0 {
            fs::create_dir_all(&folder).unwrap();
        }
        let bytes = tiny(number, &Options::of_a_day(number));
        fs::write(folder.join(format!("IMG_{number:07}.jpg")), bytes).unwrap();
    }
}

/// Takes the top bit off each byte: noise without anything that looks like a marker.
const PLAIN: u64 = 0x7F7F_7F7F_7F7F_7F7F;

const SOI: [u8; 2] = [0xFF, 0xD8];

/// What follows the quantisation table (ITU-T T.81): one component, two Huffman tables of one code
/// each, and a scan of two zero bits that says "no difference, end of block".
#[rustfmt::skip]
const PICTURE: [u8; 70] = [
    0xFF, 0xC0, 0, 0x0B, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
    0xFF, 0xC4, 0, 0x14, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0xFF, 0xC4, 0, 0x14, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0x3F, 0, 0x3F,
    0xFF, 0xD9,
];

const CAMERAS: [(&str, &str); 8] = [
    ("Apple", "iPhone 12"),
    ("samsung", "SM-G991B"),
    ("Google", "Pixel 7"),
    ("Canon", "Canon EOS 70D"),
    ("NIKON CORPORATION", "NIKON D700"),
    ("SONY", "ILCE-7M2"),
    ("FUJIFILM", "X-E1"),
    ("EASTMAN KODAK COMPANY", "KODAK DX6490"),
];

const PLACES: [(f64, f64); 6] = [
    (53.08, 8.8),
    (52.52, 13.4),
    (40.71, -74.0),
    (-33.87, 151.2),
    (64.13, -21.9),
    (19.43, -99.13),
];

fn segment(file: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 2).expect("a JPEG segment has at most 65,533 bytes");
    file.extend([0xFF, marker]);
    file.extend(length.to_be_bytes());
    file.extend(payload);
}

/// SplitMix64 (Steele, Lea and Flood, 2014): enough randomness for variety.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
