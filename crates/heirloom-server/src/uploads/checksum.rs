//! The checksum that comes with a part of an upload.

use sha1::Digest as _;

/// What the bytes of a part have to hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
    Blake3,
}

/// The bytes of a part, as far as they have come.
pub(super) enum Summing {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl Checksum {
    /// What can be asked for. The first is the one that every server of tus knows.
    pub(crate) const ALGORITHMS: [&str; 3] = ["sha1", "sha256", "blake3"];

    /// `None` for an algorithm that is not known, and for a digest that cannot be one of its.
    pub(crate) fn new(algorithm: &str, digest: Vec<u8>) -> Option<Self> {
        let (algorithm, length) = match algorithm {
            "sha1" => (Algorithm::Sha1, 20),
            "sha256" => (Algorithm::Sha256, 32),
            "blake3" => (Algorithm::Blake3, 32),
            _ => return None,
        };
        (digest.len() == length).then_some(Self { algorithm, digest })
    }

    /// Begins to sum up.
    pub(super) fn begin(&self) -> Summing {
        match self.algorithm {
            Algorithm::Sha1 => Summing::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Summing::Sha256(sha2::Sha256::new()),
            Algorithm::Blake3 => Summing::Blake3(Box::default()),
        }
    }

    /// Whether these are the bytes.
    pub(super) fn is_of(&self, sum: Summing) -> bool {
        match sum {
            Summing::Sha1(sum) => sum.finalize()[..] == self.digest[..],
            Summing::Sha256(sum) => sum.finalize()[..] == self.digest[..],
            Summing::Blake3(sum) => sum.finalize().as_bytes()[..] == self.digest[..],
        }
    }
}

impl Summing {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
            Self::Blake3(sum) => {
                sum.update(bytes);
            }
        }
    }
}
