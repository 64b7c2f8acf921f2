/**
 * What happens to runs and backups, as it happens. The browser connects again by itself, and says which event it
 * heard last; where it gives up (the server was away and answered nonsense) this begins anew, and whoever
 * listens is told to look at everything once.
 */
import type { Backup, Run } from '../api/client';

export interface Listener {
  onrun?: (run: Run) => void;
  onbackup?: (backup: Backup) => void;
  /** After a time in which something may have been missed. */
  onreturn?: () => void;
  onconnection?: (isConnected: boolean) => void;
}

const PATIENCE_MS = [500, 1000, 2000, 5000, 10_000];

/** Listens until the function that comes back is called. */
export function listen(listener: Listener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let wasAway = false;
  let isOver = false;

  function connect() {
    source = new EventSource('/api/v1/events');
    source.addEventListener('open', () => {
      tries = 0;
      listener.onconnection?.(true);
      if (wasAway) listener.onreturn?.();
      wasAway = false;
    });
    source.addEventListener('run', (event) => {
      listener.onrun?.(JSON.parse((event as MessageEvent<string>).data) as Run);
    });
    source.addEventListener('backup', (event) => {
      listener.onbackup?.(JSON.parse((event as MessageEvent<string>).data) as Backup);
    });
    source.addEventListener('error', () => {
      wasAway = true;
      listener.onconnection?.(false);
      if (source?.readyState !== EventSource.CLOSED || isOver) return;
      timer = setTimeout(connect, PATIENCE_MS[Math.min(tries++, PATIENCE_MS.length - 1)]);
    });
  }
  connect();
  return () => {
    isOver = true;
    clearTimeout(timer);
    source?.close();
  };
}
