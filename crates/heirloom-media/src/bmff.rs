//! Boxes of the ISO base media format: MP4 and MOV films, HEIF and AVIF pictures, Canon's CR3,
//! JPEG 2000 and JPEG XL. See ISO/IEC 14496-12.

mod heif;
mod jp2;
mod jxl;
mod movie;
mod tags;

use crate::{
    bytes::{be32, be64, slice},
    source::Source,
};

pub(crate) use heif::{orientation as heif_orientation, read as read_heif};
pub(crate) use jp2::{read as read_jp2, read_codestream as read_j2k};
pub(crate) use jxl::{read as read_jxl, read_codestream as read_jxl_codestream};
pub(crate) use movie::{has_video, is_movie, read as read_movie};

/// The most boxes that are walked in one file.
const BOX_LIMIT: usize = 20_000;

/// How deep boxes may lie within each other.
const DEPTH_LIMIT: usize = 12;

/// The longest box whose content is read as a whole.
const CONTENT_LIMIT: usize = 8 * 1024 * 1024;

/// A box: its kind and where its content lies.
#[derive(Debug, Clone, Copy)]
struct Atom {
    kind: [u8; 4],
    /// Where the content begins.
    at: u64,
    /// Where the content ends, at most the end of what is around it.
    end: u64,
    /// Whether more was promised than there is.
    is_cut: bool,
}

impl Atom {
    const fn len(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    fn content(&self, source: &mut Source<'_>) -> Vec<u8> {
        source.copy(self.at, crate::bytes::index(self.len()).min(CONTENT_LIMIT))
    }
}

/// The box at `at`, which ends before `end`; `at` moves behind it.
fn next(source: &mut Source<'_>, at: &mut u64, end: u64) -> Option<Atom> {
    let end = end.min(source.len());
    if at.saturating_add(8) > end {
        return None;
    }
    let head = source.read(*at, 16);
    let kind: [u8; 4] = slice(head, 4, 4)?.try_into().ok()?;
    let (head_len, len) = match be32(head, 0)? {
        // To the end of the file.
        0 => (8, end.saturating_sub(*at)),
        1 => (16, be64(head, 8)?),
        len => (8, u64::from(len)),
    };
    if len < head_len {
        return None;
    }
    let stated = at.saturating_add(len);
    let atom = Atom {
        kind,
        at: at.saturating_add(head_len),
        end: stated.min(end),
        is_cut: stated > end,
    };
    *at = stated;
    Some(atom)
}

/// The boxes from `at` to `end`.
fn list(source: &mut Source<'_>, at: u64, end: u64) -> Vec<Atom> {
    let mut at = at;
    let mut atoms = Vec::new();
    while atoms.len() < BOX_LIMIT {
        let Some(atom) = next(source, &mut at, end) else {
            break;
        };
        atoms.push(atom);
    }
    atoms
}

/// The boxes within a box.
fn children(source: &mut Source<'_>, atom: &Atom) -> Vec<Atom> {
    list(source, atom.at, atom.end)
}

/// The first box of a kind.
fn first(atoms: &[Atom], kind: &[u8; 4]) -> Option<Atom> {
    atoms.iter().find(|atom| &atom.kind == kind).copied()
}
