//! `heirloom place …`

use heirloom_server::{
    Problem,
    wire::{KnownPlace, KnownPlaces, PlaceCount, Places},
};

use super::paging::{collect, encode, more};
use crate::{
    api::Api,
    arguments,
    output::{Output, line, list, number_of},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Place,
    output: &Output,
) -> Result<(), Problem> {
    let (country, region, paging) = match asked {
        arguments::Place::List {
            country,
            region,
            paging,
        } => (country, region, paging),
        arguments::Place::Find { name, limit } => {
            let found = find_known(api, &name, limit).await?;
            output.data(&found, || {
                if found.items.is_empty() {
                    return "No town or village is called so.".to_owned();
                }
                list(&found.items.iter().map(known_row).collect::<Vec<_>>())
            });
            return Ok(());
        }
    };
    let mut path = "/api/v1/places".to_owned();
    for (name, value) in [("country", &country), ("region", &region)] {
        if let Some(value) = value {
            let mark = if path.contains('?') { '&' } else { '?' };
            path += &format!("{mark}{name}={}", encode(value));
        }
    }
    let places: Places = collect(api, &path, &paging).await?;
    output.data(&places, || {
        let mut rows: Vec<Vec<String>> = places.items.iter().map(row).collect();
        if let Some(unnamed) = &places.unnamed {
            rows.push(vec![
                "(a position without a name)".to_owned(),
                assets(unnamed),
            ]);
        }
        if rows.is_empty() {
            return "Nothing is known to be made there.".to_owned();
        }
        list(&rows) + &more(places.next.as_deref())
    });
    Ok(())
}

/// Towns and villages whose names begin so, the largest first.
pub(super) async fn find_known(api: &Api, name: &str, limit: u16) -> Result<KnownPlaces, Problem> {
    let path = format!("/api/v1/places/known?q={}&limit={limit}", encode(name));
    api.get(&path).await
}

fn known_row(place: &KnownPlace) -> Vec<String> {
    vec![
        line(&place.name),
        line(&place.region),
        place.country.clone(),
        format!("{},{}", place.latitude, place.longitude),
    ]
}

fn row(place: &PlaceCount) -> Vec<String> {
    let called = [&place.name, &place.region, &place.country];
    let called = called.into_iter().flatten().next();
    let called = called.map_or_else(|| "(no country is known)".to_owned(), |name| line(name));
    vec![called, assets(place)]
}

fn assets(place: &PlaceCount) -> String {
    number_of(place.assets.unsigned_abs(), "asset", "assets")
}
