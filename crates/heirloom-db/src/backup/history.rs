//! What was done with repositories, and what is to be done regularly.

use heirloom_core::{
    Actor, BackupId, FamilyId,
    backup::{BackupKind, BackupState},
    permission::Action,
};
use serde_json::{Value as Json, json};

use crate::{Db, DbError, audit, clock, row::Row, sql::statements, value::args};

statements! {
    ADD = "INSERT INTO backup (id, family_id, kind, repository, state, is_scheduled, started_at_ms)
        VALUES ($1, $2, $3, $4, 'running', $5, $6)";
    END = "UPDATE backup SET state = $2, outcome = $3, error = $4, error_code = $5, ended_at_ms = $6 WHERE id = $1";
    GET = "SELECT id, kind, repository, state, is_scheduled, outcome, error, error_code, started_at_ms,
          ended_at_ms
        FROM backup WHERE id = $1";
    LIST = "SELECT id, kind, repository, state, is_scheduled, outcome, error, error_code, started_at_ms,
          ended_at_ms
        FROM backup WHERE family_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    FIND_LAST = "SELECT id, kind, repository, state, is_scheduled, outcome, error, error_code, started_at_ms,
          ended_at_ms
        FROM backup WHERE family_id = $1 AND kind = $2 AND repository = $3 AND state = $4 AND started_at_ms <= $5
        ORDER BY id DESC LIMIT 1";
    FORGET_CAPTURES = "DELETE FROM backup WHERE family_id = $1 AND kind = 'capture' AND started_at_ms < $2";
    GET_SCHEDULE = "SELECT repository, key_file, has_folders, every_hours, proof_days, keep_daily, keep_weekly,
          keep_monthly, keep_yearly, set_at_ms
        FROM backup_schedule WHERE family_id = $1";
    DELETE_SCHEDULE = "DELETE FROM backup_schedule WHERE family_id = $1";
    ADD_SCHEDULE = "INSERT INTO backup_schedule (family_id, repository, key_file, has_folders, every_hours, proof_days,
          keep_daily, keep_weekly, keep_monthly, keep_yearly, set_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

/// One thing that was done with a repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// What.
    pub kind: BackupKind,
    /// With which, as it was named.
    pub repository: String,
    /// How far it is.
    pub state: BackupState,
    /// Whether nobody asked for it at that moment.
    pub is_scheduled: bool,
    /// What came of it, once it has ended: an object.
    pub outcome: Option<Json>,
    /// Why it failed, as one sentence.
    pub error: Option<String>,
    /// The same as a word for programs.
    pub error_code: Option<String>,
    /// When it began.
    pub started_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
}

/// What is done regularly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSchedule {
    /// Into which repository.
    pub repository: String,
    /// The file that has its key, as path text.
    pub key_file: String,
    /// Whether the files of folder archives are backed up too.
    pub has_folders: bool,
    /// How often, in hours.
    pub every_hours: i64,
    /// How often it is proved that it can be restored, in days.
    pub proof_days: i64,
    /// Days, weeks, months and years of which the last backup is kept.
    pub keep: [i64; 4],
    /// When it was set.
    pub set_at_ms: i64,
}

/// A page of what was done.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupPage {
    /// What is on it, the newest first.
    pub items: Vec<Backup>,
    /// Where the next page begins.
    pub next: Option<BackupId>,
}

/// How long it is remembered what was done between two backups.
const CAPTURES_MS: i64 = 2 * 24 * 3_600_000;

impl Db {
    /// Notes that something begins to be done with a repository.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn begin_backup(
        &self,
        actor: &Actor,
        family: FamilyId,
        kind: BackupKind,
        repository: &str,
        is_scheduled: bool,
    ) -> Result<BackupId, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let (id, now_ms): (BackupId, i64) = (clock::new_id(), clock::now_ms());
        let mut tx = self.begin().await?;
        let values = args![id, family, kind.as_str(), repository, is_scheduled, now_ms];
        tx.execute(ADD, values).await?;
        tx.execute(FORGET_CAPTURES, args![family, now_ms - CAPTURES_MS])
            .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notes how it ended; what failed says why, in one sentence and as a word for programs.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn end_backup(
        &self,
        actor: &Actor,
        id: BackupId,
        state: BackupState,
        outcome: Option<&Json>,
        error: Option<(&str, &str)>,
    ) -> Result<(), DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let outcome = outcome.map(Json::to_string);
        let mut tx = self.begin().await?;
        let (error, code) = error.unzip();
        let values = args![id, state.as_str(), outcome, error, code, clock::now_ms()];
        tx.execute(END, values).await?;
        tx.commit().await
    }

    /// One thing that was done.
    ///
    /// # Errors
    /// [`DbError::Denied`], [`DbError::NotFound`].
    pub async fn get_backup(&self, actor: &Actor, id: BackupId) -> Result<Backup, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let row = self.fetch_optional(GET, args![id]).await?;
        read(&row.ok_or_else(|| DbError::not_found("backup", id))?)
    }

    /// What was done, the newest first.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn list_backups(
        &self,
        actor: &Actor,
        family: FamilyId,
        before: Option<BackupId>,
        limit: usize,
    ) -> Result<BackupPage, DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let before = before.map_or_else(|| vec![0xff; 16], |id| id.as_bytes().to_vec());
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = self.fetch(LIST, args![family, before, wanted]).await?;
        let mut items: Vec<Backup> = rows.iter().map(read).collect::<Result<_, _>>()?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|backup| backup.id);
        Ok(BackupPage { items, next })
    }

    /// The last of a kind that was done with a repository and ended like this, and that began no later than
    /// `until_ms`: what a clock that was wrong then puts into the future would stay the newest for years.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_last_backup(
        &self,
        family: FamilyId,
        kind: BackupKind,
        repository: &str,
        state: BackupState,
        until_ms: i64,
    ) -> Result<Option<Backup>, DbError> {
        let (kind, state) = (kind.as_str(), state.as_str());
        let values = args![family, kind, repository, state, until_ms];
        let row = self.fetch_optional(FIND_LAST, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// What is done regularly, if anything is.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn find_backup_schedule(
        &self,
        family: FamilyId,
    ) -> Result<Option<BackupSchedule>, DbError> {
        let row = self.fetch_optional(GET_SCHEDULE, args![family]).await?;
        let read = |row: Row| {
            Ok(BackupSchedule {
                repository: row.get(0)?,
                key_file: row.get(1)?,
                has_folders: row.get(2)?,
                every_hours: row.get(3)?,
                proof_days: row.get(4)?,
                keep: [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                set_at_ms: row.get(9)?,
            })
        };
        row.map(read).transpose()
    }

    /// Sets what is done regularly, or that nothing is.
    ///
    /// # Errors
    /// [`DbError::Denied`], and what the engine says.
    pub async fn set_backup_schedule(
        &self,
        actor: &Actor,
        family: FamilyId,
        schedule: Option<&BackupSchedule>,
    ) -> Result<(), DbError> {
        actor.require_operator(Action::OperateMachine)?;
        let mut tx = self.begin().await?;
        tx.execute(DELETE_SCHEDULE, args![family]).await?;
        if let Some(schedule) = schedule {
            let [daily, weekly, monthly, yearly] = schedule.keep;
            let values = args![
                family,
                &schedule.repository,
                &schedule.key_file,
                schedule.has_folders,
                schedule.every_hours,
                schedule.proof_days,
                daily,
                weekly,
                monthly,
                yearly,
                schedule.set_at_ms
            ];
            tx.execute(ADD_SCHEDULE, values).await?;
        }
        let details = json!({ "repository": schedule.map(|schedule| &schedule.repository) });
        audit::add(&mut tx, family, actor, "backup.schedule", details).await?;
        tx.commit().await
    }
}

fn read(row: &Row) -> Result<Backup, DbError> {
    let outcome: Option<String> = row.get(5)?;
    Ok(Backup {
        id: row.get(0)?,
        kind: row.word(1, "a kind of backup", BackupKind::from_word)?,
        repository: row.get(2)?,
        state: row.word(3, "a state of a backup", BackupState::from_word)?,
        is_scheduled: row.get(4)?,
        outcome: outcome.and_then(|text| serde_json::from_str(&text).ok()),
        error: row.get(6)?,
        error_code: row.get(7)?,
        started_at_ms: row.get(8)?,
        ended_at_ms: row.get(9)?,
    })
}
