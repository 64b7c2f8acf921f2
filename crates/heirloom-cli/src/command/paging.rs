//! Lists that are longer than a page.

use heirloom_server::{Problem, wire::Page};
use serde::de::DeserializeOwned;

use crate::{api::Api, arguments::Paging};

/// The longest page that the API gives.
const LONGEST: usize = 500;

/// As many entries as were asked for, page by page. `path` has no parameters of its own, or ends in
/// the last of them.
pub(super) async fn collect<T: DeserializeOwned>(
    api: &Api,
    path: &str,
    paging: &Paging,
) -> Result<Page<T>, Problem> {
    let mut list = Page {
        items: Vec::new(),
        next: paging.after.clone(),
    };
    loop {
        let limit = (paging.limit - list.items.len()).min(LONGEST);
        if limit == 0 {
            return Ok(list);
        }
        let mark = if path.contains('?') { '&' } else { '?' };
        let after = list
            .next
            .take()
            .map_or_else(String::new, |cursor| format!("&after={}", encode(&cursor)));
        let page: Page<T> = api
            .get(&format!("{path}{mark}limit={limit}{after}"))
            .await?;
        list.items.extend(page.items);
        list.next = page.next;
        if list.next.is_none() {
            return Ok(list);
        }
    }
}

/// A value as it stands in an address.
pub(super) fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// What to say below a list that goes on.
pub(super) fn more(next: Option<&str>) -> String {
    next.map_or_else(String::new, |cursor| {
        format!("There is more: go on with --after {cursor}\n")
    })
}
