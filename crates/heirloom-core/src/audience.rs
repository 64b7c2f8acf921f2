//! Who may see something.

use serde::{Deserialize, Serialize};

use crate::AudienceId;

/// The two kinds of audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudienceKind {
    /// Everybody in the family, whoever joins later included.
    Family,
    /// Members who are named.
    Members,
}

impl AudienceKind {
    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Members => "members",
        }
    }
}

/// Which audiences somebody belongs to, and so what they may see.
///
/// Every listing, search and count takes one. It is part of the query and never a filter over its
/// results, so what is hidden cannot show in a count or an empty page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Whatever there is: the operator's.
    Everything,
    /// What is meant for one of these audiences. An empty list sees nothing.
    Audiences(Vec<AudienceId>),
}

impl Sight {
    /// Sees nothing at all.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Audiences(Vec::new())
    }

    /// Whether something meant for `audience` may be shown.
    #[must_use]
    pub fn includes(&self, audience: AudienceId) -> bool {
        match self {
            Self::Everything => true,
            Self::Audiences(audiences) => audiences.contains(&audience),
        }
    }
}
