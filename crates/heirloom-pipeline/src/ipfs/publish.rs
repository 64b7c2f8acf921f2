//! Publishing: original by original, and the folder that they are in at the end.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Read, Seek as _, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use heirloom_core::{ContentHash, permission::Action};
use heirloom_db::{
    DbError,
    asset::Asset,
    collection::Collection,
    family::Family,
    publication::{Consent, Publication, PublicationState, PublishedFile},
};
use heirloom_ipfs::{Block, CarWriter, Layout, Made, PublicationKey, add_file, set_car_root};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tokio_util::sync::CancellationToken;

use super::{
    Asked, IpfsError, IpfsSettings, PublishReport, Target,
    ask::Asker,
    blocking,
    gather::{AT_ONCE, Gathered, gather, is_private, is_publishable},
    key::{load_publication_key, make_key},
    node::{Node, Writing},
    pins::{keep_root, let_go_of_old},
    tree::{Tree, sealed_by},
};
use crate::{
    Context,
    export::{Meter, Problem, ProblemCode, Why, check_place},
    open::open_original,
};

/// A publication that was looked at, consented to and noted.
#[derive(Debug)]
pub struct Checked {
    asked: Asked,
    publication: Publication,
    gathered: Gathered,
}

impl Checked {
    /// What the collection is called.
    #[must_use]
    pub fn collection(&self) -> &Collection {
        &self.gathered.collection
    }
}

/// Decides whether something may be published as it is asked, and notes who consented to what.
///
/// # Errors
/// [`IpfsError`] says why not; nothing was changed then.
pub async fn check_publish(
    ctx: &Context,
    family: &Family,
    settings: &IpfsSettings,
    asked: &Asked,
) -> Result<Checked, IpfsError> {
    ctx.actor
        .require_operator(Action::OperateMachine)
        .map_err(DbError::from)?;
    let mut asked = asked.clone();
    if asked.is_plain && !asked.has_consent {
        return Err(IpfsError::NoConsent);
    }
    match &mut asked.target {
        Target::Node if settings.node.is_none() => return Err(IpfsError::NotConfigured),
        Target::Node => {}
        Target::File(path) => {
            *path = check_place(ctx, family, path).await?;
            if path.symlink_metadata().is_ok() {
                return Err(IpfsError::Exists(path.clone()));
            }
        }
    }
    let gathered = gather(ctx, family, asked.collection_id, asked.includes_private).await?;
    let known = ctx.db.find_publication(asked.collection_id).await?;
    let has_key = known.is_some_and(|known| known.key_hash.is_some());
    let key = match asked.is_plain || has_key {
        true => None,
        false => Some(make_key(ctx).await?),
    };
    let consent = Consent {
        is_plain: asked.is_plain,
        includes_private: asked.includes_private,
        layout: settings.layout.as_str().to_owned(),
        key,
    };
    let (db, actor) = (&ctx.db, &ctx.actor);
    let publication = match asked.target {
        Target::Node => db.begin_publication(actor, &gathered.collection, &consent),
        Target::File(_) => {
            let kept = db.keep_publication_key(actor, &gathered.collection, &consent);
            return Ok(Checked {
                publication: kept.await?,
                asked,
                gathered,
            });
        }
    };
    Ok(Checked {
        publication: publication.await?,
        asked,
        gathered,
    })
}

/// Publishes what was checked.
///
/// # Errors
/// [`IpfsError`]. What was given away by then is noted, and gone on with.
pub async fn publish(
    ctx: &Context,
    family: &Family,
    settings: &IpfsSettings,
    checked: Checked,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<PublishReport, IpfsError> {
    let id = checked.asked.collection_id;
    let is_noted = checked.asked.target == Target::Node;
    let published = publish_checked(ctx, family, settings, checked, stop, meter).await;
    if let (Err(error), true) = (&published, is_noted) {
        let why = error.to_string();
        ctx.db
            .set_publication_state(id, PublicationState::Failed, Some(&why))
            .await?;
    }
    published
}

async fn publish_checked(
    ctx: &Context,
    family: &Family,
    settings: &IpfsSettings,
    checked: Checked,
    stop: &CancellationToken,
    meter: &Arc<Meter>,
) -> Result<PublishReport, IpfsError> {
    let Checked {
        asked,
        publication,
        gathered,
    } = checked;
    let key = match asked.is_plain {
        true => None,
        false => Some(
            load_publication_key(ctx, &publication)
                .await?
                .ok_or(IpfsError::NoKey)?,
        ),
    };
    let asker = Asker::new(settings, stop)?;
    let out = match &asked.target {
        Target::Node => Out::Node(Node::new(&asker)?),
        Target::File(path) => Out::File(Some(Archive::begin(path)?)),
    };
    let mut publishing = Publishing {
        ctx,
        family,
        layout: settings.layout,
        key: key.clone(),
        includes_private: asked.includes_private,
        collection: &gathered.collection,
        out,
        stop,
        meter,
        cids: HashSet::new(),
        report: PublishReport {
            is_plain: asked.is_plain,
            left_out: gathered.left_out,
            ..PublishReport::default()
        },
    };
    let name = &gathered.collection.name;
    let mut tree = Tree::begin(settings.layout, key, name, &gathered.collection.description);
    publishing.measure(&gathered).await?;
    publishing.add_originals(&gathered, &mut tree).await?;
    if tree.files() == 0 {
        return Err(IpfsError::Empty(name.clone()));
    }
    publishing.finish(&asker, tree).await
}

struct Publishing<'a> {
    ctx: &'a Context,
    family: &'a Family,
    layout: Layout,
    key: Option<PublicationKey>,
    includes_private: bool,
    collection: &'a Collection,
    out: Out<'a>,
    stop: &'a CancellationToken,
    meter: &'a Arc<Meter>,
    /// What the folder has in it.
    cids: HashSet<String>,
    report: PublishReport,
}

/// Where blocks go.
enum Out<'a> {
    Node(Node<'a>),
    /// An archive, while nobody else has it.
    File(Option<Archive>),
}

impl Publishing<'_> {
    async fn measure(&self, gathered: &Gathered) -> Result<(), IpfsError> {
        let mut bytes = 0;
        for ids in gathered.assets.chunks(AT_ONCE) {
            let assets = self.ctx.db.find_assets(&self.ctx.actor, ids).await?;
            let sizes = assets.iter().map(|it| it.size_bytes.unsigned_abs());
            bytes += sizes.sum::<u64>();
        }
        self.meter
            .files
            .store(gathered.assets.len() as u64, Ordering::Relaxed);
        self.meter.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    async fn add_originals(
        &mut self,
        gathered: &Gathered,
        tree: &mut Tree,
    ) -> Result<(), IpfsError> {
        for ids in gathered.assets.chunks(AT_ONCE) {
            for id in ids {
                if self.stop.is_cancelled() {
                    return Err(IpfsError::Cancelled);
                }
                // Looked at just now: it may have been deleted, or be for fewer people since.
                let found = self.ctx.db.find_assets(&self.ctx.actor, &[*id]).await?;
                let may_be = |asset: &&Asset| {
                    is_publishable(asset)
                        && (self.includes_private || !is_private(asset, self.family))
                };
                match found.iter().find(may_be) {
                    Some(asset) => self.add_original(asset, tree).await?,
                    None => self.report.left_out += 1,
                }
                self.meter.files_done.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn add_original(&mut self, asset: &Asset, tree: &mut Tree) -> Result<(), IpfsError> {
        let problem = |why: Why| Problem {
            asset_id: Some(asset.id),
            name: asset.name.clone(),
            why,
        };
        let original = match open_original(self.ctx, &asset.into(), false).await {
            Ok(original) => original.file,
            Err(error) => {
                self.report.problem(problem(error.into()));
                return Ok(());
            }
        };
        let original = Arc::new(original);
        let made = match self.name(asset, &original).await? {
            Ok(made) => made,
            Err(why) => {
                self.report.problem(problem(why));
                return Ok(());
            }
        };
        self.give(asset, original, made).await?;
        self.cids.insert(made.cid.to_string());
        self.report.files += 1;
        self.report.bytes += made.dag_bytes;
        tree.add(asset, made).map_err(|source| IpfsError::Io {
            path: "the folder to publish".into(),
            source,
        })
    }

    /// Reads an original for the first time: what it is called there, or why it cannot be published.
    async fn name(
        &self,
        asset: &Asset,
        original: &Arc<File>,
    ) -> Result<Result<Made, Why>, IpfsError> {
        let (key, hash, layout) = (self.key.clone(), asset.content_hash, self.layout);
        let (file, meter) = (Arc::clone(original), Arc::clone(self.meter));
        let stop = self.stop.clone();
        blocking(move || {
            let mut reading = Reading {
                file: &file,
                hasher: blake3::Hasher::new(),
                meter: &meter,
                stop: &stop,
            };
            let named = (&*file).rewind().and_then(|()| {
                let sealed = sealed_by(key.as_ref(), hash, &mut reading)?;
                add_file(sealed, layout, &mut |_| Ok(()))
            });
            if stop.is_cancelled() {
                return Err(IpfsError::Cancelled);
            }
            let read = ContentHash::from_bytes(reading.hasher.finalize().into());
            Ok(match named {
                Ok(_) if read != hash => Err(Why::new(
                    ProblemCode::Damaged,
                    "its bytes are no longer those that were catalogued",
                )),
                named => named.map_err(Why::unreadable),
            })
        })
        .await
    }

    /// Reads it a second time, and gives its blocks away, unless that was done before.
    async fn give(
        &mut self,
        asset: &Asset,
        original: Arc<File>,
        made: Made,
    ) -> Result<(), IpfsError> {
        let (key, hash, layout) = (self.key.clone(), asset.content_hash, self.layout);
        match &mut self.out {
            Out::File(archive) => {
                let mut writing = archive.take().ok_or(IpfsError::Cancelled)?;
                let written = blocking(move || {
                    writing.put_file(&original, key.as_ref(), hash, layout)?;
                    Ok(writing)
                });
                *archive = Some(written.await?);
                self.report.sent += 1;
            }
            Out::Node(node) => {
                let (db, collection) = (&self.ctx.db, self.collection.id);
                let cid = made.cid.to_string();
                // Noted is not enough: nodes lose things, and are set up anew.
                if db.is_sent(collection, &cid).await? && node.is_kept(&cid).await? {
                    return Ok(());
                }
                node.import(&made.cid, || {
                    let (original, key, root) = (Arc::clone(&original), key.clone(), made.cid);
                    let writing: Writing = Box::new(move |out: &mut dyn Write| {
                        (&*original).rewind()?;
                        let sealed = sealed_by(key.as_ref(), hash, &*original)?;
                        let mut archive = CarWriter::begin(out, &root)?;
                        let again = add_file(sealed, layout, &mut |block| archive.put(&block))?;
                        match again.cid == root {
                            true => Ok(()),
                            false => Err(io::Error::other("it was changed while it was read")),
                        }
                    });
                    Ok(writing)
                })
                .await?;
                let sent = PublishedFile {
                    cid,
                    asset_id: asset.id,
                    size_bytes: i64::try_from(made.file_bytes).unwrap_or(i64::MAX),
                };
                db.note_sent(collection, &sent).await?;
                self.report.sent += 1;
            }
        }
        Ok(())
    }

    async fn finish(mut self, asker: &Asker, tree: Tree) -> Result<PublishReport, IpfsError> {
        let finished = blocking(move || {
            tree.finish().map_err(|source| IpfsError::Io {
                path: "the folder to publish".into(),
                source,
            })
        });
        let (root, blocks) = finished.await?;
        self.report.root_cid = root.cid.to_string();
        self.report.bytes = root.dag_bytes;
        match self.out {
            Out::File(archive) => {
                let archive = archive.ok_or(IpfsError::Cancelled)?;
                let path = blocking(move || archive.finish(&blocks, &root)).await?;
                self.report.path = Some(path.display().to_string());
            }
            Out::Node(node) => {
                let blocks = Arc::new(blocks);
                node.import(&root.cid, || {
                    let blocks = Arc::clone(&blocks);
                    let writing: Writing = Box::new(move |out: &mut dyn Write| {
                        let mut archive = CarWriter::begin(out, &root.cid)?;
                        blocks.iter().try_for_each(|block| archive.put(block))
                    });
                    Ok(writing)
                })
                .await?;
                let (ctx, id, cid) = (self.ctx, self.collection.id, &self.report.root_cid);
                if !node.is_kept(cid).await? {
                    return Err(IpfsError::Rubbish {
                        who: "the IPFS node",
                        why: "it took everything and does not keep it".to_owned(),
                    });
                }
                let problems = keep_root(ctx, asker, &node, id, cid).await?;
                let (files, bytes) = (self.report.files, self.report.bytes);
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                ctx.db
                    .note_published(
                        &ctx.actor,
                        self.collection,
                        cid,
                        number(files),
                        number(bytes),
                    )
                    .await?;
                let cid = cid.clone();
                let old = let_go_of_old(ctx, asker, &node, id, &cid, &self.cids).await?;
                for what in problems.into_iter().chain(old) {
                    self.report.problem(Problem {
                        asset_id: None,
                        name: self.collection.name.clone(),
                        why: Why::new(ProblemCode::Other, what),
                    });
                }
            }
        }
        Ok(self.report)
    }
}

/// Reads a file, hashes it, and stops when it is told to.
struct Reading<'a> {
    file: &'a File,
    hasher: blake3::Hasher,
    meter: &'a Meter,
    stop: &'a CancellationToken,
}

impl Read for Reading<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("it was stopped"));
        }
        let length = self.file.read(out)?;
        self.hasher.update(&out[..length]);
        self.meter
            .bytes_done
            .fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// An archive of blocks that comes about under another name.
struct Archive {
    writer: CarWriter<BufWriter<File>>,
    path: PathBuf,
    partial: PathBuf,
}

impl Archive {
    fn begin(path: &Path) -> Result<Self, IpfsError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let created = File::create(&partial).and_then(|file| {
            // The root is put in at the end; until then it is nothing's.
            CarWriter::begin(
                BufWriter::with_capacity(1 << 20, file),
                &Block::raw(Vec::new()).cid,
            )
        });
        let writer = created.map_err(|source| IpfsError::Io {
            path: partial.clone(),
            source,
        })?;
        Ok(Self {
            writer,
            path: path.to_owned(),
            partial,
        })
    }

    fn put_file(
        &mut self,
        original: &File,
        key: Option<&PublicationKey>,
        hash: ContentHash,
        layout: Layout,
    ) -> Result<(), IpfsError> {
        let writer = &mut self.writer;
        let mut write = || {
            let mut original = original;
            original.rewind()?;
            let sealed = sealed_by(key, hash, original)?;
            add_file(sealed, layout, &mut |block| writer.put(&block))
        };
        let written = write();
        written.map(|_| ()).map_err(|source| self.failed(source))
    }

    fn finish(mut self, blocks: &[Block], root: &Made) -> Result<PathBuf, IpfsError> {
        let write = |this: &mut Self| {
            blocks.iter().try_for_each(|block| this.writer.put(block))?;
            let out = this.writer.get_mut();
            out.flush()?;
            set_car_root(out.get_ref(), &root.cid)?;
            out.get_ref().sync_all()?;
            // Sticks have no hard links, and what came there meanwhile stays.
            renameat_with(CWD, &this.partial, CWD, &this.path, RenameFlags::NOREPLACE)?;
            match this.path.parent() {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        let written = write(&mut self);
        written.map_err(|source| self.failed(source))?;
        Ok(self.path.clone())
    }

    fn failed(&self, source: io::Error) -> IpfsError {
        IpfsError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.partial);
    }
}
