//! The tools of a scan, run once more over what it read: what they make of an original, of its names
//! and of its sidecars by now.

use std::{
    io::{self, Read as _},
    path::PathBuf,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use heirloom_blobs::hash_of;
use heirloom_core::unit::FailureCode;
use heirloom_db::{DbError, workpiece::Workpiece};

use super::{
    FILE_NAME, Looked, Made, SIDECAR, SIDECAR_BYTES, Tool, read_file_name, read_metadata, sidecar,
};
use crate::{
    Context,
    archive::root_of,
    open::open_original,
    original::Root,
    work::{Content, Failure, Product, Task},
};

pub(crate) fn read_original<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let looked = look_again(task.context(), task.asset).await?;
        task.measure(looked.measures());
        Ok(looked.made.into_iter().map(product).collect())
    }
    .boxed()
}

pub(crate) fn read_names<'a>(task: &'a Task<'a>) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let (ctx, asset) = (task.context(), task.asset);
        let locations = ctx.db.list_locations(&ctx.actor, asset.family_id, asset.id);
        let locations = locations.await.map_err(failed)?;
        // What is nowhere keeps the names that it had.
        let is_nowhere = locations.iter().all(|place| place.gone_at_ms.is_some());
        let places = locations
            .iter()
            .filter(|place| is_nowhere || place.gone_at_ms.is_none());
        let mut names: Vec<&str> = places
            .map(|place| place.path.rsplit('/').next().unwrap_or(&place.path))
            .collect();
        names.sort_unstable();
        names.dedup();
        let made = names.into_iter().filter_map(read_file_name).collect();
        or_nothing(task, made, FILE_NAME, "Its name says nothing.").await
    }
    .boxed()
}

pub(crate) fn read_sidecars<'a>(
    task: &'a Task<'a>,
) -> BoxFuture<'a, Result<Vec<Product>, Failure>> {
    async move {
        let made = read_sidecars_again(task.context(), task.asset).await?;
        or_nothing(task, made, SIDECAR, "It has no sidecar.").await
    }
    .boxed()
}

/// What was made, which may take the place of something that was made before. Where there is neither, that is said.
async fn or_nothing(
    task: &Task<'_>,
    made: Vec<Made>,
    tool: Tool,
    why: &str,
) -> Result<Vec<Product>, Failure> {
    if made.is_empty() {
        let ctx = task.context();
        let asset = ctx.db.get_asset(&ctx.actor, task.asset.id).await;
        let before = ctx.db.list_artifacts(&asset.map_err(failed)?).await;
        let mut tools = before.map_err(failed)?.into_iter().map(|it| it.tool);
        if !tools.any(|name| name == tool.name) {
            return Err(Failure::Unwanted(why.to_owned()));
        }
    }
    Ok(made.into_iter().map(product).collect())
}

fn product(made: Made) -> Product {
    Product {
        claims: made.claims,
        inputs: Some(made.inputs),
        ..Product::new(made.tool.outputs[0], Content::Json(made.payload))
    }
}

/// What the tool `metadata` makes of an original by now.
pub(crate) async fn look_again(ctx: &Context, asset: &Workpiece) -> Result<Looked, Failure> {
    let mut original = open_original(ctx, asset, false).await?;
    let (hash, name) = (asset.content_hash, asset.name.clone());
    reading(move || {
        let (file_type, made) = read_metadata(&mut original.file, hash, &name)?;
        Ok(Looked {
            file_type,
            facts: made.facts.clone(),
            made: vec![made],
        })
    })
    .await
}

/// What the tool `sidecar` makes of an asset's sidecars by now.
pub(crate) async fn read_sidecars_again(
    ctx: &Context,
    asset: &Workpiece,
) -> Result<Vec<Made>, Failure> {
    let mut all = Vec::new();
    let sidecars = ctx.db.list_sidecars(&ctx.actor, asset.family_id, asset.id);
    for known in sidecars.await.map_err(failed)? {
        let archive = ctx.db.get_archive(&ctx.actor, known.archive_id).await;
        let archive = archive.map_err(failed)?;
        let Some(kind) = sidecar::sidecar_kind(&known.kind) else {
            continue;
        };
        let Some(root) = root_of(&archive) else {
            // It was imported: its bytes are a blob.
            let mut file = ctx.blobs.open_file(known.content_hash).await;
            let made = reading(move || {
                let mut bytes = Vec::new();
                let file = file
                    .as_mut()
                    .map_err(|error| io::Error::other(error.to_string()))?;
                file.take(SIDECAR_BYTES + 1).read_to_end(&mut bytes)?;
                let bytes = Some(bytes).filter(|bytes| bytes.len() as u64 <= SIDECAR_BYTES);
                if bytes
                    .as_ref()
                    .is_some_and(|bytes| hash_of(bytes) != known.content_hash)
                {
                    return Err(io::Error::other("its bytes are damaged"));
                }
                Ok(sidecar::read_sidecar(
                    bytes.as_deref(),
                    known.content_hash,
                    kind,
                ))
            });
            all.push(made.await?);
            continue;
        };
        let made = reading(move || {
            let bytes = read_file(root, &known.folder_path, &known.name)?;
            let bytes = bytes.as_deref();
            if bytes.is_some_and(|bytes| hash_of(bytes) != known.content_hash) {
                let name = &known.name;
                return Err(io::Error::other(format!(
                    "the sidecar {name:?} was changed since it was last read"
                )));
            }
            Ok(sidecar::read_sidecar(bytes, known.content_hash, kind))
        });
        all.push(made.await?);
    }
    Ok(all)
}

/// A sidecar's bytes; `None` for one that is too long to be read.
fn read_file(root: PathBuf, folder: &str, name: &str) -> io::Result<Option<Vec<u8>>> {
    let (file, _) = Root::open(&root)?.open_folder(folder)?.open_file(name)?;
    let mut bytes = Vec::new();
    file.take(SIDECAR_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= SIDECAR_BYTES))
}

/// Runs what reads a file.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(io::Error::other).flatten();
    read.map_err(|error| {
        let reason = format!("It cannot be read: {error}.");
        Failure::Unavailable(FailureCode::Other, reason)
    })
}

fn failed(error: DbError) -> Failure {
    Failure::Temporary(error.to_string())
}
