//! Writing what comes of a file to the disk.

use std::{fs::File, io, os::unix::fs::OpenOptionsExt as _, path::Path};

use heirloom_core::UploadId;
use heirloom_db::upload::{Upload, UploadState};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};

use super::{Part, Uploads, checksum::Checksum, gone, hold::Hold};
use crate::{
    data_folder::explain,
    problem::{Code, Problem},
};

/// What is written at once.
const BLOCK_BYTES: usize = 1024 * 1024;
/// After how many bytes of a long part it is noted that they are on the disk.
const NOTED_BYTES: u64 = 64 * 1024 * 1024;

impl Uploads {
    /// Writes a part behind what is there, and notes how much is on the disk then. What came before a
    /// connection broke is kept, unless it was to be checked.
    pub(super) async fn take_part(
        &self,
        upload: Upload,
        part: Part,
        hold: &Hold,
    ) -> Result<Upload, Problem> {
        let stands = upload.received_bytes.unsigned_abs();
        let size_bytes = upload.size_bytes.unsigned_abs();
        if part.offset != stands {
            return Err(Problem::new(
                Code::OffsetConflict,
                format!(
                    "the upload stands at {stands}, and the part begins at {}",
                    part.offset
                ),
            )
            .hint("Ask where it stands, and go on from there.")
            .with("offset", stands));
        }
        if part
            .length
            .is_some_and(|length| length > size_bytes - stands)
        {
            return Err(too_much(size_bytes));
        }
        if upload.state != UploadState::Receiving || stands == size_bytes {
            return Ok(upload);
        }
        let mut receiving = Receiving::open(self, &upload).await?;
        let outcome = receiving.take(part, hold).await;
        // Also where it ends badly: what came until then need not come again.
        let noted = receiving.note().await;
        outcome?;
        noted?;
        let upload = Upload {
            received_bytes: i64::try_from(receiving.noted).unwrap_or(i64::MAX),
            expires_at_ms: receiving.expires_at_ms,
            ..upload
        };
        if receiving.was_left && upload.received_bytes < upload.size_bytes {
            return Err(Problem::new(
                Code::UploadBusy,
                "somebody else goes on with this upload, or Heirloom is stopping",
            )
            .hint("Ask where it stands, and go on from there."));
        }
        Ok(upload)
    }
}

/// A file that bytes come for.
struct Receiving<'a> {
    uploads: &'a Uploads,
    id: UploadId,
    /// What a problem with the disk is told of.
    data_folder: &'a Path,
    file: BufWriter<tokio::fs::File>,
    size_bytes: u64,
    /// Where the next byte goes.
    position: u64,
    /// Up to where it is noted that the bytes are on the disk.
    noted: u64,
    /// Up to where they may be: what is to be checked is only once it was.
    good: u64,
    expires_at_ms: i64,
    was_left: bool,
}

impl<'a> Receiving<'a> {
    async fn open(uploads: &'a Uploads, upload: &Upload) -> Result<Self, Problem> {
        let path = uploads.path(upload.id);
        let data_folder = uploads.shared.ctx.data_folder.as_path();
        let position = upload.received_bytes.unsigned_abs();
        let opening = tokio::task::spawn_blocking(move || open(&path, position));
        let opened = opening.await.map_err(io::Error::other).flatten();
        let mut file = match opened {
            Ok(file) => tokio::fs::File::from_std(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::error!(upload = %upload.id, "what came of an upload is gone from the data folder");
                return Err(gone("what came of this upload is gone"));
            }
            Err(error) => return Err(explain(data_folder, error)),
        };
        let sought = file.seek(io::SeekFrom::Start(position)).await;
        sought.map_err(|error| explain(data_folder, error))?;
        Ok(Self {
            uploads,
            id: upload.id,
            data_folder,
            file: BufWriter::with_capacity(BLOCK_BYTES, file),
            size_bytes: upload.size_bytes.unsigned_abs(),
            position,
            noted: position,
            good: position,
            expires_at_ms: upload.expires_at_ms,
            was_left: false,
        })
    }

    async fn take(&mut self, part: Part, hold: &Hold) -> Result<(), Problem> {
        let mut body = part.body;
        let mut sum = part.checksum.as_ref().map(Checksum::begin);
        loop {
            let frame = tokio::select! {
                biased;
                () = hold.leave.cancelled() => {
                    self.was_left = true;
                    return Ok(());
                }
                frame = body.frame() => frame,
            };
            let bytes = match frame {
                None => break,
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    return Err(
                        Problem::new(Code::InvalidRequest, "the connection broke off")
                            .hint("Ask where the upload stands, and go on from there.")
                            .caused_by(error),
                    );
                }
            };
            if bytes.len() as u64 > self.size_bytes - self.position {
                return Err(too_much(self.size_bytes));
            }
            if let Some(sum) = &mut sum {
                sum.update(&bytes);
            }
            let written = self.file.write_all(&bytes).await;
            written.map_err(|error| explain(self.data_folder, error))?;
            self.position += bytes.len() as u64;
            if sum.is_none() {
                self.good = self.position;
                if self.good - self.noted >= NOTED_BYTES {
                    self.note().await?;
                }
            }
        }
        if let (Some(sum), Some(checksum)) = (sum, part.checksum) {
            if !checksum.is_of(sum) {
                return Err(Problem::new(
                    Code::ChecksumMismatch,
                    "the part that came does not have the checksum that came with it",
                )
                .hint("Send it once more."));
            }
            self.good = self.position;
        }
        Ok(())
    }

    /// Waits until what is good is on the disk, and notes that.
    async fn note(&mut self) -> Result<(), Problem> {
        if self.good == self.noted {
            return Ok(());
        }
        let on_disk = async {
            self.file.flush().await?;
            self.file.get_ref().sync_all().await
        };
        on_disk
            .await
            .map_err(|error| explain(self.data_folder, error))?;
        let expires_at_ms = self.uploads.expiry_ms();
        let good = i64::try_from(self.good).unwrap_or(i64::MAX);
        let db = &self.uploads.shared.ctx.db;
        db.store_received(self.id, good, expires_at_ms).await?;
        self.noted = self.good;
        self.expires_at_ms = expires_at_ms;
        Ok(())
    }
}

/// Opens what has come, without whatever was written behind it and never acknowledged.
fn open(path: &Path, length: u64) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).mode(0o600).create(length == 0);
    let file = options.open(path)?;
    if file.metadata()?.len() < length {
        return Err(io::ErrorKind::NotFound.into());
    }
    file.set_len(length)?;
    if length == 0 {
        // So that the name is on the disk before anything in the file counts.
        let folder = path.parent().unwrap_or(path);
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

fn too_much(size_bytes: u64) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("more bytes come than the {size_bytes} that were announced"),
    )
}
