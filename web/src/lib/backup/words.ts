import type { Backup, BackupAlarm } from '../api/client';
import { numberInWords, sizeInWords } from '../measures';
import { say } from '../words/words.svelte';

/** How often, in hours. */
export function everyInWords(hours: number): string {
  if (hours % 24 !== 0)
    return hours === 1 ? say('backup_each_hour') : say('backup_hours', { count: hours });
  return hours === 24 ? say('backup_each_day') : say('backup_days', { count: hours / 24 });
}

/** What was done, as a heading. */
export function kindInWords(backup: Backup): string {
  return say(`backup_kind_${backup.kind}`);
}

/** What needs somebody, without why it failed. */
export function alarmInWords({ kind, cause }: BackupAlarm): string {
  if (kind === 'proof') return say(`backup_alarm_proof_${cause}`);
  return say(kind === 'capture' ? 'backup_alarm_capture' : `backup_alarm_backup_${cause}`);
}

/** What came of it, in sentences. */
export function outcomeInWords({ kind, outcome }: Backup): string[] {
  if (!outcome) return [];
  const said: string[] = [];
  if (kind === 'backup' && outcome.snapshot) {
    const { files, bytes, bytes_added } = outcome.snapshot;
    const values = { size: sizeInWords(bytes), added: sizeInWords(bytes_added) };
    said.push(say('backup_did_backup', { count: files, ...values }));
  }
  if (kind === 'check')
    said.push(
      say('backup_did_check', {
        count: outcome.snapshots ?? 0,
        size: sizeInWords(outcome.bytes ?? 0)
      })
    );
  if (kind === 'proof')
    said.push(
      say('backup_did_proof', {
        count: outcome.compared ?? 0,
        size: sizeInWords(outcome.bytes ?? 0)
      })
    );
  if (kind === 'prune') {
    said.push(
      say('backup_did_prune', {
        count: outcome.removed ?? 0,
        kept: numberInWords(outcome.kept ?? 0)
      })
    );
    if (outcome.is_clock_behind) said.push(say('backup_clock_behind'));
  }
  if (outcome.lacking) said.push(say('backup_lacking', { count: outcome.lacking }));
  if (outcome.faults?.length) said.push(say('backup_faults', { count: outcome.faults.length }));
  return said;
}
