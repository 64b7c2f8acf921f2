//! What is done regularly, and what is overdue.

use std::os::unix::ffi::OsStrExt as _;

use heirloom_core::{
    Actor,
    backup::{BackupKind, BackupState},
    path,
    permission::Action,
};
use heirloom_db::{
    backup::{Backup, BackupSchedule},
    clock,
};

use super::Backups;
use crate::{
    problem::{Code, Problem},
    wire::{self, AlarmCause, BackupAlarm},
};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How often changes are captured: with the pause between two looks it is less than five minutes.
const CAPTURE_MS: i64 = 3 * MINUTE_MS;
/// How long something that failed waits before it is tried again.
const RETRY_MS: i64 = HOUR_MS;

/// How the regular backups stand.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) schedule: Option<BackupSchedule>,
    pub(crate) last_backup_at_ms: Option<i64>,
    pub(crate) last_proof_at_ms: Option<i64>,
    pub(crate) next_backup_at_ms: Option<i64>,
    /// What needs somebody.
    pub(crate) alarms: Vec<BackupAlarm>,
}

impl Standing {
    fn warn(&mut self, kind: BackupKind, cause: AlarmCause, code: Option<Code>, words: String) {
        self.alarms.push(BackupAlarm {
            kind,
            cause,
            code,
            words,
        });
    }
}

impl Backups {
    /// Begins what is due, if anything is. Called every minute.
    pub(crate) async fn keep_schedule(&self) {
        if let Err(problem) = self.begin_due().await {
            tracing::error!("a scheduled backup did not begin: {problem}");
        }
        let alarms = match self.standing().await {
            Ok(standing) => standing.alarms,
            Err(_) => return,
        };
        // Told when they come, and not every minute.
        let mut captured = self.captured();
        for alarm in &alarms {
            if !captured.alarms.contains(alarm) {
                tracing::error!("{}", alarm.words);
            }
        }
        captured.alarms = alarms;
    }

    async fn begin_due(&self) -> Result<(), Problem> {
        let ctx = &self.shared.ctx;
        let Some(schedule) = ctx.db.find_backup_schedule(self.shared.family).await? else {
            return Ok(());
        };
        if self.running().is_some() {
            return Ok(());
        }
        let now_ms = clock::now_ms();
        let every_ms = schedule.every_hours * HOUR_MS;
        for (kind, every_ms) in [
            (BackupKind::Backup, every_ms),
            (BackupKind::Prune, every_ms.max(DAY_MS)),
            (BackupKind::Proof, schedule.proof_days * DAY_MS),
        ] {
            let done = self.last(kind, &schedule, BackupState::Done).await?;
            let failed = self.last(kind, &schedule, BackupState::Failed).await?;
            // Nothing is pruned or proved before there is a backup.
            let has_backup = kind == BackupKind::Backup
                || self
                    .last(BackupKind::Backup, &schedule, BackupState::Done)
                    .await?
                    .is_some();
            let is_resting =
                failed.is_some_and(|failed| !is_over(failed.started_at_ms, RETRY_MS, now_ms));
            let is_due = done.is_none_or(|done| is_over(done.started_at_ms, every_ms, now_ms));
            if has_backup && is_due && !is_resting {
                self.start(&ctx.actor, &ask(kind, &schedule), true).await?;
                return Ok(());
            }
        }
        self.capture(&schedule, now_ms).await
    }

    /// Stores what changed since the last time.
    async fn capture(&self, schedule: &BackupSchedule, now_ms: i64) -> Result<(), Problem> {
        let Some(mark) = self.shared.ctx.db.change_mark().await else {
            return Ok(());
        };
        {
            let captured = self.captured();
            let is_early = !is_over(captured.at_ms, CAPTURE_MS, now_ms);
            if is_early || captured.mark.as_deref() == Some(mark.as_str()) {
                return Ok(());
            }
        }
        self.start_capture(&ask(BackupKind::Capture, schedule), mark)
            .await
    }

    /// Sets what is done regularly; says whether its key was made just now.
    ///
    /// # Errors
    /// Why that cannot be; nothing was changed then, unless a key was made.
    pub(crate) async fn set_schedule(
        &self,
        actor: &Actor,
        new: &wire::BackupSchedule,
    ) -> Result<bool, Problem> {
        actor.require_operator(Action::OperateMachine)?;
        for (number, most, what) in [
            (new.every_hours, 8_784, "every_hours"),
            (new.proof_days, 366, "proof_days"),
        ] {
            if !(1..=most).contains(&number) {
                let why = format!("{what} is a number from 1 to {most}");
                return Err(Problem::new(Code::InvalidRequest, why));
            }
        }
        let asked = wire::NewBackup {
            kind: BackupKind::Backup,
            repository: new.repository.clone(),
            key_file: new.key_file.clone(),
            without_folders: new.without_folders,
            read_data: false,
            keep: new.keep,
        };
        let (_, key) = self.find_target(&asked).await?;
        let schedule = BackupSchedule {
            repository: new.repository.clone(),
            key_file: path::to_text(key.file.as_os_str().as_bytes()),
            has_folders: !new.without_folders,
            every_hours: new.every_hours.into(),
            proof_days: new.proof_days.into(),
            keep: [
                new.keep.daily,
                new.keep.weekly,
                new.keep.monthly,
                new.keep.yearly,
            ]
            .map(i64::from),
            set_at_ms: clock::now_ms(),
        };
        let ctx = &self.shared.ctx;
        ctx.db
            .set_backup_schedule(actor, self.shared.family, Some(&schedule))
            .await?;
        Ok(key.is_new)
    }

    /// How the regular backups stand now.
    ///
    /// # Errors
    /// What the catalogue says.
    pub(crate) async fn standing(&self) -> Result<Standing, Problem> {
        let db = &self.shared.ctx.db;
        let Some(schedule) = db.find_backup_schedule(self.shared.family).await? else {
            return Ok(Standing::default());
        };
        let now_ms = clock::now_ms();
        let every_ms = schedule.every_hours * HOUR_MS;
        let mut standing = Standing::default();
        for (kind, name, late_ms) in [
            (BackupKind::Backup, "backup", every_ms * 2 + HOUR_MS),
            (
                BackupKind::Proof,
                "proof that it can be restored",
                (schedule.proof_days + 2) * DAY_MS,
            ),
        ] {
            let done = self.last(kind, &schedule, BackupState::Done).await?;
            let failed = self.last(kind, &schedule, BackupState::Failed).await?;
            let done_at_ms = done.as_ref().map(|done| done.started_at_ms);
            if let Some(failed) =
                failed.filter(|failed| done.as_ref().is_none_or(|done| done.id < failed.id))
            {
                let why = failed.error.unwrap_or_default();
                let words = format!("the last {name} failed: {why}");
                let code = failed.error_code.as_deref().and_then(Code::from_word);
                standing.warn(kind, AlarmCause::Failed, code, words);
            }
            if is_over(done_at_ms.unwrap_or(schedule.set_at_ms), late_ms, now_ms) {
                let words = format!("the {name} is overdue");
                standing.warn(kind, AlarmCause::Overdue, None, words);
            }
            match kind {
                BackupKind::Backup => standing.last_backup_at_ms = done_at_ms,
                _ => standing.last_proof_at_ms = done_at_ms,
            }
        }
        if let Some((error, code)) = self.captured().error.clone() {
            let words = format!("changes are not captured: {error}");
            standing.warn(BackupKind::Capture, AlarmCause::Failed, Some(code), words);
        }
        let next = standing
            .last_backup_at_ms
            .map_or(now_ms, |at_ms| at_ms + every_ms);
        standing.next_backup_at_ms = Some(next);
        standing.schedule = Some(schedule);
        Ok(standing)
    }

    async fn last(
        &self,
        kind: BackupKind,
        schedule: &BackupSchedule,
        state: BackupState,
    ) -> Result<Option<Backup>, Problem> {
        let db = &self.shared.ctx.db;
        let until_ms = clock::now_ms().saturating_add(HOUR_MS);
        let repository = &schedule.repository;
        let found = db.find_last_backup(self.shared.family, kind, repository, state, until_ms);
        Ok(found.await?)
    }
}

impl From<Standing> for wire::BackupStanding {
    fn from(standing: Standing) -> Self {
        let schedule = standing.schedule.as_ref().map(|schedule| {
            let asked = ask(BackupKind::Backup, schedule);
            let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
            wire::BackupSchedule {
                repository: asked.repository,
                key_file: asked.key_file,
                without_folders: asked.without_folders,
                every_hours: number(schedule.every_hours),
                proof_days: number(schedule.proof_days),
                keep: asked.keep,
            }
        });
        Self {
            schedule,
            last_backup_at_ms: standing.last_backup_at_ms,
            next_backup_at_ms: standing.next_backup_at_ms,
            last_proof_at_ms: standing.last_proof_at_ms,
            alarms: standing.alarms,
            is_new_key: false,
        }
    }
}

/// Whether so much time has gone by. A clock that was put back makes everything due, and not nothing.
const fn is_over(since_ms: i64, length_ms: i64, now_ms: i64) -> bool {
    let gone_ms = now_ms.saturating_sub(since_ms);
    gone_ms >= length_ms || gone_ms < -HOUR_MS
}

fn ask(kind: BackupKind, schedule: &BackupSchedule) -> wire::NewBackup {
    let [daily, weekly, monthly, yearly] = schedule
        .keep
        .map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    wire::NewBackup {
        kind,
        repository: schedule.repository.clone(),
        key_file: Some(schedule.key_file.clone()),
        without_folders: !schedule.has_folders,
        read_data: false,
        keep: wire::Keep {
            daily,
            weekly,
            monthly,
            yearly,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_put_back_makes_things_due_and_not_never_again() {
        for (since_ms, now_ms, is_due) in [
            (0, DAY_MS - 1, false),
            (0, DAY_MS, true),
            // A few minutes are what clocks differ by.
            (10 * MINUTE_MS, 0, false),
            (2 * HOUR_MS, 0, true),
            (i64::MAX, 0, true),
        ] {
            assert_eq!(
                is_over(since_ms, DAY_MS, now_ms),
                is_due,
                "{since_ms} {now_ms}"
            );
        }
    }
}
