/** Whether something about backups needs somebody: asked now and again, wherever the family is looking. */
import { answered, api, type BackupStanding } from '../api/client';

const EVERY_MS = 10 * 60_000;

/** Says it at once and whenever it was asked, until the function that comes back is called. */
export function watch(say: (hasAlarm: boolean) => void): () => void {
  async function look() {
    try {
      const standing = await answered<BackupStanding>(api.GET('/api/v1/backup-schedule'));
      say(standing.alarms.length > 0);
    } catch {
      // Whoever may not ask, or is not connected, is told nothing.
    }
  }
  void look();
  const timer = setInterval(() => void look(), EVERY_MS);
  return () => clearInterval(timer);
}
