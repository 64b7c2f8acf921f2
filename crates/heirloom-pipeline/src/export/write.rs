//! Writing one asset after the other.

use std::{fs::File, sync::atomic::Ordering};

use heirloom_core::ContentHash;
use heirloom_db::workpiece::Workpiece;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    ExportError, ExportReport, Meter, Problem, ProblemCode, Why,
    bag::{Bag, CopyError, Lines, Reporting, Wanted},
    format::{ASSETS, AssetRecord},
    gather::{Gathered, Original, What},
    pages::Cards,
};
use crate::{Context, open::open_sound_original};

/// How many assets a file of records has.
const ON_A_PAGE: u64 = 1_000;
/// How many problems are told one by one.
const TOLD: usize = 1_000;
/// What writes; it goes to where waiting for a disk holds up nobody, and comes back.
pub(super) struct Work {
    pub(super) bag: Bag,
    pub(super) cards: Cards,
    pub(super) lines: Option<Lines>,
    pub(super) on_page: u64,
    pub(super) pages: u64,
    pub(super) report: ExportReport,
}

impl Work {
    pub(super) fn write(
        &mut self,
        mut asset: Gathered,
        others: &Others,
        stop: &CancellationToken,
        meter: &Meter,
    ) -> Result<(), ExportError> {
        self.copy_original(&mut asset, others, stop, meter)?;
        for beside in std::mem::take(&mut asset.files) {
            let wanted = Wanted {
                path: &beside.path,
                hash: beside.hash,
                size_bytes: beside.size_bytes,
            };
            let modified_at_ns = beside.modified_at_ns;
            let mut file = match beside.file {
                Ok(file) => file,
                Err(why) => {
                    if self.bag.keep_file(&wanted, stop)? {
                        if let What::Sidecar(number) = beside.what {
                            asset.record.sidecars[number].path = Some(beside.path);
                        }
                    } else {
                        asset.problems.push(problem_of(&asset.record, why));
                    }
                    continue;
                }
            };
            let copied = self.bag.add_file(&wanted, &mut file, modified_at_ns, stop);
            let copied = match copied {
                Err(CopyError::Damaged | CopyError::Unreadable(_))
                    if let Some(mut file) = others.blob(beside.hash) =>
                {
                    self.bag.add_file(&wanted, &mut file, modified_at_ns, stop)
                }
                copied => copied,
            };
            match (copied, beside.what) {
                (Ok(()), What::Sidecar(number)) => {
                    asset.record.sidecars[number].path = Some(beside.path);
                }
                (Ok(()), What::Payload(number)) => {
                    let artifact = &mut asset.record.artifacts[number];
                    artifact.payload_path = Some(beside.path);
                    artifact.payload_blake3 = Some(beside.hash);
                }
                (Ok(()), What::Picture) => {}
                (Err(CopyError::Export(error)), _) => return Err(error),
                (Err(_), What::Picture) => {
                    asset.card.picture = asset.card.picture.filter(|path| *path != beside.path);
                    asset.card.shown = asset.card.shown.filter(|path| *path != beside.path);
                }
                (Err(error), _) => {
                    let why = why(&error).of_file(&beside.path);
                    asset.problems.push(problem_of(&asset.record, why));
                }
            }
        }
        for (path, text) in &asset.texts {
            self.bag.write(path, text.as_bytes())?;
        }
        if self.on_page == ON_A_PAGE
            && let Some(lines) = self.lines.take()
        {
            self.bag.end_lines(lines)?;
            self.on_page = 0;
        }
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => {
                self.pages += 1;
                let path = format!("{ASSETS}/{:06}.jsonl", self.pages);
                self.lines.insert(self.bag.begin_lines(&path)?)
            }
        };
        lines.add(&asset.record)?;
        self.on_page += 1;
        if asset.is_listed {
            self.cards.add(
                asset.key,
                heirloom_db::timeline::bucket_of_key(asset.key),
                &asset.card,
            )?;
        }
        self.report.assets += 1;
        for problem in asset.problems {
            self.report.problem_count += 1;
            if self.report.problems.len() < TOLD {
                self.report.problems.push(problem);
            }
        }
        Ok(())
    }

    fn copy_original(
        &mut self,
        asset: &mut Gathered,
        others: &Others,
        stop: &CancellationToken,
        meter: &Meter,
    ) -> Result<(), ExportError> {
        let (path, mut file, modified_at_ns) =
            match std::mem::replace(&mut asset.original, Original::Unwanted) {
                Original::Here {
                    path,
                    file,
                    modified_at_ns,
                } => (path, file, modified_at_ns),
                Original::Away {
                    path,
                    why,
                    is_archived,
                } => return self.keep_original(asset, path, why, is_archived, stop),
                Original::Unwanted => return Ok(()),
            };
        let wanted = Wanted {
            path: &path,
            hash: asset.record.blake3,
            size_bytes: asset.record.size_bytes.unsigned_abs(),
        };
        let reporting = Reporting {
            stop,
            observe: &|bytes| {
                meter.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            },
        };
        let id = asset.record.id;
        let copied = self
            .bag
            .add_original(id, &wanted, &mut file, modified_at_ns, &reporting);
        let copied = match copied {
            Err(error @ (CopyError::Damaged | CopyError::Unreadable(_))) => {
                match others.original(&asset.asset)? {
                    Some(mut other) => {
                        let name = &asset.record.name;
                        tracing::warn!(name, "a copy is damaged, and another one is exported");
                        self.bag
                            .add_original(id, &wanted, &mut other, modified_at_ns, &reporting)
                    }
                    None => Err(error),
                }
            }
            copied => copied,
        };
        match copied {
            Ok((sum, is_new)) => {
                self.report.copied += u64::from(is_new);
                self.note_original(asset, path, sum)
            }
            Err(CopyError::Export(error)) => Err(error),
            Err(error) => {
                asset.problems.push(problem_of(&asset.record, why(&error)));
                Ok(())
            }
        }
    }

    /// What an earlier export has of an original that cannot be had now may be all that there is of it.
    fn keep_original(
        &mut self,
        asset: &mut Gathered,
        path: String,
        mut why: Why,
        is_archived: bool,
        stop: &CancellationToken,
    ) -> Result<(), ExportError> {
        let wanted = Wanted {
            path: &path,
            hash: asset.record.blake3,
            size_bytes: asset.record.size_bytes.unsigned_abs(),
        };
        let kept = self.bag.keep_original(asset.record.id, &wanted, stop)?;
        if let Some(sum) = kept {
            self.note_original(asset, path, sum)?;
            // What is in an archive is not lost.
            if is_archived {
                return Ok(());
            }
            why.what += "; the copy that an earlier export made stays";
        }
        asset.problems.push(problem_of(&asset.record, why));
        Ok(())
    }

    /// Says of an original that it is in the bag, and describes it there.
    fn note_original(
        &mut self,
        asset: &mut Gathered,
        path: String,
        sum: String,
    ) -> Result<(), ExportError> {
        self.report.originals += 1;
        self.bag
            .write(&format!("{path}.xmp"), asset.xmp.as_bytes())?;
        asset.record.sha512 = Some(sum);
        asset.card.path = Some(path.clone());
        asset.record.path = Some(path);
        Ok(())
    }
}

/// Finds sound copies where the first that was taken is not.
pub(super) struct Others {
    pub(super) ctx: Context,
    pub(super) runtime: Handle,
}

impl Others {
    fn original(&self, asset: &Workpiece) -> Result<Option<File>, ExportError> {
        Ok(self
            .runtime
            .block_on(open_sound_original(&self.ctx, asset))?)
    }

    fn blob(&self, hash: ContentHash) -> Option<File> {
        self.runtime.block_on(self.ctx.blobs.open_sound(hash)).ok()
    }
}

fn why(error: &CopyError) -> Why {
    match error {
        CopyError::Damaged => Why::new(
            ProblemCode::Damaged,
            "its bytes are no longer those that were catalogued",
        ),
        CopyError::Unreadable(error) => Why::unreadable(error),
        CopyError::Export(error) => Why::new(ProblemCode::Other, error.to_string()),
    }
}

fn problem_of(record: &AssetRecord, why: Why) -> Problem {
    Problem {
        asset_id: Some(record.id),
        name: record.name.clone(),
        why,
    }
}
