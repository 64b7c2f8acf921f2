//! Stacks: assets of one moment.

use std::collections::BTreeMap;

use heirloom_core::{Actor, AssetId, FamilyId, FolderId, StackId};

use crate::{Db, DbError, asset::Asset, clock, sql::statements, value::args};

/// What ties the assets of a stack together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StackKind {
    /// A picture with the seconds around it.
    LivePhoto,
    /// A camera's RAW with its own JPEG or HEIC.
    RawJpeg,
    /// Pictures in quick succession.
    Burst,
    /// What was edited, with what it was made of.
    Edited,
}

impl StackKind {
    /// The word used in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LivePhoto => "live_photo",
            Self::RawJpeg => "raw_jpeg",
            Self::Burst => "burst",
            Self::Edited => "edited",
        }
    }

    /// The kind that a word of the database stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::LivePhoto, Self::RawJpeg, Self::Burst, Self::Edited]
            .into_iter()
            .find(|k| k.as_str() == word)
    }
}

/// A stack as it was matched in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStack {
    /// What ties it together.
    pub kind: StackKind,
    /// What its files have in common: a stem, a burst's id.
    pub name: String,
    /// Its assets, the cover first.
    pub members: Vec<AssetId>,
}

/// A stack that an asset belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its id.
    pub id: StackId,
    /// What ties it together.
    pub kind: StackKind,
    /// The asset that stands for it.
    pub cover_asset_id: AssetId,
    /// Its assets, the cover first.
    pub members: Vec<AssetId>,
}

statements! {
    LIST_OF_FOLDER = "SELECT s.id, s.kind, s.name, m.asset_id FROM stack s
        JOIN stack_member m ON m.stack_id = s.id WHERE s.folder_id = $1 ORDER BY s.id, m.position";
    LIST_OF_ASSET = "SELECT s.id, s.kind, s.cover_asset_id, m.asset_id, a.audience_id
        FROM stack_member own
        JOIN stack s ON s.id = own.stack_id JOIN stack_member m ON m.stack_id = s.id
        JOIN asset a ON a.id = m.asset_id
        WHERE own.asset_id = $1 ORDER BY s.id, m.position";
    ADD = "INSERT INTO stack (id, family_id, folder_id, kind, name, cover_asset_id)
        VALUES ($1, $2, $3, $4, $5, $6)";
    ADD_MEMBERS = "INSERT INTO stack_member (stack_id, asset_id, position) VALUES {rows}";
    DELETE_MEMBERS = "DELETE FROM stack_member WHERE stack_id = $1";
    DELETE = "DELETE FROM stack WHERE id = $1";
}

impl Db {
    /// Makes the stacks of a folder those that were matched; what is already so stays untouched.
    /// Gives how many are new.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn store_stacks(
        &self,
        family: FamilyId,
        folder: FolderId,
        stacks: &[NewStack],
    ) -> Result<usize, DbError> {
        let mut known: BTreeMap<(StackKind, String), (StackId, Vec<AssetId>)> = BTreeMap::new();
        for row in self.fetch(LIST_OF_FOLDER, args![folder]).await? {
            let kind = row.word(1, "a stack kind", StackKind::from_word)?;
            let entry = known
                .entry((kind, row.get(2)?))
                .or_insert((row.get(0)?, Vec::new()));
            entry.1.push(row.get(3)?);
        }
        let mut new = Vec::new();
        for stack in stacks {
            match known.remove(&(stack.kind, stack.name.clone())) {
                Some((_, members)) if members == stack.members => {}
                Some((id, _)) => {
                    known.insert((stack.kind, stack.name.clone()), (id, Vec::new()));
                    new.push(stack);
                }
                None => new.push(stack),
            }
        }
        if known.is_empty() && new.is_empty() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        for (id, _) in known.into_values() {
            tx.execute(DELETE_MEMBERS, args![id]).await?;
            tx.execute(DELETE, args![id]).await?;
        }
        for stack in &new {
            let id: StackId = clock::new_id();
            let kind = stack.kind.as_str();
            let Some(cover) = stack.members.first().copied() else {
                continue;
            };
            tx.execute(ADD, args![id, family, folder, kind, &stack.name, cover])
                .await?;
            let members = stack.members.iter().enumerate().map(|(position, asset)| {
                args![id, *asset, i64::try_from(position).unwrap_or(i64::MAX)]
            });
            tx.execute_rows(ADD_MEMBERS, 3, members.collect()).await?;
        }
        tx.commit().await?;
        Ok(new.len())
    }

    /// The stacks that an asset belongs to, with those of their assets that the actor may see.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_stacks(&self, actor: &Actor, asset: &Asset) -> Result<Vec<Stack>, DbError> {
        let sight = actor.sight(asset.family_id);
        let mut stacks: Vec<Stack> = Vec::new();
        for row in self.fetch(LIST_OF_ASSET, args![asset.id]).await? {
            if !sight.includes(row.get(4)?) {
                continue;
            }
            let id = row.get(0)?;
            if stacks.last().is_none_or(|stack| stack.id != id) {
                stacks.push(Stack {
                    id,
                    kind: row.word(1, "a stack kind", StackKind::from_word)?,
                    cover_asset_id: row.get(2)?,
                    members: Vec::new(),
                });
            }
            if let Some(stack) = stacks.last_mut() {
                stack.members.push(row.get(3)?);
            }
        }
        Ok(stacks)
    }
}
