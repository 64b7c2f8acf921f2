//! `heirloom search …`

use heirloom_server::{Problem, wire::SearchPage};

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
    output.data(&page, || {
        if page.items.is_empty() {
            return "Nothing was found.".to_owned();
        }
        let rows: Vec<_> = page.items.iter().map(|found| row(&found.asset)).collect();
        list(&rows) + &more(page.next.as_deref())
    });
    Ok(())
}
