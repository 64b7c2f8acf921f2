//! Lineage: how an artifact came about, and what came of it.

use heirloom_blobs::hash_of;
use heirloom_core::{
    ArtifactId, ContentHash,
    claim::{Author, Claim, ClaimValue},
    map::Position,
};
use heirloom_db::{DbError, artifact::Artifact, asset::Asset, place::input_of};

use crate::{Context, template};

/// Where an artifact stands between what it was made from and what was made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// The artifact.
    pub artifact: Artifact,
    /// The asset it was made of.
    pub asset: Asset,
    /// What each input is.
    pub inputs: Vec<Input>,
    /// The version that its tool has by now; `None` when there is no such tool any more.
    pub current_version: Option<i64>,
    /// Artifacts that were made from this one.
    pub derived: Vec<Artifact>,
    /// What it states.
    pub claims: Vec<Claim>,
}

/// Something that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its hash.
    pub hash: ContentHash,
    /// What it is.
    pub source: Source,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bytes of the original.
    Original,
    /// The name of one of its files.
    Name(String),
    /// A sidecar of that name.
    Sidecar(String),
    /// Another artifact, or what it states.
    Artifact(ArtifactId),
    /// What a person said, in words.
    Said(String),
    /// Something that is not known any more: a sidecar that is gone, a name of long ago.
    Gone,
}

impl Lineage {
    /// Whether its tool would make something else of the same by now.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.current_version != Some(self.artifact.tool_version)
    }
}

/// The version that a tool has by now.
#[must_use]
pub fn current_version(tool: &str) -> Option<i64> {
    let steps = template::ALL.iter().flat_map(|known| known.steps);
    let mut tools = steps.map(|step| &step.tool);
    let known = tools.find(|known| known.name == tool);
    known.map(|known| known.version)
}

/// Finds out how an artifact came about, and what came of it.
///
/// # Errors
/// [`DbError::NotFound`], also when the actor may not see its asset.
pub async fn trace(ctx: &Context, id: ArtifactId) -> Result<Lineage, DbError> {
    let (artifact, asset) = ctx.db.get_artifact(&ctx.actor, id).await?;
    let siblings = ctx.db.list_artifacts(&asset).await?;
    let family = asset.family_id;
    let locations = ctx.db.list_locations(&ctx.actor, family, asset.id);
    let locations = locations.await?;
    let sidecars = ctx.db.list_sidecars(&ctx.actor, family, asset.id).await?;
    let mut claims = ctx.db.list_claims(&ctx.actor, asset.id).await?;
    let positions: Vec<_> = claims.iter().filter_map(position_of).collect();
    let source_of = |hash: ContentHash| {
        if hash == asset.content_hash {
            return Source::Original;
        }
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let names = locations.iter().map(|location| name(&location.path));
        let mut names = names.filter(|name| hash_of(name.as_bytes()) == hash);
        if let Some(name) = names.next() {
            return Source::Name(name);
        }
        if let Some(sidecar) = sidecars.iter().find(|sidecar| sidecar.content_hash == hash) {
            return Source::Sidecar(sidecar.name.clone());
        }
        let made = siblings.iter().find(|made| made.blob_hash == Some(hash));
        if let Some(made) = made {
            return Source::Artifact(made.id);
        }
        // Somebody's word comes before a machine's that says the same.
        let mut stated: Vec<_> = positions
            .iter()
            .filter(|at| input_of(at.0) == hash)
            .collect();
        stated.sort_by_key(|(_, author)| !author.is_person());
        match stated.first() {
            Some((_, Author::Artifact(id))) => Source::Artifact(*id),
            Some((position, _)) => Source::Said(position.to_string()),
            None => Source::Gone,
        }
    };
    let inputs = artifact.inputs.iter().map(|hash| Input {
        hash: *hash,
        source: source_of(*hash),
    });
    let inputs = inputs.collect();
    let stated = positions
        .iter()
        .filter(|(_, author)| *author == Author::Artifact(id));
    let given: Vec<ContentHash> = stated
        .map(|(position, _)| input_of(*position))
        .chain(artifact.blob_hash)
        .collect();
    let is_from_this =
        |made: &&Artifact| made.id != id && made.inputs.iter().any(|input| given.contains(input));
    let derived = siblings.iter().filter(is_from_this).cloned().collect();
    claims.retain(|claim| claim.author == Author::Artifact(id));
    Ok(Lineage {
        inputs,
        current_version: current_version(&artifact.tool),
        derived,
        claims,
        artifact,
        asset,
    })
}

/// Where a claim says that the original was made, and who says so.
fn position_of(claim: &Claim) -> Option<(Position, Author)> {
    match claim.statement.value() {
        ClaimValue::Position {
            latitude,
            longitude,
            ..
        } if !claim.is_negation => {
            Some((Position::from_degrees(*latitude, *longitude), claim.author))
        }
        _ => None,
    }
}
