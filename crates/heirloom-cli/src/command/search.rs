//! `heirloom search …`

use heirloom_server::{
    Problem,
    wire::{Found, Page, SearchPage},
};

use super::{
    asset::row,
    paging::{encode, more},
};
use crate::{
    api::Api,
    arguments::Paging,
    output::{Output, table},
};

/// Finds assets. Words that the shell took apart are put together again.
pub(super) async fn find(
    api: &Api,
    query: &[String],
    paging: &Paging,
    output: &Output,
) -> Result<(), Problem> {
    let path = format!("/api/v1/search?q={}", encode(&query.join(" ")));
    let list: Page<Found> = super::paging::collect(api, &path, paging).await?;
    // How the query was understood does not differ between its pages.
    let page: SearchPage = api.get(&format!("{path}&limit=1")).await?;
    let page = SearchPage {
        items: list.items,
        next: list.next,
        ..page
    };
    for ignored in &page.ignored {
        output.say(&format!(
            "without letters or digits, so it was left out: {}",
            ignored.text
        ));
    }
    output.data(&page, || {
        if page.items.is_empty() {
            return "Nothing was found.".to_owned();
        }
        let rows: Vec<_> = page.items.iter().map(|found| row(&found.asset)).collect();
        table(&rows) + &more(page.next.as_deref())
    });
    Ok(())
}
