//! Vorbis comments, as FLAC, Vorbis, Opus, Speex and Theora have them.

use super::{Said, say};
use crate::{
    bytes::{index, le32, slice},
    notes::Notes,
    text,
};

/// Reads comments from the length of the maker's name on.
pub(super) fn read(bytes: &[u8], origin: &str, out: &mut Notes) {
    let Some(vendor_len) = le32(bytes, 0) else {
        out.problem("The comments of the sound file are cut off.");
        return;
    };
    let mut at = index(u64::from(vendor_len)).saturating_add(4);
    let count = le32(bytes, at).unwrap_or(0);
    at = at.saturating_add(4);
    for _ in 0..count.min(2_000) {
        let Some(len) = le32(bytes, at).map(|len| index(u64::from(len))) else {
            break;
        };
        let Some(comment) = slice(bytes, at.saturating_add(4), len) else {
            out.problem("The comments of the sound file are cut off.");
            break;
        };
        at = at.saturating_add(4).saturating_add(len);
        let Some(divider) = comment.iter().take(64).position(|byte| *byte == b'=') else {
            continue;
        };
        let (name, value) = comment.split_at_checked(divider).unwrap_or((comment, &[]));
        let name = text::decode_all(name).to_ascii_uppercase();
        if let Some(said) = said(&name) {
            let words = text::decode_all(value.get(1..).unwrap_or_default());
            say(said, &words, &format!("{origin}:{name}"), 1.0, out);
        }
    }
}

fn said(name: &str) -> Option<Said> {
    Some(match name {
        "TITLE" => Said::Title,
        "ARTIST" | "PERFORMER" => Said::Artist,
        "ALBUM" => Said::Album,
        "DATE" | "YEAR" => Said::Date,
        "COMMENT" | "DESCRIPTION" => Said::Comment,
        "GENRE" => Said::Genre,
        "COPYRIGHT" => Said::Copyright,
        "ENCODER" => Said::Software,
        "LOCATION" => Said::Place,
        "LYRICS" => Said::Lyrics,
        _ => return None,
    })
}
