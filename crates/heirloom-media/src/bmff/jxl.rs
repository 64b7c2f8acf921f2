//! JPEG XL pictures. See ISO/IEC 18181-1 and -2.

use super::{BOX_LIMIT, next};
use crate::{
    bytes::{be32, index, rest},
    exif::{self, Role},
    notes::Notes,
    source::Source,
    xmp,
};

/// Reads the boxes of a picture in a container.
pub(crate) fn read(source: &mut Source<'_>, out: &mut Notes) {
    let end = source.len();
    let mut at = 0;
    for _ in 0..BOX_LIMIT {
        let Some(atom) = next(source, &mut at, end) else {
            break;
        };
        if atom.is_cut {
            out.problem("The JPEG XL picture is cut off.");
        }
        match &atom.kind {
            b"jxlc" => size(&source.copy(atom.at, 64), out),
            // The first of several parts; a number comes before it.
            b"jxlp" if out.facts.width.is_none() => {
                size(rest(&source.copy(atom.at, 68), 4), out);
            }
            b"Exif" => {
                let content = atom.content(source);
                let skip =
                    be32(&content, 0).map_or(4, |skip| index(u64::from(skip)).saturating_add(4));
                let block = rest(&content, skip);
                exif::read(&mut { block }, Role::BlockInRotated, out);
            }
            b"xml " => xmp::read_embedded(&atom.content(source), out),
            b"brob" => out.problem("Its metadata are packed in a way that is not read (Brotli)."),
            _ => {}
        }
    }
    if out.facts.width.is_none() {
        out.problem("The JPEG XL picture has no readable header.");
    }
}

/// Reads a picture without container.
pub(crate) fn read_codestream(source: &mut Source<'_>, out: &mut Notes) {
    size(&source.copy(0, 64), out);
}

/// The size header: a few bits, least significant first.
fn size(codestream: &[u8], out: &mut Notes) {
    if !codestream.starts_with(&[0xFF, 0x0A]) {
        return;
    }
    let mut bits = Bits {
        bytes: rest(codestream, 2),
        at: 0,
    };
    if let Some((width, height)) = bits.size() {
        out.facts.width = Some(width);
        out.facts.height = Some(height);
        // All is default, or there are extra fields, of which the orientation is the first.
        let orientation = match (bits.take(1), bits.take(1)) {
            (Some(0), Some(1)) => bits.take(3).map(|number| number + 1),
            _ => Some(1),
        };
        out.facts.orientation = orientation.and_then(|number| u8::try_from(number).ok());
    }
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for place in 0..count {
            let byte = u32::from(*self.bytes.get(self.at / 8)?);
            number |= (byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(number)
    }

    /// A number whose length comes before it.
    fn length(&mut self) -> Option<u32> {
        let width = match self.take(2)? {
            0 => 9,
            1 => 13,
            2 => 18,
            _ => 30,
        };
        Some(self.take(width)?.saturating_add(1))
    }

    fn size(&mut self) -> Option<(u32, u32)> {
        let is_small = self.take(1)? == 1;
        let side = |bits: &mut Self| {
            if is_small {
                Some((bits.take(5)? + 1) * 8)
            } else {
                bits.length()
            }
        };
        let height = side(self)?;
        let ratio = self.take(3)?;
        let times = |top: u64, bottom: u64| u32::try_from(u64::from(height) * top / bottom).ok();
        let width = match ratio {
            0 => side(self),
            1 => Some(height),
            2 => times(12, 10),
            3 => times(4, 3),
            4 => times(3, 2),
            5 => times(16, 9),
            6 => times(5, 4),
            _ => times(2, 1),
        }?;
        Some((width, height))
    }
}
