//! Finding assets with the one query language.

use axum::{Json, extract::State, http::HeaderMap};
use heirloom_core::{Actor, query};
use heirloom_db::search::Cursor;
use heirloom_pipeline::voice::read_voices;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    asset::{describe_assets, parse_limit},
    cursor::List,
    extract::Query,
    library::Library,
    meaning::understand,
    problem::{Code, Problem},
    wire,
    words::Language,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(search_assets))
        .routes(routes!(suggest_searches))
        .routes(routes!(rebuild_index))
}

/// Makes the full-text index anew from the catalogue and compares it with what was there, and the list of voices anew from
/// the transcripts. Answers when it is through; a search meanwhile finds what is in it so far.
#[utoipa::path(post, path = "/api/v1/search/rebuild", tag = "machine", responses(
    (status = 200, description = "How the index was and is", body = wire::IndexRebuilt),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn rebuild_index(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::IndexRebuilt>, Problem> {
    let before = library.db().check_search(&actor).await?;
    library.db().rebuild_search(&actor).await?;
    library.db().forget_voices(&actor).await?;
    read_voices(&library.context(actor.clone()), library.closing()).await?;
    let after = library.db().check_search(&actor).await?;
    Ok(Json(wire::IndexRebuilt::new(&before, &after)))
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Words, `"phrases"`, `prefix*`, `-not`, and fields such as `type:image` and `date:1974..1980`.
    #[serde(default)]
    q: String,
    /// How many at most: 1 to 500, 50 if nothing is said.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    after: Option<String>,
}

/// Finds assets: first what is called so, then what else has the words; both newest first.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(Asked), responses(
    (status = 200, description = "What was found", body = wire::SearchPage),
    (status = 400, description = "The query cannot be read", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn search_assets(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(asked): Query<Asked>,
) -> Result<Json<wire::SearchPage>, Problem> {
    let mut query: query::Query = asked.q.parse()?;
    let limit = parse_limit(asked.limit)?;
    let after = asked
        .after
        .as_deref()
        .map(|text| parse_place(&query, text))
        .transpose()?;
    Ok(Json(
        search(&library, &actor, &mut query, after, limit).await?,
    ))
}

/// What somebody is typing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Typing {
    /// The query so far.
    #[serde(default)]
    q: String,
    /// Where the caret is: how many bytes of the query's UTF-8 stand before it. Its end, if nothing is said.
    at: Option<usize>,
    /// How many suggestions at most: 1 to 50, 10 if nothing is said.
    limit: Option<u16>,
    /// In which language fields and kinds are named, `en` or `de`; what the reader likes best (`Accept-Language`)
    /// if nothing is said.
    language: Option<String>,
}

const MOST_SUGGESTIONS: u16 = 50;

/// Says how a query could go on at the caret: fields, and names of what the asker may see, the commonest first.
/// Upper and lower case and accents do not matter.
#[utoipa::path(get, path = "/api/v1/search/suggestions", tag = "search", params(Typing), responses(
    (status = 200, description = "What could stand there", body = wire::Suggestions),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn suggest_searches(
    State(library): State<Library>,
    Asker(actor): Asker,
    headers: HeaderMap,
    Query(typing): Query<Typing>,
) -> Result<Json<wire::Suggestions>, Problem> {
    let refuse = |what: String| Problem::new(Code::InvalidRequest, what);
    let limit = typing.limit.unwrap_or(10);
    if !(1..=MOST_SUGGESTIONS).contains(&limit) {
        return Err(refuse(format!(
            "the limit {limit} is not from 1 to {MOST_SUGGESTIONS}"
        )));
    }
    let language = match typing.language.as_deref() {
        Some(tag) => query::Language::from_tag(tag).ok_or_else(|| {
            refuse(format!("the language {tag:?} is not known")).hint("Use en or de.")
        })?,
        None => query::Language::from_tag(Language::of(&headers).tag()).unwrap_or_default(),
    };
    if typing.q.chars().nth(query::MAX_CHARS).is_some() {
        return Err(refuse(format!(
            "the query has more than {} characters",
            query::MAX_CHARS
        )));
    }
    let at = typing.at.unwrap_or(typing.q.len());
    let caret = query::Caret::of(&typing.q, at).ok_or_else(|| {
        refuse(format!(
            "the caret cannot be at byte {at}: no character of the query begins or ends there"
        ))
    })?;
    let found = library
        .db()
        .suggest(&actor, library.family().id, &caret, language, limit.into())
        .await?;
    Ok(Json(wire::Suggestions::new(&caret, found)))
}

/// Looks for what matches a query, whose words for pictures are understood first.
pub(crate) async fn search(
    library: &Library,
    actor: &Actor,
    query: &mut query::Query,
    after: Option<Cursor>,
    limit: usize,
) -> Result<wire::SearchPage, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let shown = understand(library, actor, query).await?;
    let page = db.search(actor, family, query, after, limit).await?;
    let (assets, matches): (Vec<_>, Vec<_>) = page
        .items
        .into_iter()
        .map(|hit| (hit.asset, hit.matches))
        .unzip();
    let assets = describe_assets(library, actor, &assets).await?;
    let question = query.to_string();
    let ignored = query.ignored.iter().map(|ignored| wire::Ignored {
        text: ignored.text.clone(),
    });
    Ok(wire::SearchPage {
        items: assets
            .into_iter()
            .zip(matches)
            .map(|(asset, matches)| wire::Found {
                asset,
                matches: matches.into_iter().map(wire::Match::from).collect(),
            })
            .collect(),
        next: page
            .next
            .map(|cursor| found_by(&question).render_cursor(&cursor.to_bytes())),
        query: question,
        shown,
        ignored: ignored.collect(),
    })
}

/// The place in what a query found.
///
/// # Errors
/// `invalid_cursor`.
pub(crate) fn parse_place(query: &query::Query, text: &str) -> Result<Cursor, Problem> {
    let key = found_by(&query.to_string()).parse_cursor(text)?;
    Ok(Cursor::from_bytes(key))
}

const fn found_by(question: &str) -> List<'_> {
    List {
        name: "search",
        question,
    }
}
