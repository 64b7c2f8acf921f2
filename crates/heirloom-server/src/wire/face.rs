//! The faces that are in pictures.

use heirloom_core::{ArtifactId, FaceId, face};
use heirloom_db::face::KnownFace;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Whose, schema};

/// The faces of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Faces {
    /// The artifact that they are from.
    #[schema(schema_with = schema::id)]
    pub artifact_id: ArtifactId,
    /// The model that found them, with what tells its bytes from others of that name.
    pub model: String,
    /// From the left.
    pub faces: Vec<Face>,
}

/// A face in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Face {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: FaceId,
    /// Its left, top, width and height as shares of the picture as it is shown.
    pub area: Vec<f64>,
    /// How likely it is a face at all, from 0 to 1.
    pub probability: f32,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// Whose it is; null in what is deleted or was replaced.
    pub whose: Option<Whose>,
}

impl Face {
    pub(crate) fn of(face: KnownFace, whose: Option<face::Whose>) -> Self {
        Self {
            id: face.id,
            area: face.area.shares().into(),
            probability: face.probability,
            quality: face.quality,
            whose: whose.as_ref().map(Whose::from),
        }
    }
}
