//! An original as a document that can be searched.

use axum::{body::Body, extract::State, response::Response};
use futures_util::stream;
use heirloom_core::{
    AssetId, MediaKind,
    claim::{Claim, ClaimKind},
};
use heirloom_db::{
    artifact::{Artifact, Part},
    asset::Asset,
};
use heirloom_pipeline::{
    searchable::{About, Making, SearchableError},
    tool::text::TEXT,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    extract::IdPath,
    library::Library,
    media::{Media, stem},
    problem::{Code, Problem},
    reading, wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_searchable))
}

/// The pictures of an original's pages with what stands on them behind, as people corrected it: a PDF that is made to last
/// (PDF/A-2u), in which words are found and copied. It is made while it is fetched; the original is not touched.
#[utoipa::path(get, path = "/api/v1/assets/{id}/searchable.pdf", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "The document", body = Vec<u8>, content_type = "application/pdf"),
    (status = 404, description = "There is no such asset, or nobody has read it yet", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 409, description = "It has a text of its own, which it keeps", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_searchable(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Response, Problem> {
    let asset = library.db().get_asset(&actor, id).await?;
    if asset.kind == MediaKind::Video {
        let has = format!("{:?} has no pages", asset.name);
        return Err(Problem::new(Code::Refused, has)
            .hint("What stands in a film is listed with its times: see its reading."));
    }
    let claims = library.db().list_claims(&actor, id).await?;
    let (artifact, read) = match reading::find(&library, &actor, &asset, &claims).await {
        Err(problem) if problem.code() == Code::NotFound => {
            let text = library
                .db()
                .find_artifact(&asset, TEXT, Part::Whole)
                .await?;
            return Err(text.map_or(problem, |_| has_text(&asset)));
        }
        found => found?,
    };
    let pages = &read.reading.pages;
    if !pages.is_empty() && pages.iter().all(|page| page.is_layer) {
        return Err(has_text(&asset));
    }
    let about = about(&asset, artifact.as_ref(), &claims);
    let ctx = library.context(actor);
    let workshop = library.engine().workshop();
    let making = Making::begin(&ctx, workshop, &(&asset).into(), read.reading, about).await?;
    let parts = stream::try_unfold(making, async |mut making| {
        let part = making.next().await?;
        Ok::<_, SearchableError>(part.map(|part| (part, making)))
    });
    let name = format!("{}.pdf", stem(&asset.name));
    let media = Media {
        media_type: "application/pdf",
        name: &name,
        tag: None,
    };
    Ok(media.respond_whole(Body::from_stream(Box::pin(parts))))
}

fn has_text(asset: &Asset) -> Problem {
    let has = format!("{:?} has a text of its own", asset.name);
    Problem::new(Code::Refused, has).hint("Its words are found and copied in the original itself.")
}

/// The same for the same content: what it is called, and when what stands in it was last read or said.
fn about(asset: &Asset, artifact: Option<&Artifact>, claims: &[Claim]) -> About {
    let written = claims
        .iter()
        .filter(|claim| claim.author.is_person() && claim.statement.kind() == ClaimKind::Written);
    let said = written.map(|claim| claim.undone_at_ms.unwrap_or(claim.made_at_ms));
    let read = artifact.map(|artifact| artifact.made_at_ms);
    let made_at_ms = said.chain(read).max().unwrap_or_default();
    let title = asset
        .title
        .clone()
        .unwrap_or_else(|| stem(&asset.name).to_owned());
    let mut id = [0; 16];
    let content = format!("{} {made_at_ms} {title}", asset.content_hash);
    id.copy_from_slice(&heirloom_blobs::hash_of(content.as_bytes()).as_bytes()[..16]);
    About {
        title,
        language: asset.language.clone(),
        made_at_s: made_at_ms.div_euclid(1000),
        id,
        program: concat!("Heirloom ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}
