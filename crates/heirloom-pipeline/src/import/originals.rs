//! Reading originals: their bytes go into the store, and the tools that read an original look at them.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek as _, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use heirloom_core::{ContentHash, FamilyId};
use tempfile::TempDir;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    ImportError,
    part::{Failure, Member, Visit},
    plan::Plan,
    survey::Trouble,
};
use crate::{
    Context,
    export::{ProblemCode, Why},
    tool::{Looked, look_at},
};

/// What is no longer than this is read into memory; anything else to the disk, where the store takes it from.
const IN_MEMORY: u64 = 8 * 1024 * 1024;
const BLOCK_BYTES: usize = 256 * 1024;

/// An original that was read.
#[derive(Debug)]
pub(super) struct Got {
    /// Its place among the entries.
    pub(super) place: usize,
    pub(super) content_hash: ContentHash,
    pub(super) size_bytes: u64,
    /// Whether its bytes were put into the store, because they were not here.
    pub(super) has_bytes: bool,
    /// What the tools made of it; `None` when nothing is to be done.
    pub(super) looked: Option<Looked>,
}

/// What reads all originals.
pub(super) struct Originals {
    pub(super) ctx: Context,
    pub(super) family: FamilyId,
    pub(super) plan: Arc<Plan>,
    pub(super) is_dry: bool,
    pub(super) stop: CancellationToken,
    pub(super) runtime: Handle,
    pub(super) sender: mpsc::Sender<Got>,
}

impl Originals {
    /// Reads them all, one after another; gives what could not be read.
    ///
    /// # Errors
    /// [`ImportError`].
    pub(super) fn read(self) -> Result<Vec<Trouble>, ImportError> {
        let plan = Arc::clone(&self.plan);
        let mut is_original = vec![false; plan.survey.entries.len()];
        for place in &plan.originals {
            if let Some(is_original) = is_original.get_mut(*place) {
                *is_original = true;
            }
        }
        let mut reading = Reading {
            originals: self,
            is_original,
            is_taken: vec![false; plan.survey.entries.len()],
            part: 0,
            workplace: None,
            troubles: Vec::new(),
        };
        for (number, part) in plan.survey.parts.iter().enumerate() {
            reading.part = number;
            part.visit(&mut reading)?;
        }
        let taken = |place: &usize| reading.is_taken.get(*place) == Some(&true);
        let gone: Vec<Trouble> = plan
            .originals
            .iter()
            .filter(|place| !taken(place))
            .filter_map(|place| plan.standing.get(*place))
            .map(|standing| {
                let what = "it was listed, and could not be reached any more";
                (standing.path.clone(), Why::new(ProblemCode::Gone, what))
            })
            .collect();
        let mut troubles = reading.troubles;
        troubles.extend(gone);
        Ok(troubles)
    }
}

struct Reading {
    originals: Originals,
    is_original: Vec<bool>,
    /// Each is dealt with once, whatever an archive has twice.
    is_taken: Vec<bool>,
    part: usize,
    /// Where what is too long for memory lies meanwhile.
    workplace: Option<TempDir>,
    troubles: Vec<Trouble>,
}

impl Reading {
    fn place(&self, path: &str) -> Option<usize> {
        let place = self.originals.plan.survey.find(self.part, path)?;
        let is_wanted =
            self.is_original.get(place) == Some(&true) && self.is_taken.get(place) == Some(&false);
        is_wanted.then_some(place)
    }

    fn is_held(&self, hash: ContentHash) -> Result<bool, ImportError> {
        let Originals {
            ctx,
            family,
            runtime,
            ..
        } = &self.originals;
        let held = runtime.block_on(ctx.db.find_held(&ctx.actor, *family, &[hash]))?;
        Ok(!held.is_empty())
    }

    /// Reads to the end, block by block.
    fn pour(
        &self,
        bytes: &mut dyn Read,
        mut to: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(ContentHash, u64), Failure> {
        let mut hasher = blake3::Hasher::new();
        let mut block = vec![0; BLOCK_BYTES];
        let mut size_bytes = 0_u64;
        loop {
            if self.originals.stop.is_cancelled() {
                return Err(ImportError::Cancelled.into());
            }
            let length = match bytes.read(&mut block) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Member(Why::unreadable(error))),
            };
            let read = block.get(..length).unwrap_or_default();
            hasher.update(read);
            to(read).map_err(|error| Failure::Import(ImportError::Disk(error)))?;
            size_bytes = size_bytes.saturating_add(length as u64);
        }
        Ok((
            ContentHash::from_bytes(*hasher.finalize().as_bytes()),
            size_bytes,
        ))
    }

    fn take_small(&self, place: usize, name: &str, bytes: &mut dyn Read) -> Result<Got, Failure> {
        let mut read = Vec::new();
        let (content_hash, size_bytes) = self.pour(bytes, |block| {
            read.extend_from_slice(block);
            Ok(())
        })?;
        let looked = look_at(&mut Cursor::new(&read), content_hash, name);
        let looked = looked.map_err(|error| Failure::Member(Why::unreadable(error)))?;
        let has_bytes = !self.is_held(content_hash)?;
        if has_bytes {
            let Originals { ctx, runtime, .. } = &self.originals;
            let put = runtime.block_on(ctx.blobs.put_bytes(Bytes::from(read)));
            put.map_err(ImportError::from)?;
        }
        Ok(Got {
            place,
            content_hash,
            size_bytes,
            has_bytes,
            looked: Some(looked),
        })
    }

    fn take_large(
        &mut self,
        place: usize,
        name: &str,
        bytes: &mut dyn Read,
    ) -> Result<Got, Failure> {
        let disk = |error| Failure::Import(ImportError::Disk(error));
        if self.workplace.is_none() {
            let builder = tempfile::Builder::new()
                .prefix(super::WORKPLACE)
                .tempdir_in(&self.originals.ctx.data_folder);
            self.workplace = Some(builder.map_err(disk)?);
        }
        let Some(workplace) = &self.workplace else {
            return Err(disk(io::ErrorKind::NotFound.into()));
        };
        let mut file = tempfile::NamedTempFile::new_in(workplace.path()).map_err(disk)?;
        let (content_hash, size_bytes) = self.pour(bytes, |block| file.write_all(block))?;
        let looked = {
            let opened: &mut File = file.as_file_mut();
            opened.rewind().map_err(disk)?;
            look_at(opened, content_hash, name).map_err(disk)?
        };
        let has_bytes = !self.is_held(content_hash)?;
        if has_bytes {
            let Originals { ctx, runtime, .. } = &self.originals;
            let put = runtime.block_on(ctx.blobs.put_file(file.path(), Some(content_hash)));
            put.map_err(ImportError::from)?;
        }
        Ok(Got {
            place,
            content_hash,
            size_bytes,
            has_bytes,
            looked: Some(looked),
        })
    }
}

impl Visit for Reading {
    fn is_wanted(&mut self, member: &Member) -> bool {
        self.place(&member.path).is_some()
    }

    fn take(&mut self, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure> {
        if self.originals.stop.is_cancelled() {
            return Err(ImportError::Cancelled.into());
        }
        let Some(place) = self.place(&member.path) else {
            return Ok(());
        };
        if let Some(is_taken) = self.is_taken.get_mut(place) {
            *is_taken = true;
        }
        let plan = Arc::clone(&self.originals.plan);
        let name = plan
            .standing
            .get(place)
            .map_or("", |standing| standing.name.as_str());
        let got = if self.originals.is_dry {
            let (content_hash, size_bytes) = self.pour(bytes, |_| Ok(()))?;
            Got {
                place,
                content_hash,
                size_bytes,
                has_bytes: false,
                looked: None,
            }
        } else if member.size_bytes <= IN_MEMORY {
            self.take_small(place, name, bytes)?
        } else {
            self.take_large(place, name, bytes)?
        };
        let sent = self.originals.sender.blocking_send(got);
        sent.map_err(|_| Failure::Import(ImportError::Cancelled))
    }

    fn trouble(&mut self, path: &str, why: Why) {
        // What is wrong with a file is told once, and it is not missed beside that.
        if let Some(place) = self.originals.plan.survey.find(self.part, path)
            && let Some(is_taken) = self.is_taken.get_mut(place)
        {
            *is_taken = true;
        }
        self.troubles.push((path.to_owned(), why));
    }
}
