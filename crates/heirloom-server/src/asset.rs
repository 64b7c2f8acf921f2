//! Assets: listed, shown, hidden and removed.

pub(crate) mod original;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
};
use heirloom_core::{Actor, AssetId};
use heirloom_db::asset::Asset;
use heirloom_pipeline::purge::purge_assets;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    cursor::List,
    extract::{IdPath, Query},
    library::Library,
    problem::{Code, Problem},
    scans::delete_reports,
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_assets))
        .routes(routes!(get_asset, delete_asset))
        .routes(routes!(restore_asset))
        .routes(routes!(original::get_original))
}

/// Removing for good takes as long as the catalogue takes to forget.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(purge_asset))
}

/// Which part of a list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many at most: 1 to 500, 50 if nothing is said.
    pub(crate) limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    pub(crate) after: Option<String>,
}

impl Paging {
    /// The number that was asked for.
    ///
    /// # Errors
    /// As [`parse_limit`].
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        parse_limit(self.limit)
    }

    /// The timeline key after which to go on.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub(crate) fn after_key(&self) -> Result<Option<i64>, Problem> {
        let parse = |text| List::ASSETS.parse_cursor(text);
        let key = self.after.as_deref().map(parse).transpose()?;
        Ok(key.map(i64::from_be_bytes))
    }

    /// The id after which to go on in a list that is in the order of ids.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub(crate) fn after_id<I: From<uuid::Uuid>>(
        &self,
        list: List<'_>,
    ) -> Result<Option<I>, Problem> {
        let parse = |text| list.parse_id(text);
        self.after.as_deref().map(parse).transpose()
    }
}

/// How many entries a page is to have, for lists that are asked for more than [`Paging`].
///
/// # Errors
/// `invalid_request` when nobody can want that many.
pub(crate) fn parse_limit(limit: Option<u16>) -> Result<usize, Problem> {
    match limit.unwrap_or(50) {
        limit @ 1..=500 => Ok(limit.into()),
        limit => Err(Problem::new(
            Code::InvalidRequest,
            format!("a page has 1 to 500 entries, not {limit}"),
        )),
    }
}

/// The cursor of a place in the timeline.
pub(crate) fn timeline_cursor(key: i64) -> String {
    List::ASSETS.render_cursor(&key.to_be_bytes())
}

/// The assets, newest first, undated last.
#[utoipa::path(get, path = "/api/v1/assets", tag = "asset", params(Paging), responses(
    (status = 200, description = "A page of assets", body = wire::Page<wire::Asset>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_assets(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Asset>>, Problem> {
    let (family, db) = (library.family().id, library.db());
    let (after, limit) = (paging.after_key()?, paging.limit()?);
    let page = db.list_assets(&actor, family, after, limit).await?;
    Ok(Json(wire::Page {
        items: describe_assets(&library, &actor, &page.items).await?,
        next: page.next.map(timeline_cursor),
    }))
}

/// Assets with where they are, as far as the actor may know of that, and what they look like.
pub(crate) async fn describe_assets(
    library: &Library,
    actor: &Actor,
    assets: &[Asset],
) -> Result<Vec<wire::Asset>, Problem> {
    let ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    let places = library.db().list_locations_of(actor, assets).await?;
    let mut looks = library.db().list_looks(&ids).await?;
    let places_of = |asset: &Asset| places.get(&asset.id).map_or(&[][..], Vec::as_slice);
    Ok(assets
        .iter()
        .map(|asset| wire::Asset::new(asset, places_of(asset), looks.remove(&asset.id)))
        .collect())
}

/// Everything that is known about an asset.
#[utoipa::path(get, path = "/api/v1/assets/{id}", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "The asset; its version is the ETag", body = wire::AssetDetail, headers(("etag" = String, description = "The version, for If-Match"))),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_asset(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<(HeaderMap, Json<wire::AssetDetail>), Problem> {
    let detail = load_detail(&library, &actor, id).await?;
    Ok((version_tag(detail.asset.version), Json(detail)))
}

/// Gathers everything that is known about an asset.
pub(crate) async fn load_detail(
    library: &Library,
    actor: &Actor,
    id: AssetId,
) -> Result<wire::AssetDetail, Problem> {
    let db = library.db();
    let asset = db.get_asset(actor, id).await?;
    let claims = db.list_claims(actor, id).await?;
    let locations = db.list_locations(actor, asset.family_id, id).await?;
    let look = db.list_looks(&[id]).await?.remove(&id);
    // Before the artifacts: what is no longer being heard is among them.
    let hearing = library.engine().hearings().find(id);
    Ok(wire::AssetDetail {
        asset: wire::Asset::new(&asset, &locations, look),
        content_hash: asset.content_hash,
        replaces_asset_id: asset.replaces_asset_id,
        facts: wire::Fact::list(&claims),
        claims: claims.iter().map(wire::Claim::from).collect(),
        locations: locations.iter().map(wire::Location::from).collect(),
        stacks: db
            .list_stacks(actor, &asset)
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
        sidecars: db
            .list_sidecars(actor, asset.family_id, id)
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
        artifacts: db
            .list_artifacts(&asset)
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
        hearing: hearing.as_ref().map(Into::into),
    })
}

/// Hides an asset. It can be brought back; its original is not touched.
#[utoipa::path(delete, path = "/api/v1/assets/{id}", tag = "asset", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), responses(
    (status = 200, description = "The hidden asset", body = wire::Asset),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn delete_asset(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<wire::Asset>), Problem> {
    set_deleted(&library, &actor, id, &headers, true).await
}

/// Brings a hidden asset back.
#[utoipa::path(post, path = "/api/v1/assets/{id}/restore", tag = "asset", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), responses(
    (status = 200, description = "The asset", body = wire::Asset),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn restore_asset(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<wire::Asset>), Problem> {
    set_deleted(&library, &actor, id, &headers, false).await
}

async fn set_deleted(
    library: &Library,
    actor: &Actor,
    id: AssetId,
    headers: &HeaderMap,
    is_deleted: bool,
) -> Result<(HeaderMap, Json<wire::Asset>), Problem> {
    let version = parse_version(headers)?;
    let asset = library
        .db()
        .delete_asset(actor, id, version, is_deleted)
        .await?;
    let locations = library
        .db()
        .list_locations(actor, asset.family_id, id)
        .await?;
    let look = library.db().list_looks(&[id]).await?.remove(&id);
    let tag = version_tag(asset.version);
    Ok((tag, Json(wire::Asset::new(&asset, &locations, look))))
}

/// Removes everything that is known about a hidden asset, for good. Its files in folder archives are
/// not touched; its bytes in the vault are removed.
#[utoipa::path(post, path = "/api/v1/assets/{id}/purge", tag = "asset", params(("id" = String, Path, description = "The asset", format = "uuid")), responses(
    (status = 200, description = "What was removed", body = wire::Purged),
    (status = 409, description = "It was not hidden before", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn purge_asset(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Purged>, Problem> {
    let ctx = library.context(actor);
    let purge = purge_assets(&ctx, &[id]).await?;
    // Reports of scans name what they found, and the last of them may name this.
    let reports = library.reports();
    let deleting = tokio::task::spawn_blocking(move || delete_reports(&reports));
    deleting
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)?;
    Ok(Json(wire::Purged {
        asset_id: id,
        blobs: purge.blobs,
    }))
}

/// The version of something as its ETag.
pub(crate) fn version_tag(version: i64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{version}\"")) {
        headers.insert(header::ETAG, value);
    }
    headers
}

/// The version in `If-Match`; none when any will do.
pub(crate) fn parse_version(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::new(
            Code::InvalidRequest,
            "If-Match is not a version in quotation marks",
        )
        .hint("Take it from the ETag: If-Match: \"7\"")
    })
}
