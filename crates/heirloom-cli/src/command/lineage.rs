//! `heirloom lineage`

use heirloom_core::ArtifactId;
use heirloom_server::{
    Code, Problem,
    wire::{AssetDetail, Lineage, LineageInput, LineageSource},
};
use serde_json::json;

use super::claim::value_text;
use crate::{
    api::Api,
    output::{Output, line},
};

/// Shows the lineage of an artifact, or of each that was made of an original.
pub(super) async fn show(api: &Api, id: ArtifactId, output: &Output) -> Result<(), Problem> {
    if let Some(lineage) = found(trace(api, id).await)? {
        output.data(&lineage, || describe(&lineage));
        return Ok(());
    }
    let asset = found(api.get(&format!("/api/v1/assets/{id}")).await)?;
    let asset: AssetDetail = asset.ok_or_else(|| {
        let message = format!("there is no artifact and no original {id}");
        Problem::new(Code::NotFound, message)
            .hint("`heirloom asset list` lists the originals, `heirloom artifact list ORIGINAL` what was made of one.")
    })?;
    let mut items = Vec::with_capacity(asset.artifacts.len());
    for artifact in &asset.artifacts {
        items.push(trace(api, artifact.id).await?);
    }
    output.data(&json!({ "items": items }), || {
        items.iter().map(describe).collect()
    });
    Ok(())
}

/// What is there; `None` where it is not.
fn found<T>(answer: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match answer {
        Err(problem) if problem.code() == Code::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

async fn trace(api: &Api, id: ArtifactId) -> Result<Lineage, Problem> {
    api.get(&format!("/api/v1/artifacts/{id}/lineage")).await
}

fn describe(lineage: &Lineage) -> String {
    let artifact = &lineage.artifact;
    let mut text = format!(
        "{} of {} ({})\n",
        artifact.kind,
        line(&lineage.asset_name),
        lineage.asset_id
    );
    text += &format!("  made by {} {}", artifact.tool, artifact.tool_version);
    text += match (lineage.current_version, lineage.is_stale) {
        (None, _) => ", a tool that is no more",
        (_, true) => ", which has changed since: a run would make it anew",
        _ => "",
    };
    text.push('\n');
    for input in &lineage.inputs {
        text += &format!("  from {}\n", describe_input(input));
    }
    if let Some(run) = lineage.run_id {
        text += &format!("  in the run {run}");
        if let Some(unit) = lineage.unit_id {
            text += &format!(", unit {unit}");
        }
        text.push('\n');
    }
    for derived in &lineage.derived {
        text += &format!("  {} was made from it ({})\n", derived.kind, derived.id);
    }
    for claim in &lineage.claims {
        text += &format!("  it states: {} {}\n", claim.kind, value_text(claim));
    }
    text
}

fn describe_input(input: &LineageInput) -> String {
    let name = || line(input.name.as_deref().unwrap_or_default());
    match input.source {
        LineageSource::Original => "the original".to_owned(),
        LineageSource::Name => format!("the name {}", name()),
        LineageSource::Sidecar => format!("the sidecar {}", name()),
        LineageSource::Artifact => format!("the artifact {}", name()),
        LineageSource::Said => format!("what somebody said: {}", name()),
        LineageSource::Gone => format!("something that is gone ({})", input.hash),
    }
}
