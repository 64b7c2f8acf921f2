//! Weights as CTranslate2 writes them (`model.bin`, version 6), read and never run.

use std::collections::HashMap;

use crate::speech::SpeechError;

/// A tensor as it is stored.
pub(super) struct Tensor<'a> {
    pub(super) shape: Vec<usize>,
    kind: Kind,
    bytes: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    F32,
    I8,
    I16,
    I32,
    F16,
}

impl Kind {
    const fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::I16 | Self::F16 => 2,
            Self::I8 => 1,
        }
    }
}

fn unreadable(why: String) -> SpeechError {
    SpeechError::Model(format!(
        "model.bin is not what CTranslate2 writes of Whisper: {why}"
    ))
}

/// The tensors of a model by their names.
pub(super) struct Weights<'a>(HashMap<String, Tensor<'a>>);

impl<'a> Weights<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, SpeechError> {
        let mut rest = Rest(bytes);
        let version = rest.u32()?;
        if !(5..=6).contains(&version) {
            return Err(unreadable(format!("its version is {version}")));
        }
        let spec = rest.text()?;
        if spec != "WhisperSpec" {
            return Err(unreadable(format!("it is a {spec}")));
        }
        rest.u32()?;
        let mut tensors = HashMap::new();
        for _ in 0..rest.u32()? {
            let name = rest.text()?;
            let rank = rest.take(1)?[0];
            let shape: Vec<usize> = (0..rank)
                .map(|_| rest.u32().map(|n| n as usize))
                .collect::<Result<_, _>>()?;
            let kind = match rest.take(1)?[0] {
                0 => Kind::F32,
                1 => Kind::I8,
                2 => Kind::I16,
                3 => Kind::I32,
                4 => Kind::F16,
                other => return Err(unreadable(format!("{name} has numbers of kind {other}"))),
            };
            let length = rest.u32()? as usize;
            let bytes = rest.take(length)?;
            let count = shape
                .iter()
                .try_fold(1_usize, |all, side| all.checked_mul(*side));
            if count.and_then(|count| count.checked_mul(kind.bytes())) != Some(length) {
                return Err(unreadable(format!("{name} is cut short")));
            }
            tensors.insert(name, Tensor { shape, kind, bytes });
        }
        Ok(Self(tensors))
    }

    pub(super) fn get(&self, name: &str) -> Result<&Tensor<'a>, SpeechError> {
        self.0
            .get(name)
            .ok_or_else(|| unreadable(format!("it has no {name}")))
    }

    /// How many layers there are of this name.
    pub(super) fn layers(&self, of: &str) -> usize {
        (0..)
            .take_while(|n| {
                self.0
                    .contains_key(&format!("{of}/layer_{n}/ffn/linear_0/weight"))
            })
            .count()
    }

    pub(super) fn number(&self, name: &str) -> Result<usize, SpeechError> {
        let values = self.get(name)?.values()?;
        values
            .first()
            .map(|n| *n as usize)
            .ok_or_else(|| unreadable(format!("{name} is empty")))
    }
}

impl<'a> Tensor<'a> {
    pub(super) fn halves(&self) -> Result<&'a [u8], SpeechError> {
        if self.kind == Kind::F16 {
            Ok(self.bytes)
        } else {
            Err(unreadable("its vocabulary is not of 16 bits".to_owned()))
        }
    }

    pub(super) fn values(&self) -> Result<Vec<f32>, SpeechError> {
        let chunks = self.bytes.chunks_exact(self.kind.bytes());
        Ok(match self.kind {
            Kind::F32 => chunks
                .map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]]))
                .collect(),
            Kind::F16 => chunks
                .map(|c| half(u16::from_le_bytes([c[0], c[1]])))
                .collect(),
            Kind::I8 => chunks.map(|c| f32::from(c[0] as i8)).collect(),
            Kind::I16 => chunks
                .map(|c| f32::from(i16::from_le_bytes([c[0], c[1]])))
                .collect(),
            Kind::I32 => chunks
                .map(|c| i32::from_le_bytes([c[0], c[1], c[2], c[3]]) as f32)
                .collect(),
        })
    }
}

/// A number of 16 bits (IEEE 754) as one of 32.
pub(super) fn half(bits: u16) -> f32 {
    /// What the exponents of both begin with is so far apart: 2 to the power of 112.
    const APART: f32 = f32::from_bits(0x7780_0000);
    let sign = u32::from(bits & 0x8000) << 16;
    let size = u32::from(bits & 0x7fff);
    let number = match size < 0x7c00 {
        true => (f32::from_bits(size << 13) * APART).to_bits(),
        // Beyond all numbers, or none.
        false => 0x7f80_0000 | (size << 13),
    };
    f32::from_bits(sign | number)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], SpeechError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| unreadable("it is cut short".to_owned()))?;
        self.0 = rest;
        Ok(taken)
    }
    fn u32(&mut self) -> Result<u32, SpeechError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
    fn text(&mut self) -> Result<String, SpeechError> {
        let length = self.take(2)?;
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let bytes = self.take(length)?;
        let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        String::from_utf8(bytes.to_vec())
            .map_err(|_| unreadable("a name in it is no text".to_owned()))
    }
}
