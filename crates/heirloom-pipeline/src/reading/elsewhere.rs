//! A service that reads pages.

use bytes::Bytes;
use heirloom_core::reading::{Block, Line, Page};
use tokio_util::sync::CancellationToken;

use super::provider::{PROVIDERS, Seen, SeenLine};
use crate::{
    confinement::JobHeader,
    understand::UnderstandError,
    way::{Service, vision::show},
};

/// Has each page read that was drawn; all else stays as it is.
pub(super) async fn read(
    service: &Service,
    parts: Vec<(JobHeader, Bytes)>,
    cancelled: &CancellationToken,
) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
    let mut read = Vec::with_capacity(parts.len());
    for (mut header, bytes) in parts {
        if header["is_drawn"] != true {
            read.push((header, bytes));
            continue;
        }
        let number = header["page"]
            .as_u64()
            .and_then(|it| u32::try_from(it).ok());
        let number = number.filter(|_| header["is_single"] != true);
        let seen = show(service, &PROVIDERS, &bytes, cancelled).await?;
        if let Some(problem) = &seen.problem {
            read.push((serde_json::json!({ "problem": problem }), Bytes::new()));
        }
        let page = serde_json::to_vec(&page_of(number, seen)).unwrap_or_default();
        header["is_drawn"] = false.into();
        read.push((header, page.into()));
    }
    Ok(read)
}

fn page_of(number: Option<u32>, seen: Seen) -> Page {
    let line = |line: SeenLine| {
        let text = Line {
            text: line.text,
            confidence: line.confidence,
            ..Line::default()
        };
        match line.corners {
            Some(corners) => Line::of_words(line.words, corners).unwrap_or(text),
            None => text,
        }
    };
    let blocks = seen.blocks.into_iter().map(|lines| Block {
        lines: lines.into_iter().map(line).collect(),
    });
    Page {
        page: number,
        blocks: blocks.collect(),
        ..Page::default()
    }
}
