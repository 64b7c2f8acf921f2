//! Objects on another machine, over S3 or SFTP: the one door to both, for blobs and for backups.
//!
//! An object is there whole or not at all. On S3 that is how a bucket works; over SFTP it is written beside its place
//! and renamed. What fails for a moment is tried again, and nothing is waited for without end. Nothing of the library
//! that speaks the protocols is part of what this module shows.

mod archive;
mod error;
mod location;

use std::{fmt, io, ops::Range, process::Stdio, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use opendal::{
    Operator,
    layers::{ConcurrentLimitLayer, RetryLayer, TimeoutLayer},
    options::ReadOptions,
    services,
};
use tokio::io::AsyncReadExt as _;

pub(crate) use archive::Readiness;
pub use archive::is_archive_class;
pub use error::RemoteError;
pub(crate) use error::is_archived_io;
pub use location::{RemoteLocation, S3Location, SftpLocation};

/// What has to be known of S3 besides a bucket and a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The server, `https://HOST[:PORT]`; without one it is Amazon's.
    pub endpoint: Option<String>,
    /// The region, which is a part of each signature.
    pub region: String,
    /// Whether the bucket is a part of the path and not of the host's name.
    pub is_path_style: bool,
    /// The keys.
    pub keys: Option<S3Keys>,
    /// The storage class of the blobs that are written, as the server calls it; its own choice otherwise.
    pub storage_class: Option<String>,
}

impl Default for S3Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            is_path_style: true,
            keys: None,
            storage_class: None,
        }
    }
}

/// Who asks. The secret is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// Its public part.
    pub access_key_id: String,
    /// Its secret part.
    pub secret_access_key: String,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Keys")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteObject {
    /// Its name in the folder that was listed.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// When it was written, by the clock of its server, in milliseconds since 1970 UTC.
    pub modified_at_ms: i64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// A place on another machine. Clones mean the same.
#[derive(Debug, Clone)]
pub struct Remote {
    operator: Operator,
    /// What writes blobs, in the storage class that they are to have. All else is read at any time.
    blobs: Operator,
    /// What the library does not know how to ask.
    asker: Option<archive::Asker>,
    place: String,
    /// What stands before the name of each object; S3 has it in its root.
    prefix: String,
    is_renaming: bool,
}

/// How often something is tried in all: with pauses of about 0.2, 0.4, 0.8 and 1.6 s.
const RETRIES: usize = 4;
/// How long an answer without bytes is waited for.
const ANSWER: Duration = Duration::from_secs(60);
/// How long one part is waited for: 8 MiB in that time are 70 kB a second.
const PART: Duration = Duration::from_secs(120);
/// What is sent at once; so much is in memory a few times over.
const PART_BYTES: u64 = 8 << 20;
/// S3 takes 10,000 parts.
const PARTS: u64 = 9_000;
/// Connections of `ssh` at once: servers let strangers in slowly.
const SSH_CONNECTIONS: usize = 4;
/// What an object is called over SFTP while it is written.
const PARTIAL: &str = "-tmp-";

impl Remote {
    /// The door to a place. Nothing is asked of its server yet, except that `ssh` is tried once.
    ///
    /// # Errors
    /// [`RemoteError::NoKeys`], [`RemoteError::NoLogin`], and what makes no sense.
    pub async fn open(
        location: &RemoteLocation,
        settings: &S3Settings,
    ) -> Result<Self, RemoteError> {
        opendal::install_default();
        match location {
            RemoteLocation::S3(location) => Self::open_s3(location, settings),
            RemoteLocation::Sftp(location) => {
                try_ssh(location).await?;
                Self::open_sftp(location)
            }
        }
    }

    fn open_s3(location: &S3Location, settings: &S3Settings) -> Result<Self, RemoteError> {
        let place = location.to_string();
        let Some(keys) = &settings.keys else {
            return Err(RemoteError::NoKeys { place });
        };
        let amazon = || format!("https://s3.{}.amazonaws.com", settings.region);
        let endpoint = location
            .endpoint
            .clone()
            .or_else(|| settings.endpoint.clone());
        let endpoint = endpoint.unwrap_or_else(amazon);
        let builder = || {
            let builder = services::S3::default()
                .bucket(&location.bucket)
                .root(&format!("/{}", location.prefix))
                .endpoint(&endpoint)
                .region(&settings.region)
                .access_key_id(&keys.access_key_id)
                .secret_access_key(&keys.secret_access_key)
                // The server compares what arrives with this.
                .checksum_algorithm("crc32c")
                // Whatever else lies around on this machine is not meant.
                .disable_config_load()
                .disable_ec2_metadata();
            match settings.is_path_style {
                true => builder,
                false => builder.enable_virtual_host_style(),
            }
        };
        let open = |builder| match Operator::new(builder) {
            Ok(operator) => Ok(persistent(operator)),
            Err(error) => Err(RemoteError::new(&error, &place, "")),
        };
        let operator = open(builder())?;
        let class = settings.storage_class.as_deref();
        let blobs = match class {
            Some(class) => open(builder().default_storage_class(class))?,
            None => operator.clone(),
        };
        Ok(Self {
            operator,
            blobs,
            asker: Some(archive::Asker::new(location, settings, keys)),
            place,
            prefix: String::new(),
            is_renaming: false,
        })
    }

    fn open_sftp(location: &SftpLocation) -> Result<Self, RemoteError> {
        let place = location.to_string();
        let mut endpoint = format!("ssh://{}", location.host);
        if let Some(port) = location.port {
            endpoint += &format!(":{port}");
        }
        let mut builder = services::Sftp::default().endpoint(&endpoint).root("/");
        if let Some(user) = &location.user {
            builder = builder.user(user);
        }
        let operator =
            Operator::new(builder).map_err(|error| RemoteError::new(&error, &place, ""))?;
        let operator = persistent(operator.layer(ConcurrentLimitLayer::new(SSH_CONNECTIONS)));
        Ok(Self {
            blobs: operator.clone(),
            operator,
            asker: None,
            place,
            prefix: format!("{}/", location.path.trim_start_matches('/')),
            is_renaming: true,
        })
    }

    /// What the place is called.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Length and age of an object; `None` when there is none.
    ///
    /// # Errors
    /// What its server reports.
    pub async fn stat(&self, object: &str) -> Result<Option<RemoteObject>, RemoteError> {
        match self.operator.stat(&self.path(object)).await {
            Ok(found) if found.is_dir() => Ok(None),
            Ok(found) => Ok(Some(describe(object.to_owned(), &found))),
            Err(error) if error.kind() == opendal::ErrorKind::NotFound => {
                // A server says the same of a bucket, without a word.
                Ok(None)
            }
            Err(error) => Err(self.say(&error, object)),
        }
    }

    /// All bytes of an object.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`]; what its server reports.
    pub async fn read(&self, object: &str) -> Result<Bytes, RemoteError> {
        let read = self.operator.read(&self.path(object)).await;
        Ok(read.map_err(|error| self.say(&error, object))?.to_bytes())
    }

    /// A part of an object, which has to reach as far.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`]; [`RemoteError::Failed`] when it ends before; what its server reports.
    pub async fn read_part(&self, object: &str, range: Range<u64>) -> Result<Bytes, RemoteError> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(Bytes::new());
        }
        let options = ReadOptions {
            range: range.into(),
            ..ReadOptions::default()
        };
        let read = self
            .operator
            .read_options(&self.path(object), options)
            .await;
        let bytes = read.map_err(|error| self.say(&error, object))?.to_bytes();
        if bytes.len() as u64 != length {
            return Err(RemoteError::Failed {
                place: self.place.clone(),
                why: format!("{object} ends before it should"),
            });
        }
        Ok(bytes)
    }

    /// A part of an object, piece by piece as it comes.
    pub(crate) async fn stream(
        &self,
        object: &str,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<>, RemoteError> {
        let reader = self.operator.reader(&self.path(object)).await;
        let reader = reader.map_err(|error| self.say(&error, object))?;
        let stream = reader.into_bytes_stream(range).await;
        Ok(stream.map_err(|error| self.say(&error, object))?.boxed())
    }

    /// Writes an object whole, in the place of one that is there.
    ///
    /// # Errors
    /// What its server reports; then nothing of it is there, or what was there before.
    pub async fn write(&self, object: &str, bytes: Bytes) -> Result<(), RemoteError> {
        if !self.is_renaming {
            let written = self.operator.write(&self.path(object), bytes).await;
            return written.map(drop).map_err(|error| self.say(&error, object));
        }
        let (path, partial) = (self.path(object), self.path(&format!("{object}{PARTIAL}")));
        let write = async {
            self.operator.write(&partial, bytes).await?;
            if self.operator.rename(&partial, &path).await.is_err() {
                // SFTP renames over nothing that is there.
                self.operator.delete(&path).await?;
                self.operator.rename(&partial, &path).await?;
            }
            Ok(())
        };
        let written: opendal::Result<()> = write.await;
        if written.is_err() {
            let _ = self.operator.delete(&partial).await;
        }
        written.map_err(|error| self.say(&error, object))
    }

    /// Writes a blob whole on S3, in the storage class of blobs.
    pub(crate) async fn write_blob(&self, object: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let written = self.blobs.write(&self.path(object), bytes).await;
        written.map(drop).map_err(|error| self.say(&error, object))
    }

    /// Makes a folder where there are folders; S3 has none.
    ///
    /// # Errors
    /// What its server reports.
    pub async fn make_folder(&self, folder: &str) -> Result<(), RemoteError> {
        if !self.is_renaming {
            return Ok(());
        }
        let path = format!("{}/", self.path(folder));
        let made = self.operator.create_dir(&path).await;
        made.map_err(|error| self.say(&error, folder))
    }

    /// Writes an object of this length from what a source gives, in parts.
    pub(crate) async fn write_from(
        &self,
        object: &str,
        size_bytes: u64,
        source: &mut (dyn tokio::io::AsyncRead + Send + Unpin),
    ) -> Result<(), WriteError> {
        let chunk = PART_BYTES.max(size_bytes.div_ceil(PARTS));
        let path = self.path(object);
        let writer = self.blobs.writer_with(&path).chunk(chunk as usize);
        let mut writer = writer.await.map_err(|error| self.say(&error, object))?;
        let mut remaining = size_bytes;
        let written = async {
            while remaining > 0 {
                let length = remaining.min(PART_BYTES) as usize;
                let mut part = vec![0; length];
                source
                    .read_exact(&mut part)
                    .await
                    .map_err(WriteError::Source)?;
                remaining -= length as u64;
                let written = writer.write(Bytes::from(part)).await;
                written.map_err(|error| self.say(&error, object))?;
            }
            let closed = writer.close().await;
            closed.map(drop).map_err(|error| self.say(&error, object))?;
            Ok(())
        };
        let written = written.await;
        if written.is_err() {
            // Parts that belong to nothing would be paid for.
            let _ = writer.abort().await;
        }
        written
    }

    /// Removes an object; nothing happens when there is none.
    ///
    /// # Errors
    /// What its server reports.
    pub async fn remove(&self, object: &str) -> Result<(), RemoteError> {
        let removed = self.operator.delete(&self.path(object)).await;
        removed.map_err(|error| self.say(&error, object))
    }

    /// What lies in a folder, which ends with `/` or is empty for the place itself; on S3 in the order of the
    /// names and only what comes behind `after`. A folder that is not there is empty.
    pub fn list(
        &self,
        folder: &str,
        after: Option<&str>,
    ) -> impl Stream<Item = Result<RemoteObject, RemoteError>> + Send + use<> {
        let path = match self.path(folder) {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        };
        let after = after.map(|after| format!("{path}{after}"));
        let (this, folder) = (self.clone(), folder.to_owned());
        let begin = async move {
            let lister = this.operator.lister_with(&path);
            let lister = match &after {
                Some(after) => lister.start_after(after),
                None => lister,
            };
            let lister = lister.await.map_err(|error| this.say(&error, &folder))?;
            let listed = lister.map(move |entry| match entry {
                Ok(entry) => {
                    let name = entry.path().strip_prefix(path.trim_start_matches('/'));
                    let name = name.unwrap_or_default().trim_end_matches('/').to_owned();
                    Ok(describe(name, entry.metadata()))
                }
                Err(error) => Err(this.say(&error, &folder)),
            });
            // The folder itself may be among what it has.
            let listed = listed.try_filter(|object| std::future::ready(!object.name.is_empty()));
            Ok::<_, RemoteError>(listed)
        };
        futures_util::stream::once(begin).try_flatten()
    }

    /// An address at which whoever has it reads an object for a while, with these headers.
    pub(crate) async fn sign(
        &self,
        object: &str,
        duration: Duration,
        media_type: &str,
        disposition: &str,
    ) -> Result<String, RemoteError> {
        let path = self.path(object);
        let signing = self
            .operator
            .presign_read_with(&path, duration)
            .override_content_type(media_type)
            .override_content_disposition(disposition)
            .override_cache_control("private, no-cache");
        let signed = signing.await.map_err(|error| self.say(&error, object))?;
        Ok(signed.uri().to_string())
    }

    fn path(&self, object: &str) -> String {
        format!("{}{object}", self.prefix)
    }

    fn say(&self, error: &opendal::Error, object: &str) -> RemoteError {
        RemoteError::new(error, &self.place, object)
    }
}

/// Why an object was not written from a source.
pub(crate) enum WriteError {
    Remote(RemoteError),
    Source(io::Error),
}

impl From<RemoteError> for WriteError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(error)
    }
}

/// What fails for a moment is tried again, and each try ends.
fn persistent(operator: Operator) -> Operator {
    let timeout = TimeoutLayer::new()
        .with_timeout(ANSWER)
        .with_io_timeout(PART);
    let retry = RetryLayer::new()
        .with_max_times(RETRIES)
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(10))
        .with_jitter();
    operator.layer(timeout).layer(retry)
}

fn describe(name: String, found: &opendal::Metadata) -> RemoteObject {
    let modified = found.last_modified();
    RemoteObject {
        name,
        size_bytes: found.content_length(),
        modified_at_ms: modified.map_or(0, |at| at.into_inner().as_millisecond()),
        is_folder: found.is_dir(),
    }
}

/// The library says only that it waited: what `ssh` itself says is what somebody can do something about.
async fn try_ssh(location: &SftpLocation) -> Result<(), RemoteError> {
    let place = location.to_string();
    let mut ssh = tokio::process::Command::new("ssh");
    ssh.args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"])
        .args(["-o", "ConnectTimeout=20"]);
    if let Some(port) = location.port {
        ssh.args(["-p", &port.to_string()]);
    }
    if let Some(user) = &location.user {
        ssh.args(["-l", user]);
    }
    ssh.args(["-s", "--", &location.host, "sftp"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let no_login = |why: String| RemoteError::NoLogin {
        place: place.clone(),
        why,
    };
    let mut child = ssh.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => no_login("the program `ssh` is not installed".to_owned()),
        _ => no_login(error.to_string()),
    })?;
    let mut said = Vec::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.take(16_384).read_to_end(&mut said).await;
    }
    let status = child
        .wait()
        .await
        .map_err(|error| no_login(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back().unwrap_or("it ended without a word");
    Err(no_login(last.trim_end_matches('.').to_owned()))
}
