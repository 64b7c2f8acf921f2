//! Why there is no picture.

use heirloom_core::unit::FailureCode;

/// Why nothing of a picture can be shown, in words for the family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Pictures of this type are kept and not drawn.
    #[error("Files of this type ({name}) are kept as they are, and no picture is made of them.")]
    NotDrawn {
        /// The type's name.
        name: &'static str,
    },
    /// The picture has more pixels than may be opened.
    #[error(
        "The picture says that it is {width} × {height} pixels large. More than {} million pixels are not opened.",
        pixels / 1_000_000
    )]
    TooLarge {
        /// Stated width in pixels.
        width: u32,
        /// Stated height in pixels.
        height: u32,
        /// The most pixels that are opened.
        pixels: u64,
    },
    /// What would be shown of it takes more bytes than may be written.
    #[error("What would be shown of the picture takes up too much space.")]
    TooMuchOutput,
    /// It is broken.
    #[error("The picture is damaged so badly that nothing of it can be shown.")]
    Damaged {
        /// What its decoder said, for logs.
        detail: String,
    },
    /// The way in which it is stored is not known.
    #[error("The picture is stored in a way that cannot be shown yet.")]
    Unsupported {
        /// What its decoder said, for logs.
        detail: String,
    },
    /// A RAW without a ready picture in it.
    #[error("There is no ready picture in the camera's RAW file.")]
    NoPreview,
    /// It has not so many pages.
    #[error("The file has no such page.")]
    NoSuchPage,
}

impl PictureError {
    /// The same as a word.
    #[must_use]
    pub const fn code(&self) -> FailureCode {
        match self {
            Self::TooLarge { .. } | Self::TooMuchOutput => FailureCode::TooLarge,
            Self::Damaged { .. } => FailureCode::Damaged,
            Self::NotDrawn { .. } | Self::Unsupported { .. } => FailureCode::Unsupported,
            Self::NoPreview | Self::NoSuchPage => FailureCode::Empty,
        }
    }

    /// What the decoder said, for logs; empty where none was asked.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Damaged { detail } | Self::Unsupported { detail } => detail,
            _ => "",
        }
    }

    /// Damage, with what the decoder said.
    pub(crate) fn damaged(detail: impl std::fmt::Display) -> Self {
        Self::Damaged {
            detail: detail.to_string(),
        }
    }

    /// Something unknown, with what the decoder said.
    pub(super) fn unsupported(detail: impl std::fmt::Display) -> Self {
        Self::Unsupported {
            detail: detail.to_string(),
        }
    }
}
