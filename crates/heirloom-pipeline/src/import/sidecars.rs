//! Reading what describes originals, once for all that each describes.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use bytes::Bytes;
use heirloom_core::ContentHash;
use heirloom_media::{SidecarKind, property};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    ImportError,
    part::{Failure, Member, Visit},
    plan::{Describing, Plan},
    survey::Trouble,
};
use crate::{
    Context,
    export::{ProblemCode, Why},
    tool::{SIDECAR_BYTES, read_sidecar},
};

/// A file that describes originals; its bytes are in the store.
#[derive(Debug, Clone)]
pub(super) struct Sidecar {
    pub(super) kind: SidecarKind,
    pub(super) content_hash: ContentHash,
    pub(super) size_bytes: u64,
    /// What the other program calls the original.
    pub(super) foreign_id: Option<String>,
    pub(super) is_favorite: bool,
    pub(super) is_deleted: bool,
    pub(super) is_archived: bool,
    pub(super) is_private: bool,
}

/// What was read, and what could not be.
type AllRead = (HashMap<Describing, Sidecar>, Vec<Trouble>);

/// Reads everything that describes something, and puts it into the store unless it is only looked (`is_dry`).
///
/// # Errors
/// [`ImportError`].
pub(super) fn read_sidecars(
    ctx: &Context,
    plan: &Plan,
    is_dry: bool,
    stop: &CancellationToken,
    runtime: &Handle,
) -> Result<AllRead, ImportError> {
    let mut reading = Reading {
        ctx,
        plan,
        is_dry,
        stop,
        runtime,
        part: 0,
        sidecars: HashMap::new(),
        troubles: Vec::new(),
    };
    for (number, excerpt) in plan.excerpts.iter().enumerate() {
        reading.keep(Describing::Excerpt(number), &excerpt.bytes)?;
    }
    let parts: HashSet<usize> = plan
        .sidecars
        .keys()
        .filter_map(|describing| match describing {
            Describing::File(place) => plan.survey.entries.get(*place).map(|entry| entry.part),
            Describing::Excerpt(_) => None,
        })
        .collect();
    for (number, part) in plan.survey.parts.iter().enumerate() {
        if parts.contains(&number) {
            reading.part = number;
            part.visit(&mut reading)?;
        }
    }
    Ok((reading.sidecars, reading.troubles))
}

struct Reading<'a> {
    ctx: &'a Context,
    plan: &'a Plan,
    is_dry: bool,
    stop: &'a CancellationToken,
    runtime: &'a Handle,
    part: usize,
    sidecars: HashMap<Describing, Sidecar>,
    troubles: Vec<Trouble>,
}

impl Reading<'_> {
    fn describing(&self, path: &str) -> Option<Describing> {
        let describing = Describing::File(self.plan.survey.find(self.part, path)?);
        self.plan
            .sidecars
            .contains_key(&describing)
            .then_some(describing)
    }

    fn keep(&mut self, describing: Describing, bytes: &[u8]) -> Result<(), ImportError> {
        if self.stop.is_cancelled() {
            return Err(ImportError::Cancelled);
        }
        let Some(kind) = self.plan.sidecars.get(&describing).copied() else {
            return Ok(());
        };
        let content_hash = heirloom_blobs::hash_of(bytes);
        if !self.is_dry {
            let bytes = Bytes::copy_from_slice(bytes);
            self.runtime.block_on(self.ctx.blobs.put_bytes(bytes))?;
        }
        let made = read_sidecar(Some(bytes), content_hash, kind);
        let property = |name: &str| {
            let properties = made.payload.get("properties")?;
            properties.get(name)?.as_str().map(str::to_owned)
        };
        let sidecar = Sidecar {
            kind,
            content_hash,
            size_bytes: bytes.len() as u64,
            foreign_id: property(property::FOREIGN_ID),
            is_favorite: property(property::FAVORITE).is_some(),
            is_deleted: property(property::DELETED).is_some(),
            is_archived: property(property::ARCHIVED).is_some(),
            is_private: property(property::PRIVATE).is_some(),
        };
        self.sidecars.insert(describing, sidecar);
        Ok(())
    }
}

impl Visit for Reading<'_> {
    fn is_wanted(&mut self, member: &Member) -> bool {
        if self.describing(&member.path).is_none() {
            return false;
        }
        if member.size_bytes > SIDECAR_BYTES {
            let what = "it is longer than anything that describes a picture";
            self.trouble(&member.path, Why::new(ProblemCode::TooLong, what));
            return false;
        }
        true
    }

    fn take(&mut self, member: &Member, bytes: &mut dyn Read) -> Result<(), Failure> {
        let Some(describing) = self.describing(&member.path) else {
            return Ok(());
        };
        let mut read = Vec::new();
        bytes
            .read_to_end(&mut read)
            .map_err(|error| Failure::Member(Why::unreadable(error)))?;
        Ok(self.keep(describing, &read)?)
    }

    fn trouble(&mut self, path: &str, why: Why) {
        self.troubles.push((path.to_owned(), why));
    }
}
