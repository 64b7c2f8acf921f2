//! Groups of pictures of which one is enough, and what is decided of them.

use heirloom_core::{
    AssetId, ClaimBatchId,
    duplicate::{Likeness, Reason},
};
use heirloom_db::duplicate::list::{self, Decided};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asset, Place, schema};

/// Pictures of which one is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Duplicates {
    /// Its id: that of the member that came first. It stays when others come.
    #[schema(schema_with = schema::id)]
    pub id: AssetId,
    /// Why they are together, in the weakest way in which any of them is: `copies` (one original at several places),
    /// `exact` (the very same picture in other bytes), `near` (they show the same) or `burst` (taken in quick succession).
    #[schema(schema_with = schema::likeness)]
    pub why: Likeness,
    /// Whether all but one were rejected.
    pub is_decided: bool,
    /// The one to keep, as far as a machine can tell; null where there is one only.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub keeper: Option<AssetId>,
    /// What it has over others, the weightiest first.
    #[schema(schema_with = schema::reasons)]
    pub reasons: Vec<Reason>,
    /// The pictures, in the order in which they came.
    pub members: Vec<Duplicate>,
}

/// A picture of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Duplicate {
    /// The picture.
    pub asset: Asset,
    /// Everywhere it is.
    pub places: Vec<Place>,
    /// How strong its sharpest edges are, for how much light and dark there is; null where that was not measured.
    pub sharpness: Option<f32>,
    /// How much of it is nothing but white or black, as a share.
    pub clipped: Option<f32>,
    /// How people rate it: -1 rejected, 0 not at all, 1 to 5 stars.
    pub rating: i64,
}

/// Which of a group to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeeper {
    /// The picture; the one that is suggested, where none is named.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub asset_id: Option<AssetId>,
}

/// Which of a group are not the same as the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewParting {
    /// The pictures; without any, none of the group is the same as another.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub asset_ids: Vec<AssetId>,
}

/// Something that was decided of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// By which it is taken back: the claims that were made at once.
    #[schema(schema_with = schema::id)]
    pub id: ClaimBatchId,
    /// What was decided.
    pub what: DecisionKind,
    /// Of how many pictures: those that were rejected, or those that are not the same as others.
    pub asset_count: u64,
    /// When.
    pub made_at_ms: i64,
    /// Whether it was taken back.
    pub is_undone: bool,
}

/// What can be decided of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// One is kept, and the others are rejected.
    Kept,
    /// Some are not the same as the others.
    Parted,
}

impl Duplicates {
    /// `assets` are its members as lists have them.
    pub(crate) fn new(group: &list::Duplicates, assets: Vec<Asset>) -> Self {
        let rejected = group.members.iter().filter(|member| member.rating < 0);
        let left = group.members.len() - rejected.count();
        let (keeper, reasons) = group.choice.clone().unzip();
        let members = group.members.iter().zip(assets);
        Self {
            id: group.group.id,
            why: group.group.why,
            is_decided: group.members.len() > 1 && left <= 1,
            keeper,
            reasons: reasons.unwrap_or_default(),
            members: members
                .map(|(member, asset)| Duplicate {
                    asset,
                    places: member.places.iter().map(Place::from).collect(),
                    sharpness: member.quality.map(|quality| quality.sharpness),
                    clipped: member.quality.map(|quality| quality.clipped),
                    rating: member.rating,
                })
                .collect(),
        }
    }
}

impl From<list::Decision> for Decision {
    fn from(decision: list::Decision) -> Self {
        Self {
            id: decision.id,
            what: match decision.what {
                Decided::Kept => DecisionKind::Kept,
                Decided::Parted => DecisionKind::Parted,
            },
            asset_count: decision.count as u64,
            made_at_ms: decision.made_at_ms,
            is_undone: decision.is_undone,
        }
    }
}
