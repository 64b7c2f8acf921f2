//! The black and white of fax machines in a page of a TIFF: ITU-T T.4, which the decoder of TIFFs does not know.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode, decode};

use super::{Limits, PictureError, raster::Raster, stored::Stored};
use crate::{
    bytes::index,
    tiff::{Directory, Layout},
};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTES: u16 = 279;
const T4_OPTIONS: u16 = 292;

/// TIFF's numbers for what is in here.
const RUN_LENGTHS: u64 = 2;
const T4: u64 = 3;

/// Draws a page if it is a fax.
pub(super) fn open(
    bytes: &[u8],
    page: &Directory,
    layout: Layout,
    limits: &Limits,
) -> Option<Result<Stored, PictureError>> {
    let values = |tag| page.value(&mut { bytes }, layout, tag);
    let value = |tag| values(tag)?.unsigned(0);
    let compression = value(COMPRESSION)?;
    let encoding = match (compression, value(T4_OPTIONS).unwrap_or(0) & 1) {
        (T4, 1) => EncodingMode::Group3_2D,
        (RUN_LENGTHS | T4, _) => EncodingMode::Group3_1D,
        _ => return None,
    };
    let short = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
    let width = short(value(WIDTH)).unwrap_or(0);
    let height = short(value(HEIGHT)).unwrap_or(0);
    if let Err(error) = limits.allow(width, height) {
        return Some(Err(error));
    }
    let is_white_zero = value(PHOTOMETRIC) != Some(1);
    let is_reversed = value(FILL_ORDER) == Some(2);
    let strip_rows = short(value(ROWS_PER_STRIP))
        .unwrap_or(height)
        .clamp(1, height);
    let (offsets, lengths) = (values(STRIP_OFFSETS)?, values(STRIP_BYTES)?);
    let mut rows = Rows {
        width: width as usize,
        white: if is_white_zero { 255 } else { 0 },
        samples: Vec::new(),
    };
    let most = rows.width * height as usize;
    let mut is_sound = true;
    for (number, row) in (0..height).step_by(strip_rows as usize).enumerate() {
        let at = offsets.unsigned(number).map(index);
        let len = lengths.unsigned(number).map(index);
        let strip = at.zip(len).and_then(|(at, len)| {
            let rest = bytes.get(at..)?;
            Some(rest.get(..len).unwrap_or(rest))
        });
        let reversed: Option<Vec<u8>> = strip
            .filter(|_| is_reversed)
            .map(|strip| strip.iter().map(|byte| byte.reverse_bits()).collect());
        let strip = reversed.as_deref().or(strip).unwrap_or_default();
        let settings = DecodeSettings {
            columns: width,
            rows: strip_rows.min(height - row),
            end_of_block: true,
            end_of_line: compression == T4,
            rows_are_byte_aligned: compression == RUN_LENGTHS,
            encoding,
            strict: false,
        };
        is_sound &= decode(strip, &mut rows, &mut DecoderContext::new(settings)).is_ok();
        // What is missing of a strip is white paper.
        let end = rows.width * (row + settings.rows) as usize;
        is_sound &= rows.samples.len() >= end;
        rows.samples.resize(end.min(most), rows.white);
    }
    if !is_sound && rows.samples.iter().all(|sample| *sample == rows.white) {
        return Some(Err(PictureError::damaged("no line of the fax can be read")));
    }
    let raster = Raster::from_channels(width, height, 1, rows.samples)?;
    let mut stored = Stored::of(raster);
    if !is_sound {
        stored.problem("Parts of the picture are damaged or missing.");
    }
    Some(Ok(stored))
}

/// Rows as they come, one byte a pixel.
struct Rows {
    width: usize,
    white: u8,
    samples: Vec<u8>,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let from = self.samples.len();
        self.samples.resize(from + self.width, self.white);
        let Some(row) = self.samples.get_mut(from..) else {
            return;
        };
        for run in changes.chunks(2) {
            let end = run.get(1).map_or(row.len(), |end| *end as usize);
            let black = run
                .first()
                .and_then(|begin| row.get_mut(*begin as usize..end.min(row.len())));
            black
                .into_iter()
                .flatten()
                .for_each(|sample| *sample = !self.white);
        }
    }
}
