//! Places: countries, regions and towns with what was made there, and the map.

use axum::{Json, extract::State};
use heirloom_core::{
    map::{Cell, InvalidCell, InvalidView, View},
    permission::Action,
};
use heirloom_db::place::{Placed, Spot};
use heirloom_pipeline::place::{find_named, find_nearest};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{describe_assets, parse_limit},
    cursor::List,
    extract::Query,
    library::Library,
    problem::{Code, Problem},
    wire,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_places))
        .routes(routes!(find_known_places))
        .routes(routes!(list_placed_assets))
        .routes(routes!(get_map))
}

/// What stands for "of no country that is known".
const NO_COUNTRY: &str = "none";

/// Which places.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Within {
    /// Of which country (ISO 3166-1, two letters); `none` for what has a place and no known position.
    /// Without it, the countries.
    country: Option<String>,
    /// Of which region of that country; empty for what is in none. Without it, the regions.
    region: Option<String>,
    /// How many places at most: 1 to 500, 50 if nothing is said. Countries and regions come all at once.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// Countries, the regions of one or the places of one, each with how many assets were made there.
#[utoipa::path(get, path = "/api/v1/places", tag = "place", params(Within), responses(
    (status = 200, description = "What there is", body = wire::Places),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_places(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(within): Query<Within>,
) -> Result<Json<wire::Places>, Problem> {
    let (family, db) = (library.family().id, library.db());
    let (counted, next, unnamed) = match (&within.country, &within.region) {
        (None, Some(_)) => {
            return Err(
                Problem::new(Code::InvalidRequest, "a region is one of a country")
                    .hint("Say which: country=DE&region=Bremen"),
            );
        }
        (None, None) => {
            let countries = db.list_countries(&actor, family).await?;
            (countries, None, db.count_unnamed(&actor, family).await?)
        }
        (Some(country), None) if country != NO_COUNTRY => {
            (db.list_regions(&actor, family, country).await?, None, None)
        }
        (Some(country), region) => {
            let (country, region) = (code_of(country), region.as_deref().unwrap_or_default());
            let question = format!("{country}\0{region}");
            let list = List {
                name: "places",
                question: &question,
            };
            let limit = parse_limit(within.limit)?;
            let after = match &within.after {
                None => String::new(),
                Some(after) => list.parse_text(after)?,
            };
            let within = (country, region);
            let mut places = db
                .list_places(&actor, family, within, &after, limit + 1)
                .await?;
            let has_more = places.len() > limit;
            places.truncate(limit);
            let last = places.last().filter(|_| has_more);
            let next = last.map(|last| list.render_cursor(last.at.name.as_bytes()));
            (places, next, None)
        }
    };
    Ok(Json(wire::Places {
        items: counted.into_iter().map(wire::PlaceCount::from).collect(),
        next,
        unnamed: unnamed.map(wire::PlaceCount::from),
    }))
}

/// How a place begins that somebody types.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Typed {
    /// How its name begins; after a comma, how its region or its country begins: `Paris, Texas`.
    q: String,
    /// How many at most: 1 to 500, 50 if nothing is said.
    limit: Option<u16>,
}

/// Towns and villages of the world whose names begin so, the largest first, with where they are: for who says where
/// something was made.
#[utoipa::path(get, path = "/api/v1/places/known", tag = "place", params(Typed), responses(
    (status = 200, description = "What there is", body = wire::KnownPlaces),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn find_known_places(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(typed): Query<Typed>,
) -> Result<Json<wire::KnownPlaces>, Problem> {
    actor.require(Action::ViewAsset, library.family().id)?;
    let limit = parse_limit(typed.limit)?;
    // The whole table is gone through.
    let finding = tokio::task::spawn_blocking(move || find_named(&typed.q, limit));
    let found = finding.await.map_err(Problem::internal)?;
    Ok(Json(wire::KnownPlaces {
        items: found.into_iter().map(Into::into).collect(),
    }))
}

fn code_of(country: &str) -> &str {
    if country == NO_COUNTRY { "" } else { country }
}

/// At which place, and which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct At {
    /// A cell of the map, as a cluster names it. Instead of a country.
    cell: Option<String>,
    /// The country of the place; `none` where none is known.
    country: Option<String>,
    /// Its region; empty where none is known.
    region: Option<String>,
    /// What it is called. Without it, in no country: what has a position that nothing names.
    name: Option<String>,
    /// How many at most: 1 to 500, 50 if nothing is said.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// The assets of one place or of one cell of the map, newest first.
#[utoipa::path(get, path = "/api/v1/places/assets", tag = "place", params(At), responses(
    (status = 200, description = "A page of assets", body = wire::Page<wire::Asset>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_placed_assets(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(at): Query<At>,
) -> Result<Json<wire::Page<wire::Asset>>, Problem> {
    let (spot, question) = spot_of(&at)?;
    let list = List {
        name: "placed",
        question: &question,
    };
    let limit = parse_limit(at.limit)?;
    let after = at.after.as_deref().map(|text| list.parse_cursor(text));
    let after = after.transpose()?.map(i64::from_be_bytes);
    let family = library.family().id;
    let db = library.db();
    let page = db
        .list_assets_at(&actor, family, &spot, after, limit)
        .await?;
    Ok(Json(wire::Page {
        items: describe_assets(&library, &actor, &page.items).await?,
        next: page.next.map(|key| list.render_cursor(&key.to_be_bytes())),
    }))
}

/// The place that is asked for, and what tells it from others.
fn spot_of(at: &At) -> Result<(Spot, String), Problem> {
    match (&at.cell, &at.country) {
        (Some(cell), None) => {
            let cell: Cell = cell.parse()?;
            Ok((Spot::Cell(cell), cell.to_string()))
        }
        (None, Some(country)) => {
            let placed = Placed {
                country: code_of(country).to_owned(),
                region: at.region.clone().unwrap_or_default(),
                name: at.name.clone().unwrap_or_default(),
            };
            let question = format!("{}\0{}\0{}", placed.country, placed.region, placed.name);
            Ok((Spot::Named(placed), question))
        }
        _ => Err(
            Problem::new(Code::InvalidRequest, "it is not said which place").hint(
                "Name a cell of the map, cell=8/134/87, or a place: country=DE&region=Bremen&name=Bremen",
            ),
        ),
    }
}

/// What of the map is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Looked {
    /// West, south, east and north in degrees: `13.0,52.3,13.8,52.7`. Where the west is east of the east,
    /// it lies across the date line.
    #[serde(rename = "box")]
    area: String,
    /// How near: 0 shows the whole world on 512 pixels, and each step doubles them.
    zoom: f64,
}

/// The finest level of cells that a map at a zoom needs: its cells are then 64 pixels wide at least.
const LEVELS_BELOW: f64 = 3.0;

/// What of the assets lies in a part of the map: counts of what lies near each other, never single ones.
#[utoipa::path(get, path = "/api/v1/map", tag = "place", params(Looked), responses(
    (status = 200, description = "At most 400 clusters", body = wire::MapClusters),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_map(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(looked): Query<Looked>,
) -> Result<Json<wire::MapClusters>, Problem> {
    let view: View = looked.area.parse()?;
    if !(0.0..=30.0).contains(&looked.zoom) {
        return Err(Problem::new(
            Code::InvalidRequest,
            "a zoom of the map is a number from 0 to 30",
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "3 to 33"
    )]
    let level = (looked.zoom.floor() + LEVELS_BELOW) as u8;
    let family = library.family().id;
    let cells = view.cells(level);
    let clusters = library.db().list_clusters(&actor, family, &cells).await?;
    let clusters = clusters.into_iter().map(|cluster| {
        let near = find_nearest(cluster.heart);
        wire::MapCluster::new(cluster, near.map(|near| near.named))
    });
    Ok(Json(wire::MapClusters {
        clusters: clusters.collect(),
    }))
}

impl From<InvalidView> for Problem {
    fn from(invalid: InvalidView) -> Self {
        Self::new(Code::InvalidRequest, invalid.to_string())
            .hint("Berlin, for example, is box=13.0,52.3,13.8,52.7")
    }
}

impl From<InvalidCell> for Problem {
    fn from(invalid: InvalidCell) -> Self {
        Self::new(Code::InvalidRequest, invalid.to_string())
            .hint("Take it from `cell` of a cluster of the map.")
    }
}
