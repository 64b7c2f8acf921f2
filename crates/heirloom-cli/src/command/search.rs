//! `heirloom search …`

use heirloom_server::{
    Problem,
    wire::{SearchPage, Suggestions},
};

use super::{
    asset::row,
    paging::{collect, encode, more},
};
use crate::{
    api::Api,
    arguments::Paging,
    output::{Output, line, list},
};

/// Finds assets. Words that the shell took apart are put together again.
pub(super) async fn find(
    api: &Api,
    query: &[String],
    paging: &Paging,
    output: &Output,
) -> Result<(), Problem> {
    let path = format!("/api/v1/search?q={}", encode(&query.join(" ")));
    let page: SearchPage = collect(api, &path, paging).await?;
    for ignored in &page.ignored {
        output.say(&format!(
            "without letters or digits, so it was left out: {}",
            line(&ignored.text)
        ));
    }
    if page.shown.as_ref().is_some_and(|shown| shown.by == "names") {
        output.say(
            "No model that sees what pictures show is here, so tags, people, places and words were looked through. \
             `heirloom models pull tinyclip` fetches one.",
        );
    }
    output.data(&page, || {
        if page.items.is_empty() {
            return "Nothing was found.".to_owned();
        }
        let rows: Vec<_> = page.items.iter().map(|found| row(&found.asset)).collect();
        list(&rows) + &more(page.next.as_deref())
    });
    Ok(())
}

/// The most suggestions that the API gives.
const MOST_SUGGESTIONS: usize = 50;

/// Says how a query could go on at its end.
pub(super) async fn suggest(
    api: &Api,
    query: &[String],
    language: &str,
    limit: usize,
    output: &Output,
) -> Result<(), Problem> {
    let path = format!(
        "/api/v1/search/suggestions?q={}&language={language}&limit={}",
        encode(&query.join(" ")),
        limit.min(MOST_SUGGESTIONS)
    );
    let found: Suggestions = api.get(&path).await?;
    output.data(&found, || {
        if found.items.is_empty() {
            return "Nothing begins so.".to_owned();
        }
        let rows = found.items.iter().map(|suggestion| {
            let assets = suggestion
                .assets
                .map_or_else(String::new, |n| n.to_string());
            vec![suggestion.kind.clone(), line(&suggestion.text), assets]
        });
        list(&rows.collect::<Vec<_>>())
    });
    Ok(())
}
