//! What comes from another library: assets with all that was known of them there.
//!
//! An asset is known by its bytes. One that is here already stays as it is, and is told what it did not know:
//! where it was there, what tools read of it, what was said of it. One that is new comes as it was, under its
//! own id where that is free. All of it is found again by its id, so that the same brought twice is brought once.

mod folder;
mod part;

use std::collections::{BTreeSet, HashMap, HashSet};

use heirloom_core::{
    Actor, ArtifactId, AssetId, ContentHash, FamilyId, FolderId, LocationId, SidecarId,
    claim::Author, face::Face, path, permission::Action,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) use folder::STATEMENTS as FOLDER_STATEMENTS;
use folder::{folder_of, get_or_create_folder};
pub(crate) use part::STATEMENTS as PART_STATEMENTS;
pub use part::{NewStack, WholeCollection};

use crate::{
    Db, DbError, Tx,
    archive::Archive,
    artifact::{self, Artifact, Part, Recipe},
    asset::{self, Asset, AssetState},
    audit, blob,
    claim::{self, Believed, Provenance},
    clock,
    export::{Place, Whole, WholeClaim, WholeSidecar},
    face, imprint, meaning,
    place::{self, Placed},
    record::TRIES,
    sql::statements,
    text::{self, Text},
    timeline,
    value::{Value, args},
};

/// An asset as it comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct Brought {
    /// All that was known of it. Its family is not looked at; its audience is one of here.
    pub whole: Whole,
    /// Whether its bytes are in the blob store.
    pub has_bytes: bool,
    /// Of its artifacts: what is to be found by, for those that are texts.
    pub texts: HashMap<ArtifactId, Text>,
    /// The faces of those that are faces.
    pub faces: HashMap<ArtifactId, Vec<Face>>,
}

/// What became of an asset that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new here.
    Added,
    /// It was here, and is told something that it did not know; or it was at none of its places and is back.
    Completed,
    /// It was here, with all of that.
    Known,
    /// It was removed here for good, and stays away.
    Purged,
}

/// What became of an asset that came in, and what it is called here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// What became of it.
    pub outcome: Outcome,
    /// Its id here; `None` when it stays away.
    pub asset: Option<AssetId>,
    /// How many claims are new with it.
    pub claims: usize,
}

statements! {
    FIND = "SELECT id, state FROM asset WHERE family_id = $1 AND content_hash = $2";
    IS_TAKEN = "SELECT 1 FROM asset WHERE id = $1";
    IS_PURGED = "SELECT 1 FROM purged_content WHERE family_id = $1 AND content_hash = $2";
    ADD = "INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind, media_type, state,
          timeline_key, bucket, date, date_from_s, date_until_s, title, name, width, height, duration_ms,
          added_at_ms, updated_at_ms, version, latitude_e7, longitude_e7, map_cell, country, region, place,
          language, deleted_at_ms)
        VALUES {rows}";
    SET_PRESENT = "UPDATE asset SET state = 'present', version = version + 1 WHERE id = $1 AND state = 'missing'";
    ADD_LOCATION = "INSERT INTO asset_location (id, asset_id, folder_id, name, size_bytes, modified_at_ns,
          changed_at_ns, found_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
    FIND_PLACE = "SELECT l.asset_id FROM asset_location l WHERE l.folder_id = $1 AND l.name = $2
        AND l.gone_at_ms IS NULL";
    HAS_PLACE = "SELECT 1 FROM asset_location WHERE asset_id = $1 AND gone_at_ms IS NULL AND damaged_at_ms IS NULL";
    ADD_ORIGINAL = "INSERT INTO original_blob (asset_id, content_hash) VALUES ($1, $2)
        ON CONFLICT (asset_id) DO NOTHING";
    LIST_ORIGINS = "SELECT id FROM asset_origin WHERE asset_id = $1 UNION SELECT id FROM asset_location WHERE asset_id = $1";
    ADD_ORIGIN = "INSERT INTO asset_origin (id, asset_id, archive, archive_kind, path, size_bytes, modified_at_ns,
          found_at_ms, damaged_at_ms, gone_at_ms, location_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING";
    LIST_KEYS = "SELECT artifact_key, id FROM artifact WHERE subject_id = $1";
    IS_ARTIFACT = "SELECT 1 FROM artifact WHERE id = $1";
    ADD_ARTIFACT = "INSERT INTO artifact (id, family_id, subject_kind, subject_id, subject_part, kind, tool,
          tool_version, model_id, parameters, inputs, attempt, artifact_key, is_deterministic, payload, blob_hash,
          made_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $14, $15, $16)";
    LIST_CLAIMS = "SELECT id FROM claim WHERE subject_id = $1";
    LIST_SIDECARS = "SELECT s.id, s.content_hash, s.name FROM asset_sidecar k JOIN sidecar s ON s.id = k.sidecar_id
        WHERE k.asset_id = $1";
    IS_SIDECAR = "SELECT content_hash FROM sidecar WHERE id = $1";
    ADD_SIDECAR = "INSERT INTO sidecar (id, folder_id, name, kind, content_hash, size_bytes, modified_at_ns,
          changed_at_ns, found_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
    FIND_SIDECAR = "SELECT id FROM sidecar WHERE folder_id = $1 AND name = $2 AND gone_at_ms IS NULL";
    ADD_SIDECAR_ORIGIN = "INSERT INTO sidecar_origin (sidecar_id, content_hash, archive, archive_kind, path)
        VALUES ($1, $2, $3, $4, $5)";
    LINK_SIDECAR = "INSERT INTO asset_sidecar (asset_id, sidecar_id) VALUES ($1, $2)
        ON CONFLICT (asset_id, sidecar_id) DO NOTHING";
}

impl Db {
    /// Brings assets in, all of them or none: those that are new as they were, and to those that are known what
    /// they did not know. Bytes that come with them are in the blob store already.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says. Nothing was stored then.
    pub async fn import_assets(
        &self,
        actor: &Actor,
        vault: &Archive,
        brought: &[Brought],
    ) -> Result<Vec<Imported>, DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let mut tries = 1;
        loop {
            match self.try_import(actor, vault, brought).await {
                Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_import(
        &self,
        actor: &Actor,
        vault: &Archive,
        brought: &[Brought],
    ) -> Result<Vec<Imported>, DbError> {
        let mut tx = self.begin().await?;
        timeline::lock(&mut tx).await?;
        let mut import = Import {
            family: vault.family_id,
            vault: vault.clone(),
            now_ms: clock::now_ms(),
            stale: BTreeSet::new(),
            texts: Vec::new(),
            faces: Vec::new(),
        };
        let mut imported = Vec::with_capacity(brought.len());
        for one in brought {
            imported.push(import.bring(&mut tx, one).await?);
        }
        text::keep(&mut tx, std::mem::take(&mut import.texts)).await?;
        face::keep(&mut tx, std::mem::take(&mut import.faces)).await?;
        let stale: Vec<AssetId> = import.stale.iter().copied().collect();
        asset::refresh_many(&mut tx, &stale).await?;
        if !stale.is_empty() {
            let details = json!({ "assets": stale });
            audit::add(&mut tx, import.family, actor, "asset.import", details).await?;
        }
        tx.commit().await?;
        Ok(imported)
    }
}

/// What one transaction brings in.
struct Import {
    family: FamilyId,
    vault: Archive,
    now_ms: i64,
    /// Assets that are to be computed anew.
    stale: BTreeSet<AssetId>,
    texts: Vec<(AssetId, ArtifactId, Text)>,
    faces: Vec<(AssetId, ArtifactId, Vec<Face>)>,
}

impl Import {
    async fn bring(&mut self, tx: &mut Tx, brought: &Brought) -> Result<Imported, DbError> {
        let asset = &brought.whole.asset;
        let hash = asset.content_hash;
        let purged = tx.fetch_optional(IS_PURGED, args![self.family, hash]);
        if purged.await?.is_some() {
            return Ok(Imported {
                outcome: Outcome::Purged,
                asset: None,
                claims: 0,
            });
        }
        let known = tx.fetch_optional(FIND, args![self.family, hash]).await?;
        let (id, mut is_changed) = match &known {
            Some(row) => (row.get(0)?, false),
            None => (self.add(tx, brought).await?, true),
        };
        let place = match brought.has_bytes {
            true => self.keep_bytes(tx, id, &brought.whole).await?,
            false => None,
        };
        is_changed |= place.is_some();
        is_changed |= self
            .add_origins(tx, id, &brought.whole.places, place)
            .await?;
        let (made, has_new) = self.add_artifacts(tx, id, brought).await?;
        is_changed |= has_new;
        let claims = self
            .add_claims(tx, id, &brought.whole.claims, &made)
            .await?;
        is_changed |= claims > 0;
        is_changed |= self.add_sidecars(tx, id, &brought.whole.sidecars).await?;
        if is_changed {
            self.stale.insert(id);
        }
        Ok(Imported {
            outcome: match (known.is_some(), is_changed) {
                (false, _) => Outcome::Added,
                (true, true) => Outcome::Completed,
                (true, false) => Outcome::Known,
            },
            asset: Some(id),
            claims,
        })
    }

    /// Makes an asset that is not here. What is believed of it follows when its claims are.
    async fn add(&self, tx: &mut Tx, brought: &Brought) -> Result<AssetId, DbError> {
        let Whole { asset, claims, .. } = &brought.whole;
        let taken = tx.fetch_optional(IS_TAKEN, args![asset.id]).await?;
        let id = if taken.is_some() {
            clock::new_id()
        } else {
            asset.id
        };
        let claims: Vec<_> = claims.iter().map(|claim| claim.claim.clone()).collect();
        let believed = Believed::of(&claims);
        let wanted = [(believed.timeline_key(), asset.added_at_ms)];
        let key = timeline::allocate_keys(tx, &wanted).await?[0];
        // What counts is whether its bytes came.
        let state = match (asset.state, brought.has_bytes) {
            (AssetState::Present, false) => AssetState::Missing,
            (AssetState::Missing, true) => AssetState::Present,
            (state, _) => state,
        };
        let asset = Asset {
            id,
            position: believed.position,
            placed: Placed::of(&believed, None),
            language: believed.language.clone(),
            ..asset.clone()
        };
        let mut row = args![
            id,
            self.family,
            asset.audience_id,
            asset.content_hash,
            asset.size_bytes,
            asset.kind.as_str(),
            &asset.media_type,
            state.as_str(),
            key,
            timeline::bucket_of_key(key).number(),
            believed.date,
            believed.date_from_s,
            believed.date_until_s,
            believed.title,
            &asset.name,
            asset.width,
            asset.height,
            asset.duration_ms,
            asset.added_at_ms,
            self.now_ms,
            1_i64,
        ];
        row.extend(place::columns_of(&asset));
        row.push(Value::from(believed.language));
        row.push(Value::from(asset.deleted_at_ms));
        let columns = row.len();
        tx.execute_rows(ADD, columns, vec![row]).await?;
        Ok(id)
    }

    /// Gives bytes their place in the vault, unless they are somewhere already.
    async fn keep_bytes(
        &self,
        tx: &mut Tx,
        id: AssetId,
        whole: &Whole,
    ) -> Result<Option<LocationId>, DbError> {
        if tx.fetch_optional(HAS_PLACE, args![id]).await?.is_some() {
            return Ok(None);
        }
        let hash = whole.asset.content_hash;
        let here = whole.places.iter().find(|place| place.gone_at_ms.is_none());
        let was = here.or(whole.places.last());
        let (folder, name) = match was {
            Some(place) => folder_of(&place.archive, place.is_vault, &place.path),
            None => (String::new(), whole.asset.name.clone()),
        };
        let folder = self.free_folder(tx, &folder, &name).await?;
        let size_bytes = whole.asset.size_bytes;
        let modified_at_ns = was.map_or(self.now_ms.saturating_mul(1_000_000), |place| {
            place.modified_at_ns
        });
        let location: LocationId = clock::new_id();
        let values = args![
            location,
            id,
            folder,
            name,
            size_bytes,
            modified_at_ns,
            self.now_ms
        ];
        tx.execute(ADD_LOCATION, values).await?;
        blob::add(tx, hash, size_bytes, self.now_ms).await?;
        tx.execute(ADD_ORIGINAL, args![id, hash]).await?;
        tx.execute(SET_PRESENT, args![id]).await?;
        Ok(Some(location))
    }

    /// A folder of the vault in which that name is free: the one of that path, or one below it.
    async fn free_folder(&self, tx: &mut Tx, path: &str, name: &str) -> Result<FolderId, DbError> {
        let mut number = 1_u64;
        loop {
            let path = match number {
                1 => path.to_owned(),
                number => path::join(path, &number.to_string()),
            };
            let folder = get_or_create_folder(tx, self.vault.id, &path, self.now_ms).await?;
            let taken = tx.fetch_optional(FIND_PLACE, args![folder, name]).await?;
            let described = tx.fetch_optional(FIND_SIDECAR, args![folder, name]).await?;
            if taken.is_none() && described.is_none() {
                return Ok(folder);
            }
            number += 1;
        }
    }

    async fn add_origins(
        &self,
        tx: &mut Tx,
        id: AssetId,
        places: &[Place],
        location: Option<LocationId>,
    ) -> Result<bool, DbError> {
        let mut known: HashSet<LocationId> = HashSet::new();
        for row in tx.fetch(LIST_ORIGINS, args![id]).await? {
            known.insert(row.get(0)?);
        }
        let mut has_new = false;
        for place in places.iter().filter(|place| !known.contains(&place.id)) {
            let values = args![
                place.id,
                id,
                &place.archive,
                kind_word(place.is_vault),
                &place.path,
                place.size_bytes,
                place.modified_at_ns,
                place.found_at_ms,
                place.damaged_at_ms,
                place.gone_at_ms,
                location,
            ];
            has_new |= tx.execute(ADD_ORIGIN, values).await? > 0;
        }
        Ok(has_new)
    }

    /// Stores what tools read there and not here. Gives what each of the artifacts is here, and which of them
    /// are new.
    async fn add_artifacts(
        &mut self,
        tx: &mut Tx,
        id: AssetId,
        brought: &Brought,
    ) -> Result<(HashMap<ArtifactId, Option<ArtifactId>>, bool), DbError> {
        let mut keys: HashMap<ContentHash, ArtifactId> = HashMap::new();
        for row in tx.fetch(LIST_KEYS, args![id]).await? {
            keys.insert(row.get(0)?, row.get(1)?);
        }
        let mut made = HashMap::new();
        let mut has_new = false;
        for artifact in &brought.whole.artifacts {
            let part = part_of(artifact)?;
            let recipe = Recipe {
                kind: &artifact.kind,
                part,
                tool: (&artifact.tool, artifact.tool_version),
                model: &artifact.model,
                parameters: &artifact.parameters,
                inputs: &artifact.inputs,
            };
            let key = artifact::artifact_key(self.family, id, &recipe);
            if keys.contains_key(&key) {
                // What follows from it is known with it.
                made.insert(artifact.id, None);
                continue;
            }
            let taken = tx.fetch_optional(IS_ARTIFACT, args![artifact.id]).await?;
            let own: ArtifactId = if taken.is_some() {
                clock::new_id()
            } else {
                artifact.id
            };
            self.add_artifact(tx, id, own, artifact, key).await?;
            keys.insert(key, own);
            made.insert(artifact.id, Some(own));
            if let Some(text) = brought.texts.get(&artifact.id) {
                self.texts.push((id, own, text.clone()));
            }
            if let Some(faces) = brought.faces.get(&artifact.id) {
                self.faces.push((id, own, faces.clone()));
            }
            has_new = true;
        }
        Ok((made, has_new))
    }

    async fn add_artifact(
        &self,
        tx: &mut Tx,
        asset: AssetId,
        id: ArtifactId,
        artifact: &Artifact,
        key: ContentHash,
    ) -> Result<(), DbError> {
        if let Some(hash) = artifact.blob_hash {
            let size_bytes = artifact.size_bytes.unwrap_or_default();
            blob::add(tx, hash, size_bytes, self.now_ms).await?;
        }
        let subject = part_of(artifact)?.of(asset);
        let values = args![
            id,
            self.family,
            subject.kind.as_str(),
            subject.id,
            subject.part,
            &artifact.kind,
            &artifact.tool,
            artifact.tool_version,
            &artifact.model,
            artifact::parameters_text(&artifact.parameters),
            artifact::inputs_text(&artifact.inputs),
            key,
            artifact.is_deterministic,
            artifact.payload.as_ref().map(ToString::to_string),
            artifact.blob_hash,
            artifact.made_at_ms,
        ];
        tx.execute(ADD_ARTIFACT, values).await?;
        let told = (artifact.kind.as_str(), artifact.payload.as_ref());
        imprint::keep(tx, asset, id, told).await?;
        meaning::keep(tx, asset, id, told).await
    }

    async fn add_claims(
        &self,
        tx: &mut Tx,
        id: AssetId,
        claims: &[WholeClaim],
        made: &HashMap<ArtifactId, Option<ArtifactId>>,
    ) -> Result<usize, DbError> {
        let mut known: HashSet<Uuid> = HashSet::new();
        for row in tx.fetch(LIST_CLAIMS, args![id]).await? {
            known.insert(row.get(0)?);
        }
        let mut new = Vec::new();
        for whole in claims {
            let mut claim = whole.claim.clone();
            if known.contains(&claim.id.uuid()) {
                continue;
            }
            if let Author::Artifact(artifact) = claim.author {
                match made.get(&artifact) {
                    Some(Some(own)) => claim.author = Author::Artifact(*own),
                    _ => continue,
                }
            }
            if !claim.subject.kind.is_of_asset() {
                continue;
            }
            claim.subject.id = id.uuid();
            let provenance = Provenance {
                carried_from: whole.carried_from,
                batch: whole.batch,
            };
            new.push((claim, provenance));
        }
        let count = new.len();
        claim::add(tx, self.family, new).await?;
        Ok(count)
    }

    async fn add_sidecars(
        &self,
        tx: &mut Tx,
        id: AssetId,
        sidecars: &[WholeSidecar],
    ) -> Result<bool, DbError> {
        let mut known: HashSet<(ContentHash, String)> = HashSet::new();
        for row in tx.fetch(LIST_SIDECARS, args![id]).await? {
            known.insert((row.get(1)?, row.get(2)?));
        }
        let mut has_new = false;
        for sidecar in sidecars {
            let (folder, name) = folder_of(&sidecar.archive, sidecar.is_vault, &sidecar.path);
            if !known.insert((sidecar.content_hash, name.clone())) {
                continue;
            }
            let row = tx.fetch_optional(IS_SIDECAR, args![sidecar.id]).await?;
            let own: SidecarId = match row {
                // It describes several, and has come with another of them.
                Some(row) if row.get::<ContentHash>(0)? == sidecar.content_hash => sidecar.id,
                Some(_) => {
                    self.add_sidecar(tx, clock::new_id(), sidecar, (&folder, &name))
                        .await?
                }
                None => {
                    self.add_sidecar(tx, sidecar.id, sidecar, (&folder, &name))
                        .await?
                }
            };
            tx.execute(LINK_SIDECAR, args![id, own]).await?;
            has_new = true;
        }
        Ok(has_new)
    }

    async fn add_sidecar(
        &self,
        tx: &mut Tx,
        id: SidecarId,
        sidecar: &WholeSidecar,
        (folder, name): (&str, &str),
    ) -> Result<SidecarId, DbError> {
        let folder = self.free_folder(tx, folder, name).await?;
        let hash = sidecar.content_hash;
        let values = args![
            id,
            folder,
            name,
            &sidecar.kind,
            hash,
            sidecar.size_bytes,
            sidecar.modified_at_ns,
            sidecar.found_at_ms,
        ];
        tx.execute(ADD_SIDECAR, values).await?;
        blob::add(tx, hash, sidecar.size_bytes, self.now_ms).await?;
        let kind = kind_word(sidecar.is_vault);
        let values = args![id, hash, &sidecar.archive, kind, &sidecar.path];
        tx.execute(ADD_SIDECAR_ORIGIN, values).await?;
        Ok(id)
    }
}

/// What of its asset an artifact shows.
fn part_of(artifact: &Artifact) -> Result<Part, DbError> {
    if artifact.part.is_empty() {
        return Ok(Part::Whole);
    }
    let page = artifact.part.parse();
    page.map(Part::Page)
        .map_err(|_| DbError::unreadable("a part of an asset", &artifact.part))
}

const fn kind_word(is_vault: bool) -> &'static str {
    if is_vault { "vault" } else { "folder" }
}
