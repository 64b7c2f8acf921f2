//! Making a blob again whose bytes are lost, by the tool that made it and from what it was made of; an
//! original of the vault from another copy of it, or from the backup.

use std::{io, sync::Arc};

use bytes::Bytes;
use heirloom_blobs::{BlockingSource, hash_of};
use heirloom_core::{AssetId, ContentHash};
use heirloom_db::{blob::Making, workpiece::Workpiece};
use tokio::runtime::Handle;

use crate::{
    Context,
    backup::Retriever,
    open::open_outside_vault,
    purge::PurgeError,
    template::PREPARE,
    tool::{
        METADATA, Made, SIDECAR,
        reread::{look_again, read_sidecars_again},
    },
};

/// What became of a blob that was to be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remade {
    /// It is there again, the same to the byte.
    Made,
    /// It is there again, from the backup.
    Restored,
    /// No row refers to it, so what was left of it was removed.
    Unneeded,
    /// A run makes it again.
    ByRun(AssetId),
    /// What it was made of is gone or has changed, or its tool makes something else by now.
    Failed,
}

/// Makes a blob again whose bytes are missing or damaged.
pub(crate) async fn remake_blob(
    ctx: &Context,
    backups: &mut Retriever<'_>,
    hash: ContentHash,
) -> Result<Remade, PurgeError> {
    if ctx.db.find_referenced_blobs(&[hash]).await?.is_empty() {
        ctx.blobs.delete_set_aside(hash).await?;
        return Ok(Remade::Unneeded);
    }
    if is_sound(ctx, hash).await {
        // In another place than where it was damaged, while it is moved.
        ctx.db.mark_kept_originals(&[hash], false).await?;
        return Ok(Remade::Made);
    }
    if put_copy(ctx, hash).await? {
        ctx.db.mark_kept_originals(&[hash], false).await?;
        return Ok(Remade::Made);
    }
    for original in ctx.db.list_kept_originals(&[hash]).await? {
        let asset = ctx.db.get_asset(&ctx.actor, original.asset).await?;
        if backups.retrieve(asset.family_id, hash).await {
            ctx.db.mark_kept_originals(&[hash], false).await?;
            return Ok(Remade::Restored);
        }
    }
    let mut outcome = Remade::Failed;
    for making in ctx.db.list_makings(&ctx.actor, hash).await? {
        let mut found = ctx.db.find_workpieces(&ctx.actor, &[making.asset]).await?;
        let Some(asset) = found.pop() else {
            continue;
        };
        if PREPARE
            .steps
            .iter()
            .any(|step| step.tool.name == making.tool)
        {
            outcome = Remade::ByRun(asset.id);
            continue;
        }
        let Some(made) = make(ctx, &asset, &making).await else {
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
    Ok(outcome)
}

async fn is_sound(ctx: &Context, hash: ContentHash) -> bool {
    let Ok(mut reader) = ctx.blobs.get(hash).await else {
        return false;
    };
    loop {
        match reader.next_chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Puts an original of the vault into the store again, from a folder archive that has it too. `false`
/// where it is none, or where there is no such copy.
async fn put_copy(ctx: &Context, hash: ContentHash) -> Result<bool, PurgeError> {
    for original in ctx.db.list_kept_originals(&[hash]).await? {
        let asset = ctx.db.get_asset(&ctx.actor, original.asset).await?;
        let asset = Workpiece::from(&asset);
        let Some(file) = open_outside_vault(ctx, &asset).await? else {
            continue;
        };
        let (blobs, runtime) = (Arc::clone(&ctx.blobs), Handle::current());
        let put = move || {
            let mut source = BlockingSource(file);
            let put = runtime.block_on(blobs.put(&mut source, Some(hash)));
            put.map_err(io::Error::other)
        };
        let put = tokio::task::spawn_blocking(put).await;
        match put.map_err(io::Error::other).flatten() {
            Ok(_) => return Ok(true),
            Err(error) => tracing::debug!(%error, "an original cannot be copied from this"),
        }
    }
    Ok(false)
}

/// Runs the tool once more; `None` when that cannot be done.
async fn make(ctx: &Context, asset: &Workpiece, making: &Making) -> Option<Made> {
    let [input] = making.inputs.as_slice() else {
        return None;
    };
    let made = match making.tool.as_str() {
        tool if tool == METADATA.name => look_again(ctx, asset).await.map(|looked| looked.made),
        tool if tool == SIDECAR.name => read_sidecars_again(ctx, asset).await,
        _ => return None,
    };
    match made {
        Ok(made) => made.into_iter().find(|made| made.inputs == [*input]),
        Err(error) => {
            tracing::debug!(%error, "a blob cannot be made again from this");
            None
        }
    }
}
