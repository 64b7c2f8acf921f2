//! Whose voices are in recordings, and where else they are heard.

use std::collections::HashMap;

use axum::{Json, extract::State};
use heirloom_core::{Actor, AssetId};
use heirloom_db::voice::{Elsewhere, KnownVoice};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker, asset::describe_assets, extract::IdPath, library::Library, problem::Problem, wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(list_voices))
}

/// In how many other recordings a voice is shown.
const SHOWN: usize = 20;

/// The voices of a film or recording: who people say each is, whose it may be, and in which other recordings it is heard.
/// None where voices are not told apart.
#[utoipa::path(get, path = "/api/v1/assets/{id}/voices", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "In the order in which they begin", body = wire::Page<wire::Voice>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_voices(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Page<wire::Voice>>, Problem> {
    let asset = library.db().get_asset(&actor, id).await?;
    let voices = library
        .db()
        .list_voices(&actor, asset.family_id, id)
        .await?;
    let shown = voices.iter().flat_map(shown_of).map(|other| other.asset);
    let assets = describe(&library, &actor, shown.collect()).await?;
    let items = voices.iter().map(|voice| wire_of(voice, &assets));
    Ok(Json(wire::Page {
        items: items.collect(),
        next: None,
    }))
}

fn shown_of(voice: &KnownVoice) -> &[Elsewhere] {
    &voice.elsewhere[..voice.elsewhere.len().min(SHOWN)]
}

async fn describe(
    library: &Library,
    actor: &Actor,
    ids: Vec<AssetId>,
) -> Result<HashMap<AssetId, wire::Asset>, Problem> {
    let assets = library.db().find_assets(actor, &ids).await?;
    let described = describe_assets(library, actor, &assets).await?;
    Ok(described
        .into_iter()
        .map(|asset| (asset.id, asset))
        .collect())
}

fn wire_of(known: &KnownVoice, assets: &HashMap<AssetId, wire::Asset>) -> wire::Voice {
    let suggestion = known.suggestion();
    let elsewhere = shown_of(known).iter().filter_map(|other| {
        Some(wire::VoiceElsewhere {
            asset: assets.get(&other.asset)?.clone(),
            label: other.label,
            name: other.name.clone(),
            likeness: other.likeness,
        })
    });
    wire::Voice {
        label: known.voice.label,
        name: known.name.name.clone(),
        spoken_ms: known.voice.spoken_ms,
        at: known
            .voice
            .longest()
            .map(|(start_ms, end_ms)| wire::Segment { start_ms, end_ms }),
        suggestion: suggestion.and_then(|other| {
            Some(wire::VoiceSuggestion {
                name: other.name.clone()?,
                likeness: other.likeness,
                asset_id: other.asset,
            })
        }),
        elsewhere_count: known.elsewhere.len() as u64,
        elsewhere: elsewhere.collect(),
    }
}
