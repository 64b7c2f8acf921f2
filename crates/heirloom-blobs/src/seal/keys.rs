//! The keys of a store, as long as it is open.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use zeroize::Zeroizing;

/// The name of a data key: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; Self::BYTES]);

impl KeyId {
    /// How long it is.
    pub const BYTES: usize = 16;

    pub(super) const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; Self::BYTES];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// What seals and opens blobs: 256 random bits and their name. Its bytes leave this process only wrapped.
#[derive(Clone)]
pub struct DataKey {
    id: KeyId,
    bytes: Arc<Zeroizing<[u8; 32]>>,
}

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let (mut id, mut bytes) = ([0; KeyId::BYTES], Zeroizing::new([0; 32]));
        let filled = aws_lc_rs::rand::fill(&mut id)
            .and_then(|()| aws_lc_rs::rand::fill(bytes.as_mut_slice()));
        filled.map_err(super::no_luck)?;
        Ok(Self::from_parts(KeyId(id), bytes))
    }

    /// One that is known already: its name and its secret.
    #[must_use]
    pub fn from_bytes(id: [u8; KeyId::BYTES], secret: [u8; 32]) -> Self {
        Self::from_parts(KeyId(id), Zeroizing::new(secret))
    }

    pub(super) fn from_parts(id: KeyId, bytes: Zeroizing<[u8; 32]>) -> Self {
        let bytes = Arc::new(bytes);
        Self { id, bytes }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

/// How a store seals what it writes: with which key, and with which others it opens what was written before. Without a
/// key it stores bytes as they are. Clones mean the same; a key that is added is used at once.
#[derive(Clone, Default)]
pub struct Sealing(Arc<Inner>);

#[derive(Default)]
struct Inner {
    keys: RwLock<Keys>,
    scratch: PathBuf,
}

#[derive(Default)]
struct Keys {
    current: Option<DataKey>,
    all: HashMap<KeyId, DataKey>,
}

impl Sealing {
    /// Without a key so far. `scratch` is a folder for unnamed files with plain bytes, of sealed blobs that are opened
    /// as files.
    #[must_use]
    pub fn new(scratch: PathBuf) -> Self {
        let keys = RwLock::default();
        Self(Arc::new(Inner { keys, scratch }))
    }

    /// Adds a key, with which everything is sealed from now on.
    pub fn use_key(&self, key: DataKey) {
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.all.insert(key.id, key.clone());
        keys.current = Some(key);
    }

    /// Whether there is a key.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.current().is_some()
    }

    /// The key that is used now.
    #[must_use]
    pub fn current(&self) -> Option<DataKey> {
        self.read(|keys| keys.current.clone())
    }

    /// The name of the key that is used now.
    pub(crate) fn current_id(&self) -> Option<KeyId> {
        self.read(|keys| keys.current.as_ref().map(DataKey::id))
    }

    pub(super) fn find(&self, id: KeyId) -> Option<DataKey> {
        self.read(|keys| keys.all.get(&id).cloned())
    }

    pub(super) fn any(&self, found: impl Fn(&DataKey) -> bool) -> bool {
        self.read(|keys| keys.all.values().any(found))
    }

    pub(super) fn scratch(&self) -> &Path {
        &self.0.scratch
    }

    fn read<T>(&self, look: impl FnOnce(&Keys) -> T) -> T {
        look(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealing({:?})", self.current())
    }
}
