//! Why nothing was heard, read or seen.

use std::io;

use heirloom_core::unit::FailureCode;
use heirloom_models::ModelError;

use crate::{confinement::ConfinementError, way::ServiceError, work::Failure};

/// Why it was not found out what is in a file.
#[derive(Debug, thiserror::Error)]
pub enum UnderstandError {
    /// A model is missing or damaged; it says what to do.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No model is there for something that is needed.
    #[error("there is no model for {0}")]
    NoModel(&'static str),
    /// There is nothing of the kind in such a file, and nothing is wrong with it.
    #[error("{0}")]
    Nothing(String),
    /// The file or the models could not be worked on.
    #[error(transparent)]
    Confinement(#[from] ConfinementError),
    /// This machine could not read the file, or not keep what it works with.
    #[error("the file cannot be worked on: {0}")]
    Disk(#[from] io::Error),
    /// A service elsewhere did not do it.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl UnderstandError {
    /// Whether somebody else may be able to do it: not when the file is what is wrong, or nobody wants it any more.
    #[must_use]
    pub fn may_be_tried_elsewhere(&self) -> bool {
        match self {
            Self::Model(_) | Self::NoModel(_) => true,
            Self::Service(error) => !matches!(error, ServiceError::Cancelled),
            Self::Confinement(ConfinementError::Failed { code, .. }) => *code == FailureCode::Other,
            Self::Confinement(ConfinementError::NoSpace | ConfinementError::Cancelled)
            | Self::Nothing(_)
            | Self::Disk(_) => false,
            Self::Confinement(_) => true,
        }
    }
}

impl From<UnderstandError> for Failure {
    fn from(error: UnderstandError) -> Self {
        let said = error.to_string();
        match error {
            UnderstandError::Model(_) | UnderstandError::NoModel(_) => {
                Self::Unavailable(FailureCode::NoModel, said)
            }
            UnderstandError::Nothing(reason) => Self::NothingToDo(reason),
            UnderstandError::Confinement(error) => error.into(),
            UnderstandError::Service(ServiceError::Cancelled) => Self::Temporary(said),
            // The next run asks again: none is held up by who does not answer.
            UnderstandError::Service(_) => Self::Unavailable(FailureCode::NoService, said),
            UnderstandError::Disk(error) if error.kind() == io::ErrorKind::StorageFull => {
                Self::NoSpace(said)
            }
            UnderstandError::Disk(_) => Self::Temporary(said),
        }
    }
}
