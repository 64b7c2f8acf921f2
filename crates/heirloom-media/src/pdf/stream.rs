//! What the streams of a PDF hold, unpacked.

use super::{
    object::{Object, get},
    table::whole,
};
use crate::{bytes::index, notes::Notes};

/// The most that a stream may unpack to.
pub(super) const STREAM_LIMIT: usize = 8 * 1024 * 1024;

/// Unpacks a stream that is plain or deflated, rows foretold or not.
pub(super) fn unpack(
    head: &[(String, Object)],
    content: &[u8],
    out: &mut Notes,
) -> Option<Vec<u8>> {
    let as_it_is = |out: &mut Notes| out.allow_packet(content.len()).then(|| content.to_vec());
    let filter = match get(head, "Filter") {
        None => return as_it_is(out),
        Some(Object::List(filters)) => match filters.as_slice() {
            [] => return as_it_is(out),
            [one] => one,
            _ => return None,
        },
        Some(one) => one,
    };
    if *filter != Object::Name("FlateDecode".to_owned()) {
        return None;
    }
    let plain = out.inflate(content, STREAM_LIMIT)?;
    let parameters = match get(head, "DecodeParms") {
        Some(Object::List(items)) => items.first(),
        other => other,
    };
    let Some(Object::Dictionary(parameters)) = parameters else {
        return Some(plain);
    };
    let number = |name: &str, default: u64| match get(parameters, name) {
        Some(Object::Number(number)) => whole(*number),
        _ => default,
    };
    if number("Predictor", 1) < 10 {
        return Some(plain);
    }
    let bits = number("Colors", 1).saturating_mul(number("BitsPerComponent", 8));
    let row_len = index(bits.saturating_mul(number("Columns", 1)).div_ceil(8));
    let pixel_len = index(bits.div_ceil(8)).max(1);
    (1..=1 << 20)
        .contains(&row_len)
        .then(|| foretold(&plain, row_len, pixel_len))
}

/// Rows of which each byte is what differs from its neighbours, as PNG has them.
fn foretold(rows: &[u8], row_len: usize, pixel_len: usize) -> Vec<u8> {
    let mut above = vec![0_u8; row_len];
    let mut plain = Vec::with_capacity(rows.len());
    for row in rows.chunks(row_len + 1) {
        let Some((kind, row)) = row.split_first() else {
            break;
        };
        let mut done: Vec<u8> = Vec::with_capacity(row_len);
        for (at, byte) in row.iter().enumerate() {
            let left = at
                .checked_sub(pixel_len)
                .and_then(|at| done.get(at))
                .copied()
                .unwrap_or(0);
            let up = above.get(at).copied().unwrap_or(0);
            let corner = at
                .checked_sub(pixel_len)
                .and_then(|at| above.get(at))
                .copied()
                .unwrap_or(0);
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => nearest(left, up, corner),
                _ => 0,
            };
            done.push(byte.wrapping_add(guess));
        }
        plain.extend_from_slice(&done);
        above = done;
    }
    plain
}

/// Paeth's choice.
fn nearest(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a + b - c;
    let (to_a, to_b, to_c) = ((guess - a).abs(), (guess - b).abs(), (guess - c).abs());
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        corner
    }
}
