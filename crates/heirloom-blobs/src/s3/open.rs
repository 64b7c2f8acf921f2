//! Finds a blob in a bucket in whatever form it is there, and reads it.

use std::{io::ErrorKind, ops::Range, sync::atomic::Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use heirloom_core::ContentHash;

use super::{FIRST_LINE, LAYOUT, S3Store, SEALED_LINE, object};
use crate::{
    BlobError, BlobReader, BlobStore as _,
    pump::blocking,
    remote::is_archived_io,
    seal::{Form, HEADER_BYTES, Opener, Opening},
};

/// An object that has a blob.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) form: Form,
    pub(super) stored_bytes: u64,
    pub(super) modified_at_ms: i64,
}

impl Stored {
    pub(super) const fn size_bytes(&self) -> u64 {
        self.form.plain_bytes(self.stored_bytes)
    }
}

impl S3Store {
    /// The object of a blob.
    pub(super) async fn find(&self, hash: ContentHash) -> Result<Option<Stored>, BlobError> {
        self.enter().await?;
        // One that is sealed while we look is found at the third look.
        let forms: &[Form] = if self.cache.sealing().is_on() {
            &[Form::Sealed, Form::Plain, Form::Sealed]
        } else {
            &[Form::Plain]
        };
        for &form in forms {
            if let Some(stat) = self.remote.stat(&object(hash, form)).await? {
                return Ok(Some(Stored {
                    form,
                    stored_bytes: stat.size_bytes,
                    modified_at_ms: stat.modified_at_ms,
                }));
            }
        }
        Ok(None)
    }

    /// The plain bytes of a blob in this range, which is not empty.
    pub(super) async fn read(
        &self,
        hash: ContentHash,
        stored: Stored,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, BlobError>>, BlobError> {
        let begun = self.begin(hash, stored, range.clone()).await;
        if let Err(BlobError::NotFound { .. } | BlobError::Corrupt { .. }) = begun
            && self.cache.sealing().is_on()
            && let Some(stored) = self.find(hash).await?
        {
            // Another object may have come into its place between two requests.
            return self.begin(hash, stored, range).await;
        }
        begun
    }

    /// Reads until the first bytes are there.
    async fn begin(
        &self,
        hash: ContentHash,
        stored: Stored,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, BlobError>>, BlobError> {
        let object = object(hash, stored.form);
        let (opening, range) = match stored.form {
            Form::Plain => (None, range),
            Form::Sealed => {
                let opener = self.read_header(hash, stored).await?;
                let (segments, _) = opener.segments(&range);
                (Some(Opening::new(opener, range)), segments)
            }
        };
        let mut pieces = self.remote.stream(&object, range).await?;
        let first = match pieces.next().await {
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => {
                return Err(BlobError::NotFound { hash });
            }
            Some(Err(error)) if is_archived_io(&error) => {
                let place = self.remote.place().to_owned();
                return Err(BlobError::Archived { hash, place });
            }
            first => stream::iter(first),
        };
        let pieces = self.say(hash, first.chain(pieces));
        let Some(opening) = opening else {
            return Ok(pieces.boxed());
        };
        let mut opened = opened(pieces, opening).boxed();
        let first = opened.next().await.transpose()?;
        Ok(stream::iter(first.map(Ok)).chain(opened).boxed())
    }

    async fn read_header(&self, hash: ContentHash, stored: Stored) -> Result<Opener, BlobError> {
        let mut header = BytesMut::new();
        if stored.stored_bytes > HEADER_BYTES {
            let object = object(hash, stored.form);
            let mut stream = self.say(hash, self.remote.stream(&object, 0..HEADER_BYTES).await?);
            while let Some(piece) = stream.next().await {
                header.extend_from_slice(&piece?);
            }
        }
        Opener::new(self.cache.sealing(), hash, &header, stored.stored_bytes)
    }

    /// Says in the bucket that blobs in it are sealed, before the first is: whoever does not know of that must not
    /// take them for strays.
    pub(super) async fn mark_sealed(&self) -> Result<(), BlobError> {
        if self.is_marked.load(Ordering::Acquire) {
            return Ok(());
        }
        if let Some(owner) = self.read_owner().await? {
            let layout = format!("{SEALED_LINE}\n{owner}\n");
            self.remote.write(LAYOUT, layout.into()).await?;
        }
        self.is_marked.store(true, Ordering::Release);
        Ok(())
    }

    /// Whose store it is; `None` where none is.
    pub(super) async fn read_owner(&self) -> Result<Option<String>, BlobError> {
        let layout = match self.remote.read(LAYOUT).await {
            Ok(layout) => layout,
            Err(crate::RemoteError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let layout = String::from_utf8_lossy(&layout).into_owned();
        match layout.split_once('\n') {
            Some((FIRST_LINE, owner)) => Ok(Some(owner.trim().to_owned())),
            Some((SEALED_LINE, owner)) => {
                if !self.cache.sealing().is_on() {
                    let place = self.remote.place().to_owned();
                    return Err(BlobError::Locked { place });
                }
                self.is_marked.store(true, Ordering::Release);
                Ok(Some(owner.trim().to_owned()))
            }
            _ => Err(BlobError::UnknownLayout {
                path: self.remote.place().into(),
                found: layout.lines().next().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Seals a blob with the key that is used now; `false` when it is.
    pub(super) async fn seal_again(&self, hash: ContentHash) -> Result<bool, BlobError> {
        if !self.cache.sealing().is_on() {
            return Ok(false);
        }
        let cache = self.cache.clone();
        blocking(move || {
            cache.remove_unsealed(hash);
            Ok(())
        })
        .await?;
        let found = self.find(hash).await?.ok_or(BlobError::NotFound { hash })?;
        if found.form == Form::Sealed && self.read_header(hash, found).await?.is_current() {
            return self.tidy(hash).await;
        }
        self.mark_sealed().await?;
        let mut reader = self.get(hash).await?;
        let cache = self.cache.clone();
        let mut incoming = blocking(move || cache.begin()).await?;
        while let Some(chunk) = reader.next_chunk().await? {
            incoming = blocking(move || incoming.write(&chunk).map(|()| incoming)).await?;
        }
        let incoming = blocking(move || incoming.finish().map(|()| incoming)).await?;
        // So that it is not deleted between the look and the write.
        let _lock = self.lock(hash).await;
        if self.find(hash).await?.is_none() {
            return Err(BlobError::NotFound { hash });
        }
        let sealed = object(hash, incoming.form());
        let path = incoming.path();
        let mut source = crate::error::At::at(tokio::fs::File::open(path).await, path)?;
        self.write_from(&sealed, incoming.stored_bytes(), &mut source)
            .await?;
        self.remote.remove(&object(hash, Form::Plain)).await?;
        Ok(true)
    }

    /// Removes the plain form that a kill left beside a sealed one, when that is sound.
    async fn tidy(&self, hash: ContentHash) -> Result<bool, BlobError> {
        let plain = object(hash, Form::Plain);
        if self.remote.stat(&plain).await?.is_none() {
            return Ok(false);
        }
        let _lock = self.lock(hash).await;
        self.compare(hash).await?;
        self.remote.remove(&plain).await?;
        Ok(true)
    }

    /// Opens a blob in the bucket from its start.
    pub(super) async fn get_stored(&self, hash: ContentHash) -> Result<BlobReader, BlobError> {
        let stored = self.find(hash).await?.ok_or(BlobError::NotFound { hash })?;
        let size_bytes = stored.size_bytes();
        if size_bytes == 0 {
            if stored.form == Form::Sealed {
                self.read_header(hash, stored).await?;
            }
            return BlobReader::whole_from(hash, 0, stream::empty());
        }
        let stream = self.read(hash, stored, 0..size_bytes).await?;
        BlobReader::whole_from(hash, size_bytes, stream)
    }
}

/// The plain bytes of segments that come in pieces.
fn opened<S>(
    pieces: S,
    opening: Opening,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send + 'static
where
    S: Stream<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static,
{
    stream::try_unfold(Some((pieces, opening)), |state| async move {
        let Some((mut pieces, mut opening)) = state else {
            return Ok(None);
        };
        let (plain, rest) = match pieces.next().await.transpose()? {
            Some(piece) => (opening.push(&piece)?, Some((pieces, opening))),
            None => (opening.finish()?, None),
        };
        Ok(Some((Bytes::from(plain), rest)))
    })
}
