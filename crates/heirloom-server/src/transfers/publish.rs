//! Publications among the transfers: begun, gone on with, let go of, and brought in again.

use std::path::PathBuf;

use heirloom_core::{Actor, CollectionId, RunId, permission::Action};
use heirloom_db::{
    publication::{Pin, Publication, PublicationState},
    run::Run,
};
use heirloom_pipeline::{
    Context,
    import::{Checked, Source},
    ipfs::{
        self, Asked, IpfsError, IpfsSettings, PublicationKey, Target, check_pins, check_publish,
        load_publication_key, open_archive,
    },
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::{Ended, Job, Running, Transfers, parse_folder};
use crate::problem::{Code, Problem};

/// An archive of blocks that is to be brought in, with what may open it.
#[derive(Debug)]
pub(super) struct Sealed {
    path: PathBuf,
    keys: Vec<PublicationKey>,
    process: bool,
}

impl Transfers {
    /// Who keeps collections on IPFS.
    pub(crate) fn ipfs(&self) -> &IpfsSettings {
        &self.shared.settings
    }

    /// Begins to publish a collection, or to write it to an archive of blocks.
    ///
    /// # Errors
    /// Why it cannot be published; nothing was changed then.
    pub(crate) async fn publish(
        &self,
        actor: &Actor,
        collection: CollectionId,
        new: &crate::wire::NewPublication,
    ) -> Result<RunId, Problem> {
        let target = match &new.path {
            Some(path) => Target::File(parse_folder(path)?),
            None => Target::Node,
        };
        let asked = Asked {
            collection_id: collection,
            is_plain: new.plain,
            has_consent: new.visible_to_everybody_for_ever,
            includes_private: new.include_private,
            target,
        };
        self.begin_publishing(actor, asked).await
    }

    async fn begin_publishing(&self, actor: &Actor, asked: Asked) -> Result<RunId, Problem> {
        let ctx = self.context(actor);
        let shared = &self.shared;
        let _one = shared.publishing.lock().await;
        self.refuse_second(asked.collection_id).await?;
        let path = match &asked.target {
            Target::Node => None,
            Target::File(path) => Some(path.display().to_string()),
        };
        let checked = check_publish(&ctx, &shared.family, &shared.settings, &asked).await?;
        let parameters = json!({
            "collection_id": asked.collection_id, "plain": asked.is_plain,
            "include_private": asked.includes_private, "path": path,
        });
        let job = Job::Publish(Box::new(checked));
        self.start(&ctx, ipfs::PUBLISH, &parameters, job).await
    }

    /// Begins to ask those who keep a collection to let go.
    ///
    /// # Errors
    /// Why that cannot be begun.
    pub(crate) async fn unpin(
        &self,
        actor: &Actor,
        collection: CollectionId,
    ) -> Result<RunId, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let ctx = self.context(actor);
        let _one = self.shared.publishing.lock().await;
        let collection = ctx.db.get_collection(actor, collection).await?;
        let known = ctx.db.find_publication(collection.id).await?;
        if known.is_none_or(|known| known.state == PublicationState::Exported) {
            return Err(IpfsError::NotPublished(collection.name).into());
        }
        if self.shared.settings.node.is_none() {
            return Err(IpfsError::NotConfigured.into());
        }
        self.refuse_second(collection.id).await?;
        let parameters = json!({ "collection_id": collection.id });
        let job = Job::Unpin(Box::new(collection));
        self.start(&ctx, ipfs::UNPIN, &parameters, job).await
    }

    /// Begins to bring in what an archive of blocks has.
    ///
    /// # Errors
    /// Why that cannot be begun.
    pub(crate) async fn import_archive(
        &self,
        actor: &Actor,
        new: &crate::wire::NewPublicationImport,
    ) -> Result<RunId, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        let ctx = self.context(actor);
        let path = parse_folder(&new.path)?;
        if !path.is_file() {
            let message = format!("{} is no file that can be read", path.display());
            return Err(Problem::new(Code::InvalidRequest, message));
        }
        let mut keys = Vec::new();
        match &new.key {
            Some(text) => {
                let key = PublicationKey::parse(text);
                keys.push(key.ok_or_else(|| {
                    Problem::new(Code::InvalidRequest, "this is no key of a publication")
                        .hint("One is a line that begins with AGE-SECRET-KEY-1.")
                })?);
            }
            // What was published from here opens with what is here.
            None => {
                let family = self.shared.family.id;
                for publication in ctx.db.list_publications(actor, family).await? {
                    keys.extend(load_publication_key(&ctx, &publication).await?);
                }
            }
        }
        let parameters = json!({ "folder": new.path, "process": new.process });
        let job = Job::ImportArchive(Sealed {
            path,
            keys,
            process: new.process,
        });
        let pipeline = heirloom_pipeline::import::PIPELINE;
        self.start(&ctx, pipeline, &parameters, job).await
    }

    /// Opens an archive into a folder of its own, and imports that.
    pub(super) async fn import_sealed(
        &self,
        ctx: &Context,
        run: RunId,
        sealed: Sealed,
        running: &Running,
    ) -> Result<Json, Ended> {
        let failed = |error: std::io::Error| Ended::Failed(Problem::internal(error));
        // Called as what an import leaves that is killed, so that it is removed at the next start.
        let place = tempfile::Builder::new()
            .prefix("import-")
            .tempdir_in(&ctx.data_folder)
            .map_err(failed)?;
        let folder = place.path().join("IPFS");
        let (target, stop) = (folder.clone(), running.cancel.clone());
        let opening = tokio::task::spawn_blocking(move || {
            open_archive(&sealed.path, &sealed.keys, &target, true, &stop)
        });
        let opened = opening
            .await
            .map_err(|_| Ended::Cancelled)?
            .map_err(Ended::from)?;
        let what = Checked {
            paths: vec![folder],
            source: Some(Source::Folder),
        };
        let how = (&what, false, sealed.process);
        let mut report = self.bring(ctx, run, how, running).await?;
        let lost = opened.problems.len() as u64;
        let told = &mut report["import"];
        told["problem_count"] = json!(told["problem_count"].as_u64().unwrap_or(0) + lost);
        if let Some(problems) = told["problems"].as_array_mut() {
            problems.extend(opened.problems.iter().map(|problem| json!(problem)));
        }
        Ok(report)
    }

    /// Goes on with what a process was publishing, or letting go of, that ended before it was through.
    pub(super) async fn go_on(&self, run: &Run) -> Result<(), Problem> {
        let id = run.parameters["collection_id"].as_str();
        let Some(id) = id.and_then(|id| id.parse::<CollectionId>().ok()) else {
            return Ok(());
        };
        let Some(known) = self.shared.ctx.db.find_publication(id).await? else {
            return Ok(());
        };
        let actor = self.shared.ctx.actor.clone();
        match (run.pipeline.as_str(), known.state) {
            (ipfs::PUBLISH, PublicationState::Publishing) if run.parameters["path"].is_null() => {
                // What was consented to then, and nothing else.
                let asked = Asked {
                    collection_id: id,
                    is_plain: known.is_plain,
                    has_consent: known.is_plain,
                    includes_private: known.includes_private,
                    target: Target::Node,
                };
                self.begin_publishing(&actor, asked).await?;
            }
            (ipfs::UNPIN, PublicationState::Unpinning) => {
                self.unpin(&actor, id).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks all who keep a publication how far they are.
    ///
    /// # Errors
    /// What the catalogue says.
    pub(crate) async fn check_pins(
        &self,
        actor: &Actor,
        publication: &Publication,
    ) -> Result<Vec<Pin>, Problem> {
        let ctx = self.context(actor);
        // One attempt, and a short one: somebody waits for the answer.
        let settings = IpfsSettings {
            patience: self
                .shared
                .settings
                .patience
                .min(std::time::Duration::from_secs(5)),
            ..self.shared.settings.clone()
        };
        let stop = CancellationToken::new();
        Ok(check_pins(&ctx, &settings, publication.collection_id, &stop).await?)
    }

    /// Refuses to begin what is under way for this collection.
    async fn refuse_second(&self, collection: CollectionId) -> Result<(), Problem> {
        let id = json!(collection);
        let runs = self.shared.ctx.db.list_unended_runs().await?;
        let is_busy = runs.iter().any(|run| {
            [ipfs::PUBLISH, ipfs::UNPIN].contains(&run.pipeline.as_str())
                && run.parameters["collection_id"] == id
                && self.running().contains_key(&run.id)
        });
        match is_busy {
            true => Err(Problem::new(
                Code::Refused,
                "this collection is being published, or let go of, right now",
            )
            .hint("Wait until that has ended: `heirloom run list` shows it.")),
            false => Ok(()),
        }
    }
}
