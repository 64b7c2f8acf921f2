//! The timeline: how much there is in each stretch of time, and any part of one, however many there are.

use axum::{
    Json,
    extract::{Path, State},
};
use heirloom_core::{AssetId, Bucket};
use heirloom_db::asset::{Asset, BucketPart};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{describe_assets, parse_limit},
    extract::{Query, parse_id},
    library::Library,
    meaning::read_query,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(get_timeline))
        .routes(routes!(find_position))
        .routes(routes!(list_bucket))
}

/// Of which assets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Those that this query finds, as in a search; all of them if nothing is said.
    #[serde(default)]
    q: String,
}

/// Which part of a bucket.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AskedPart {
    /// Of those that this query finds, as in a search; of all of them if nothing is said.
    #[serde(default)]
    q: String,
    /// How many to pass over, counted from the newest.
    #[serde(default)]
    offset: u32,
    /// How many at most: 1 to 500, 50 if nothing is said.
    limit: Option<u16>,
    /// Whether the older buckets follow where this one ends, up to as many as are asked for: of months with a
    /// few pictures each, one request fetches many.
    #[serde(default)]
    run_on: bool,
}

/// Which asset.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AskedPosition {
    /// The asset.
    asset: String,
    /// Among those that this query finds, as in a search; among all of them if nothing is said.
    #[serde(default)]
    q: String,
}

/// How many assets each stretch of time has, newest first.
#[utoipa::path(get, path = "/api/v1/timeline", tag = "timeline", params(Asked), responses(
    (status = 200, description = "The stretches of time that have any", body = wire::Timeline),
    (status = 400, description = "The query cannot be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_timeline(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<wire::Timeline>, Problem> {
    let (query, _) = read_query(&library, &actor, &asked.q).await?;
    let (db, family) = (library.db(), library.family().id);
    let counts = db.count_buckets(&actor, family, &query).await?;
    Ok(Json(wire::Timeline {
        count: counts.iter().map(|(_, count)| count).sum(),
        buckets: counts
            .into_iter()
            .map(|(bucket, count)| wire::TimelineBucket {
                bucket: bucket.to_string(),
                count,
            })
            .collect(),
    }))
}

/// Some assets of a stretch of time, newest first; with `run_on` also of those before it.
#[utoipa::path(get, path = "/api/v1/timeline/{bucket}", tag = "timeline", params(
    ("bucket" = String, Path, description = "A bucket of the timeline: `1974-05`, `1974`, `195X`, `1953/..`, `undated`"),
    AskedPart,
), responses(
    (status = 200, description = "The assets", body = wire::TimelinePart),
    (status = 400, description = "The query cannot be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "There is no such part of a timeline", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_bucket(
    State(library): State<Library>,
    Asker(actor): Asker,
    Path(bucket): Path<String>,
    Query(asked): Query<AskedPart>,
) -> Result<Json<wire::TimelinePart>, Problem> {
    let bucket: Bucket =
        bucket
            .parse()
            .map_err(|error: heirloom_core::bucket::InvalidBucket| {
                Problem::new(Code::NotFound, error.to_string())
            })?;
    let (query, _) = read_query(&library, &actor, &asked.q).await?;
    let limit = i64::try_from(parse_limit(asked.limit)?).unwrap_or(i64::MAX);
    let (db, family) = (library.db(), library.family().id);
    let part = BucketPart {
        offset: asked.offset.into(),
        limit,
        runs_on: asked.run_on,
    };
    let assets = db.list_bucket(&actor, family, &query, bucket, part).await?;
    let runs = assets.chunk_by(|one, next| one.bucket() == next.bucket());
    let buckets = runs.map(|run| wire::TimelineBucket {
        bucket: run.first().map(Asset::bucket).unwrap_or(bucket).to_string(),
        count: i64::try_from(run.len()).unwrap_or(i64::MAX),
    });
    Ok(Json(wire::TimelinePart {
        buckets: buckets.collect(),
        items: describe_assets(&library, &actor, &assets).await?,
    }))
}

/// Where in the timeline an asset is.
#[utoipa::path(get, path = "/api/v1/timeline/position", tag = "timeline", params(AskedPosition), responses(
    (status = 200, description = "Its bucket, and how many of it come before; nothing if it is not among these", body = wire::TimelinePosition),
    (status = 400, description = "The query cannot be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 404, description = "There is no such asset", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn find_position(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(asked): Query<AskedPosition>,
) -> Result<Json<wire::TimelinePosition>, Problem> {
    let asset: AssetId = parse_id(&asked.asset)?;
    let (query, _) = read_query(&library, &actor, &asked.q).await?;
    let (db, family) = (library.db(), library.family().id);
    let found = db.find_in_timeline(&actor, family, &query, asset).await?;
    Ok(Json(wire::TimelinePosition {
        bucket: found.map(|(bucket, _)| bucket.to_string()),
        offset: found.map(|(_, offset)| offset),
    }))
}
