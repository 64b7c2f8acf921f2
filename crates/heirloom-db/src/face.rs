//! The faces that are in pictures and films: where and when each is seen, and what tells it from others.
//!
//! A copy of what artifacts say, kept beside them by `keep` alone. What another model finds at the same place is the same
//! face.

use heirloom_core::{
    Actor, ArtifactId, AssetId, FaceId, Glimpse,
    face::{Face, Faceprint, SAME_PLACE},
};

use serde_json::json;

use crate::{Db, DbError, Tx, clock, row::Row, sql::statements, value::args};

/// A face of a picture or film.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownFace {
    /// Its id.
    pub id: FaceId,
    /// The picture or film that it is in.
    pub asset: AssetId,
    /// Where it is there, and when it is seen best.
    pub glimpse: Glimpse,
    /// All the moments of a film at which it is seen; none of a picture.
    pub moments: Vec<u64>,
    /// How likely it is a face at all, from 0 to 1.
    pub probability: f32,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// What tells it from others.
    pub print: Faceprint,
}

const COLUMNS: usize = 11;

statements! {
    ADD = "INSERT INTO face (id, asset_id, artifact_id, area, probability, quality, model, numbers, group_id, at_ms,
          moments)
        VALUES {rows}";
    LIST = "SELECT id, asset_id, area, at_ms, moments, probability, quality, model, numbers FROM face
        WHERE asset_id = $1 AND artifact_id IS NOT NULL ORDER BY id";
    LIST_PLACES = "SELECT id, area, at_ms, group_id FROM face WHERE asset_id = $1 ORDER BY id";
    DELETE = "DELETE FROM face WHERE asset_id = $1";
}

impl Db {
    /// The faces of a picture, from the left; of a film in the order in which they are first seen.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not see the picture.
    pub async fn list_faces(
        &self,
        actor: &Actor,
        asset: AssetId,
    ) -> Result<Vec<KnownFace>, DbError> {
        self.get_asset(actor, asset).await?;
        let rows = self.fetch(LIST, args![asset]).await?;
        let mut faces: Vec<KnownFace> = rows.iter().map(read).collect::<Result<_, _>>()?;
        faces.sort_by(|a, b| {
            let first =
                |face: &KnownFace| (face.moments.first().copied(), face.glimpse.area, face.id);
            first(a).cmp(&first(b))
        });
        Ok(faces)
    }
}

/// Keeps the faces of pictures in the place of those that were known before.
pub(crate) async fn keep(
    tx: &mut Tx,
    found: Vec<(AssetId, ArtifactId, Vec<Face>)>,
) -> Result<(), DbError> {
    for (asset, artifact, faces) in found {
        let mut before: Vec<(FaceId, Glimpse, Option<FaceId>)> = Vec::new();
        for row in tx.fetch(LIST_PLACES, args![asset]).await? {
            before.push((row.get(0)?, read_glimpse(&row, 1)?, row.get(3)?));
        }
        tx.execute(DELETE, args![asset]).await?;
        let mut rows = Vec::with_capacity(faces.len());
        for face in faces {
            let own = face.glimpse();
            let overlap = |(_, known, _): &(FaceId, Glimpse, Option<FaceId>)| known.overlap(own);
            let nearest = (before.iter().enumerate())
                .max_by(|(_, a), (_, b)| overlap(a).total_cmp(&overlap(b)))
                .filter(|(_, known)| overlap(known) >= SAME_PLACE)
                .map(|(at, _)| at);
            let (id, group) = match nearest.map(|at| before.swap_remove(at)) {
                Some((id, _, group)) => (id, group),
                None => (clock::new_id(), None),
            };
            let moments = &face.moments;
            let moments = (!moments.is_empty()).then(|| json!(moments).to_string());
            rows.push(args![
                id,
                asset,
                artifact,
                face.area.to_string(),
                f64::from(face.probability),
                f64::from(face.quality),
                face.print.model,
                face.print.numbers,
                group,
                face.at_ms.map(u64::cast_signed),
                moments,
            ]);
        }
        tx.execute_rows(ADD, COLUMNS, rows).await?;
    }
    Ok(())
}

/// Forgets the faces of an asset.
pub(crate) async fn delete(tx: &mut Tx, asset: AssetId) -> Result<(), DbError> {
    tx.execute(DELETE, args![asset]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<KnownFace, DbError> {
    Ok(KnownFace {
        id: row.get(0)?,
        asset: row.get(1)?,
        glimpse: read_glimpse(row, 2)?,
        moments: read_moments(row, 4)?,
        probability: read_share(row, 5)?,
        quality: read_share(row, 6)?,
        print: Faceprint {
            model: row.get(7)?,
            numbers: row.get(8)?,
        },
    })
}

/// Where and when a face is seen, from its area and its moment.
pub(crate) fn read_glimpse(row: &Row, column: usize) -> Result<Glimpse, DbError> {
    let area: String = row.get(column)?;
    let at_ms: Option<i64> = row.get(column + 1)?;
    let area = area
        .parse()
        .map_err(|error| DbError::unreadable("a face", error))?;
    Ok(Glimpse {
        at_ms: at_ms.map(i64::cast_unsigned),
        area,
    })
}

/// All the moments at which a face is seen.
pub(crate) fn read_moments(row: &Row, column: usize) -> Result<Vec<u64>, DbError> {
    let moments: Option<String> = row.get(column)?;
    let moments = moments.as_deref().map(serde_json::from_str).transpose();
    let moments = moments.map_err(|error| DbError::unreadable("when a face is seen", error))?;
    Ok(moments.unwrap_or_default())
}

pub(crate) fn read_share(row: &Row, column: usize) -> Result<f32, DbError> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "was a f32 when it was stored"
    )]
    Ok(row.get::<f64>(column)? as f32)
}
