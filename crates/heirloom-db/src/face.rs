//! The faces that are in pictures: where each is, and what tells it from others.
//!
//! A copy of what artifacts say, kept beside them by `keep` alone. What another model finds at the same place is the same
//! face.

use heirloom_core::{
    Actor, Area, ArtifactId, AssetId, FaceId,
    face::{Face, Faceprint, SAME_PLACE},
};

use crate::{Db, DbError, Tx, clock, row::Row, sql::statements, value::args};

/// A face of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownFace {
    /// Its id.
    pub id: FaceId,
    /// The picture that it is in.
    pub asset: AssetId,
    /// Where it is there.
    pub area: Area,
    /// How likely it is a face at all, from 0 to 1.
    pub probability: f32,
    /// How well somebody can be known again by it, from 0 to 1.
    pub quality: f32,
    /// What tells it from others.
    pub print: Faceprint,
}

const COLUMNS: usize = 9;

statements! {
    ADD = "INSERT INTO face (id, asset_id, artifact_id, area, probability, quality, model, numbers, group_id)
        VALUES {rows}";
    LIST = "SELECT id, asset_id, area, probability, quality, model, numbers FROM face
        WHERE asset_id = $1 AND artifact_id IS NOT NULL ORDER BY id";
    LIST_PLACES = "SELECT id, area, group_id FROM face WHERE asset_id = $1 ORDER BY id";
    DELETE = "DELETE FROM face WHERE asset_id = $1";
}

impl Db {
    /// The faces of a picture, from the left.
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
        faces.sort_by_key(|face| (face.area, face.id));
        Ok(faces)
    }
}

/// Keeps the faces of pictures in the place of those that were known before.
pub(crate) async fn keep(
    tx: &mut Tx,
    found: Vec<(AssetId, ArtifactId, Vec<Face>)>,
) -> Result<(), DbError> {
    for (asset, artifact, faces) in found {
        let mut before: Vec<(FaceId, Area, Option<FaceId>)> = Vec::new();
        for row in tx.fetch(LIST_PLACES, args![asset]).await? {
            before.push((row.get(0)?, read_area(&row, 1)?, row.get(2)?));
        }
        tx.execute(DELETE, args![asset]).await?;
        let mut rows = Vec::with_capacity(faces.len());
        for face in faces {
            let overlap = |(_, area, _): &(FaceId, Area, Option<FaceId>)| area.overlap(face.area);
            let nearest = (before.iter().enumerate())
                .max_by(|(_, a), (_, b)| overlap(a).total_cmp(&overlap(b)))
                .filter(|(_, known)| overlap(known) >= SAME_PLACE)
                .map(|(at, _)| at);
            let (id, group) = match nearest.map(|at| before.swap_remove(at)) {
                Some((id, _, group)) => (id, group),
                None => (clock::new_id(), None),
            };
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
        area: read_area(row, 2)?,
        probability: read_share(row, 3)?,
        quality: read_share(row, 4)?,
        print: Faceprint {
            model: row.get(5)?,
            numbers: row.get(6)?,
        },
    })
}

pub(crate) fn read_area(row: &Row, column: usize) -> Result<Area, DbError> {
    let area: String = row.get(column)?;
    area.parse()
        .map_err(|error| DbError::unreadable("a face", error))
}

pub(crate) fn read_share(row: &Row, column: usize) -> Result<f32, DbError> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "was a f32 when it was stored"
    )]
    Ok(row.get::<f64>(column)? as f32)
}
