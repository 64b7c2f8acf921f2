//! Audiences: who may see.

use heirloom_core::{
    Actor, AudienceId, FamilyId,
    audience::{AudienceKind, Sight},
    permission::Action,
};

use crate::{Db, DbError, clock, sql::statements, value::args};

statements! {
    LIST = "SELECT id FROM audience WHERE family_id = $1 ORDER BY id";
    ADD = "INSERT INTO audience (id, family_id, kind, name, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
}

impl Db {
    /// Makes an audience of members that are named.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn create_audience(
        &self,
        actor: &Actor,
        family: FamilyId,
        name: &str,
    ) -> Result<AudienceId, DbError> {
        actor.require(Action::ManageAudience, family)?;
        let id: AudienceId = clock::new_id();
        let kind = AudienceKind::Members.as_str();
        let mut tx = self.begin().await?;
        tx.execute(ADD, args![id, family, kind, name, clock::now_ms()])
            .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The audiences of `family` that `sight` includes. A listing has one arm for each of them.
    pub(crate) async fn list_audiences(
        &self,
        family: FamilyId,
        sight: &Sight,
    ) -> Result<Vec<AudienceId>, DbError> {
        let mut audiences = Vec::new();
        for row in self.fetch(LIST, args![family]).await? {
            let audience = row.get(0)?;
            if sight.includes(audience) {
                audiences.push(audience);
            }
        }
        Ok(audiences)
    }
}
