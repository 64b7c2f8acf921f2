//! Archives: where originals are.

use heirloom_core::{Actor, ArchiveId, AudienceId, FamilyId, permission::Action};

use serde_json::json;

use crate::{Db, DbError, audit, clock, family::Family, row::Row, sql::statements, value::args};

/// An archive as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its id.
    pub id: ArchiveId,
    /// Whose it is.
    pub family_id: FamilyId,
    /// Who may see what is found there, unless it is said otherwise.
    pub audience_id: AudienceId,
    /// What it is called; unique in its family.
    pub name: String,
    /// The folder, as path text; `None` for the vault.
    pub root: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// How many files of assets are there now.
    pub location_count: i64,
}

/// What the vault is called until somebody calls it otherwise.
const VAULT: &str = "Vault";

statements! {
    LIST = "SELECT a.id, a.family_id, a.audience_id, a.name, a.root, a.created_at_ms,
          (SELECT COUNT(*) FROM folder f JOIN asset_location l ON l.folder_id = f.id
             AND l.gone_at_ms IS NULL WHERE f.archive_id = a.id)
        FROM archive a WHERE a.family_id = $1 ORDER BY a.id";
    GET = "SELECT a.id, a.family_id, a.audience_id, a.name, a.root, a.created_at_ms,
          (SELECT COUNT(*) FROM folder f JOIN asset_location l ON l.folder_id = f.id
             AND l.gone_at_ms IS NULL WHERE f.archive_id = a.id)
        FROM archive a WHERE a.id = $1";
    ADD = "INSERT INTO archive (id, family_id, audience_id, kind, name, root, created_at_ms, version)
        VALUES ($1, $2, $3, 'folder', $4, $5, $6, 1)";
    FIND_VAULT = "SELECT id FROM archive WHERE family_id = $1 AND kind = 'vault'";
    ADD_VAULT = "INSERT INTO archive (id, family_id, audience_id, kind, name, created_at_ms, version)
        VALUES ($1, $2, $3, 'vault', $4, $5, 1)";
    RENAME = "UPDATE archive SET name = $2, version = version + 1 WHERE id = $1";
}

impl Db {
    /// The archives that the actor may know of.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_archives(
        &self,
        actor: &Actor,
        family: FamilyId,
    ) -> Result<Vec<Archive>, DbError> {
        actor.require(Action::ViewAsset, family)?;
        let sight = actor.sight(family);
        let mut archives = Vec::new();
        for row in self.fetch(LIST, args![family]).await? {
            archives.push(read(&row)?);
        }
        archives.retain(|archive| sight.includes(archive.audience_id));
        Ok(archives)
    }

    /// One archive.
    ///
    /// # Errors
    /// [`DbError::NotFound`], also when the actor may not know of it.
    pub async fn get_archive(&self, actor: &Actor, id: ArchiveId) -> Result<Archive, DbError> {
        let archive = self.load_archive(id).await?;
        archive
            .filter(|it| {
                actor.require(Action::ViewAsset, it.family_id).is_ok()
                    && actor.sight(it.family_id).includes(it.audience_id)
            })
            .ok_or_else(|| DbError::not_found("archive", id))
    }

    async fn load_archive(&self, id: ArchiveId) -> Result<Option<Archive>, DbError> {
        let row = self.fetch_optional(GET, args![id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Makes a folder an archive. `root` is path text; that the folder exists and lies in no other
    /// archive is the caller's to see to.
    ///
    /// # Errors
    /// [`DbError::Denied`]; [`DbError::Refused`] when the name is taken.
    pub async fn create_archive(
        &self,
        actor: &Actor,
        family: &Family,
        name: &str,
        root: &str,
    ) -> Result<Archive, DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let id: ArchiveId = clock::new_id();
        let mut tx = self.begin().await?;
        tx.execute(
            ADD,
            args![
                id,
                family.id,
                family.audience_id,
                name,
                root,
                clock::now_ms()
            ],
        )
        .await
        .map_err(|error| name_taken(error, name))?;
        let details = json!({ "archive": id, "name": name, "root": root });
        audit::add(&mut tx, family.id, actor, "archive.create", details).await?;
        tx.commit().await?;
        self.get_archive(actor, id).await
    }

    /// The family's vault, made if there is none yet: the archive of what is handed over.
    ///
    /// # Errors
    /// [`DbError::Denied`] when the actor may not add to it, and what the engine says.
    pub async fn get_or_create_vault(
        &self,
        actor: &Actor,
        family: &Family,
    ) -> Result<Archive, DbError> {
        actor.require(Action::AddAsset, family.id)?;
        let mut number = 1;
        loop {
            if let Some(row) = self.fetch_optional(FIND_VAULT, args![family.id]).await? {
                let vault = row.get(0)?;
                // Who may add to it need not be shown what others put there.
                let found = self.load_archive(vault).await?;
                return found.ok_or_else(|| DbError::not_found("archive", vault));
            }
            let name = match number {
                1 => VAULT.to_owned(),
                number => format!("{VAULT} ({number})"),
            };
            match self.add_vault(actor, family, &name).await {
                // Its name is taken, or somebody else has just made it.
                Err(error) if error.is_duplicate() && number < 1000 => number += 1,
                added => added?,
            }
        }
    }

    async fn add_vault(&self, actor: &Actor, family: &Family, name: &str) -> Result<(), DbError> {
        let (id, now_ms): (ArchiveId, i64) = (clock::new_id(), clock::now_ms());
        let mut tx = self.begin().await?;
        let values = args![id, family.id, family.audience_id, name, now_ms];
        tx.execute(ADD_VAULT, values).await?;
        let details = json!({ "archive": id, "name": name });
        audit::add(&mut tx, family.id, actor, "archive.create", details).await?;
        tx.commit().await
    }

    /// Gives an archive another name.
    ///
    /// # Errors
    /// [`DbError::NotFound`], [`DbError::Denied`]; [`DbError::Refused`] when the name is taken.
    pub async fn rename_archive(
        &self,
        actor: &Actor,
        id: ArchiveId,
        name: &str,
    ) -> Result<(), DbError> {
        actor.require_operator(Action::ManageArchive)?;
        let archive = self.get_archive(actor, id).await?;
        if archive.name == name {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.execute(RENAME, args![id, name])
            .await
            .map_err(|error| name_taken(error, name))?;
        let details = json!({ "archive": id, "name": name, "was": archive.name });
        audit::add(&mut tx, archive.family_id, actor, "archive.rename", details).await?;
        tx.commit().await
    }
}

fn name_taken(error: DbError, name: &str) -> DbError {
    if error.is_duplicate() {
        DbError::Refused(format!("there is already an archive called {name:?}"))
    } else {
        error
    }
}

fn read(row: &Row) -> Result<Archive, DbError> {
    Ok(Archive {
        id: row.get(0)?,
        family_id: row.get(1)?,
        audience_id: row.get(2)?,
        name: row.get(3)?,
        root: row.get(4)?,
        created_at_ms: row.get(5)?,
        location_count: row.get(6)?,
    })
}
