//! The folder that is published, put together as originals come, one after the other.

use std::io::{self, Read};

use heirloom_blobs::hash_of;
use heirloom_core::ContentHash;
use heirloom_db::asset::Asset;
use heirloom_ipfs::{Block, Layout, Made, PublicationKey, Sealed, add_file, add_folder};

use super::index::{FORMAT, File, INDEX, Index, ORIGINALS, README, SEALED, TOGETHER, readme};
use crate::export::{Names, safe};

/// A folder that comes about.
pub(super) struct Tree {
    layout: Layout,
    key: Option<PublicationKey>,
    names: Names,
    index: Index,
    /// Folders of originals that are full, and what is in the one that is not.
    folders: Vec<(String, Made)>,
    open: Vec<(String, Made)>,
    blocks: Vec<Block>,
}

/// What is written before and after an original.
pub(super) fn sealed_by<'a>(
    key: Option<&PublicationKey>,
    hash: ContentHash,
    plain: impl Read + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match key {
        Some(key) => Box::new(Sealed::new(key, hash, plain)?),
        None => Box::new(plain),
    })
}

impl Tree {
    pub(super) fn begin(
        layout: Layout,
        key: Option<PublicationKey>,
        collection: &str,
        description: &str,
    ) -> Self {
        Self {
            layout,
            key,
            names: Names::default(),
            index: Index {
                format: FORMAT,
                collection: collection.to_owned(),
                description: description.to_owned(),
                files: Vec::new(),
            },
            folders: Vec::new(),
            open: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Puts an original in that was made into blocks.
    pub(super) fn add(&mut self, asset: &Asset, made: Made) -> io::Result<()> {
        if self.open.len() == TOGETHER {
            self.close_folder()?;
        }
        let folder = format!("{:04}", self.folders.len() + 1);
        let path = match &self.key {
            Some(key) => format!("{folder}/{}{SEALED}", key.name_of(asset.content_hash)),
            None => self.names.take(&format!("{folder}/{}", safe(&asset.name))),
        };
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        self.open.push((name, made));
        self.index.files.push(File {
            path: format!("{ORIGINALS}/{path}"),
            name: asset.name.clone(),
            blake3: asset.content_hash,
            size_bytes: asset.size_bytes.unsigned_abs(),
            media_type: asset.media_type.clone(),
            date: asset.date.clone(),
            title: asset.title.clone(),
        });
        Ok(())
    }

    /// How many originals are in it.
    pub(super) fn files(&self) -> usize {
        self.index.files.len()
    }

    /// The root, and all blocks that are no original's.
    pub(super) fn finish(mut self) -> io::Result<(Made, Vec<Block>)> {
        self.close_folder()?;
        let blocks = &mut self.blocks;
        let mut put = |block| {
            blocks.push(block);
            Ok(())
        };
        let originals = add_folder(self.folders, &mut put)?;
        let mut index = serde_json::to_vec_pretty(&self.index).map_err(io::Error::other)?;
        index.push(b'\n');
        let sealed = sealed_by(self.key.as_ref(), hash_of(&index), &*index)?;
        let index_made = add_file(sealed, self.layout, &mut put)?;
        let is_plain = self.key.is_none();
        let words = add_file(readme(is_plain).as_bytes(), self.layout, &mut put)?;
        let index_name = if is_plain {
            INDEX.to_owned()
        } else {
            format!("{INDEX}{SEALED}")
        };
        let entries = vec![
            (ORIGINALS.to_owned(), originals),
            (index_name, index_made),
            (README.to_owned(), words),
        ];
        let root = add_folder(entries, &mut put)?;
        Ok((root, self.blocks))
    }

    fn close_folder(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let blocks = &mut self.blocks;
        let entries = std::mem::take(&mut self.open);
        let made = add_folder(entries, &mut |block| {
            blocks.push(block);
            Ok(())
        })?;
        let name = format!("{:04}", self.folders.len() + 1);
        self.folders.push((name, made));
        Ok(())
    }
}
