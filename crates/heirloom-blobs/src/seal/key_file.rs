//! The file that has the data keys of a library, wrapped by its master key.
//!
//! It is JSON in an open form (`docs/formats.md`). Without the master key it is of no use, and without the file the
//! master key is of none: whoever loses one of them loses every sealed blob.

use std::{
    fmt, fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DataKey, KeyId, no_luck};

/// How many letters a master key has that is made here: 256 bits and a little more, in letters of 5 bits.
pub const KEY_LETTERS: usize = 52;

/// Letters and digits that are not taken for each other: those of Crockford's base 32.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 4;
const FORMAT: u32 = 1;
/// What the key is for that wraps; it is part of how that key is made.
const PURPOSE: &[u8] = b"wrapping of blob keys 1";
/// How much a passphrase costs whoever guesses (RFC 9106, the second choice).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// A file that asks for more is no key file.
const MOST_MEMORY_KIB: u32 = 4 << 20;
const MOST_PASSES: u32 = 1000;
const LONGEST: u64 = 1 << 20;

/// What opens the key file of a library. Heirloom does not keep it.
#[derive(Clone, PartialEq, Eq)]
pub enum MasterKey {
    /// 256 random bits as letters.
    Key(Zeroizing<String>),
    /// Words that somebody remembers.
    Passphrase(Zeroizing<String>),
}

impl MasterKey {
    /// A new random one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LETTERS]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(no_luck)?;
        let mut text = Zeroizing::new(String::with_capacity(KEY_LETTERS * 2));
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        Ok(Self::Key(text))
    }

    /// A key as it is written, with or without its hyphens; `None` for what is none.
    #[must_use]
    pub fn parse_key(text: &str) -> Option<Self> {
        let letters = text.trim().bytes().filter(|letter| *letter != b'-');
        let letters = letters.map(|letter| char::from(letter.to_ascii_uppercase()));
        let letters = Zeroizing::new(letters.collect::<String>());
        let is_key =
            letters.len() == KEY_LETTERS && letters.bytes().all(|letter| LETTERS.contains(&letter));
        is_key.then_some(Self::Key(letters))
    }

    /// What to write down of it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Passphrase(text) => text,
        }
    }

    /// What it is wrapped by: the letters alone, without hyphens.
    fn secret(&self) -> Zeroizing<String> {
        match self {
            Self::Key(text) => Zeroizing::new(text.replace('-', "")),
            Self::Passphrase(text) => text.clone(),
        }
    }

    fn new_derivation(&self) -> io::Result<Derivation> {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(no_luck)?;
        let salt = hex::encode(salt);
        Ok(match self {
            Self::Key(_) => Derivation::Key { salt },
            Self::Passphrase(_) => Derivation::Passphrase {
                salt,
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
            },
        })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "MasterKey::Key(…)",
            Self::Passphrase(_) => "MasterKey::Passphrase(…)",
        })
    }
}

/// Why data keys are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is none, or was changed.
    #[error("the key file {} is damaged: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A newer version wrote it.
    #[error("the key file {} has the format {format}, which this version does not know", path.display())]
    UnknownFormat {
        /// Which file.
        path: PathBuf,
        /// Its number.
        format: u32,
    },
    /// A key was given where the file wants a passphrase, or the other way round.
    #[error("the keys of this library are opened by {wanted}, and {given} was given")]
    OtherKind {
        /// What it wants.
        wanted: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// Not what the keys were wrapped with.
    #[error("this is not the master key of this library")]
    WrongMaster,
    /// The disk or the system failed.
    #[error("{} cannot be read or written: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

const A_KEY: &str = "a key";
const A_PASSPHRASE: &str = "a passphrase";

/// The data keys of a library, wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    format: u32,
    /// Whose keys they are.
    family: String,
    master: Derivation,
    /// The newest first: what seals.
    keys: Vec<WrappedKey>,
}

/// How the key that wraps is made from the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Derivation {
    /// HKDF-SHA256.
    Key { salt: String },
    /// Argon2id, version 19, 32 bytes, and then as for a key.
    Passphrase {
        salt: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
}

impl Derivation {
    const fn wanted(&self) -> &'static str {
        match self {
            Self::Key { .. } => A_KEY,
            Self::Passphrase { .. } => A_PASSPHRASE,
        }
    }

    /// `None` when it is not made like this, or what says how is wrong.
    fn derive(&self, master: &MasterKey) -> Option<LessSafeKey> {
        let secret = master.secret();
        let (salt, secret) = match self {
            Self::Key { salt } => {
                let secret = Zeroizing::new(secret.as_bytes().to_vec());
                (hex::decode(salt).ok()?, secret)
            }
            Self::Passphrase {
                salt,
                memory_kib,
                passes,
                lanes,
            } => {
                if *memory_kib > MOST_MEMORY_KIB || *passes > MOST_PASSES {
                    return None;
                }
                let salt = hex::decode(salt).ok()?;
                let params = Params::new(*memory_kib, *passes, *lanes, Some(32)).ok()?;
                let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let mut stretched = Zeroizing::new(vec![0; 32]);
                argon
                    .hash_password_into(secret.as_bytes(), &salt, &mut stretched)
                    .ok()?;
                (salt, stretched)
            }
        };
        let secret = Salt::new(HKDF_SHA256, &salt).extract(&secret);
        let key: UnboundKey = secret.expand(&[PURPOSE], &AES_256_GCM).ok()?.into();
        Some(LessSafeKey::new(key))
    }
}

/// A data key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WrappedKey {
    id: String,
    made_at_ms: i64,
    /// The nonce, the key sealed with AES-256-GCM, and the tag, in hexadecimal digits.
    wrapped: String,
}

impl KeyFile {
    /// What the file is called in a data folder.
    pub const NAME: &'static str = "encryption.json";

    /// Makes the first key of a family.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn create(family: &str, master: &MasterKey, now_ms: i64) -> io::Result<(Self, DataKey)> {
        let mut file = Self {
            format: FORMAT,
            family: family.to_owned(),
            master: master.new_derivation()?,
            keys: Vec::new(),
        };
        let key = DataKey::generate()?;
        file.rewrap(&[(key.clone(), now_ms)], master)?;
        Ok((file, key))
    }

    /// Reads a key file; `None` where there is none.
    ///
    /// # Errors
    /// `Damaged`, `UnknownFormat`, `Io`.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let damaged = |why: String| KeyError::Damaged {
            path: path.to_owned(),
            why,
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
            Ok(found) if found.len() > LONGEST => {
                return Err(damaged("it is too long".to_owned()));
            }
            Ok(_) => {}
        }
        let bytes = fs::read(path).map_err(io)?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let format = value
            .get("format")
            .and_then(serde_json::Value::as_u64)
            .and_then(|format| u32::try_from(format).ok())
            .ok_or_else(|| damaged("it does not say its format".to_owned()))?;
        if format != FORMAT {
            return Err(KeyError::UnknownFormat {
                path: path.to_owned(),
                format,
            });
        }
        let file: Self =
            serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if file.keys.is_empty() {
            return Err(damaged("there is no key in it".to_owned()));
        }
        Ok(Some(file))
    }

    /// Writes it, durable and at once: the file is the old one or the new one, whatever is killed.
    ///
    /// # Errors
    /// `Io`.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let write = || {
            let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
            text.push('\n');
            let partial = path.with_extension("partial");
            match fs::remove_file(&partial) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&partial, path)?;
            match path.parent() {
                Some(folder) => fs::File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        write().map_err(|source: io::Error| KeyError::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// Whose keys they are.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Whether it is opened by a passphrase, not by a key.
    #[must_use]
    pub const fn wants_passphrase(&self) -> bool {
        matches!(self.master, Derivation::Passphrase { .. })
    }

    /// The names of the keys and when each was made, in milliseconds since 1970 UTC; the one that seals first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = (&str, i64)> {
        self.keys.iter().map(|key| (&*key.id, key.made_at_ms))
    }

    /// The data keys, the one that seals first.
    ///
    /// # Errors
    /// `OtherKind`, `WrongMaster`.
    pub fn unlock(&self, master: &MasterKey) -> Result<Vec<DataKey>, KeyError> {
        let opened = self.open(master)?;
        Ok(opened.into_iter().map(|(key, _)| key).collect())
    }

    /// Adds a key that seals from now on; those before it stay, for what they sealed.
    ///
    /// # Errors
    /// As for [`unlock`](Self::unlock); when the system gives no random bytes.
    pub fn rotate(&mut self, master: &MasterKey, now_ms: i64) -> Result<DataKey, KeyError> {
        let mut keys = self.open(master)?;
        let key = DataKey::generate().map_err(no_system)?;
        keys.insert(0, (key.clone(), now_ms));
        self.rewrap(&keys, master).map_err(no_system)?;
        Ok(key)
    }

    /// Wraps all keys anew, so that another master key opens them, and the old one none.
    ///
    /// # Errors
    /// As for [`unlock`](Self::unlock); when the system gives no random bytes.
    pub fn change_master(&mut self, old: &MasterKey, new: &MasterKey) -> Result<(), KeyError> {
        let keys = self.open(old)?;
        self.master = new.new_derivation().map_err(no_system)?;
        self.rewrap(&keys, new).map_err(no_system)
    }

    fn open(&self, master: &MasterKey) -> Result<Vec<(DataKey, i64)>, KeyError> {
        let given = match master {
            MasterKey::Key(_) => A_KEY,
            MasterKey::Passphrase(_) => A_PASSPHRASE,
        };
        let wanted = self.master.wanted();
        if wanted != given {
            return Err(KeyError::OtherKind { wanted, given });
        }
        let wrapping = self.master.derive(master).ok_or(KeyError::WrongMaster)?;
        let keys = self.keys.iter().map(|key| {
            let opened = self.open_one(&wrapping, key);
            opened
                .map(|opened| (opened, key.made_at_ms))
                .ok_or(KeyError::WrongMaster)
        });
        keys.collect()
    }

    fn open_one(&self, wrapping: &LessSafeKey, key: &WrappedKey) -> Option<DataKey> {
        let id: KeyId = key.id.parse().ok()?;
        let mut wrapped = Zeroizing::new(hex::decode(&key.wrapped).ok()?);
        let (nonce, sealed) = wrapped.split_at_mut_checked(12)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = wrapping
            .open_in_place(nonce, Aad::from(self.bound(id)), sealed)
            .ok()?;
        let bytes: [u8; 32] = (&*opened).try_into().ok()?;
        Some(DataKey::from_parts(id, Zeroizing::new(bytes)))
    }

    fn rewrap(&mut self, keys: &[(DataKey, i64)], master: &MasterKey) -> io::Result<()> {
        let wrapping = self.master.derive(master);
        let wrapping = wrapping.ok_or_else(|| io::Error::other("no key could be derived"))?;
        let wrap = |(key, made_at_ms): &(DataKey, i64)| {
            let mut nonce = [0; 12];
            aws_lc_rs::rand::fill(&mut nonce).map_err(no_luck)?;
            let mut sealed = Zeroizing::new(key.as_bytes().to_vec());
            let bound = Aad::from(self.bound(key.id()));
            let tag = wrapping
                .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound, &mut sealed)
                .map_err(no_luck)?;
            let wrapped = [&nonce[..], &sealed, tag.as_ref()].concat();
            Ok(WrappedKey {
                id: key.id().to_string(),
                made_at_ms: *made_at_ms,
                wrapped: hex::encode(wrapped),
            })
        };
        let wrapped: io::Result<Vec<_>> = keys.iter().map(wrap).collect();
        self.keys = wrapped?;
        Ok(())
    }

    /// What a wrapped key is bound to: whose it is and which.
    fn bound(&self, id: KeyId) -> Vec<u8> {
        [id.as_bytes(), self.family.as_bytes()].concat()
    }
}

fn no_system(source: io::Error) -> KeyError {
    KeyError::Io {
        path: "the system's random numbers".into(),
        source,
    }
}
