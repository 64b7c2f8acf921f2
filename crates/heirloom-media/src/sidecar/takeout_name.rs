//! How Google Takeout names the JSON of a picture.
//!
//! The name of the picture, `.supplemental-metadata` since 2024, a number where two names were the
//! same, `.json`; all before the number cut to 46 characters, as UTF-16 counts them.

use std::collections::{BTreeSet, HashSet};

use heirloom_core::path::alike;

use super::{MediaNames, SidecarKind, SidecarMatch, is_motion};
use crate::edited::{EDITED, numbered};

/// The most characters before number and extension.
const LENGTH: usize = 46;

const SUPPLEMENT: &str = "supplemental-metadata";

/// Matches all JSON files of a folder; `candidates` are their places and names without `.json`.
pub(super) fn match_all(
    media: &MediaNames<'_>,
    candidates: &[(usize, &str)],
    matches: &mut Vec<SidecarMatch>,
) {
    if candidates.is_empty() {
        return;
    }
    // For names that were cut, everything that begins alike has to be found; the number stands elsewhere in the JSON.
    let sorted: BTreeSet<(String, usize)> = media
        .by_stem
        .values()
        .flatten()
        .map(|at| (alike(&without_number(media.name(*at))), *at))
        .collect();
    let mut owned: HashSet<usize> = HashSet::new();
    let mut found = Vec::new();
    for (sidecar, base) in candidates {
        if let Some(own) = main(media, &sorted, base) {
            owned.insert(own);
            found.push((*sidecar, own));
        }
    }
    for (sidecar, own) in found {
        let mut about = vec![own];
        about.extend(
            companions(media, media.name(own))
                .into_iter()
                .filter(|other| !owned.contains(other)),
        );
        matches.push(SidecarMatch {
            sidecar,
            kind: SidecarKind::Takeout,
            media: about,
        });
    }
}

/// The picture that a JSON file is named after.
fn main(media: &MediaNames<'_>, sorted: &BTreeSet<(String, usize)>, base: &str) -> Option<usize> {
    let (body, number) = numbered(base);
    let with_number = |name: &str| match number {
        None => media.named(name),
        Some(number) => {
            let (stem, extension) = name.rsplit_once('.')?;
            media.named(&format!("{stem}({number}).{extension}"))
        }
    };
    if let Some(found) = with_number(body).or_else(|| media.named(base)) {
        return Some(found);
    }
    // The picture's name, then the beginning of the supplement.
    if let Some((name, supplement)) = body.rsplit_once('.')
        && SUPPLEMENT.starts_with(supplement)
        && let Some(found) = with_number(name)
    {
        return Some(found);
    }
    // Cut within the picture's own name, and the number is that of the picture.
    let is_cut = |body: &str| body.encode_utf16().count() == LENGTH;
    let alike_body = alike(body);
    if !is_cut(body) && !is_cut(&alike_body) {
        return None;
    }
    let body = alike_body;
    let has_number = |name: &str| {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        numbered(stem).1 == number
    };
    let mut longer = sorted
        .range((body.clone(), 0)..)
        .take_while(|(name, _)| name.starts_with(&body))
        .filter(|(_, at)| has_number(media.name(*at)));
    match (longer.next(), longer.next()) {
        (Some((_, only)), None) => Some(*only),
        _ => None,
    }
}

/// A name of a file without the number that tells it from others of that name.
fn without_number(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{}.{extension}", numbered(stem).0),
        None => name.to_owned(),
    }
}

/// Files that share the JSON of a picture: its edited self, and the film of a Live Photo.
fn companions(media: &MediaNames<'_>, name: &str) -> Vec<usize> {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return Vec::new();
    };
    let (plain, number) = numbered(stem);
    let number = number
        .map(|number| format!("({number})"))
        .unwrap_or_default();
    let mut others: Vec<usize> = EDITED
        .iter()
        .filter_map(|edited| media.named(&format!("{plain}{edited}{number}.{extension}")))
        .collect();
    if let Some((_, motion)) = stem.rsplit_once('.')
        && is_motion(&motion.to_ascii_lowercase())
    {
        others.extend(media.named(stem));
    }
    if matches!(
        extension.to_ascii_lowercase().as_str(),
        "heic" | "jpg" | "jpeg"
    ) {
        others.extend(
            ["mp4", "mov", "mp"]
                .iter()
                .filter_map(|film| media.named(&format!("{stem}.{film}"))),
        );
    }
    others
}
