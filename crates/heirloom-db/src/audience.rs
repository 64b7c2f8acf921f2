//! Audiences: who may see.

use heirloom_core::{AudienceId, FamilyId, audience::Sight};

use crate::{Db, DbError, sql::statements, value::args};

statements! {
    LIST = "SELECT id FROM audience WHERE family_id = $1 ORDER BY id";
}

impl Db {
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
