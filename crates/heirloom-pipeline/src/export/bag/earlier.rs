//! What the runs before this one copied into a bag.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use heirloom_core::{AssetId, ContentHash};

use crate::export::{
    format::{ASSETS, AssetRecord},
    unfinished::Unfinished,
};

/// What an earlier run copied, in the order of ids, as far as it was read.
pub(super) struct Earlier {
    lines: Option<BufReader<File>>,
    next: Option<Copied>,
}

/// An original that was copied.
pub(super) struct Copied {
    id: AssetId,
    hash: ContentHash,
    /// Its SHA-512.
    pub(super) sum: String,
    /// Where it was put.
    pub(super) path: String,
}

impl Copied {
    fn parse(line: &str) -> Option<Self> {
        // A line that a kill cut off has no end.
        let mut parts = line.strip_suffix('\n')?.splitn(4, ' ');
        Some(Self {
            id: parts.next()?.parse().ok()?,
            hash: parts.next()?.parse().ok()?,
            sum: parts.next().filter(|sum| sum.len() == 128)?.to_owned(),
            path: parts.next()?.to_owned(),
        })
    }
}

impl Earlier {
    /// Puts together what the runs before this one copied: the last, and behind it what one before it had more.
    pub(super) fn gather(root: &Path, unfinished: &Unfinished) -> io::Result<Self> {
        let (last, before) = (
            unfinished.file("originals"),
            unfinished.file("originals-before"),
        );
        let merged = unfinished.file("originals-merged");
        if last.exists() {
            let mut out = BufWriter::new(File::create(&merged)?);
            let mut until = None;
            for path in [&last, &before] {
                let Ok(file) = File::open(path) else { continue };
                let after = until;
                let mut lines = BufReader::new(file);
                while let Some((line, copied)) = next_line(&mut lines)? {
                    if after.is_none_or(|after| copied.id > after) {
                        until = Some(copied.id);
                        out.write_all(line.as_bytes())?;
                    }
                }
            }
            out.into_inner()
                .map_err(io::IntoInnerError::into_error)?
                .sync_all()?;
            fs::rename(&merged, &before)?;
            fs::remove_file(&last)?;
        } else if !before.exists() {
            from_pages(root, &merged)?;
            fs::rename(&merged, &before)?;
        }
        let mut lines = BufReader::new(File::open(&before)?);
        let next = next_line(&mut lines)?.map(|(_, copied)| copied);
        let lines = Some(lines);
        Ok(Self { lines, next })
    }

    /// What was copied of this asset. Assets are asked for in the order of their ids.
    pub(super) fn find(&mut self, id: AssetId, hash: ContentHash) -> Option<&Copied> {
        while self.next.as_ref().is_some_and(|next| next.id < id) {
            let lines = self.lines.as_mut()?;
            self.next = next_line(lines).ok().flatten().map(|(_, copied)| copied);
        }
        let next = self.next.as_ref()?;
        (next.id == id && next.hash == hash).then_some(next)
    }
}

fn next_line(lines: &mut BufReader<File>) -> io::Result<Option<(String, Copied)>> {
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let Ok(line) = String::from_utf8(line) else {
            continue;
        };
        if let Some(copied) = Copied::parse(&line) {
            return Ok(Some((line, copied)));
        }
    }
}

/// Writes down what a finished export has, from its own words.
fn from_pages(root: &Path, to: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(to)?);
    let mut pages: Vec<PathBuf> = match fs::read_dir(root.join(ASSETS)) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<_>>()?,
        Err(_) => Vec::new(),
    };
    pages.sort();
    for page in pages {
        for line in BufReader::new(File::open(page)?).split(b'\n') {
            let Ok(asset) = serde_json::from_slice::<AssetRecord>(&line?) else {
                continue;
            };
            if let (Some(path), Some(sum)) = (asset.path, asset.sha512) {
                writeln!(out, "{} {} {sum} {path}", asset.id, asset.blake3)?;
            }
        }
    }
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}
