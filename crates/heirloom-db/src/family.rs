//! Families: the wall between tenants.

use heirloom_core::{AudienceId, FamilyId, audience::AudienceKind};

use crate::{Db, DbError, clock, row::Row, sql::statements, value::args};

/// A family as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// What it is called.
    pub name: String,
    /// The audience that everybody in it belongs to.
    pub audience_id: AudienceId,
}

statements! {
    LIST = "SELECT f.id, f.name, a.id FROM family f
        JOIN audience a ON a.family_id = f.id AND a.kind = 'family' ORDER BY f.id";
    FIND_FIRST = "SELECT f.id, f.name, a.id FROM family f
        JOIN audience a ON a.family_id = f.id AND a.kind = 'family' ORDER BY f.id LIMIT 1";
    ADD = "INSERT INTO family (id, name, created_at_ms, version) VALUES ($1, $2, $3, 1)";
    ADD_AUDIENCE = "INSERT INTO audience (id, family_id, kind, name, created_at_ms)
        VALUES ($1, $2, $3, $4, $5)";
}

fn family_of(row: &Row) -> Result<Family, DbError> {
    Ok(Family {
        id: row.get(0)?,
        name: row.get(1)?,
        audience_id: row.get(2)?,
    })
}

impl Db {
    /// Every family of this catalogue, the oldest first.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn list_families(&self) -> Result<Vec<Family>, DbError> {
        let rows = self.fetch(LIST, args![]).await?;
        rows.iter().map(family_of).collect()
    }

    /// The first family of this catalogue, made as `name` if there is none yet.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn get_or_create_family(&self, name: &str) -> Result<Family, DbError> {
        if let Some(row) = self.fetch_optional(FIND_FIRST, args![]).await? {
            return family_of(&row);
        }
        let family = Family {
            id: clock::new_id(),
            name: name.to_owned(),
            audience_id: clock::new_id(),
        };
        let now_ms = clock::now_ms();
        let mut tx = self.begin().await?;
        tx.execute(ADD, args![family.id, name, now_ms]).await?;
        let kind = AudienceKind::Family.as_str();
        tx.execute(
            ADD_AUDIENCE,
            args![family.audience_id, family.id, kind, name, now_ms],
        )
        .await?;
        tx.commit().await?;
        Ok(family)
    }
}
