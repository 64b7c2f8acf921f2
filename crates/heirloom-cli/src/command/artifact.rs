//! `heirloom artifact …`

use std::{fs::OpenOptions, io::Write as _, path::Path};

use heirloom_server::{
    Code, Problem,
    wire::{Artifact, AssetDetail},
};
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::{
    api::Api,
    arguments,
    output::{Output, line, list, size},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Artifact,
    output: &Output,
) -> Result<(), Problem> {
    match asked {
        arguments::Artifact::List { asset } => {
            let detail: AssetDetail = api.get(&format!("/api/v1/assets/{asset}")).await?;
            let items = &detail.artifacts;
            output.data(&json!({ "items": items, "next": null }), || {
                list(&items.iter().map(row).collect::<Vec<_>>())
            });
        }
        arguments::Artifact::Show { id } => {
            let artifact: Artifact = api.get(&format!("/api/v1/artifacts/{id}")).await?;
            output.data(&artifact, || describe(&artifact));
        }
        arguments::Artifact::Export { id, file } => {
            let address = format!("/api/v1/artifacts/{id}/content");
            tell_saved(api, &address, &file, output).await?;
        }
    }
    Ok(())
}

/// Writes what is at an address of the API to a file, and says so.
pub(super) async fn tell_saved(
    api: &Api,
    address: &str,
    file: &Path,
    output: &Output,
) -> Result<(), Problem> {
    let written = save(api, address, file).await?;
    output.data(&json!({ "file": file, "size_bytes": written }), || {
        format!("{} is written: {}.", file.display(), size(written))
    });
    Ok(())
}

/// Writes what is at an address of the API to a file that is not there yet; gives how much that was.
async fn save(api: &Api, address: &str, path: &Path) -> Result<u64, Problem> {
    let mut body = api.send(Method::GET, address, &[], None).await?;
    let refuse = |error: std::io::Error| {
        Problem::new(
            Code::InvalidRequest,
            format!("{} cannot be written: {error}", path.display()),
        )
        .hint("Name a new file in a folder that is there.")
    };
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.map_err(refuse)?;
    let mut written = 0;
    let copied = async {
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
            if let Ok(bytes) = frame.into_data() {
                file.write_all(&bytes).map_err(refuse)?;
                written += bytes.len() as u64;
            }
        }
        file.sync_all().map_err(refuse)
    };
    if let Err(problem) = copied.await {
        // Half of it is worth nothing, and it was not there before.
        let _ = std::fs::remove_file(path);
        return Err(problem);
    }
    Ok(written)
}

fn row(artifact: &Artifact) -> Vec<String> {
    let kind = if artifact.part.is_empty() {
        artifact.kind.clone()
    } else {
        format!("{} {}", artifact.kind, line(&artifact.part))
    };
    vec![
        artifact.id.to_string(),
        kind,
        format!("{} {}", artifact.tool, artifact.tool_version),
        artifact
            .size_bytes
            .map_or_else(String::new, |bytes| size(bytes.unsigned_abs())),
    ]
}

fn describe(artifact: &Artifact) -> String {
    let mut text = list(&[row(artifact)]);
    if let Some(payload) = &artifact.payload {
        text += &serde_json::to_string_pretty(payload).unwrap_or_default();
        text.push('\n');
    }
    text
}
