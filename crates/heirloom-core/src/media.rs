//! What kind of thing an original is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The kind of an original, from its bytes and never from its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A still or animated picture, camera RAW included.
    Image,
    /// A film.
    Video,
    /// A recording.
    Audio,
    /// Text, pages, office files.
    Document,
    /// Kept and shown, but nothing is derived from it.
    Other,
}

impl MediaKind {
    /// Every kind, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Other,
    ];

    /// The word used in queries, the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for MediaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no media kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a type: use image, video, audio, document or other")]
pub struct UnknownMediaKind(pub String);

impl FromStr for MediaKind {
    type Err = UnknownMediaKind;

    fn from_str(text: &str) -> Result<Self, UnknownMediaKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownMediaKind(text.to_owned()))
    }
}
