//! The faces that are in pictures and films.

use heirloom_core::{ArtifactId, FaceId, face};
use heirloom_db::face::KnownFace;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Whose, schema};

/// The faces of a picture or film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Faces {
    /// The artifact that they are from.
    #[schema(schema_with = schema::id)]
    pub artifact_id: ArtifactId,
    /// The model that found them, with what tells its bytes from others of that name.
    pub model: String,
    /// From the left; those of a film in the order in which they are first seen.
    pub faces: Vec<Face>,
}

/// A face in a picture, or all that is seen of one person in a film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Face {
    /// Its id.
    #[schema(schema_with = schema::id)]
    pub id: FaceId,
    /// Its left, top, width and height as shares of the picture as it is shown.
    pub area: Vec<f64>,
    /// When it is seen best in a film, in milliseconds; null in a picture.
    pub at_ms: Option<u64>,
    /// All the moments of a film at which it is seen, in milliseconds; none of a picture.
    pub moments: Vec<u64>,
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
            area: face.glimpse.area.shares().into(),
            at_ms: face.glimpse.at_ms,
            moments: face.moments,
            probability: face.probability,
            quality: face.quality,
            whose: whose.as_ref().map(Whose::from),
        }
    }
}
