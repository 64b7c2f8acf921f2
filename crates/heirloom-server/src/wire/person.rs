//! Whose faces are in pictures, and what people say of them.

use std::collections::HashSet;

use heirloom_core::{
    AssetId, ClaimBatchId, FaceId,
    face::{self, Aside},
};
use heirloom_db::person::{self, Of, SaidKind, Saying};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema;
use crate::problem::{Code, Problem};

/// How long a name may be.
const NAME_CHARS: usize = 200;

/// Somebody whose faces are in pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The group that their faces are in; of several the first.
    #[schema(schema_with = schema::id)]
    pub group: FaceId,
    /// Who people say it is; null where nobody has.
    pub name: Option<String>,
    /// How many faces they have.
    pub face_count: u64,
    /// In how many pictures and films.
    pub asset_count: u64,
    /// How many of the faces are theirs only as far as a machine can tell.
    pub asked_count: u64,
    /// The face that is seen best.
    pub best: Portrait,
}

/// A face, with whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Portrait {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: FaceId,
    /// The picture or film that it is in.
    #[schema(schema_with = schema::id)]
    pub asset_id: AssetId,
    /// Its left, top, width and height as shares of the picture as it is shown.
    pub area: Vec<f64>,
    /// When it is seen best in a film, in milliseconds; null in a picture.
    pub at_ms: Option<u64>,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// Whose it is.
    pub whose: Whose,
}

/// Whose a face is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Whose {
    /// The group that it is in.
    #[schema(schema_with = schema::id)]
    pub group: FaceId,
    /// Who it shows.
    pub name: Option<String>,
    /// Why it is left out: `stranger` or `no_face`; null where it is not.
    pub aside: Option<String>,
    /// Whether people say so of this face. Else they say it of others that a machine takes for the same person's.
    pub is_said: bool,
}

/// What is said of faces, on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSaying {
    /// Of which faces.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub faces: Vec<FaceId>,
    /// Of all faces of these groups, instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub of: Vec<FaceId>,
    /// What is said of them.
    pub what: What,
    /// The name that is said or denied: 1 to 200 characters on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The group that they are said to be like, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub group: Option<FaceId>,
}

/// What can be said of faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// They show somebody of that `name`.
    Name,
    /// They do not.
    NotName,
    /// They are the same person's as the faces of `group`.
    Same,
    /// They are not.
    NotSame,
    /// They are somebody else's than the other faces of their group; said of some, never listed.
    Apart,
    /// They show somebody whom nobody knows, and are left out.
    Stranger,
    /// They are no faces, and are left out.
    NoFace,
    /// They are not left out any more.
    Back,
}

/// Something that was said of faces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Said {
    /// By which it is taken back: the claims that were made at once.
    #[schema(schema_with = schema::id)]
    pub id: ClaimBatchId,
    /// What was said.
    pub what: What,
    /// The name that was said or denied.
    pub name: Option<String>,
    /// Of how many faces.
    pub face_count: u64,
    /// When.
    pub made_at_ms: i64,
    /// Whether it was taken back.
    pub is_undone: bool,
}

/// What came of forgetting all faces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacesReset {
    /// In so many pictures faces are to be looked for anew.
    pub asset_count: u64,
}

impl Person {
    pub(crate) fn of(seen: &person::Seen) -> Option<Self> {
        let assets: HashSet<AssetId> = seen.faces.iter().map(|face| face.asset).collect();
        let asked = seen.faces.iter().filter(|face| !face.whose.is_said);
        let asked = asked.filter(|_| seen.name.is_some());
        Some(Self {
            group: seen.group,
            name: seen.name.clone(),
            face_count: seen.faces.len() as u64,
            asset_count: assets.len() as u64,
            asked_count: asked.count() as u64,
            best: Portrait::from(seen.faces.first()?),
        })
    }
}

impl From<&person::Portrait> for Portrait {
    fn from(face: &person::Portrait) -> Self {
        Self {
            id: face.id,
            asset_id: face.asset,
            area: face.glimpse.area.shares().into(),
            at_ms: face.glimpse.at_ms,
            quality: face.quality,
            whose: Whose::from(&face.whose),
        }
    }
}

impl From<&face::Whose> for Whose {
    fn from(whose: &face::Whose) -> Self {
        Self {
            group: whose.group,
            name: whose.name.clone(),
            aside: whose.aside.map(|aside| aside.as_str().to_owned()),
            is_said: whose.is_said,
        }
    }
}

impl From<person::Said> for Said {
    fn from(said: person::Said) -> Self {
        Self {
            id: said.id,
            what: match said.what {
                SaidKind::Name => What::Name,
                SaidKind::NotName => What::NotName,
                SaidKind::Same => What::Same,
                SaidKind::NotSame => What::NotSame,
                SaidKind::Stranger => What::Stranger,
                SaidKind::NoFace => What::NoFace,
                SaidKind::Back => What::Back,
            },
            name: said.name,
            face_count: said.count as u64,
            made_at_ms: said.made_at_ms,
            is_undone: said.is_undone,
        }
    }
}

impl NewSaying {
    pub(crate) fn of(&self) -> Result<Of<'_>, Problem> {
        match (self.faces.as_slice(), self.of.as_slice()) {
            (faces, []) => Ok(Of::Faces(faces)),
            ([], groups) => Ok(Of::Groups(groups)),
            _ => Err(
                Problem::new(Code::InvalidRequest, "both faces and groups are named")
                    .hint("Name either `faces` or, in `of`, groups."),
            ),
        }
    }

    pub(crate) fn saying(&self) -> Result<Saying, Problem> {
        let missing = |what: &str, hint: &str| {
            Problem::new(Code::InvalidRequest, format!("{what} is missing")).hint(hint)
        };
        let name = || {
            let name = self.name.as_deref().unwrap_or_default().trim();
            let (length, hint) = (name.chars().count(), "Say whose name it is, in `name`.");
            if length == 0 {
                return Err(missing("the name", hint));
            }
            if length > NAME_CHARS || name.contains(char::is_control) {
                let why = format!("a name is 1 to {NAME_CHARS} characters on one line");
                let hint = "What else there is to tell of somebody goes into a caption.";
                return Err(Problem::new(Code::InvalidRequest, why).hint(hint));
            }
            Ok(name.to_owned())
        };
        let group = || {
            let hint = "Name the other group in `group`.";
            let group = self.group.ok_or_else(|| missing("the group", hint))?;
            if self.of.contains(&group) {
                let why = format!("both are the group {group}");
                return Err(Problem::new(Code::InvalidRequest, why).hint("Name two groups."));
            }
            Ok(group)
        };
        Ok(match self.what {
            What::Name => Saying::Name(name()?),
            What::NotName => Saying::NotName(name()?),
            What::Same => Saying::Same(group()?),
            What::NotSame => Saying::NotSame(group()?),
            What::Apart => Saying::Apart,
            What::Stranger => Saying::Aside(Aside::Stranger),
            What::NoFace => Saying::Aside(Aside::NoFace),
            What::Back => Saying::Back,
        })
    }
}
