//! Sound that is a row of frames without a container: MPEG audio, AAC and AMR.

use crate::{
    bytes::{be16, be32, find, rest, slice, u8_at},
    notes::Notes,
    riff::duration_ms,
    source::Source,
};

/// How far the first frame is searched for.
const SEARCH: usize = 128 * 1024;

/// What the head of an MPEG frame says.
#[derive(Debug, Clone, Copy)]
struct Head {
    layer: u8,
    is_mpeg1: bool,
    bit_rate: u32,
    sample_rate: u32,
    channels: u32,
    frame_len: usize,
    samples: u32,
}

const BIT_RATES_1: [[u32; 15]; 3] = [
    [
        0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
];
const BIT_RATES_2: [[u32; 15]; 2] = [
    [
        0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const SAMPLE_RATES: [u32; 3] = [44_100, 48_000, 32_000];
const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

fn head(bytes: &[u8]) -> Option<Head> {
    let bits = be32(bytes, 0)?;
    if bits >> 21 != 0x7FF {
        return None;
    }
    let field = |shift: u32, mask: u32| crate::bytes::index(u64::from(bits >> shift & mask));
    let version = field(19, 3);
    let layer = match field(17, 3) {
        3 => 1,
        2 => 2,
        1 => 3,
        _ => return None,
    };
    let is_mpeg1 = version == 3;
    let row: &[u32; 15] = match (is_mpeg1, layer) {
        (true, _) => BIT_RATES_1.get(usize::from(layer) - 1)?,
        (false, 1) => &BIT_RATES_2[0],
        (false, _) => &BIT_RATES_2[1],
    };
    let bit_rate = row
        .get(field(12, 15))?
        .checked_mul(1000)
        .filter(|rate| *rate > 0)?;
    let shift = match version {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let sample_rate = SAMPLE_RATES.get(field(10, 3))? >> shift;
    let padding = bits >> 9 & 1;
    let samples = match (layer, is_mpeg1) {
        (1, _) => 384,
        (2, _) | (3, true) => 1152,
        _ => 576,
    };
    let slots = samples / 8 * bit_rate / sample_rate;
    let len = if layer == 1 {
        (slots / 4 + padding) * 4
    } else {
        slots + padding
    };
    Some(Head {
        layer,
        is_mpeg1,
        bit_rate,
        sample_rate,
        channels: if bits >> 6 & 3 == 3 { 1 } else { 2 },
        frame_len: crate::bytes::index(u64::from(len)),
        samples,
    })
}

/// Reads the first frame of MPEG audio, and how many follow if it says so.
pub(super) fn mpeg(source: &mut Source<'_>, start: u64, end: u64, out: &mut Notes) {
    let block = source.copy(start, SEARCH);
    let Some((at, first)) = first_frame(&block) else {
        out.problem("The MP3 has no readable sound.");
        return;
    };
    out.facts.audio_codec = Some(format!("mp{}", first.layer));
    out.facts.sample_rate_hz = Some(first.sample_rate);
    out.facts.channels = Some(first.channels);
    let frame = rest(&block, at);
    let sound_len = end.saturating_sub(start).saturating_sub(at as u64);
    out.facts.duration_ms = match frame_count(frame, first) {
        Some(frames) => {
            let samples = u64::from(frames).saturating_mul(u64::from(first.samples));
            duration_ms(samples, f64::from(first.sample_rate))
        }
        None => duration_ms(sound_len.saturating_mul(8), f64::from(first.bit_rate)),
    };
}

/// The first frame that is followed by another of its kind, or by the end.
fn first_frame(block: &[u8]) -> Option<(usize, Head)> {
    let mut from = 0_usize;
    while let Some(skip) = rest(block, from).iter().position(|byte| *byte == 0xFF) {
        let at = from.saturating_add(skip);
        if let Some(first) = head(rest(block, at)) {
            let next = rest(block, at.saturating_add(first.frame_len));
            let is_followed = next.len() < 4
                || head(next).is_some_and(|next| {
                    next.layer == first.layer && next.sample_rate == first.sample_rate
                });
            if is_followed {
                return Some((at, first));
            }
        }
        from = at.saturating_add(1);
    }
    None
}

/// The number of frames, from the silent first frame of variable rates (Xing, Info, VBRI).
fn frame_count(frame: &[u8], first: Head) -> Option<u32> {
    let side = match (first.is_mpeg1, first.channels) {
        (true, 1) | (false, 2) => 17,
        (true, _) => 32,
        (false, _) => 9,
    };
    let xing = rest(frame, 4 + side);
    if xing.starts_with(b"Xing") || xing.starts_with(b"Info") {
        return (be32(xing, 4)? & 1 != 0)
            .then(|| be32(xing, 8))?
            .filter(|frames| *frames > 0);
    }
    let vbri = slice(frame, 36, 18)?;
    vbri.starts_with(b"VBRI")
        .then(|| be32(vbri, 14))?
        .filter(|frames| *frames > 0)
}

/// Reads the head of AAC frames, and how long some of them are on average.
pub(super) fn adts(source: &mut Source<'_>, start: u64, end: u64, out: &mut Notes) {
    let block = source.copy(start, 1024 * 1024);
    let Some(mut at) = block
        .windows(2)
        .take(SEARCH)
        .position(|w| matches!(w, [0xFF, b] if b & 0xF6 == 0xF0))
    else {
        out.problem("The AAC has no readable sound.");
        return;
    };
    let first = at;
    let mut frames = 0_u64;
    out.facts.audio_codec = Some("aac".to_owned());
    let Some(bits) = be32(&block, at) else { return };
    let rate = AAC_RATES
        .get(crate::bytes::index(u64::from(bits >> 10 & 15)))
        .copied();
    out.facts.sample_rate_hz = rate;
    out.facts.channels = Some(bits >> 6 & 7).filter(|channels| *channels > 0);
    while let Some(head) = slice(&block, at, 7) {
        let len = be32(head, 3).map_or(0, |bits| {
            crate::bytes::index(u64::from(bits >> 13 & 0x1FFF))
        });
        if be16(head, 0).is_none_or(|sync| sync >> 4 != 0xFFF) || len < 7 {
            break;
        }
        frames += 1;
        at = at.saturating_add(len);
    }
    let walked = at.min(block.len()).saturating_sub(first) as u64;
    let sound_len = end.saturating_sub(start).saturating_sub(first as u64);
    if let (Some(rate), true) = (rate, walked > 0) {
        let samples = u128::from(frames) * 1024 * u128::from(sound_len) / u128::from(walked);
        out.facts.duration_ms = duration_ms(u64::try_from(samples).unwrap_or(0), f64::from(rate));
    }
}

/// Counts the frames of an AMR recording: twenty milliseconds each.
pub(super) fn amr(source: &mut Source<'_>, out: &mut Notes) {
    const NARROW: [u64; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1];
    const WIDE: [u64; 16] = [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1];
    let head = source.copy(0, 16);
    let is_wide = find(&head, b"#!AMR-WB\n").is_some();
    let (lengths, mut at) = if is_wide { (WIDE, 9) } else { (NARROW, 6) };
    out.facts.audio_codec = Some(if is_wide { "amr-wb" } else { "amr" }.to_owned());
    out.facts.sample_rate_hz = Some(if is_wide { 16_000 } else { 8_000 });
    out.facts.channels = Some(1);
    let mut frames = 0_u64;
    // Two hours; what is longer is as long as its first two hours let expect.
    while frames < 360_000 && at < source.len() {
        let Some(kind) = u8_at(source.read(at, 1), 0) else {
            break;
        };
        let Some(len) = lengths.get(usize::from(kind >> 3 & 15)) else {
            break;
        };
        at = at.saturating_add(*len);
        frames += 1;
    }
    let ms = u128::from(frames) * 20 * u128::from(source.len()) / u128::from(at.max(1));
    out.facts.duration_ms = u64::try_from(ms).ok();
}

/// Whether bytes begin with a frame of MPEG audio that another follows, or the end.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    head(bytes).is_some() && first_frame(bytes).is_some_and(|(at, _)| at == 0)
}
