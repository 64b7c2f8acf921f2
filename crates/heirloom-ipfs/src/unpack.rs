//! Files and folders, put together again from blocks.

use std::io::Write;

use cid::Cid;

use super::{
    CarError, CarFile,
    block::{DAG_PB, RAW},
    node::{Kind, Node, decode},
};

/// Trees of files are at most five levels high, and folders are not deeper than people make them.
const DEEPEST: usize = 64;
/// What is in an archive may become this many times what it has: a block that a file has twice is in it once.
const TIMES: u64 = 1000;

/// Something that a folder has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called, with the folders that it is in, separated by slashes.
    pub path: String,
    /// Its name as a block.
    pub cid: Cid,
}

/// Puts together what an archive has.
#[derive(Debug)]
pub struct Unpack<'a> {
    archive: &'a CarFile,
    /// How many more bytes may come out, and how many entries and nodes may be looked at.
    bytes_left: u64,
    steps_left: u64,
}

impl<'a> Unpack<'a> {
    /// Of this archive.
    #[must_use]
    pub fn new(archive: &'a CarFile) -> Self {
        let room = archive.bytes().saturating_mul(TIMES).max(1 << 20);
        Self {
            archive,
            bytes_left: room,
            steps_left: (archive.blocks() as u64).saturating_mul(TIMES).max(1000),
        }
    }

    /// The files below a folder, by their paths, as they stand in it; a file is one itself, without a path.
    ///
    /// # Errors
    /// [`CarError`], which names the block.
    pub fn list(&mut self, root: &Cid) -> Result<Vec<Entry>, CarError> {
        let mut entries = Vec::new();
        self.list_below(root, "", 0, &mut entries)?;
        Ok(entries)
    }

    /// Writes the bytes of a file; gives how many there are.
    ///
    /// # Errors
    /// [`CarError`], which names the block; what the writer says.
    pub fn write_file(&mut self, cid: &Cid, out: &mut dyn Write) -> Result<u64, CarError> {
        self.write_part(cid, 0, out)
    }

    fn list_below(
        &mut self,
        cid: &Cid,
        path: &str,
        depth: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<(), CarError> {
        let node = match cid.codec() {
            RAW => None,
            _ => Some(self.node(cid, depth)?),
        };
        match node {
            Some(node) if node.kind == Kind::Folder || node.kind == Kind::Shard => {
                for link in &node.links {
                    let name = match node.kind {
                        Kind::Shard => {
                            // Two digits say where in the shard it is; with nothing behind them it is more of the shard.
                            let rest = link.name.get(2..).unwrap_or_default();
                            if rest.is_empty() {
                                self.list_below(&link.cid, path, depth + 1, entries)?;
                                continue;
                            }
                            rest
                        }
                        _ => &link.name,
                    };
                    let is_bad = matches!(name, "" | "." | "..") || name.contains(['/', '\0']);
                    if is_bad || name.len() > 255 {
                        return Err(CarError::BadName {
                            cid: *cid,
                            name: name.to_owned(),
                        });
                    }
                    let below = match path {
                        "" => name.to_owned(),
                        path => format!("{path}/{name}"),
                    };
                    self.list_below(&link.cid, &below, depth + 1, entries)?;
                }
            }
            Some(node) if node.kind == Kind::Other => {
                return Err(not_a_file(
                    cid,
                    "it is a link or something else of that kind",
                ));
            }
            _ => {
                self.step()?;
                entries.push(Entry {
                    path: path.to_owned(),
                    cid: *cid,
                });
            }
        }
        Ok(())
    }

    fn write_part(
        &mut self,
        cid: &Cid,
        depth: usize,
        out: &mut dyn Write,
    ) -> Result<u64, CarError> {
        if cid.codec() == RAW {
            self.step()?;
            let bytes = self.archive.block(cid)?;
            return self.write(&bytes, out);
        }
        let node = self.node(cid, depth)?;
        if !matches!(node.kind, Kind::File | Kind::Raw) {
            return Err(not_a_file(cid, "it is a folder"));
        }
        let mut written = self.write(&node.inline, out)?;
        for link in &node.links {
            written += self.write_part(&link.cid, depth + 1, out)?;
        }
        match node.file_bytes {
            Some(said) if said != written => {
                Err(not_a_file(cid, "it has another length than it says"))
            }
            _ => Ok(written),
        }
    }

    fn node(&mut self, cid: &Cid, depth: usize) -> Result<Node, CarError> {
        self.step()?;
        if depth > DEEPEST {
            return Err(not_a_file(cid, "it lies too deep"));
        }
        if cid.codec() != DAG_PB {
            return Err(not_a_file(cid, "it is in a form that files do not have"));
        }
        decode(&self.archive.block(cid)?).map_err(|why| not_a_file(cid, why))
    }

    fn step(&mut self) -> Result<(), CarError> {
        self.steps_left = self
            .steps_left
            .checked_sub(1)
            .ok_or(CarError::TooMuch(self.archive.bytes()))?;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], out: &mut dyn Write) -> Result<u64, CarError> {
        let length = bytes.len() as u64;
        self.bytes_left = self
            .bytes_left
            .checked_sub(length)
            .ok_or(CarError::TooMuch(
                self.archive.bytes().saturating_mul(TIMES),
            ))?;
        out.write_all(bytes)?;
        Ok(length)
    }
}

const fn not_a_file(cid: &Cid, why: &'static str) -> CarError {
    CarError::NotAFile { cid: *cid, why }
}
