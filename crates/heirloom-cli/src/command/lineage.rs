//! `heirloom lineage`

use heirloom_core::ArtifactId;
use heirloom_server::{
    Problem,
    wire::{Lineage, LineageInput, LineageSource},
};

use super::claim::value_text;
use crate::{
    api::Api,
    output::{Output, line},
};

pub(super) async fn show(api: &Api, id: ArtifactId, output: &Output) -> Result<(), Problem> {
    let lineage: Lineage = api.get(&format!("/api/v1/artifacts/{id}/lineage")).await?;
    output.data(&lineage, || describe(&lineage));
    Ok(())
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
