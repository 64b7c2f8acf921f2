//! The library as a list, newest first; or what a search found in it.

use axum::{extract::State, http::HeaderMap, response::Response};
use heirloom_core::{Actor, Edtf, MediaKind, query};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{date, query::explain, render_page};
use crate::{
    actor::Asker,
    asset::{describe_assets, timeline_cursor},
    cursor::List,
    extract::Query,
    library::Library,
    problem::Problem,
    search::{parse_place, search},
    wire,
    words::{Language, Word},
};

/// What is asked of the list. Whatever cannot be read is as if it were not there: an old address
/// must not be a dead end.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: String,
    after: Option<String>,
    before: Option<String>,
    /// Where the pages before this one of a search began, apart by commas: a search goes one way only.
    #[serde(default)]
    trail: String,
}

/// Entries on a page: few enough for a telephone, many enough to browse.
const ENTRIES: usize = 50;

/// How many pages of a search one can go back.
const TRAIL: usize = 40;

/// What is on a page, and the addresses of its neighbours.
struct Listing {
    items: Vec<wire::Found>,
    before: Option<String>,
    after: Option<String>,
    ignored: Vec<wire::Ignored>,
}

/// Which way to go from where, in the order of time.
#[derive(Debug, Clone, Copy)]
enum Direction {
    /// To what is older than this timeline key, or from the newest on.
    Older(Option<i64>),
    /// To what is newer than this timeline key.
    Newer(i64),
}

pub(super) async fn get_list(
    State(library): State<Library>,
    Asker(actor): Asker,
    Query(asked): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let language = Language::of(&headers);
    let typed = asked.q.trim();
    let direction = Direction::of(asked.after.as_deref(), asked.before.as_deref());
    if typed.is_empty() {
        let listing = list_all(&library, &actor, direction).await?;
        let title = language.say(Word::Library);
        let content = html! {
            h1 { (title) }
            (render_listing(language, &listing, None))
        };
        return Ok(render_page(language, title, None, &content));
    }
    let content = match typed.parse::<query::Query>() {
        Ok(mut query) => {
            let listing = find(&library, &actor, typed, &mut query, &asked).await?;
            html! {
                h1 { (language.fill(Word::Found, &[("query", typed)])) }
                p.way { a href="/plain" { (language.say(Word::ShowAll)) } }
                (render_listing(language, &listing, Some(typed)))
            }
        }
        Err(error) => {
            let (what, hint) = explain(language, &error);
            html! {
                h1 { (language.say(Word::QueryWrong)) }
                div.wrong role="alert" {
                    p { strong { (what) } }
                    @if let Some(hint) = hint { p { (hint) } }
                }
                p { a.button.quiet href="/plain" { (language.say(Word::ShowAll)) } }
            }
        }
    };
    let title = language.fill(Word::Found, &[("query", typed)]);
    Ok(render_page(language, &title, Some(typed), &content))
}

async fn list_all(
    library: &Library,
    actor: &Actor,
    direction: Direction,
) -> Result<Listing, Problem> {
    let (db, family) = (library.db(), library.family().id);
    let (page, has_newer, has_older) = match direction {
        Direction::Newer(key) => {
            let page = db.list_newer_assets(actor, family, key, ENTRIES).await?;
            let has_newer = page.next.is_some();
            (page, has_newer, true)
        }
        Direction::Older(after) => {
            let page = db.list_assets(actor, family, after, ENTRIES).await?;
            let has_older = page.next.is_some();
            (page, after.is_some(), has_older)
        }
    };
    let key_of = |asset: Option<&heirloom_db::asset::Asset>, is_there: bool| {
        asset
            .filter(|_| is_there)
            .map(|asset| timeline_cursor(asset.timeline_key))
    };
    let items = describe_assets(library, actor, &page.items).await?;
    Ok(Listing {
        before: key_of(page.items.first(), has_newer).map(|key| format!("/plain?before={key}")),
        after: key_of(page.items.last(), has_older).map(|key| format!("/plain?after={key}")),
        items: items
            .into_iter()
            .map(|asset| wire::Found {
                asset,
                matches: Vec::new(),
            })
            .collect(),
        ignored: Vec::new(),
    })
}

/// A page of what a search found. Its address carries where the pages before it began.
async fn find(
    library: &Library,
    actor: &Actor,
    typed: &str,
    query: &mut query::Query,
    asked: &ListQuery,
) -> Result<Listing, Problem> {
    let here = asked.after.as_deref();
    let here = here.filter(|text| parse_place(query, text).is_ok());
    let after = here.and_then(|text| parse_place(query, text).ok());
    let page = search(library, actor, query, after, ENTRIES).await?;
    // The first page has no cursor: it stands in the trail as nothing.
    let trail: Vec<&str> = asked.trail.split(',').collect();
    let address = |after: &str, trail: &[&str]| {
        let q = utf8_percent_encode(typed, NON_ALPHANUMERIC);
        let from = trail.len().saturating_sub(TRAIL);
        let trail = trail[from..].join(",");
        format!(
            "/plain?q={q}&after={after}&trail={}",
            utf8_percent_encode(&trail, NON_ALPHANUMERIC)
        )
    };
    let back = here.and(trail.split_last());
    let on = match here {
        Some(here) => [trail.as_slice(), &[here]].concat(),
        None => vec![""],
    };
    Ok(Listing {
        before: back.map(|(last, rest)| address(last, rest)),
        after: page.next.as_deref().map(|next| address(next, &on)),
        items: page.items,
        ignored: page.ignored,
    })
}

impl Direction {
    fn of(after: Option<&str>, before: Option<&str>) -> Self {
        let key = |text: Option<&str>| {
            let bytes = List::ASSETS.parse_cursor(text?).ok()?;
            Some(i64::from_be_bytes(bytes))
        };
        key(before).map_or_else(|| Self::Older(key(after)), Self::Newer)
    }
}

fn render_listing(language: Language, listing: &Listing, query: Option<&str>) -> Markup {
    let ignored: Vec<&str> = listing.ignored.iter().map(|it| it.text.as_str()).collect();
    html! {
        @if !ignored.is_empty() {
            p.note { (language.fill(Word::Ignored, &[("text", &ignored.join(" "))])) }
        }
        @if listing.items.is_empty() {
            (render_nothing(language, listing, query))
        } @else {
            ul.assets {
                @for found in &listing.items { li { (render_entry(language, found)) } }
            }
        }
        (render_pages(language, listing, query))
    }
}

fn render_nothing(language: Language, listing: &Listing, query: Option<&str>) -> Markup {
    html! {
        @if query.is_some() {
            @let example = [("example", "muel*")];
            p { (language.fill(Word::NothingFound, &example)) }
        } @else if listing.before.is_none() && listing.after.is_none() {
            p { (language.say(Word::NothingYet)) }
            p { (language.say(Word::NothingYetHint)) " " code { "heirloom scan ~/Pictures" } }
        }
        p { a.button.quiet href="/plain" { (language.say(Word::Newest)) } }
    }
}

fn render_entry(language: Language, found: &wire::Found) -> Markup {
    let asset = &found.asset;
    let name = asset.title.as_deref().unwrap_or(&asset.name);
    // What was found in the name itself is marked there and not said twice.
    let (in_name, elsewhere): (Vec<_>, Vec<_>) =
        found.matches.iter().partition(|found| found.text == name);
    html! {
        a href={ "/plain/assets/" (asset.id) } {
            span.name {
                @match in_name.first() { Some(found) => (render_match(found)), None => (name) }
            }
            span.about {
                span.date { (date_of(language, asset.date.as_deref())) }
                span.kind { (language.say(kind_word(asset.kind))) }
            }
            @if let Some(place) = &asset.place { span.place { (place_of(language, place)) } }
            @for found in elsewhere { span.snippet { (render_match(found)) } }
        }
    }
}

/// The text with what was found marked: by colour and by a line under it.
fn render_match(found: &wire::Match) -> Markup {
    let mut at = 0;
    let mut parts: Vec<(&str, bool)> = Vec::new();
    for highlight in &found.highlights {
        let before = found.text.get(at..highlight.start);
        let marked = found.text.get(highlight.start..highlight.end);
        if let (Some(before), Some(marked)) = (before, marked) {
            parts.extend([(before, false), (marked, true)]);
            at = highlight.end;
        }
    }
    parts.push((found.text.get(at..).unwrap_or_default(), false));
    html! {
        @for (text, is_marked) in parts {
            @if is_marked { mark { (text) } } @else { (text) }
        }
    }
}

fn render_pages(language: Language, listing: &Listing, query: Option<&str>) -> Markup {
    // What was found is in the order of how well it fits; everything is in the order of time.
    let (before, after) = match query {
        Some(_) => (Word::Previous, Word::Next),
        None => (Word::Newer, Word::Older),
    };
    html! {
        @if listing.before.is_some() || listing.after.is_some() {
            nav.pages aria-label=(language.say(Word::Pages)) {
                @if let Some(address) = &listing.before {
                    a.button.quiet rel="prev" href=(address) { (language.say(before)) }
                }
                @if let Some(address) = &listing.after {
                    a.button.quiet.after rel="next" href=(address) { (language.say(after)) }
                }
            }
        }
    }
}

pub(super) fn date_of(language: Language, edtf: Option<&str>) -> String {
    edtf.and_then(|text| text.parse::<Edtf>().ok()).map_or_else(
        || language.say(Word::Undated).to_owned(),
        |date| date::in_words(language, &date),
    )
}

pub(super) fn place_of(language: Language, place: &wire::Place) -> String {
    let word = if place.is_there {
        Word::From
    } else {
        Word::WasIn
    };
    language.fill(word, &[("archive", &place.archive), ("path", &place.path)])
}

pub(super) const fn kind_word(kind: MediaKind) -> Word {
    match kind {
        MediaKind::Image => Word::Image,
        MediaKind::Video => Word::Video,
        MediaKind::Audio => Word::Audio,
        MediaKind::Document => Word::Document,
        MediaKind::Other => Word::Other,
    }
}
