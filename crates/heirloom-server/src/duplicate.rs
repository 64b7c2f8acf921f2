//! Pictures that there are several of: which, which of them is suggested, and what people decide.

use axum::{Json, extract::State, http::StatusCode};
use heirloom_core::{AssetId, duplicate::Likeness};
use heirloom_db::{asset::Asset, duplicate::list::Asked};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{Paging, describe_assets, parse_limit},
    cursor::List,
    extract::{Body, IdPath, Query},
    library::Library,
    problem::Problem,
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_duplicates))
        .routes(routes!(list_decisions))
        .routes(routes!(keep_duplicate))
        .routes(routes!(part_duplicates))
}

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Listing {
    /// Those that are together for this alone: `copies`, `exact`, `near` or `burst`.
    #[param(schema_with = wire::schema::likeness)]
    why: Option<Likeness>,
    /// Those of which all but one were rejected; else all others.
    #[serde(default)]
    decided: bool,
    /// Where the page begins: `next` of the page before.
    after: Option<String>,
    /// How many groups, 1 to 500; 50 if it is not said.
    limit: Option<u16>,
}

/// Pictures that there are several of, in groups, those first that came last. A picture and its RAW, or what it was edited
/// to, are none.
#[utoipa::path(get, path = "/api/v1/duplicates", tag = "duplicate", params(Listing), responses(
    (status = 200, description = "A page of groups", body = wire::Page<wire::Duplicates>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_duplicates(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(listing): Query<Listing>,
) -> Result<Json<wire::Page<wire::Duplicates>>, Problem> {
    let limit = parse_limit(listing.limit)?;
    let after = listing.after.as_deref();
    let after = after.map(|text| List::DUPLICATES.parse_id(text));
    let asked = Asked {
        why: listing.why,
        is_decided: listing.decided,
        after: after.transpose()?,
    };
    let (db, family) = (library.db(), library.family().id);
    let page = db.list_duplicates(&actor, family, asked, limit).await?;
    let assets = page.groups.iter().flat_map(|it| &it.members);
    let assets: Vec<Asset> = assets.map(|member| member.asset.clone()).collect();
    let mut described = describe_assets(&library, &actor, &assets)
        .await?
        .into_iter();
    let items = page.groups.iter().map(|group| {
        let assets = described.by_ref().take(group.members.len()).collect();
        wire::Duplicates::new(group, assets)
    });
    Ok(Json(wire::Page {
        items: items.collect(),
        next: page
            .next
            .map(|id| List::DUPLICATES.render_cursor(id.as_bytes())),
    }))
}

/// What was decided of groups, the last first. All that was decided at once is taken back at once, as other claims are
/// (`/api/v1/claims/{id}/undo`).
#[utoipa::path(get, path = "/api/v1/duplicates/decisions", tag = "duplicate", params(Paging), responses(
    (status = 200, description = "A page of it", body = wire::Page<wire::Decision>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_decisions(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Decision>>, Problem> {
    let (before, limit) = (paging.after_id(List::DECISIONS)?, paging.limit()?);
    let (db, family) = (library.db(), library.family().id);
    let page = db.list_decisions(&actor, family, before, limit).await?;
    Ok(Json(wire::Page {
        items: page.items.into_iter().map(wire::Decision::from).collect(),
        next: page
            .next
            .map(|id| List::DECISIONS.render_cursor(id.as_bytes())),
    }))
}

/// Keeps one picture of a group: the others are rated as rejected. Nothing is deleted.
#[utoipa::path(post, path = "/api/v1/duplicates/{id}/keep", tag = "duplicate", params(
    ("id" = String, Path, description = "The group", format = "uuid"),
), request_body = wire::NewKeeper, responses(
    (status = 201, description = "What was decided", body = wire::Decision),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn keep_duplicate(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    Body(new): Body<wire::NewKeeper>,
) -> Result<(StatusCode, Json<wire::Decision>), Problem> {
    let (db, family) = (library.db(), library.family().id);
    let decided = db.keep_duplicate(&actor, family, id, new.asset_id).await?;
    Ok((StatusCode::CREATED, Json(decided.into())))
}

/// Says that pictures of a group are not the same as its others: they are never together again.
#[utoipa::path(post, path = "/api/v1/duplicates/{id}/part", tag = "duplicate", params(
    ("id" = String, Path, description = "The group", format = "uuid"),
), request_body = wire::NewParting, responses(
    (status = 201, description = "What was decided", body = wire::Decision),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn part_duplicates(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    Body(new): Body<wire::NewParting>,
) -> Result<(StatusCode, Json<wire::Decision>), Problem> {
    let (db, family) = (library.db(), library.family().id);
    let parted = db
        .part_duplicates(&actor, family, id, &new.asset_ids)
        .await?;
    Ok((StatusCode::CREATED, Json(parted.into())))
}
