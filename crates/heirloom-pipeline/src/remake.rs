//! Making a blob again whose bytes are lost, by the tool that made it and from what it was made of; an
//! original of the vault from another copy of it.

use std::{io, io::Read as _, path::PathBuf, sync::Arc};

use bytes::Bytes;
use heirloom_blobs::{BlockingSource, hash_of};
use heirloom_core::ContentHash;
use heirloom_db::{DbError, asset::Asset, blob::Making};
use tokio::runtime::Handle;

use crate::{
    Context,
    archive::root_of,
    open::{OpenError, open_original, open_outside_vault},
    original::Root,
    purge::PurgeError,
    tool::{METADATA, Made, SIDECAR, SIDECAR_BYTES, read_metadata, read_sidecar, sidecar_kind},
};

/// What became of a blob that was to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remade {
    /// It is there again, the same to the byte.
    Made,
    /// No row refers to it, so what was left of it was removed.
    Unneeded,
    /// What it was made of is gone or has changed, or its tool makes something else by now.
    Failed,
}

/// Makes a blob again whose bytes are missing or damaged.
pub(crate) async fn remake_blob(ctx: &Context, hash: ContentHash) -> Result<Remade, PurgeError> {
    if ctx.db.find_referenced_blobs(&[hash]).await?.is_empty() {
        ctx.blobs.delete_set_aside(hash).await?;
        return Ok(Remade::Unneeded);
    }
    if put_copy(ctx, hash).await? {
        ctx.db.mark_kept_originals(&[hash], false).await?;
        return Ok(Remade::Made);
    }
    for making in ctx.db.list_makings(&ctx.actor, hash).await? {
        let Some(made) = make(ctx, &making).await? else {
            continue;
        };
        let text = made.payload.to_string();
        // Whatever differs shows here: other bytes, another version of the tool.
        if hash_of(text.as_bytes()) == hash {
            // Should damaged bytes be left in its place, this sets them aside.
            ctx.blobs.put_bytes(Bytes::from(text)).await?;
            return Ok(Remade::Made);
        }
    }
    Ok(Remade::Failed)
}

/// Puts an original of the vault into the store again, from a folder archive that has it too. `false`
/// where it is none, or where there is no such copy.
async fn put_copy(ctx: &Context, hash: ContentHash) -> Result<bool, PurgeError> {
    for original in ctx.db.list_kept_originals(&[hash]).await? {
        let asset = ctx.db.get_asset(&ctx.actor, original.asset).await?;
        let Some(file) = open_outside_vault(ctx, &asset).await? else {
            continue;
        };
        let (blobs, runtime) = (Arc::clone(&ctx.blobs), Handle::current());
        let put = move || {
            let mut source = BlockingSource(file);
            let put = runtime.block_on(blobs.put(&mut source, Some(hash)));
            put.map_err(io::Error::other)
        };
        if reading(put).await.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs the tool once more; `None` when that cannot be done.
async fn make(ctx: &Context, making: &Making) -> Result<Option<Made>, DbError> {
    let asset = match ctx.db.get_asset(&ctx.actor, making.asset).await {
        Err(DbError::NotFound { .. }) => return Ok(None),
        asset => asset?,
    };
    match making.inputs.as_slice() {
        [input] if making.tool == METADATA.name => make_metadata(ctx, asset, *input).await,
        [input] if making.tool == SIDECAR.name => make_sidecar(ctx, &asset, *input).await,
        _ => Ok(None),
    }
}

async fn make_metadata(
    ctx: &Context,
    asset: Asset,
    input: ContentHash,
) -> Result<Option<Made>, DbError> {
    let mut original = match open_original(ctx, &asset, false).await {
        Ok(original) => original,
        Err(OpenError::Db(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    Ok(reading(move || Ok(read_metadata(&mut original.file, input, &asset.name)?.1)).await)
}

async fn make_sidecar(
    ctx: &Context,
    asset: &Asset,
    input: ContentHash,
) -> Result<Option<Made>, DbError> {
    for sidecar in ctx.db.list_sidecars(asset.id).await? {
        let archive = ctx.db.get_archive(&ctx.actor, sidecar.archive_id).await?;
        let (Some(root), Some(kind)) = (root_of(&archive), sidecar_kind(&sidecar.kind)) else {
            continue;
        };
        if sidecar.content_hash != input {
            continue;
        }
        let read = move || {
            let bytes = read_file(root, &sidecar.folder_path, &sidecar.name)?;
            match hash_of(&bytes) == input {
                true => Ok(read_sidecar(Some(&bytes), input, kind)),
                false => Err(io::ErrorKind::InvalidData.into()),
            }
        };
        if let Some(made) = reading(read).await {
            return Ok(Some(made));
        }
    }
    Ok(None)
}

fn read_file(root: PathBuf, folder: &str, name: &str) -> io::Result<Vec<u8>> {
    let (file, _) = Root::open(&root)?.open_folder(folder)?.open_file(name)?;
    let mut bytes = Vec::new();
    file.take(SIDECAR_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs what reads a file; `None`, and that is logged, when the file cannot be read.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Option<T> {
    let read = tokio::task::spawn_blocking(read).await;
    match read.map_err(io::Error::other).flatten() {
        Ok(made) => Some(made),
        Err(error) => {
            tracing::debug!(%error, "a blob cannot be made again from this");
            None
        }
    }
}
