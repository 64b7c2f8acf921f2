//! Collections: made, filled, put in order, frozen, deleted and brought back.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use heirloom_core::{Actor, AssetId, CollectionId, query::Query as Asked};
use heirloom_db::collection::{Collection, CollectionPatch, MemberCursor, NewCollection, Summary};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{Paging, describe_assets, parse_limit, parse_version, version_tag},
    claim::once,
    cursor::List,
    extract::{Body, IdPath, IdempotencyKey, Query},
    library::Library,
    problem::{Code, Problem},
    wire,
};

/// How many assets are spoken of at once.
pub(crate) const MOST_AT_ONCE: usize = 5_000;
/// How many of the collections that an asset is in are told.
const MOST_SHOWN: usize = 100;
/// The longest name, and the longest text about a collection, in characters.
const NAME_CHARS: usize = 200;
const DESCRIPTION_CHARS: usize = 5_000;

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(list_collections))
        .routes(routes!(
            get_collection,
            update_collection,
            delete_collection
        ))
        .routes(routes!(restore_collection))
        .routes(routes!(list_members))
        .routes(routes!(list_collections_of_asset))
        .routes(routes!(move_member))
}

/// What writes thousands of search documents takes as long as it takes.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_collection))
        .routes(routes!(add_members))
        .routes(routes!(remove_members))
        .routes(routes!(freeze_collection))
}

/// Which collections.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those that were deleted instead of those that are there.
    #[serde(default)]
    deleted: bool,
    /// How many at most: 1 to 500, 50 if nothing is said.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// The collections, the newest first.
#[utoipa::path(get, path = "/api/v1/collections", tag = "collection", params(Which), responses(
    (status = 200, description = "A page of collections", body = wire::Page<wire::Collection>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_collections(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(which): Query<Which>,
) -> Result<Json<wire::Page<wire::Collection>>, Problem> {
    let list = List {
        name: "collections",
        question: if which.deleted { "deleted" } else { "" },
    };
    let after = which.after.as_deref().map(|text| list.parse_id(text));
    let after: Option<CollectionId> = after.transpose()?;
    let limit = parse_limit(which.limit)?;
    let family = library.family().id;
    let page = library
        .db()
        .list_collections(&actor, family, which.deleted, after, limit)
        .await?;
    Ok(Json(wire::Page {
        items: load_all(&library, &actor, page.items).await?,
        next: page.next.map(|id| list.render_cursor(id.as_bytes())),
    }))
}

/// Makes a collection: an album with these assets in it, or a saved search.
#[utoipa::path(post, path = "/api/v1/collections", tag = "collection", params(
    ("idempotency-key" = Option<String>, Header, description = "The same key makes the same collection once"),
), request_body = wire::NewCollection, responses(
    (status = 201, description = "The collection; its version is the ETag", body = wire::Collection, headers(("etag" = String, description = "The version, for If-Match"))),
    (status = 409, description = "There is one of that name", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "It cannot be called so, or the key was used for something else", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<wire::NewCollection>,
) -> Result<(StatusCode, HeaderMap, Json<wire::Collection>), Problem> {
    let once = key.map(|key| once(&actor, &key, &("collection", &new)));
    if new.assets.len() > MOST_AT_ONCE {
        return Err(too_many());
    }
    let family = library.family();
    let parsed = NewCollection {
        name: parse_name(&new.name)?,
        description: parse_description(&new.description)?,
        query: new.query.as_deref().map(str::parse::<Asked>).transpose()?,
        audience_id: family.audience_id,
        assets: new.assets,
    };
    let db = library.db();
    let made = db
        .create_collection_once(&actor, family.id, parsed, once.as_ref())
        .await?;
    let (tag, collection) = load(&library, &actor, made).await?;
    Ok((StatusCode::CREATED, tag, collection))
}

/// One collection, also one that was deleted.
#[utoipa::path(get, path = "/api/v1/collections/{id}", tag = "collection", params(("id" = String, Path, description = "The collection", format = "uuid")), responses(
    (status = 200, description = "The collection; its version is the ETag", body = wire::Collection, headers(("etag" = String, description = "The version, for If-Match"))),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let collection = library.db().get_collection(&actor, id).await?;
    load(&library, &actor, collection).await
}

/// Calls a collection something else, says something else about it, or has a saved search ask something
/// else.
#[utoipa::path(patch, path = "/api/v1/collections/{id}", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), request_body = wire::CollectionPatch, responses(
    (status = 200, description = "The collection", body = wire::Collection),
    (status = 409, description = "There is one of that name, or it is no saved search", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "It cannot be called so", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn update_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    headers: HeaderMap,
    Body(patch): Body<wire::CollectionPatch>,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let version = parse_version(&headers)?;
    let parsed = CollectionPatch {
        name: patch.name.as_deref().map(parse_name).transpose()?,
        description: patch
            .description
            .as_deref()
            .map(parse_description)
            .transpose()?,
        query: patch
            .query
            .as_deref()
            .map(str::parse::<Asked>)
            .transpose()?,
    };
    let db = library.db();
    let collection = db.update_collection(&actor, id, version, parsed).await?;
    load(&library, &actor, collection).await
}

/// Hides a collection. What is in it stays in the catalogue, and it can be brought back.
#[utoipa::path(delete, path = "/api/v1/collections/{id}", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), responses(
    (status = 200, description = "The hidden collection", body = wire::Collection),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn delete_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    set_deleted(&library, &actor, id, &headers, true).await
}

/// Brings a hidden collection back.
#[utoipa::path(post, path = "/api/v1/collections/{id}/restore", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), responses(
    (status = 200, description = "The collection", body = wire::Collection),
    (status = 409, description = "There is another of that name by now", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn restore_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    set_deleted(&library, &actor, id, &headers, false).await
}

async fn set_deleted(
    library: &Library,
    actor: &Actor,
    id: CollectionId,
    headers: &HeaderMap,
    is_deleted: bool,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let version = parse_version(headers)?;
    let db = library.db();
    let collection = db.delete_collection(actor, id, version, is_deleted).await?;
    load(library, actor, collection).await
}

/// What is in a collection: in its order, or as its search finds it.
#[utoipa::path(get, path = "/api/v1/collections/{id}/assets", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"), Paging,
), responses(
    (status = 200, description = "A page of assets", body = wire::Page<wire::Asset>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_members(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Asset>>, Problem> {
    let db = library.db();
    let collection = db.get_collection(&actor, id).await?;
    // A place among what a search finds is none among members.
    let query = collection.query.as_deref();
    let question = match query.filter(|_| collection.is_dynamic()) {
        Some(query) => format!("{id} {query}"),
        None => id.to_string(),
    };
    let list = List {
        name: "members",
        question: &question,
    };
    let limit = paging.limit()?;
    let after = paging.after.as_deref().map(|text| list.parse_cursor(text));
    let after = after.transpose()?.map(MemberCursor::from_bytes);
    let page = db.list_members(&actor, &collection, after, limit).await?;
    Ok(Json(wire::Page {
        items: describe_assets(&library, &actor, &page.items).await?,
        next: page
            .next
            .map(|cursor| list.render_cursor(&cursor.to_bytes())),
    }))
}

/// The albums and frozen collections that an asset is in, the newest first.
#[utoipa::path(get, path = "/api/v1/assets/{id}/collections", tag = "collection", params(
    ("id" = String, Path, description = "The asset", format = "uuid"),
), responses(
    (status = 200, description = "The collections; always on one page", body = wire::Page<wire::Collection>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn list_collections_of_asset(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<AssetId>,
) -> Result<Json<wire::Page<wire::Collection>>, Problem> {
    let db = library.db();
    let collections = db.list_collections_of(&actor, id, MOST_SHOWN).await?;
    Ok(Json(wire::Page {
        items: load_all(&library, &actor, collections).await?,
        next: None,
    }))
}

/// Puts assets at the end of an album, all of them or none. What is in it already stays where it is.
#[utoipa::path(post, path = "/api/v1/collections/{id}/assets", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), request_body = wire::Members, responses(
    (status = 200, description = "The collection, and how many were added", body = wire::MembersChanged),
    (status = 409, description = "It is frozen, deleted or a saved search", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn add_members(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    Body(members): Body<wire::Members>,
) -> Result<Json<wire::MembersChanged>, Problem> {
    check_number(&members.assets)?;
    let db = library.db();
    let (collection, changed) = db.add_members(&actor, id, &members.assets).await?;
    load_changed(&library, &actor, collection, changed).await
}

/// Takes assets out of an album; they stay in the catalogue. What is not in it is passed over.
#[utoipa::path(post, path = "/api/v1/collections/{id}/assets/remove", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), request_body = wire::Members, responses(
    (status = 200, description = "The collection, and how many were taken out", body = wire::MembersChanged),
    (status = 409, description = "It is frozen, deleted or a saved search", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn remove_members(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    Body(members): Body<wire::Members>,
) -> Result<Json<wire::MembersChanged>, Problem> {
    check_number(&members.assets)?;
    let db = library.db();
    let (collection, changed) = db.remove_members(&actor, id, &members.assets).await?;
    load_changed(&library, &actor, collection, changed).await
}

/// Moves an asset within an album: to right before another, or to the end.
#[utoipa::path(post, path = "/api/v1/collections/{id}/assets/move", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
), request_body = wire::MemberMove, responses(
    (status = 200, description = "The collection", body = wire::Collection),
    (status = 409, description = "It is frozen, deleted or a saved search", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn move_member(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    Body(asked): Body<wire::MemberMove>,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let db = library.db();
    let (member, before) = (asked.asset_id, asked.before_asset_id);
    let collection = db.move_member(&actor, id, member, before).await?;
    load(&library, &actor, collection).await
}

/// Makes a collection stay as it is, for good. A saved search has in it from then on what it finds now.
#[utoipa::path(post, path = "/api/v1/collections/{id}/freeze", tag = "collection", params(
    ("id" = String, Path, description = "The collection", format = "uuid"),
    ("if-match" = Option<String>, Header, description = "Only if it is at this version still"),
), responses(
    (status = 200, description = "The frozen collection", body = wire::Collection),
    (status = 409, description = "It is frozen or deleted, or finds too much", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 412, description = "It was changed meanwhile", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn freeze_collection(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<CollectionId>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let version = parse_version(&headers)?;
    let db = library.db();
    let collection = db.freeze_collection(&actor, id, version).await?;
    load(&library, &actor, collection).await
}

/// A collection as it is shown, with its version.
async fn load(
    library: &Library,
    actor: &Actor,
    collection: Collection,
) -> Result<(HeaderMap, Json<wire::Collection>), Problem> {
    let tag = version_tag(collection.version);
    let mut shown = load_all(library, actor, vec![collection]).await?;
    let shown = shown
        .pop()
        .ok_or_else(|| Problem::new(Code::NotFound, "there is no such collection any more"))?;
    Ok((tag, Json(shown)))
}

async fn load_changed(
    library: &Library,
    actor: &Actor,
    collection: Collection,
    changed: usize,
) -> Result<Json<wire::MembersChanged>, Problem> {
    let (_, Json(collection)) = load(library, actor, collection).await?;
    Ok(Json(wire::MembersChanged {
        collection,
        changed,
    }))
}

/// Collections as they are shown, with how much is in each.
async fn load_all(
    library: &Library,
    actor: &Actor,
    collections: Vec<Collection>,
) -> Result<Vec<wire::Collection>, Problem> {
    let db = library.db();
    let summaries = db.summarise_collections(actor, collections).await?;
    let covers: Vec<_> = summaries.iter().filter_map(|it| it.cover.clone()).collect();
    let mut covers = describe_assets(library, actor, &covers).await?.into_iter();
    let shown = summaries.into_iter().map(|summary| {
        let cover = summary.cover.is_some().then(|| covers.next()).flatten();
        render(summary, cover)
    });
    Ok(shown.collect())
}

fn render(summary: Summary, cover: Option<wire::Asset>) -> wire::Collection {
    let collection = summary.collection;
    wire::Collection {
        is_dynamic: collection.is_dynamic(),
        id: collection.id,
        name: collection.name,
        description: collection.description,
        query: collection.query,
        frozen_at_ms: collection.frozen_at_ms,
        count: summary.count,
        has_more: summary.has_more,
        cover,
        created_at_ms: collection.created_at_ms,
        updated_at_ms: collection.updated_at_ms,
        deleted_at_ms: collection.deleted_at_ms,
        version: collection.version,
    }
}

/// Refuses none and too many assets.
pub(crate) fn check_number(assets: &[AssetId]) -> Result<(), Problem> {
    match assets.len() {
        0 => Err(Problem::new(Code::InvalidRequest, "no asset was named")),
        1..=MOST_AT_ONCE => Ok(()),
        _ => Err(too_many()),
    }
}

fn too_many() -> Problem {
    Problem::new(
        Code::InvalidRequest,
        format!("at most {MOST_AT_ONCE} assets can be named at once"),
    )
    .hint("Name them in several parts.")
}

fn parse_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let is_name =
        (1..=NAME_CHARS).contains(&name.chars().count()) && !name.contains(char::is_control);
    is_name.then(|| name.to_owned()).ok_or_else(|| {
        Problem::new(
            Code::InvalidCollection,
            format!("a collection's name is 1 to {NAME_CHARS} characters on one line"),
        )
    })
}

fn parse_description(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() <= DESCRIPTION_CHARS {
        Ok(text.to_owned())
    } else {
        Err(Problem::new(
            Code::InvalidCollection,
            format!("what is said about a collection has at most {DESCRIPTION_CHARS} characters"),
        ))
    }
}
