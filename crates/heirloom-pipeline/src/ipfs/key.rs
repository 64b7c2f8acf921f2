//! The key of a publication: a blob like others, so that it is sealed with them, and in every backup.

use std::io::Read as _;

use heirloom_core::ContentHash;
use heirloom_db::publication::Publication;
use heirloom_ipfs::PublicationKey;

use super::IpfsError;
use crate::Context;

/// How long the text of a key may be.
const LONGEST: u64 = 1000;

/// Makes a key and stores it; gives what the catalogue has to refer to.
pub(super) async fn make_key(ctx: &Context) -> Result<(ContentHash, i64), IpfsError> {
    let key = PublicationKey::generate().map_err(|source| IpfsError::Io {
        path: "the system's random numbers".into(),
        source,
    })?;
    let text = format!("{}\n", *key.text());
    let bytes = text.len() as i64;
    let put = ctx.blobs.put_bytes(text.into_bytes().into()).await?;
    Ok((put.hash, bytes))
}

/// The key of a publication; `None` where it has none, because it was never sealed.
///
/// # Errors
/// [`IpfsError::Blobs`], also when the blob that has it is damaged.
pub async fn load_publication_key(
    ctx: &Context,
    publication: &Publication,
) -> Result<Option<PublicationKey>, IpfsError> {
    let Some(hash) = publication.key_hash else {
        return Ok(None);
    };
    let file = ctx.blobs.open_file(hash).await?;
    super::blocking(move || {
        let mut text = zeroize::Zeroizing::new(String::new());
        let read = file.take(LONGEST).read_to_string(&mut text);
        let key = read.ok().and_then(|_| PublicationKey::parse(&text));
        key.map(Some)
            .ok_or_else(|| heirloom_blobs::BlobError::Corrupt { hash }.into())
    })
    .await
}
