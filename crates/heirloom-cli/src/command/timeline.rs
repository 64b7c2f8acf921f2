//! `heirloom timeline …`

use heirloom_core::Bucket;
use heirloom_server::{
    Problem,
    wire::{Timeline, TimelinePart},
};

use super::{asset::row, paging::encode};
use crate::{
    api::Api,
    output::{Output, list},
};

/// How much there is of each time.
pub(super) async fn count(api: &Api, query: &str, output: &Output) -> Result<(), Problem> {
    let path = format!("/api/v1/timeline?q={}", encode(query));
    let timeline: Timeline = api.get(&path).await?;
    output.data(&timeline, || {
        let rows = timeline.buckets.iter();
        let rows = rows.map(|bucket| vec![bucket.bucket.clone(), bucket.count.to_string()]);
        let all = vec!["together".to_owned(), timeline.count.to_string()];
        list(&rows.chain([all]).collect::<Vec<_>>())
    });
    Ok(())
}

/// Some of what there is of one time.
pub(super) async fn list_bucket(
    api: &Api,
    (bucket, query): (Bucket, &str),
    (offset, limit): (u32, u16),
    output: &Output,
) -> Result<(), Problem> {
    let (bucket, query) = (encode(&bucket.to_string()), encode(query));
    let path = format!("/api/v1/timeline/{bucket}?q={query}&offset={offset}&limit={limit}");
    let part: TimelinePart = api.get(&path).await?;
    output.data(&part, || {
        if part.items.is_empty() {
            return "Nothing here.".to_owned();
        }
        list(&part.items.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}
