//! What is not for everybody, sealed in the format of [age](https://age-encryption.org/v1), so that any program that
//! knows it opens it with the key alone.
//!
//! A file is sealed for one X25519 recipient. Where age draws random numbers, this computes them: the key of the file,
//! the ephemeral secret and the nonce come by HKDF-SHA256 from the secret key and the BLAKE3 of the plain bytes. The same
//! original under the same key is therefore the same bytes, and has the same name, whenever it is sealed; two that
//! differ have nothing in common. So nothing sealed has to be kept to know what it is called, and what was interrupted
//! goes on. Whoever has no key sees lengths, and where the same original was published twice under one key.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
};

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    agreement::{PrivateKey, UnparsedPublicKey, X25519, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use bech32::{Bech32, Hrp};
use heirloom_core::ContentHash;
use zeroize::Zeroizing;

use super::SealError;

const VERSION: &str = "age-encryption.org/v1";
const SECRET_PREFIX: &str = "age-secret-key-";
const RECIPIENT_PREFIX: &str = "age";
const STANZA: &str = "X25519";
const WRAPPING: &[u8] = b"age-encryption.org/v1/X25519";
/// What the numbers are for that age would draw; it is part of how they are computed.
const PURPOSE: &[u8] = b"published file 1";
const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const SEGMENT_BYTES: usize = 64 * 1024;
/// A header has a few lines of at most 64 letters.
const LINE_BYTES: u64 = 1024;
const LINES: usize = 200;

/// What opens the publication of one collection: an identity of age.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicationKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for PublicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicationKey(…)")
    }
}

impl PublicationKey {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(no_luck)?;
        Ok(Self(bytes))
    }

    /// The key in a text: a line that begins with `AGE-SECRET-KEY-1`, with remarks before it as `age-keygen` writes
    /// them; `None` where there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let (prefix, bytes) = bech32::decode(line).ok()?;
        let bytes = Zeroizing::new(bytes);
        (prefix.to_lowercase() == SECRET_PREFIX).then_some(())?;
        let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// The key as it is written down: `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let encoded = Hrp::parse(SECRET_PREFIX)
            .ok()
            .and_then(|prefix| bech32::encode_upper::<Bech32>(prefix, self.0.as_slice()).ok());
        Zeroizing::new(encoded.unwrap_or_default())
    }

    /// Whom it opens for: `age1…`, which is no secret.
    ///
    /// # Errors
    /// When the system's cryptography fails.
    pub fn recipient(&self) -> io::Result<String> {
        let public = self.public().map_err(no_luck)?;
        let prefix = Hrp::parse(RECIPIENT_PREFIX).map_err(io::Error::other)?;
        bech32::encode::<Bech32>(prefix, &public).map_err(io::Error::other)
    }

    fn secret(&self) -> Result<PrivateKey, Unspecified> {
        PrivateKey::from_private_key(&X25519, self.0.as_slice()).map_err(|_| Unspecified)
    }

    fn public(&self) -> Result<[u8; 32], Unspecified> {
        public_of(&self.secret()?)
    }

    /// The name of something by its bytes that says nothing of them: 32 hexadecimal digits.
    #[must_use]
    pub fn name_of(&self, hash: ContentHash) -> String {
        let mut name = [0; 16];
        // A length that HKDF gives for certain.
        let _ = derive(
            hash.as_bytes(),
            self.0.as_slice(),
            b"name of a published file 1",
            &mut name,
        );
        hex::encode(name)
    }
}

/// The sealed form of bytes, as it is read.
pub struct Sealed<R> {
    plain: R,
    key: LessSafeKey,
    /// What is sealed and not read yet, from `at` on.
    ready: Vec<u8>,
    at: usize,
    /// Plain bytes of the segment to come.
    held: Vec<u8>,
    segments: u64,
    is_done: bool,
}

impl<R> fmt::Debug for Sealed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}

impl<R: Read> Sealed<R> {
    /// Seals what `plain` gives, whose BLAKE3 is `hash`. If it gives other bytes, what comes out is worth nothing:
    /// whoever reads it to the end compares.
    ///
    /// # Errors
    /// When the system's cryptography fails.
    pub fn new(key: &PublicationKey, hash: ContentHash, plain: R) -> io::Result<Self> {
        let mut drawn = Zeroizing::new([0; FILE_KEY_BYTES + 32 + NONCE_BYTES]);
        derive(
            hash.as_bytes(),
            key.0.as_slice(),
            PURPOSE,
            drawn.as_mut_slice(),
        )
        .map_err(no_luck)?;
        let (file_key, rest) = drawn.split_at(FILE_KEY_BYTES);
        let (ephemeral, nonce) = rest.split_at(32);
        let mut ready = header(&key.public().map_err(no_luck)?, file_key, ephemeral)
            .map_err(no_luck)?
            .into_bytes();
        ready.extend_from_slice(nonce);
        Ok(Self {
            plain,
            key: payload_key(file_key, nonce).map_err(no_luck)?,
            ready,
            at: 0,
            held: Vec::with_capacity(SEGMENT_BYTES + 1),
            segments: 0,
            is_done: false,
        })
    }

    /// The reader that gives the plain bytes.
    pub fn into_inner(self) -> R {
        self.plain
    }

    /// Seals the next segment. One byte more than it has is read, to know whether it is the last.
    fn fill(&mut self) -> io::Result<()> {
        let wanted = SEGMENT_BYTES + 1 - self.held.len();
        (&mut self.plain)
            .take(wanted as u64)
            .read_to_end(&mut self.held)?;
        let is_last = self.held.len() <= SEGMENT_BYTES;
        let rest = match is_last {
            true => Vec::new(),
            false => self.held.split_off(SEGMENT_BYTES),
        };
        self.ready = std::mem::replace(&mut self.held, rest);
        self.at = 0;
        self.key
            .seal_in_place_append_tag(
                segment_nonce(self.segments, is_last),
                Aad::empty(),
                &mut self.ready,
            )
            .map_err(no_luck)?;
        self.segments += 1;
        self.is_done = is_last;
        Ok(())
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() && !self.is_done {
            self.fill()?;
        }
        let ready = &self.ready[self.at..];
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.at += length;
        Ok(length)
    }
}

/// Opens something sealed, by this program or by another that knows the format; gives how long it is. What was written
/// before an error is sound and not all.
///
/// # Errors
/// [`SealError`].
pub fn open_sealed(
    key: &PublicationKey,
    sealed: impl Read,
    plain: &mut dyn Write,
) -> Result<u64, SealError> {
    let mut sealed = BufReader::with_capacity(SEGMENT_BYTES, sealed);
    let file_key = open_header(key, &mut sealed)?;
    let mut nonce = [0; NONCE_BYTES];
    sealed
        .read_exact(&mut nonce)
        .map_err(|error| cut_off(error, 0))?;
    let payload = payload_key(file_key.as_slice(), &nonce).map_err(no_luck)?;
    let (mut written, mut segments) = (0, 0);
    let mut held = Vec::new();
    loop {
        let wanted = SEGMENT_BYTES + TAG_BYTES + 1 - held.len();
        (&mut sealed).take(wanted as u64).read_to_end(&mut held)?;
        let is_last = held.len() <= SEGMENT_BYTES + TAG_BYTES;
        let rest = match is_last {
            true => Vec::new(),
            false => held.split_off(SEGMENT_BYTES + TAG_BYTES),
        };
        let damaged = SealError::Damaged {
            after_bytes: written,
        };
        let nonce = segment_nonce(segments, is_last);
        let Ok(opened) = payload.open_in_place(nonce, Aad::empty(), &mut held) else {
            return Err(damaged);
        };
        // A last segment without anything in it is none, unless there is nothing at all.
        if opened.is_empty() && segments > 0 {
            return Err(damaged);
        }
        plain.write_all(opened)?;
        written += opened.len() as u64;
        if is_last {
            return Ok(written);
        }
        segments += 1;
        held = rest;
    }
}

/// The header of a file for one recipient.
fn header(public: &[u8; 32], file_key: &[u8], ephemeral: &[u8]) -> Result<String, Unspecified> {
    let ephemeral = PrivateKey::from_private_key(&X25519, ephemeral).map_err(|_| Unspecified)?;
    let share = public_of(&ephemeral)?;
    let wrapping = wrapping_key(&ephemeral, public, &share, public)?;
    let mut body = file_key.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    wrapping.seal_in_place_append_tag(nonce, Aad::empty(), &mut body)?;
    let header = format!(
        "{VERSION}\n-> {STANZA} {}\n{}\n---",
        STANDARD_NO_PAD.encode(share),
        STANDARD_NO_PAD.encode(body)
    );
    let tag = hmac::sign(&header_key(file_key)?, header.as_bytes());
    Ok(format!("{header} {}\n", STANDARD_NO_PAD.encode(tag)))
}

/// Reads a header, and opens the key of the file with it.
fn open_header(
    key: &PublicationKey,
    sealed: &mut impl BufRead,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut header = String::new();
    let mut file_key = None;
    let mut share: Option<String> = None;
    for number in 0..LINES {
        let mut line = Vec::new();
        sealed.take(LINE_BYTES).read_until(b'\n', &mut line)?;
        let line = String::from_utf8(line).map_err(|_| SealError::NotSealed)?;
        let text = line.strip_suffix('\n').ok_or(SealError::NotSealed)?;
        if number == 0 && text != VERSION {
            return Err(SealError::NotSealed);
        }
        if let Some(tag) = text.strip_prefix("--- ") {
            let file_key: Zeroizing<Vec<u8>> = file_key.ok_or(SealError::WrongKey)?;
            header.push_str("---");
            let tag = STANDARD_NO_PAD
                .decode(tag)
                .map_err(|_| SealError::NotSealed)?;
            let header_key = header_key(&file_key).map_err(no_luck)?;
            return match hmac::verify(&header_key, header.as_bytes(), &tag) {
                Ok(()) => Ok(file_key),
                Err(_) => Err(SealError::NotSealed),
            };
        }
        match (text.strip_prefix("-> "), share.take()) {
            (Some(stanza), _) => {
                share = stanza.strip_prefix(STANZA).map(|it| it.trim().to_owned());
            }
            (None, Some(share)) => {
                file_key = file_key.or_else(|| unwrap_key(key, &share, text));
            }
            // Parts for recipients of another kind.
            (None, None) => {}
        }
        header.push_str(&line);
    }
    Err(SealError::NotSealed)
}

fn unwrap_key(key: &PublicationKey, share: &str, body: &str) -> Option<Zeroizing<Vec<u8>>> {
    let share: [u8; 32] = STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
    let mut body = Zeroizing::new(STANDARD_NO_PAD.decode(body).ok()?);
    (body.len() == FILE_KEY_BYTES + TAG_BYTES).then_some(())?;
    let wrapping = wrapping_key(&key.secret().ok()?, &share, &share, &key.public().ok()?).ok()?;
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let opened = wrapping
        .open_in_place(nonce, Aad::empty(), &mut body)
        .ok()?;
    Some(Zeroizing::new(opened.to_vec()))
}

fn wrapping_key(
    own: &PrivateKey,
    other: &[u8; 32],
    share: &[u8; 32],
    recipient: &[u8; 32],
) -> Result<LessSafeKey, Unspecified> {
    let other = UnparsedPublicKey::new(&X25519, other);
    let salt = [share.as_slice(), recipient.as_slice()].concat();
    agree(own, other, Unspecified, |shared| {
        let mut key = Zeroizing::new([0; 32]);
        derive(&salt, shared, WRAPPING, key.as_mut_slice())?;
        aead(key.as_slice())
    })
}

fn header_key(file_key: &[u8]) -> Result<hmac::Key, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    derive(&[], file_key, b"header", key.as_mut_slice())?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

fn payload_key(file_key: &[u8], nonce: &[u8]) -> Result<LessSafeKey, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    derive(nonce, file_key, b"payload", key.as_mut_slice())?;
    aead(key.as_slice())
}

fn aead(key: &[u8]) -> Result<LessSafeKey, Unspecified> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key)?))
}

/// The number of the segment in eleven bytes, the highest first, and whether it is the last.
fn segment_nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = is_last.into();
    Nonce::assume_unique_for_key(nonce)
}

fn public_of(secret: &PrivateKey) -> Result<[u8; 32], Unspecified> {
    let public = secret.compute_public_key()?;
    public.as_ref().try_into().map_err(|_| Unspecified)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA256.
fn derive(salt: &[u8], secret: &[u8], purpose: &[u8], out: &mut [u8]) -> Result<(), Unspecified> {
    let made = Salt::new(HKDF_SHA256, salt).extract(secret);
    made.expand(&[purpose], Length(out.len()))?.fill(out)
}

fn cut_off(error: io::Error, after_bytes: u64) -> SealError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SealError::Damaged { after_bytes },
        _ => SealError::Io(error),
    }
}

fn no_luck(_: Unspecified) -> io::Error {
    io::Error::other("the system's cryptography failed")
}
