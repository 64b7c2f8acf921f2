//! `heirloom rebuild`

use heirloom_core::{ArchiveId, AssetId};
use heirloom_pipeline::template;
use heirloom_server::{
    Problem,
    wire::{IndexRebuilt, NewRun, Run},
};
use serde_json::json;

use super::run::{describe, show_forecast, wait_for_run};
use crate::{
    Ending,
    api::Api,
    output::{Output, number_of},
};

/// What is to be made again.
pub(super) struct Asked {
    pub(super) assets: Vec<AssetId>,
    pub(super) archive: Option<ArchiveId>,
    pub(super) index: bool,
    pub(super) dry_run: bool,
    pub(super) no_wait: bool,
}

pub(super) async fn rebuild(api: &Api, asked: Asked, output: &Output) -> Result<Ending, Problem> {
    let is_all = asked.assets.is_empty() && asked.archive.is_none();
    let new = NewRun {
        pipeline: template::REBUILD.name.to_owned(),
        archive_id: asked.archive,
        asset_ids: (!asked.assets.is_empty()).then_some(asked.assets),
        ..NewRun::default()
    };
    if asked.dry_run {
        show_forecast(api, &new, output).await?;
        return Ok(Ending::Done);
    }
    let index: Option<IndexRebuilt> = match is_all {
        true => Some(api.post("/api/v1/search/rebuild", &json!({})).await?),
        false => None,
    };
    let mut ending = Ending::Done;
    let mut run: Option<Run> = None;
    if !asked.index {
        let begun: Run = api.post("/api/v1/runs", &new).await?;
        run = Some(if asked.no_wait && api.is_served() {
            begun
        } else {
            let (ended, how) = wait_for_run(api, begun.id, output).await?;
            ending = how;
            ended
        });
    }
    output.data(&json!({ "index": index, "run": run }), || {
        let index = index.as_ref().map(describe_index).unwrap_or_default();
        index + &run.as_ref().map(describe).unwrap_or_default()
    });
    Ok(ending)
}

fn describe_index(index: &IndexRebuilt) -> String {
    let documents = index.documents.unsigned_abs();
    let documents = number_of(documents, "original", "originals");
    let words = number_of(index.words.unsigned_abs(), "word", "words");
    if index.was_the_same {
        return format!("The search index has {documents} and {words}, as before.\n");
    }
    format!(
        "The search index has {documents} and {words}; before it had {} and {}.\n",
        index.documents_before, index.words_before
    )
}
