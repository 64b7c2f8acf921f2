//! A font of which nothing is seen: each letter that is written is one empty glyph, and says which letter it is.

use std::collections::HashMap;

use pdf_writer::{
    Chunk, Filter, Finish as _, Name, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};

/// How many objects it takes.
pub(super) const OBJECTS: i32 = 6;
/// How wide a letter is, as a share of its height.
pub(super) const WIDTH: f32 = 0.5;

const NAME: Name<'_> = Name(b"HeirloomUnseen");
const UNITS: u16 = 1000;
const ADVANCE: u16 = 500;

/// The letters of a document, each with its code.
#[derive(Debug, Default)]
pub(super) struct Letters {
    codes: HashMap<char, u16>,
    /// By their codes, from 1 on.
    letters: Vec<char>,
}

impl Letters {
    /// A text in the codes of this font, two bytes each. What is no letter, and what there is no code left for, is left out; what
    /// lies beyond is one letter for all.
    pub(super) fn codes(&mut self, text: &str) -> Vec<u8> {
        let mut codes = Vec::with_capacity(text.len() * 2);
        for letter in text.chars().filter(|letter| is_letter(*letter)) {
            let letter = if is_beyond(letter) {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            };
            let known = self.codes.get(&letter).copied();
            let Some(code) = known.or_else(|| self.add(letter)) else {
                continue;
            };
            codes.extend(code.to_be_bytes());
        }
        codes
    }

    fn add(&mut self, letter: char) -> Option<u16> {
        let code = u16::try_from(self.letters.len() + 1).ok()?;
        self.letters.push(letter);
        self.codes.insert(letter, code);
        Some(code)
    }

    /// Its objects, from this number on.
    pub(super) fn objects(self, first: i32) -> Vec<(Ref, Chunk)> {
        let [font, cid, descriptor, file, map, unicode] =
            [0, 1, 2, 3, 4, 5].map(|at| Ref::new(first + at));
        let system = |ordering| SystemInfo {
            registry: Str(b"Adobe"),
            ordering: Str(ordering),
            supplement: 0,
        };
        let made = |write: &dyn Fn(&mut Chunk)| {
            let mut chunk = Chunk::new();
            write(&mut chunk);
            chunk
        };
        let packed = |bytes: &[u8]| miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6);
        let program = program();
        // Every code is the same empty glyph, and none is that of a letter that is missing.
        let glyphs: Vec<u8> = [0, 0]
            .into_iter()
            .chain(self.letters.iter().flat_map(|_| [0, 1]))
            .collect();
        let mut cmap = UnicodeCmap::new(Name(b"HeirloomUnseen-UTF16"), system(b"UCS"));
        for letter in &self.letters {
            if let Some(code) = self.codes.get(letter) {
                cmap.pair(*code, *letter);
            }
        }
        let cmap = cmap.finish().into_vec();
        vec![
            (
                font,
                made(&|chunk| {
                    chunk
                        .type0_font(font)
                        .base_font(NAME)
                        .encoding_predefined(Name(b"Identity-H"))
                        .descendant_font(cid)
                        .to_unicode(unicode);
                }),
            ),
            (
                cid,
                made(&|chunk| {
                    chunk
                        .cid_font(cid)
                        .subtype(CidFontType::Type2)
                        .base_font(NAME)
                        .system_info(system(b"Identity"))
                        .font_descriptor(descriptor)
                        .default_width(f32::from(ADVANCE))
                        .cid_to_gid_map_stream(map);
                }),
            ),
            (
                descriptor,
                made(&|chunk| {
                    chunk
                        .font_descriptor(descriptor)
                        .name(NAME)
                        .flags(FontFlags::SYMBOLIC | FontFlags::FIXED_PITCH)
                        .bbox(Rect::new(0.0, -200.0, f32::from(ADVANCE), 800.0))
                        .italic_angle(0.0)
                        .ascent(800.0)
                        .descent(-200.0)
                        .cap_height(800.0)
                        .stem_v(80.0)
                        .font_file2(file);
                }),
            ),
            (
                file,
                made(&|chunk| {
                    let packed = packed(&program);
                    let mut stream = chunk.stream(file, &packed);
                    stream.filter(Filter::FlateDecode);
                    let length = i32::try_from(program.len()).unwrap_or_default();
                    stream.pair(Name(b"Length1"), length);
                    stream.finish();
                }),
            ),
            (
                map,
                made(&|chunk| {
                    let packed = packed(&glyphs);
                    chunk.stream(map, &packed).filter(Filter::FlateDecode);
                }),
            ),
            (
                unicode,
                made(&|chunk| {
                    let packed = packed(&cmap);
                    chunk.stream(unicode, &packed).filter(Filter::FlateDecode);
                }),
            ),
        ]
    }
}

/// Whether it is beyond the first 65,536 letters: checkers of PDF/A take the two halves that it is written as for letters.
pub(super) const fn is_beyond(letter: char) -> bool {
    letter > '\u{ffff}'
}

/// Whether a font may say that something is this letter (ISO 19005-2, 6.2.11.7.2).
fn is_letter(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A TrueType font (ISO 14496-22) of two glyphs, neither of which has an outline.
fn program() -> Vec<u8> {
    let be = |numbers: &[u16]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect()
    };
    let (ascent, descent) = (800, 0_u16.wrapping_sub(200));
    let mut head = be(&[1, 0, 1, 0]);
    head.extend([0; 4]);
    head.extend(0x5F0F_3CF5_u32.to_be_bytes());
    head.extend(be(&[0, UNITS]));
    head.extend([0; 16]);
    head.extend(be(&[0, descent, ADVANCE, ascent, 0, 8, 2, 0, 0]));
    let mut hhea = be(&[1, 0, ascent, descent, 0, ADVANCE]);
    hhea.extend(be(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]));
    let hmtx = be(&[ADVANCE, 0, 0]);
    let mut maxp = be(&[1, 0, 2]);
    maxp.extend(be(&[0; 4]));
    maxp.extend(be(&[1]));
    maxp.extend(be(&[0; 8]));
    let loca = be(&[0, 0, 0]);
    let glyf = vec![0; 4];
    let tables: [(&[u8; 4], Vec<u8>); 6] = [
        (b"glyf", glyf),
        (b"head", head),
        (b"hhea", hhea),
        (b"hmtx", hmtx),
        (b"loca", loca),
        (b"maxp", maxp),
    ];
    let count = tables.len() as u16;
    let mut font = vec![0, 1, 0, 0];
    font.extend(be(&[count, 64, 2, count * 16 - 64]));
    let mut body = Vec::new();
    let start = font.len() + tables.len() * 16;
    for (name, table) in &tables {
        font.extend(*name);
        font.extend(checksum(table).to_be_bytes());
        font.extend(((start + body.len()) as u32).to_be_bytes());
        font.extend((table.len() as u32).to_be_bytes());
        body.extend(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    font.extend(body);
    font
}

fn checksum(table: &[u8]) -> u32 {
    table.chunks(4).fold(0_u32, |sum, part| {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(part) {
            *to = *from;
        }
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}
