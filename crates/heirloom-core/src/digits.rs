//! Directions in a space of many numbers, a byte for each: compared, and written as hexadecimal digits, two for each byte.

use std::fmt::Write as _;

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// How alike two directions are: the cosine of the angle between them, 1 for the same; 0 where one says nothing.
pub(crate) fn cosine(a: &[u8], b: &[u8]) -> f32 {
    // Of whole numbers, and in one go: a library has thousands.
    let (mut both, mut own, mut other) = (0_u32, 0_u32, 0_u32);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (u32::from(*a), u32::from(*b));
        both += a * b;
        own += a * a;
        other += b * b;
    }
    let length = f64::from(own).sqrt() * f64::from(other).sqrt();
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 1")]
    let likeness = (f64::from(both) / length) as f32;
    if length > 0.0 { likeness } else { 0.0 }
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    to.serialize_str(&digits)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(from)?;
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(value(high)? * 16 + value(low)?).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| D::Error::custom("numbers are written in hexadecimal digits"))
}
