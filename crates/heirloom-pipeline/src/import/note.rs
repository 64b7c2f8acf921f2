//! What is to be known of an import, although nothing is wrong with it.

use serde::{Deserialize, Serialize};

/// Something to be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportNote {
    /// What it is about: a path, or the name of an album.
    pub name: String,
    /// What there is to know.
    pub code: NoteCode,
    /// The album that this says something of beside the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// The same as a sentence.
    pub what: String,
}

/// What there is to know, as a word that programs tell apart and that people are told in their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// A page that the other program made of what it hands out.
    Page,
    /// What Apple's Photos puts together by itself.
    Memory,
    /// An archive within an archive.
    ArchiveWithin,
    /// What Google hands out of something else than its photos.
    OtherProduct,
    /// A description of no picture and no album.
    DescribesNothing,
    /// A description of what is not there.
    DescribedAbsent,
    /// A table describes it, and it is not there.
    TabledAbsent,
    /// Neither an album nor a table.
    UnreadableAlbum,
    /// An album has it, and it is not there.
    MemberAbsent,
    /// An album has one of several of its name.
    MemberAmbiguous,
    /// Nothing describes it, where the other program describes each.
    Undescribed,
    /// It was removed here for good before.
    Purged,
    /// Nothing can be put into the album that it belongs to.
    AlbumClosed,
    /// A folder that no scan would go into either.
    PassedOver,
    /// What only the other program's database knows, and no dump of it is here.
    NoDatabase,
}

impl NoteCode {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::Page,
        Self::Memory,
        Self::ArchiveWithin,
        Self::OtherProduct,
        Self::DescribesNothing,
        Self::DescribedAbsent,
        Self::TabledAbsent,
        Self::UnreadableAlbum,
        Self::MemberAbsent,
        Self::MemberAmbiguous,
        Self::Undescribed,
        Self::Purged,
        Self::AlbumClosed,
        Self::PassedOver,
        Self::NoDatabase,
    ];

    /// The word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Memory => "memory",
            Self::ArchiveWithin => "archive_within",
            Self::OtherProduct => "other_product",
            Self::DescribesNothing => "describes_nothing",
            Self::DescribedAbsent => "described_absent",
            Self::TabledAbsent => "tabled_absent",
            Self::UnreadableAlbum => "unreadable_album",
            Self::MemberAbsent => "member_absent",
            Self::MemberAmbiguous => "member_ambiguous",
            Self::Undescribed => "undescribed",
            Self::Purged => "purged",
            Self::AlbumClosed => "album_closed",
            Self::PassedOver => "passed_over",
            Self::NoDatabase => "no_database",
        }
    }

    /// The sentence; of what an album has, with its title.
    fn sentence(self, album: &str) -> String {
        match self {
            Self::Page => "left out: a page of the Takeout itself",
            Self::Memory => "left out: a memory, which Photos puts together by itself",
            Self::ArchiveWithin => {
                "left out: an archive within the archive: unpack it, and import it too"
            }
            Self::OtherProduct => "left out: of another product than Google Photos",
            Self::DescribesNothing => "left out: it describes no picture and no album",
            Self::DescribedAbsent => "what it describes is not here",
            Self::TabledAbsent => "a table describes it, and it is not here",
            Self::UnreadableAlbum => "it cannot be read as an album or a table",
            Self::MemberAbsent => {
                return format!("it is in the album {album:?}, and it is not here");
            }
            Self::MemberAmbiguous => {
                return format!(
                    "several are called so, and which is in the album {album:?} is not said"
                );
            }
            Self::Undescribed => "nothing describes it",
            Self::Purged => "it was removed here for good before, and stays away",
            Self::AlbumClosed => {
                "what is new was not put into this album: it stays as it is, or was deleted"
            }
            Self::PassedOver => {
                "left out with all that is in it: a trash, or made by a system or another program for itself"
            }
            Self::NoDatabase => {
                "there is no dump of Immich's database (immich-db-backup-….sql.gz): albums, people, favourites, \
                 archive, trash and the names of uploads are only in it"
            }
        }
        .to_owned()
    }
}

impl ImportNote {
    pub(super) fn new(code: NoteCode, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            code,
            album: None,
            what: code.sentence(""),
        }
    }

    pub(super) fn of_album(code: NoteCode, name: impl Into<String>, album: &str) -> Self {
        Self {
            album: Some(album.to_owned()),
            what: code.sentence(album),
            ..Self::new(code, name)
        }
    }
}
