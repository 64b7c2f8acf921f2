//! What another program knew of an original, as the catalogue takes it; and its stacks, albums and favourites.

use std::collections::{BTreeMap, HashMap};

use heirloom_core::{
    ArtifactId, AssetId, CollectionId, ContentHash, LocationId, SidecarId, StackId, Subject,
    claim::{Author, Claim},
};
use heirloom_db::{
    DbError,
    artifact::{Artifact, Derived, Payload},
    asset::{Asset, AssetState},
    clock,
    collection::Collection,
    export::{Place, Whole, WholeClaim, WholeSidecar},
    import::{Brought, NewStack, WholeCollection},
    stack::StackKind,
};
use heirloom_media::{Member, find_stacks};
use uuid::Uuid;

use super::{
    ImportError, ImportNote, NoteCode, Source,
    foreign::{Foreign, Settled},
    originals::Got,
    plan::{Describing, Members},
    sidecars::Sidecar,
};
use crate::tool::{Looked, Made, read_sidecar, sidecar_word};

impl Foreign<'_> {
    /// Everything that is known of an original that was read.
    pub(super) async fn whole(&self, got: Got) -> Result<Brought, ImportError> {
        let now_ms = clock::now_ms();
        let (archive, at) = self.place_of(got.place);
        let asset: AssetId = clock::new_id();
        let mut made: Vec<Made> = Vec::new();
        let mut sidecars = Vec::new();
        for (describing, sidecar) in self.sidecars_of(got.place) {
            let hash = sidecar.content_hash;
            let bytes = self.ctx.blobs.get(hash).await?.bytes().await?;
            made.push(read_sidecar(Some(&bytes), hash, sidecar.kind));
            let (archive, at, modified_at_ns) = self.place_of_sidecar(describing);
            let id = self.id_of(&["sidecar", &archive, &at, &hash.to_string()]);
            sidecars.push(WholeSidecar {
                id: SidecarId::from_uuid(id),
                archive,
                is_vault: false,
                path: at,
                kind: sidecar_word(sidecar.kind).to_owned(),
                content_hash: hash,
                size_bytes: i64::try_from(sidecar.size_bytes).unwrap_or(i64::MAX),
                modified_at_ns,
                found_at_ms: now_ms,
                root: None,
            });
        }
        let entry = self.plan.survey.entries.get(got.place);
        let size_bytes = i64::try_from(got.size_bytes).unwrap_or(i64::MAX);
        let id = self.id_of(&["place", &archive, &at, &got.content_hash.to_string()]);
        let name = at.rsplit('/').next().unwrap_or_default().to_owned();
        let place = Place {
            id: LocationId::from_uuid(id),
            archive,
            is_vault: false,
            path: at,
            size_bytes,
            modified_at_ns: entry.map_or(0, |entry| entry.modified_at_ns),
            found_at_ms: now_ms,
            damaged_at_ms: None,
            gone_at_ms: None,
        };
        let deleted_at_ms = self.is_thrown_away(got.place).then_some(now_ms);
        let mut whole = Whole {
            asset: self.asset_of(asset, &got, name, now_ms, deleted_at_ms),
            places: vec![place],
            sidecars,
            artifacts: Vec::new(),
            claims: Vec::new(),
        };
        let looked = got.looked.map(|looked| looked.made).unwrap_or_default();
        for made in looked.into_iter().chain(made) {
            let derived = made.store(&self.ctx.blobs).await?;
            add(&mut whole, derived, now_ms);
        }
        Ok(Brought {
            whole,
            has_bytes: got.has_bytes,
            texts: HashMap::new(),
            faces: HashMap::new(),
        })
    }

    fn asset_of(
        &self,
        id: AssetId,
        got: &Got,
        name: String,
        now_ms: i64,
        deleted_at_ms: Option<i64>,
    ) -> Asset {
        let measures = got.looked.as_ref().map(Looked::measures);
        Asset {
            id,
            family_id: self.family.id,
            audience_id: self.family.audience_id,
            content_hash: got.content_hash,
            size_bytes: i64::try_from(got.size_bytes).unwrap_or(i64::MAX),
            kind: measures.map_or(heirloom_core::MediaKind::Other, |measures| measures.kind),
            media_type: measures
                .map_or("", |measures| measures.media_type)
                .to_owned(),
            state: AssetState::Present,
            replaces_asset_id: None,
            timeline_key: 0,
            date: None,
            date_from_s: None,
            title: None,
            name,
            position: None,
            placed: None,
            language: None,
            width: measures.and_then(|measures| measures.width),
            height: measures.and_then(|measures| measures.height),
            duration_ms: measures.and_then(|measures| measures.duration_ms),
            added_at_ms: now_ms,
            deleted_at_ms,
            version: 1,
        }
    }

    /// Where an original was: what stands for the archive there, and its path in it.
    fn place_of(&self, place: usize) -> (String, String) {
        let standing = self.plan.standing.get(place);
        let whole = standing.map_or("", |standing| standing.path.as_str());
        if self.plan.source != Source::Folder {
            return (self.plan.source.label().to_owned(), whole.to_owned());
        }
        let entry = self.plan.survey.entries.get(place);
        let part = entry.and_then(|entry| self.plan.survey.parts.get(entry.part));
        let within = entry.map_or("", |entry| entry.path.as_str());
        (
            part.map_or_else(String::new, |part| part.name.clone()),
            within.to_owned(),
        )
    }

    fn place_of_sidecar(&self, describing: Describing) -> (String, String, i64) {
        let modified = |place: usize| {
            self.plan
                .survey
                .entries
                .get(place)
                .map_or(0, |entry| entry.modified_at_ns)
        };
        match describing {
            Describing::File(place) => {
                let (archive, at) = self.place_of(place);
                (archive, at, modified(place))
            }
            Describing::Excerpt(number) => {
                let excerpt = self.plan.excerpts.get(number);
                let at = excerpt.map_or_else(String::new, |excerpt| excerpt.path.clone());
                let table = excerpt.map_or(0, |excerpt| modified(excerpt.table));
                (self.plan.source.label().to_owned(), at, table)
            }
        }
    }

    /// An id that is the same whenever the same is imported: what is here is found again by it.
    fn id_of(&self, parts: &[&str]) -> Uuid {
        uuid::Builder::from_custom_bytes(self.digest(parts)).into_uuid()
    }

    fn digest<const N: usize>(&self, parts: &[&str]) -> [u8; N] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.family.id.as_bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut bytes = [0; N];
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }

    /// Stacks what is one moment, folder by folder.
    pub(super) async fn stack(&mut self) -> Result<(), ImportError> {
        let mut folders: BTreeMap<&str, Vec<(&str, &Settled)>> = BTreeMap::new();
        for (place, settled) in &self.settled {
            if let Some(standing) = self.plan.standing.get(*place) {
                folders
                    .entry(&standing.folder)
                    .or_default()
                    .push((&standing.name, settled));
            }
        }
        let mut stacks = Vec::new();
        for originals in folders.into_values() {
            let members: Vec<Member<'_>> = originals
                .iter()
                .map(|(name, settled)| Member {
                    name,
                    file_type: settled.file_type,
                    properties: &settled.properties,
                })
                .collect();
            for found in find_stacks(&members) {
                let Some((name, cover)) = originals.get(found.cover) else {
                    continue;
                };
                let mut assets = vec![cover.asset];
                for (_, member) in found.members.iter().filter_map(|at| originals.get(*at)) {
                    if !assets.contains(&member.asset) {
                        assets.push(member.asset);
                    }
                }
                let kind = match found.kind {
                    heirloom_media::StackKind::LivePhoto => StackKind::LivePhoto,
                    heirloom_media::StackKind::RawAndPicture => StackKind::RawJpeg,
                    heirloom_media::StackKind::Burst => StackKind::Burst,
                    heirloom_media::StackKind::Edited => StackKind::Edited,
                };
                if assets.len() > 1 {
                    let id = self.id_of(&["stack", kind.as_str(), &cover.asset.to_string()]);
                    let name = (*name).to_owned();
                    stacks.push(NewStack {
                        id: StackId::from_uuid(id),
                        kind,
                        name,
                        members: assets,
                    });
                }
            }
        }
        for (picture, film) in &self.plan.live_photos {
            let (Some(picture), Some(film)) = (self.settled.get(picture), self.settled.get(film))
            else {
                continue;
            };
            let members = vec![picture.asset, film.asset];
            let is_stacked = |stack: &NewStack| stack.members.contains(&film.asset);
            if picture.asset == film.asset || stacks.iter().any(is_stacked) {
                continue;
            }
            let kind = StackKind::LivePhoto;
            let id = self.id_of(&["stack", kind.as_str(), &picture.asset.to_string()]);
            stacks.push(NewStack {
                id: StackId::from_uuid(id),
                kind,
                name: picture.asset.to_string(),
                members,
            });
        }
        for stacks in stacks.chunks(256) {
            let Self { ctx, vault, .. } = &*self;
            let new = ctx.db.import_stacks(&ctx.actor, vault, stacks).await?;
            self.report.stacks += new;
        }
        Ok(())
    }

    /// Makes collections of albums, and one of what was marked as a favourite.
    pub(super) async fn collect(&mut self) -> Result<(), ImportError> {
        let plan = std::sync::Arc::clone(&self.plan);
        let mut by_foreign: HashMap<String, Vec<usize>> = HashMap::new();
        for place in self.settled.keys() {
            for id in self
                .sidecars_of(*place)
                .filter_map(|(_, sidecar)| sidecar.foreign_id.clone())
            {
                by_foreign.entry(id).or_default().push(*place);
            }
        }
        for album in &plan.albums {
            let places = match &album.members {
                Members::Originals(places) => places.clone(),
                Members::Names(names) => {
                    let mut places = Vec::new();
                    for name in names {
                        match by_foreign.get(name) {
                            Some(found) => places.extend(found),
                            None => {
                                let code = NoteCode::MemberAbsent;
                                let note = ImportNote::of_album(code, name, &album.title);
                                self.report.note(note);
                            }
                        }
                    }
                    places
                }
            };
            self.make_collection(&album.key, &album.title, &album.description, &places)
                .await?;
        }
        // What somebody had marked is found again as a collection, so that whoever cares can say who may see it.
        type IsMarked = fn(&Sidecar) -> bool;
        let marks: [(&str, &str, IsMarked); 3] = [
            ("\0favourites", "Favourites", |sidecar| sidecar.is_favorite),
            ("\0archived", "Archived", |sidecar| sidecar.is_archived),
            ("\0private", "Private", |sidecar| sidecar.is_private),
        ];
        for (key, title, is_marked) in marks {
            let places: Vec<usize> = self
                .settled
                .keys()
                .filter(|place| {
                    self.sidecars_of(**place)
                        .any(|(_, sidecar)| is_marked(sidecar))
                })
                .copied()
                .collect();
            let title = format!("{title} ({})", plan.source.label());
            self.make_collection(key, &title, "", &places).await?;
        }
        Ok(())
    }

    async fn make_collection(
        &mut self,
        key: &str,
        title: &str,
        description: &str,
        places: &[usize],
    ) -> Result<(), ImportError> {
        let settled: Vec<&Settled> = places
            .iter()
            .filter_map(|place| self.settled.get(place))
            .collect();
        // What is not here, because it could not be read, makes no collection.
        if settled.is_empty() || title.is_empty() {
            return Ok(());
        }
        let now_ms = clock::now_ms();
        let random = self.digest::<10>(&["collection", self.plan.source.as_str(), key, title]);
        let id = CollectionId::from_parts(0, random);
        let whole = WholeCollection {
            collection: Collection {
                id,
                family_id: self.family.id,
                audience_id: self.family.audience_id,
                name: title.to_owned(),
                description: description.to_owned(),
                query: None,
                frozen_at_ms: None,
                created_at_ms: now_ms,
                updated_at_ms: now_ms,
                deleted_at_ms: None,
                version: 1,
            },
            members: settled
                .iter()
                .map(|settled| (settled.asset, now_ms))
                .collect(),
        };
        let (db, actor) = (&self.ctx.db, &self.ctx.actor);
        if db.import_collection(actor, self.family.id, &whole).await? {
            self.report.collections += 1;
            return Ok(());
        }
        // It is here: what came into it since then follows, and what somebody took out of it stays out.
        let mut new: Vec<AssetId> = Vec::new();
        for settled in settled.iter().filter(|settled| settled.is_new) {
            if !new.contains(&settled.asset) {
                new.push(settled.asset);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        match db.add_members(actor, id, &new).await {
            Ok(_) => Ok(()),
            Err(DbError::Refused(_)) => {
                let note = ImportNote::new(NoteCode::AlbumClosed, title);
                self.report.note(note);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Adds what a tool made, with what it says.
fn add(whole: &mut Whole, derived: Derived, now_ms: i64) {
    let asset = whole.asset.id;
    let id: ArtifactId = clock::new_id();
    let made = derived.artifact;
    let (payload, blob): (_, Option<(ContentHash, u64)>) = match made.payload {
        Payload::Json(json) => (Some(json), None),
        Payload::Blob(hash, size_bytes) => (None, Some((hash, size_bytes))),
        Payload::Media(json, hash, size_bytes) => (Some(json), Some((hash, size_bytes))),
        Payload::Text { json, blob, .. } | Payload::Faces { json, blob, .. } => (json, blob),
    };
    whole.artifacts.push(Artifact {
        id,
        asset_id: asset,
        part: String::new(),
        kind: made.kind.to_owned(),
        tool: made.tool.to_owned(),
        tool_version: made.tool_version,
        model: made.model,
        parameters: made.parameters,
        inputs: made.inputs,
        is_deterministic: made.is_deterministic,
        run_id: None,
        unit_id: None,
        payload,
        blob_hash: blob.map(|(hash, _)| hash),
        size_bytes: blob.and_then(|(_, size_bytes)| i64::try_from(size_bytes).ok()),
        made_at_ms: now_ms,
    });
    whole
        .claims
        .extend(derived.claims.into_iter().map(|claim| WholeClaim {
            claim: Claim {
                id: clock::new_id(),
                subject: Subject::asset(asset),
                statement: claim.statement,
                is_negation: claim.is_negation,
                author: Author::Artifact(id),
                source: claim.source,
                confidence: claim.confidence,
                made_at_ms: now_ms,
                undone_at_ms: None,
            },
            carried_from: None,
            batch: None,
        }));
}
