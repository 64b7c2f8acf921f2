//! What is not as it should be goes to quarantine, where nothing reads it.

use heirloom_core::ContentHash;

use super::{QUARANTINE, RENEWED, S3Store, object, timed};
use crate::{BlobError, BlobReader, hash_of, seal::Form};

impl S3Store {
    /// Moves what has the name of a blob into quarantine, whatever it is.
    pub(super) async fn move_aside(&self, hash: ContentHash) -> Result<(), BlobError> {
        let form = self.find(hash).await?.map_or(Form::Plain, |it| it.form);
        let aside = format!("{QUARANTINE}{}", timed(hash, (self.now_ms)()));
        self.move_object(&object(hash, form), &aside).await?;
        let renewed = self.names(RENEWED, hash).await?;
        self.forget(hash, renewed).await
    }

    /// Copies an object and removes it then.
    pub(super) async fn move_object(&self, from: &str, to: &str) -> Result<(), BlobError> {
        let Some(stat) = self.remote.stat(from).await? else {
            return Ok(());
        };
        let stream = self.remote.stream(from, 0..stat.size_bytes).await?;
        // Not verified: it is moved because it is not what it should be.
        let name = hash_of(from.as_bytes());
        let mut bytes = BlobReader::part_from(name, stat.size_bytes, self.say(name, stream));
        self.write_from(to, stat.size_bytes, &mut bytes).await?;
        Ok(self.remote.remove(from).await?)
    }
}
