//! Brings a blob that is there into the form in which it would be written now.
//!
//! The new file is whole and on disk before the old one goes, and the one name is given in place of the other under the
//! lock of the folder. Who reads the old one has it open and goes on.

use heirloom_core::ContentHash;

use super::{
    incoming::Incoming,
    layout::{Layout, sync_folder},
    lock::ShardLock,
    stored::{self, Identity},
};
use crate::{BlobError, error::At as _, seal::Form};

/// Seals a blob with the key that is used now; `false` when it is.
pub(super) fn reseal(layout: &Layout, hash: ContentHash) -> Result<bool, BlobError> {
    if !layout.sealing().is_on() {
        return Ok(false);
    }
    loop {
        let found = stored::find(layout, hash)?.ok_or(BlobError::NotFound { hash })?;
        let (seen, path, form) = (found.identity()?, found.path.clone(), found.form);
        let blob = found.blob(layout, hash)?;
        if blob.is_current() {
            return tidy(layout, hash);
        }
        let mut incoming = Incoming::create(layout)?;
        for chunk in blob.chunks(0..u64::MAX) {
            incoming.write(&chunk?)?;
        }
        if incoming.hash() != hash {
            return Err(BlobError::Corrupt { hash });
        }
        incoming.sync()?;
        let _lock = ShardLock::take(layout, hash)?;
        let old = std::fs::symlink_metadata(&path);
        match old {
            Ok(old) if Identity::of(&old) == seen => {
                incoming.replace(layout, &old)?;
                sync_folder(&layout.shard(hash))?;
                if form == Form::Plain {
                    stored::remove(&path)?;
                }
                return Ok(true);
            }
            // Somebody deleted it or put it anew.
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).at(&path),
        }
    }
}

/// Removes the plain form that a kill left beside a sealed one, when that is sound.
fn tidy(layout: &Layout, hash: ContentHash) -> Result<bool, BlobError> {
    let plain = layout.blob(hash, Form::Plain);
    if stored::open(&plain)?.is_none() {
        return Ok(false);
    }
    let _lock = ShardLock::take(layout, hash)?;
    let Some(found) = stored::find(layout, hash)? else {
        return Ok(false);
    };
    if found.form != Form::Sealed || found.blob(layout, hash)?.hash()? != hash {
        return Ok(false);
    }
    stored::remove(&plain)
}
