//! Statements about subjects, and what follows from several of them.
//!
//! A claim is never overwritten. What is believed at a moment is computed from all claims by
//! [`resolve`]: people's words outrank machines', the newest of equals wins, a negation takes away
//! what it denies, and whatever was undone does not count.

mod anchor;
mod kind;
mod resolve;

pub use anchor::{Anchored, anchored};
pub use kind::{Cardinality, ClaimKind, ClaimValue, InvalidClaimValue, ValueType};
pub(crate) use resolve::weigh;
pub use resolve::{Resolution, believed_texts, resolve};

use serde::{Deserialize, Serialize};

use crate::{AccountId, ArtifactId, ClaimId, Subject};

/// Who makes a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "id")]
pub enum Author {
    /// Whoever runs the machine.
    Operator,
    /// Somebody who was signed in.
    Account(AccountId),
    /// A tool, through the artifact that it made.
    Artifact(ArtifactId),
}

impl Author {
    /// Whether this is somebody's word and not a machine's.
    #[must_use]
    pub const fn is_person(self) -> bool {
        !matches!(self, Self::Artifact(_))
    }
}

/// One statement about a subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Its own id.
    pub id: ClaimId,
    /// What it is about.
    pub subject: Subject,
    /// What it says something of, with the statement.
    #[serde(flatten)]
    pub statement: Statement,
    /// Whether it denies the statement.
    pub is_negation: bool,
    /// Who says so.
    pub author: Author,
    /// Where the author has it from: `exif:DateTimeOriginal`, `name:IMG_20170203`, or empty.
    pub source: String,
    /// How sure the author is, 0 to 1. A person is sure unless they say otherwise.
    pub confidence: f32,
    /// When it was made, in milliseconds since 1970 (UTC).
    pub made_at_ms: i64,
    /// When it was taken back, if it was.
    pub undone_at_ms: Option<i64>,
}

impl Claim {
    /// The text that it states; `None` of another value.
    #[must_use]
    pub const fn text(&self) -> Option<&str> {
        match &self.statement.value {
            ClaimValue::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

/// What is stated: a kind with a value that fits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawStatement", into = "RawStatement")]
pub struct Statement {
    kind: ClaimKind,
    value: ClaimValue,
}

impl Statement {
    /// A statement, if the value is of the type that the kind asks for and within its bounds.
    ///
    /// # Errors
    /// [`InvalidClaimValue`] says what was expected.
    pub fn new(kind: ClaimKind, value: ClaimValue) -> Result<Self, InvalidClaimValue> {
        kind.check(&value)?;
        Ok(Self { kind, value })
    }

    /// Reads a statement from the JSON form of its value, as [`ClaimValue::to_json`] writes it.
    ///
    /// # Errors
    /// [`InvalidClaimValue`] says what was expected.
    pub fn from_json(
        kind: ClaimKind,
        value: &serde_json::Value,
    ) -> Result<Self, InvalidClaimValue> {
        Self::new(kind, kind.read(value)?)
    }

    /// What it says something of.
    #[must_use]
    pub const fn kind(&self) -> ClaimKind {
        self.kind
    }

    /// What it says.
    #[must_use]
    pub const fn value(&self) -> &ClaimValue {
        &self.value
    }
}

#[derive(Serialize, Deserialize)]
struct RawStatement {
    kind: ClaimKind,
    value: serde_json::Value,
}

impl TryFrom<RawStatement> for Statement {
    type Error = InvalidClaimValue;

    fn try_from(raw: RawStatement) -> Result<Self, InvalidClaimValue> {
        Self::from_json(raw.kind, &raw.value)
    }
}

impl From<Statement> for RawStatement {
    fn from(statement: Statement) -> Self {
        Self {
            kind: statement.kind,
            value: statement.value.to_json(),
        }
    }
}
