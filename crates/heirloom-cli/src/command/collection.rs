//! `heirloom collection …`

use heirloom_core::{AssetId, CollectionId, text};
use heirloom_server::{
    Code, Problem,
    wire::{
        Asset, Collection, CollectionPatch, MemberMove, Members, MembersChanged, NewCollection,
        Page,
    },
};
use http::Method;
use serde::Serialize;

use super::{
    asset,
    paging::{collect, encode, more},
};
use crate::{
    api::{Api, render},
    arguments::{self, Paging},
    output::{Output, line, list, number_of, table},
};

const COLLECTIONS: &str = "/api/v1/collections";

pub(super) async fn run(
    api: &Api,
    asked: arguments::Collection,
    output: &Output,
) -> Result<(), Problem> {
    use arguments::Collection as Asked;
    match asked {
        Asked::List { deleted, paging } => list_all(api, deleted, &paging, output).await?,
        Asked::Show { collection, paging } => {
            show(api, &find(api, &collection, false).await?, &paging, output).await?;
        }
        Asked::Create {
            name,
            description,
            query,
            assets,
            idempotency_key,
        } => {
            let new = NewCollection {
                name,
                description,
                query,
                assets,
            };
            let headers: Vec<(&str, &str)> = idempotency_key
                .iter()
                .map(|key| ("idempotency-key", key.as_str()))
                .collect();
            let body = Some(render(&new)?);
            let made: Collection = api.ask(Method::POST, COLLECTIONS, &headers, body).await?;
            tell(&made, output);
        }
        Asked::Rename { collection, name } => {
            let patch = CollectionPatch {
                name: Some(name),
                ..CollectionPatch::default()
            };
            let at = path(&find(api, &collection, false).await?);
            let body = Some(render(&patch)?);
            tell(&api.ask(Method::PATCH, &at, &[], body).await?, output);
        }
        Asked::Add { collection, which } => {
            let found = find(api, &collection, false).await?;
            let assets = which_assets(api, which).await?;
            let at = format!("{}/assets", path(&found));
            let changed: MembersChanged = api.post(&at, &Members { assets }).await?;
            output.data(&changed, || told(&changed, "added to"));
        }
        Asked::Remove { collection, which } => {
            let found = find(api, &collection, false).await?;
            let assets = which_assets(api, which).await?;
            let at = format!("{}/assets/remove", path(&found));
            let changed: MembersChanged = api.post(&at, &Members { assets }).await?;
            output.data(&changed, || told(&changed, "taken out of"));
        }
        Asked::Move {
            collection,
            asset,
            before,
        } => {
            let found = find(api, &collection, false).await?;
            let at = format!("{}/assets/move", path(&found));
            let asked = MemberMove {
                asset_id: asset,
                before_asset_id: before,
            };
            tell(&api.post(&at, &asked).await?, output);
        }
        Asked::Freeze { collection } => {
            let at = format!("{}/freeze", path(&find(api, &collection, false).await?));
            let frozen: Collection = api.ask(Method::POST, &at, &[], None).await?;
            output.data(&frozen, || {
                let name = line(&frozen.name);
                format!(
                    "{name} is frozen: it stays as it is, with {} in it.",
                    many(&frozen)
                )
            });
        }
        Asked::Delete { collection } => {
            let at = path(&find(api, &collection, false).await?);
            let deleted: Collection = api.ask(Method::DELETE, &at, &[], None).await?;
            output.data(&deleted, || {
                format!(
                    "{} is hidden; what is in it is not touched. Bring it back with `heirloom \
                     collection restore {}`.",
                    line(&deleted.name),
                    deleted.id
                )
            });
        }
        Asked::Restore { collection } => {
            let at = format!("{}/restore", path(&find(api, &collection, true).await?));
            tell(&api.ask(Method::POST, &at, &[], None).await?, output);
        }
    }
    Ok(())
}

/// The originals that were named, or that a search finds.
pub(super) async fn which_assets(
    api: &Api,
    which: arguments::Which,
) -> Result<Vec<AssetId>, Problem> {
    let Some(query) = which.search else {
        return Ok(which.assets);
    };
    // One more than can be named at once, so that more is refused and nothing left out silently.
    let paging = Paging {
        limit: 5_001,
        after: None,
    };
    let path = format!("/api/v1/search?q={}", encode(&query));
    let page: heirloom_server::wire::SearchPage = collect(api, &path, &paging).await?;
    if page.items.is_empty() {
        return Err(
            Problem::new(Code::NotFound, format!("nothing was found by {query:?}"))
                .hint("Try the search first: `heirloom search …`."),
        );
    }
    Ok(page.items.iter().map(|found| found.asset.id).collect())
}

/// A collection with what is in it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    collection: &'a Collection,
    items: Vec<Asset>,
    next: Option<String>,
}

async fn list_all(
    api: &Api,
    deleted: bool,
    paging: &Paging,
    output: &Output,
) -> Result<(), Problem> {
    let page: Page<Collection> = collect(api, &list_path(deleted), paging).await?;
    output.data(&page, || {
        if page.items.is_empty() {
            return "There is no collection.".to_owned();
        }
        let rows: Vec<_> = page.items.iter().map(row).collect();
        list(&rows) + &more(page.next.as_deref())
    });
    Ok(())
}

async fn show(
    api: &Api,
    collection: &Collection,
    paging: &Paging,
    output: &Output,
) -> Result<(), Problem> {
    let at = format!("{}/assets", path(collection));
    let page: Page<Asset> = collect(api, &at, paging).await?;
    let shown = Shown {
        collection,
        items: page.items,
        next: page.next,
    };
    output.data(&shown, || {
        let mut text = table(&[row(collection)]);
        if !collection.description.is_empty() {
            text += &format!("{}\n", collection.description);
        }
        if let Some(query) = &collection.query {
            let asks = if collection.is_dynamic {
                "asks"
            } else {
                "asked"
            };
            text += &format!("{asks}: {}\n", line(query));
        }
        let rows: Vec<_> = shown.items.iter().map(asset::row).collect();
        text + "\n" + &list(&rows) + &more(shown.next.as_deref())
    });
    Ok(())
}

/// The collection with that name or id, among those that are there or among the deleted ones.
pub(super) async fn find(api: &Api, name: &str, is_deleted: bool) -> Result<Collection, Problem> {
    if let Ok(id) = name.parse::<CollectionId>() {
        return api.get(&format!("{COLLECTIONS}/{id}")).await;
    }
    let all = Paging {
        limit: usize::MAX,
        after: None,
    };
    let page: Page<Collection> = collect(api, &list_path(is_deleted), &all).await?;
    let wanted = text::fold(name);
    let mut meant: Vec<Collection> = page.items;
    meant.retain(|known| text::fold(&known.name) == wanted);
    match (meant.pop(), meant.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(
            Problem::new(Code::NotFound, format!("there is no collection {name:?}"))
                .hint("See `heirloom collection list`; those that were deleted with --deleted."),
        ),
        (Some(last), false) => {
            meant.push(last);
            let ids: Vec<String> = meant.iter().map(|known| known.id.to_string()).collect();
            Err(Problem::new(
                Code::Refused,
                format!("several collections are called {name:?}"),
            )
            .hint(format!("Say which one by its id: {}", ids.join(", "))))
        }
    }
}

fn list_path(is_deleted: bool) -> String {
    match is_deleted {
        true => format!("{COLLECTIONS}?deleted=true"),
        false => COLLECTIONS.to_owned(),
    }
}

fn path(collection: &Collection) -> String {
    format!("{COLLECTIONS}/{}", collection.id)
}

fn tell(collection: &Collection, output: &Output) {
    output.data(collection, || table(&[row(collection)]));
}

fn told(changed: &MembersChanged, what: &str) -> String {
    let count = u64::try_from(changed.changed).unwrap_or(u64::MAX);
    let were = if count == 1 { "was" } else { "were" };
    format!(
        "{} {were} {what} {}, which has {} in it now.",
        number_of(count, "original", "originals"),
        line(&changed.collection.name),
        many(&changed.collection)
    )
}

fn many(collection: &Collection) -> String {
    let count = u64::try_from(collection.count).unwrap_or(u64::MAX);
    let more = if collection.has_more {
        "more than "
    } else {
        ""
    };
    format!("{more}{}", number_of(count, "original", "originals"))
}

fn row(collection: &Collection) -> Vec<String> {
    let kind = match (collection.is_dynamic, collection.frozen_at_ms) {
        (true, _) => "saved search",
        (false, Some(_)) => "frozen",
        (false, None) => "album",
    };
    vec![
        collection.id.to_string(),
        collection.name.clone(),
        kind.to_owned(),
        many(collection),
    ]
}
