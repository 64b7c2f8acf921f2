//! Pictures that there are several of: copies of one, and what was taken in quick succession.
//!
//! What a picture shows is compared by its [`Miniature`]. Which could be alike at all is told by fingerprints of it
//! ([`prints`](Miniature::prints)), so that no picture is compared with all others. [`gather`] puts into one group what
//! hangs together, and never two that people say are not the same; [`choose`] says which one to keep, and why.

mod choose;
mod group;
mod index;
mod miniature;

pub use choose::{Contender, Reason, choose};
pub use group::{Group, Pair, gather};
pub use index::{Candidate, Index};
pub use miniature::{Miniature, PRINTS, Part, Prints, likeness};

use serde::{Deserialize, Serialize};

use crate::ContentHash;

/// From this likeness on two pictures show the same. How it was measured is in decision 0028.
pub const SAME_PICTURE: f32 = 0.985;

/// From this likeness on two pictures that one camera took within [`BURST_S`] are of one moment.
pub const SAME_MOMENT: f32 = 0.7;

/// So many seconds lie between two pictures of a burst, at most.
pub const BURST_S: i64 = 2;

/// Why several pictures are in one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// The very same bytes, at several places: one original.
    Copies,
    /// Other bytes with the very same picture in them.
    Exact,
    /// They show the same: made smaller, packed anew, turned, cropped, brightened.
    Near,
    /// They were taken in quick succession.
    Burst,
}

impl Likeness {
    /// Every one of them.
    pub const ALL: [Self; 4] = [Self::Copies, Self::Exact, Self::Near, Self::Burst];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copies => "copies",
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Burst => "burst",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// How good a picture is, as far as it can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// How strong edges are where they are strongest, for how much light and dark there is: of two pictures of one thing,
    /// the greater is the sharper.
    pub sharpness: f32,
    /// How much of it is nothing but white or black, as a share.
    pub clipped: f32,
}

/// What a picture is told from others by, and how good it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Traits {
    /// What it shows; none of a picture that is too small or too plain to be told from others.
    pub miniature: Option<Miniature>,
    /// What two files have in common only if the very same picture is in them; none where that is not certain.
    pub exact_hash: Option<ContentHash>,
    /// How good it is, unless it is too small to say.
    pub quality: Option<Quality>,
}
