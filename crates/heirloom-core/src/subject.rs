//! What a claim, an artifact or a unit is about.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AssetId, Glimpse, Segment, Strip};

/// The kinds of thing that something can be said about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// A whole original.
    Asset,
    /// A stretch of a recording or film.
    Segment,
    /// One page, or a strip of one.
    Page,
    /// One face in a picture or film.
    Face,
    /// A person.
    Person,
    /// A collection.
    Collection,
    /// A document.
    Document,
    /// A person's chest.
    Chest,
    /// A story.
    Story,
    /// One question or answer of an interview.
    Turn,
    /// A book.
    Book,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Asset,
        Self::Segment,
        Self::Page,
        Self::Face,
        Self::Person,
        Self::Collection,
        Self::Document,
        Self::Chest,
        Self::Story,
        Self::Turn,
        Self::Book,
    ];

    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Segment => "segment",
            Self::Page => "page",
            Self::Face => "face",
            Self::Person => "person",
            Self::Collection => "collection",
            Self::Document => "document",
            Self::Chest => "chest",
            Self::Story => "story",
            Self::Turn => "turn",
            Self::Book => "book",
        }
    }

    /// Whether it is an asset or a piece of one, whose id is that of the asset.
    #[must_use]
    pub const fn is_of_asset(self) -> bool {
        matches!(self, Self::Asset | Self::Segment | Self::Page | Self::Face)
    }

    /// The kind that this word names, if any.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that something can be said about: a kind, the id of that thing and, where it is a piece
/// of it, which piece.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// What kind of thing `id` names.
    pub kind: SubjectKind,
    /// Its id. For a segment, page or face: that of the asset or document it is a piece of.
    pub id: Uuid,
    /// Which piece, in coordinates of the medium and never of an artifact row: `12000-15500`
    /// (milliseconds), `3` (page), `3:0.1,0.2,0.5,0.2,0.5,0.25,0.1,0.25` (a strip of it by its corners), `0.12,0.3,0.2,0.25`
    /// (box as shares of width and height), `12000:0.12,0.3,0.2,0.25` (the same at a moment of a film). Empty for the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
}

impl Subject {
    /// A whole asset.
    #[must_use]
    pub fn asset(id: AssetId) -> Self {
        Self {
            kind: SubjectKind::Asset,
            id: id.uuid(),
            part: String::new(),
        }
    }

    /// A stretch of an asset that is heard.
    #[must_use]
    pub fn segment(id: AssetId, segment: Segment) -> Self {
        Self {
            kind: SubjectKind::Segment,
            id: id.uuid(),
            part: segment.to_string(),
        }
    }

    /// A face in an asset.
    #[must_use]
    pub fn face(id: AssetId, glimpse: impl Into<Glimpse>) -> Self {
        Self {
            kind: SubjectKind::Face,
            id: id.uuid(),
            part: glimpse.into().to_string(),
        }
    }

    /// Where in a picture or film it is, if it is a face.
    #[must_use]
    pub fn as_face(&self) -> Option<Glimpse> {
        let is_face = self.kind == SubjectKind::Face;
        is_face.then(|| self.part.parse().ok())?
    }

    /// A strip of a page of an asset.
    #[must_use]
    pub fn strip(id: AssetId, strip: Strip) -> Self {
        Self {
            kind: SubjectKind::Page,
            id: id.uuid(),
            part: strip.to_string(),
        }
    }

    /// Which strip of a page it is, if it is one.
    #[must_use]
    pub fn as_strip(&self) -> Option<Strip> {
        let is_page = self.kind == SubjectKind::Page;
        is_page.then(|| self.part.parse().ok())?
    }

    /// Which stretch of a recording it is, if it is one.
    #[must_use]
    pub fn as_segment(&self) -> Option<Segment> {
        let is_segment = self.kind == SubjectKind::Segment;
        is_segment.then(|| self.part.parse().ok())?
    }
}

impl From<AssetId> for Subject {
    fn from(id: AssetId) -> Self {
        Self::asset(id)
    }
}
