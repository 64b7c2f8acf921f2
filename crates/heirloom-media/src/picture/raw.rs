//! Camera RAW: the ready picture that the camera puts into the file for looking at.
//!
//! Every camera keeps one or more JPEGs in its RAW, in places that each maker invented anew. They
//! are found where a TIFF structure says that they are and, where that gives no more than a thumbnail, by
//! looking for the beginnings of JPEGs everywhere: what begins like one, has a size and decodes, is one.

use super::{Limits, PictureError, Want, jpeg, stored::Stored, tiff};
use crate::{
    bytes::{be32, find, index, rest, slice},
    file_type::{FileType, Reader},
    finding::Facts,
    tiff::{self as structure, Bytes, Layout},
};

/// The most JPEGs that are looked at, and the most that are tried.
const CANDIDATE_LIMIT: usize = 256;
const TRY_LIMIT: usize = 6;

/// The most directories that are followed.
const DIRECTORY_LIMIT: usize = 32;

/// From this side on a picture that a TIFF structure names is no mere thumbnail, in pixels.
const PREVIEW_SIDE: u32 = 1000;

pub(super) fn open(
    bytes: &[u8],
    file_type: FileType,
    facts: &Facts,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    let mut places = if file_type.reader == Reader::RawTiff {
        named(bytes)
    } else {
        Vec::new()
    };
    let largest = places.iter().map(|place| place.longest).max();
    if largest.is_none_or(|side| side < PREVIEW_SIDE) {
        places.extend(found(bytes));
    }
    let mut stored = match best(bytes, places, limits, want) {
        Ok(stored) => stored,
        Err(PictureError::NoPreview) if file_type.reader == Reader::Mrw => {
            minolta(bytes, limits, want)?
        }
        // Some have their thumbnail as plain pixels.
        Err(PictureError::NoPreview) if file_type.reader == Reader::RawTiff => {
            tiff::open(bytes, facts, limits, Want::default())
                .map_err(|_| PictureError::NoPreview)?
        }
        Err(error) => return Err(error),
    };
    stored.pages = 1;
    // The RAW says how it was held; previews say so too, or nothing.
    stored.orientation = facts.orientation.unwrap_or(stored.orientation);
    Ok(stored)
}

/// The largest JPEG anywhere in a file.
pub(super) fn largest_jpeg(
    bytes: &[u8],
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    best(bytes, found(bytes), limits, want)
}

/// Where a JPEG lies, and its longest side in pixels.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    at: usize,
    longest: u32,
}

/// Decodes the largest that can be decoded.
fn best(
    bytes: &[u8],
    mut places: Vec<Place>,
    limits: &Limits,
    want: Want,
) -> Result<Stored, PictureError> {
    places.sort_by_key(|place| std::cmp::Reverse(place.longest));
    places.dedup();
    let mut partial = None;
    for place in places.into_iter().take(TRY_LIMIT) {
        let jpeg = rest(bytes, place.at);
        let facts = super::facts(jpeg, crate::file_type::JPEG);
        match jpeg::open(jpeg, &facts, limits, want) {
            Ok(stored) if stored.problems.is_empty() => return Ok(stored),
            Ok(stored) => {
                partial.get_or_insert(stored);
            }
            Err(error @ PictureError::TooLarge { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    partial.ok_or(PictureError::NoPreview)
}

fn place(bytes: &[u8], at: usize) -> Option<Place> {
    let (width, height) = jpeg::size(rest(bytes, at))?;
    Some(Place {
        at,
        longest: width.max(height),
    })
}

/// Everything that begins as a JPEG and can be shown.
fn found(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut at = 0;
    while places.len() < CANDIDATE_LIMIT
        && let Some(skipped) = find(rest(bytes, at), &[0xFF, 0xD8, 0xFF])
    {
        at += skipped;
        places.extend(place(bytes, at));
        at += 2;
    }
    places
}

/// The JPEGs that TIFF directories name: as thumbnails, as strips, and in Panasonic's own tag.
fn named(bytes: &[u8]) -> Vec<Place> {
    const STRIPS: u16 = 0x0111;
    const SUB_DIRECTORIES: u16 = 0x014A;
    const THUMBNAIL: u16 = 0x0201;
    const PANASONIC: u16 = 0x002E;
    let mut source: &[u8] = bytes;
    let Some(header) = structure::header(&mut source) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    let mut waiting = vec![header.first];
    let mut seen = Vec::new();
    while let Some(offset) = waiting.pop() {
        if offset == 0 || seen.contains(&offset) || seen.len() >= DIRECTORY_LIMIT {
            continue;
        }
        seen.push(offset);
        let Some(directory) = structure::directory(&mut source, header.layout, offset) else {
            continue;
        };
        waiting.push(directory.next);
        for entry in &directory.entries {
            match entry.tag {
                SUB_DIRECTORIES => {
                    let numbers = numbers(&mut source, header.layout, *entry);
                    waiting.extend(numbers.into_iter().take(DIRECTORY_LIMIT));
                }
                STRIPS | THUMBNAIL => {
                    let numbers = numbers(&mut source, header.layout, *entry);
                    // A picture in several pieces is no file within the file.
                    if let [at] = numbers[..] {
                        places.extend(place(bytes, index(at)));
                    }
                }
                PANASONIC => places.extend(place(bytes, index(entry.at))),
                _ => {}
            }
        }
    }
    places
}

fn numbers(source: &mut dyn Bytes, layout: Layout, entry: structure::Entry) -> Vec<u64> {
    let value = entry.value(source, layout);
    (0..DIRECTORY_LIMIT)
        .map_while(|number| value.unsigned(number))
        .collect()
}

/// Minolta's previews, whose first byte is not that of a JPEG.
fn minolta(bytes: &[u8], limits: &Limits, want: Want) -> Result<Stored, PictureError> {
    // The picture's data are behind all blocks, and the preview is within these.
    let end = be32(bytes, 4).map_or(bytes.len(), |len| index(u64::from(len)).saturating_add(8));
    let blocks = slice(bytes, 0, end).unwrap_or(bytes);
    let at = find(blocks, &[0xD8, 0xFF, 0xDB]).ok_or(PictureError::NoPreview)?;
    let mended = [&[0xFF], rest(bytes, at)].concat();
    let facts = super::facts(&mended, crate::file_type::JPEG);
    jpeg::open(&mended, &facts, limits, want).map_err(|_| PictureError::NoPreview)
}
