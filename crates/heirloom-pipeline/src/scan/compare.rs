//! The two lists that a walk reads side by side: the names on disk and the files that are known.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
};

use heirloom_core::{ContentHash, FolderId};
use heirloom_db::{
    Db, DbError,
    folder::{KnownFile, Neighbour},
};
use heirloom_media::{SidecarKind, match_sidecars};

use super::{passed_over, work::Role};
use crate::original::{EntryKind, Listing};

/// How many files are asked for at once.
const PAGE: usize = 1000;

/// What the files of a listing are to each other.
pub(super) struct Names {
    files: u64,
    sidecars: HashMap<usize, SidecarKind>,
}

impl Names {
    pub(super) fn of(listing: &Listing) -> Self {
        let is_file = |(_, (name, kind)): &(usize, (&str, EntryKind))| {
            matches!(kind, EntryKind::File | EntryKind::Unknown)
                && passed_over::file_reason(name).is_none()
        };
        let mut names = Self {
            files: listing
                .iter()
                .filter(|(_, kind)| *kind != EntryKind::Folder)
                .count() as u64,
            sidecars: HashMap::new(),
        };
        // Matching takes memory for every name; most folders have nothing to match.
        if listing.iter().any(|(name, _)| may_be_sidecar(name)) {
            let (places, files): (Vec<usize>, Vec<&str>) = listing
                .iter()
                .enumerate()
                .filter(is_file)
                .map(|(place, (name, _))| (place, name))
                .unzip();
            for found in match_sidecars(&files) {
                names.sidecars.insert(places[found.sidecar], found.kind);
            }
        }
        names
    }

    pub(super) const fn count_files(&self) -> u64 {
        self.files
    }

    /// What the entry at this place is to be catalogued as.
    pub(super) fn role(&self, place: usize) -> Role {
        self.sidecars
            .get(&place)
            .map_or(Role::Original, |kind| Role::Sidecar(*kind))
    }
}

/// Whether a name looks like that of a sidecar.
pub(super) fn may_be_sidecar(name: &str) -> bool {
    let Some((_, extension)) = name.rsplit_once('.') else {
        return false;
    };
    [
        SidecarKind::Xmp,
        SidecarKind::Takeout,
        SidecarKind::AppleEdit,
    ]
    .into_iter()
    .any(|kind| extension.eq_ignore_ascii_case(extension_of(kind)))
}

/// The extension that every sidecar of a kind has. A new kind does not compile without its own.
const fn extension_of(kind: SidecarKind) -> &'static str {
    match kind {
        SidecarKind::Xmp => "xmp",
        SidecarKind::Takeout => "json",
        SidecarKind::AppleEdit => "aae",
        // Only an import finds these.
        SidecarKind::PhotoPrism => "yml",
        SidecarKind::AppleDetails => "csv",
        SidecarKind::Immich => "immich.json",
    }
}

/// The known files of a folder in order, fetched page by page.
pub(super) struct Known<'a> {
    files: Pages<'a, KnownFile>,
    /// The same files with their hashes, when those are asked for.
    hashes: Pages<'a, Neighbour>,
}

struct Pages<'a, T> {
    db: &'a Db,
    folder: FolderId,
    page: VecDeque<T>,
    last: String,
    is_at_end: bool,
}

/// A file in a page.
trait Named {
    fn name(&self) -> &str;
    fn list(
        db: &Db,
        folder: FolderId,
        after: &str,
    ) -> impl Future<Output = Result<Vec<Self>, DbError>> + Send
    where
        Self: Sized;
}

impl Named for KnownFile {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(db: &Db, folder: FolderId, after: &str) -> Result<Vec<Self>, DbError> {
        db.list_known_files(folder, after, PAGE).await
    }
}

impl Named for Neighbour {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(db: &Db, folder: FolderId, after: &str) -> Result<Vec<Self>, DbError> {
        db.list_neighbours(folder, after, PAGE).await
    }
}

impl<'a> Known<'a> {
    /// The files of a folder; none, without asking, when it `is_known` to nobody.
    pub(super) const fn of(db: &'a Db, folder: FolderId, is_known: bool, has_hashes: bool) -> Self {
        Self {
            files: Pages::of(db, folder, is_known),
            hashes: Pages::of(db, folder, is_known && has_hashes),
        }
    }

    /// The next file.
    pub(super) async fn next(&mut self) -> Result<Option<KnownFile>, DbError> {
        self.files.peek().await?;
        Ok(self.files.page.pop_front())
    }

    /// The next file, if its name comes before this one.
    pub(super) async fn next_before(&mut self, name: &str) -> Result<Option<KnownFile>, DbError> {
        match self.files.peek().await? {
            Some(file) if file.name.as_str() < name => Ok(self.files.page.pop_front()),
            _ => Ok(None),
        }
    }

    /// The next file, if this is its name.
    pub(super) async fn take(&mut self, name: &str) -> Result<Option<KnownFile>, DbError> {
        match self.files.peek().await? {
            Some(file) if file.name == name => Ok(self.files.page.pop_front()),
            _ => Ok(None),
        }
    }

    /// The hash of the known file of this name; names have to be asked for in order.
    pub(super) async fn content_hash(
        &mut self,
        name: &str,
    ) -> Result<Option<ContentHash>, DbError> {
        while let Some(file) = self.hashes.peek().await? {
            match file.name.as_str().cmp(name) {
                std::cmp::Ordering::Less => drop(self.hashes.page.pop_front()),
                std::cmp::Ordering::Equal => return Ok(Some(file.content_hash)),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(None)
    }
}

impl<'a, T: Named> Pages<'a, T> {
    const fn of(db: &'a Db, folder: FolderId, is_known: bool) -> Self {
        Self {
            db,
            folder,
            page: VecDeque::new(),
            last: String::new(),
            is_at_end: !is_known,
        }
    }

    async fn peek(&mut self) -> Result<Option<&T>, DbError> {
        if self.page.is_empty() && !self.is_at_end {
            let page = T::list(self.db, self.folder, &self.last).await?;
            self.is_at_end = page.len() < PAGE;
            if let Some(last) = page.last() {
                last.name().clone_into(&mut self.last);
            }
            self.page = page.into();
        }
        Ok(self.page.front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_can_be_matched_as_a_sidecar_looks_like_one() {
        let names = [
            "a.jpg",
            "a.jpg.XMP",
            "b.heic",
            "b.AAE",
            "c.jpg",
            "c.jpg.json",
            "d.txt",
        ];
        let matched: Vec<&str> = match_sidecars(&names)
            .into_iter()
            .map(|found| names[found.sidecar])
            .collect();
        let looking: Vec<&str> = names
            .into_iter()
            .filter(|name| may_be_sidecar(name))
            .collect();
        assert_eq!(matched, looking);
    }
}
