//! `heirloom asset …`

use heirloom_core::AssetId;
use heirloom_server::{
    Problem,
    wire::{Asset, AssetDetail, Page, Purged},
};
use http::Method;

use super::{
    claim::{fact_lines, value_text},
    paging::{collect, more},
};
use crate::{
    api::Api,
    arguments,
    output::{Output, duration, line, list, size, table},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Asset,
    output: &Output,
) -> Result<(), Problem> {
    match asked {
        arguments::Asset::List { paging } => {
            let page: Page<Asset> = collect(api, "/api/v1/assets", &paging).await?;
            output.data(&page, || {
                if page.items.is_empty() {
                    return "Nothing here.".to_owned();
                }
                let rows: Vec<_> = page.items.iter().map(row).collect();
                list(&rows) + &more(page.next.as_deref())
            });
        }
        arguments::Asset::Show { id } => {
            let detail: AssetDetail = api.get(&format!("/api/v1/assets/{id}")).await?;
            output.data(&detail, || describe(&detail));
        }
        arguments::Asset::Delete { id, if_version } => {
            let path = format!("/api/v1/assets/{id}");
            let asset: Asset = change(api, Method::DELETE, &path, if_version).await?;
            output.data(&asset, || {
                format!(
                    "{} is hidden. Bring it back with `heirloom asset restore {id}`.",
                    called(&asset)
                )
            });
        }
        arguments::Asset::Restore { id, if_version } => {
            let path = format!("/api/v1/assets/{id}/restore");
            let asset: Asset = change(api, Method::POST, &path, if_version).await?;
            output.data(&asset, || format!("{} is back.", called(&asset)));
        }
        arguments::Asset::Purge { id } => purge(api, id, output).await?,
    }
    Ok(())
}

/// An asset as a line of a list.
pub(super) fn row(asset: &Asset) -> Vec<String> {
    vec![
        asset.id.to_string(),
        asset.date.clone().unwrap_or_else(|| "undated".to_owned()),
        asset.kind.to_string(),
        called(asset),
        asset.place.as_ref().map_or_else(String::new, |place| {
            let was = if place.is_there { "" } else { "was in " };
            format!("{was}{}: {}", place.archive, place.path)
        }),
    ]
}

fn called(asset: &Asset) -> String {
    line(asset.title.as_deref().unwrap_or(&asset.name))
}

async fn change(
    api: &Api,
    method: Method,
    path: &str,
    version: Option<i64>,
) -> Result<Asset, Problem> {
    let version = version.map(|version| format!("\"{version}\""));
    let headers: Vec<(&str, &str)> = version
        .iter()
        .map(|version| ("if-match", version.as_str()))
        .collect();
    api.ask(method, path, &headers, None).await
}

async fn purge(api: &Api, id: AssetId, output: &Output) -> Result<(), Problem> {
    let path = format!("/api/v1/assets/{id}/purge");
    let purged: Purged = api.ask(Method::POST, &path, &[], None).await?;
    output.data(&purged, || {
        "Nothing is known about it any more. Its file was not touched, and scans pass it over."
            .to_owned()
    });
    Ok(())
}

fn describe(detail: &AssetDetail) -> String {
    let asset = &detail.asset;
    let mut measures = vec![size(asset.size_bytes.unsigned_abs())];
    if let (Some(width), Some(height)) = (asset.width, asset.height) {
        measures.push(format!("{width} × {height}"));
    }
    if let Some(duration_ms) = asset.duration_ms {
        measures.push(duration(duration_ms.unsigned_abs()));
    }
    let state = match asset.deleted_at_ms {
        Some(_) => "deleted",
        None => asset.state.as_str(),
    };
    let mut text = format!("{}\n\n", called(asset));
    let head = [
        ("id", asset.id.to_string()),
        ("state", format!("{state}, version {}", asset.version)),
        ("type", format!("{} ({})", asset.kind, asset.media_type)),
        ("measures", measures.join(", ")),
        ("blake3", detail.content_hash.to_string()),
    ];
    text += &table(&head.map(|(name, value)| vec![name.to_owned(), value]));
    if !detail.facts.is_empty() {
        text += "\nWhat is known\n";
        text += &table(&fact_lines(&detail.facts));
    }
    text += "\nWhere it is, and was\n";
    for location in &detail.locations {
        let place = &location.place;
        let gone = if place.is_there { "" } else { "  (gone)" };
        text += &format!(
            "  {}{gone}\n",
            line(&format!("{}: {}", place.archive, place.path))
        );
    }
    for stack in &detail.stacks {
        text += &format!("\nBelongs together ({})\n", stack.kind);
        for member in &stack.asset_ids {
            let this = if *member == asset.id {
                "  (this one)"
            } else {
                ""
            };
            text += &format!("  {member}{this}\n");
        }
    }
    if !detail.sidecars.is_empty() {
        text += "\nDescribed by\n";
        for sidecar in &detail.sidecars {
            text += &format!("  {} ({})\n", line(&sidecar.path), sidecar.kind);
        }
    }
    let said: Vec<_> = detail
        .claims
        .iter()
        .filter(|claim| !matches!(claim.author, heirloom_server::wire::Author::Artifact { .. }))
        .collect();
    if !said.is_empty() {
        text += "\nWhat people said\n";
        for claim in said {
            let undone = if claim.undone_at_ms.is_some() {
                "  (taken back)"
            } else {
                ""
            };
            let not = if claim.is_negation { "not " } else { "" };
            text += &format!(
                "  {}  {} {not}{}{undone}\n",
                claim.id,
                claim.kind,
                value_text(claim)
            );
        }
    }
    text
}
