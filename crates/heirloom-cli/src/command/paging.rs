//! Lists that are longer than a page.

use heirloom_server::{
    Problem,
    wire::{Found, Page, PlaceCount, Places, SearchPage},
};
use serde::de::DeserializeOwned;

use crate::{api::Api, arguments::Paging};

/// The longest page that the API gives.
const LONGEST: usize = 500;

/// A page of entries that other pages may follow.
pub(super) trait Listing: DeserializeOwned {
    type Entry;

    /// Its entries, and the cursor of the page after it.
    fn parts(&mut self) -> (&mut Vec<Self::Entry>, &mut Option<String>);
}

impl<T: DeserializeOwned> Listing for Page<T> {
    type Entry = T;

    fn parts(&mut self) -> (&mut Vec<T>, &mut Option<String>) {
        (&mut self.items, &mut self.next)
    }
}

impl Listing for SearchPage {
    type Entry = Found;

    fn parts(&mut self) -> (&mut Vec<Found>, &mut Option<String>) {
        (&mut self.items, &mut self.next)
    }
}

impl Listing for Places {
    type Entry = PlaceCount;

    fn parts(&mut self) -> (&mut Vec<PlaceCount>, &mut Option<String>) {
        (&mut self.items, &mut self.next)
    }
}

/// As many entries as were asked for, page by page, with what else the first page says. `path` has no
/// parameters of its own, or ends in the last of them.
pub(super) async fn collect<L: Listing>(
    api: &Api,
    path: &str,
    paging: &Paging,
) -> Result<L, Problem> {
    let ask = async |limit: usize, after: Option<&str>| -> Result<L, Problem> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let limit = limit.min(LONGEST);
        let after = after.map_or_else(String::new, |cursor| format!("&after={}", encode(cursor)));
        api.get(&format!("{path}{mark}limit={limit}{after}")).await
    };
    let mut list = ask(paging.limit, paging.after.as_deref()).await?;
    loop {
        let (items, next) = list.parts();
        let missing = paging.limit.saturating_sub(items.len());
        if missing == 0 || next.is_none() {
            return Ok(list);
        }
        let mut page = ask(missing, next.as_deref()).await?;
        let (more, after) = page.parts();
        items.append(more);
        *next = after.take();
    }
}

/// The first entry that is so, however long the list is. `path` has no parameters of its own.
pub(super) async fn find<T: DeserializeOwned>(
    api: &Api,
    path: &str,
    is_so: impl Fn(&T) -> bool,
) -> Result<Option<T>, Problem> {
    let mut paging = Paging {
        limit: LONGEST,
        after: None,
    };
    loop {
        let page: Page<T> = collect(api, path, &paging).await?;
        let found = page.items.into_iter().find(&is_so);
        if found.is_some() || page.next.is_none() {
            return Ok(found);
        }
        paging.after = page.next;
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
