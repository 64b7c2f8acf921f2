/**
 * The queue of files on their way in, kept in the browser so that it survives a reload: the files
 * themselves, and where the server said that each goes on.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

export interface Queued {
  id: string;
  /** In the order in which they were chosen. */
  order: number;
  /** The bytes; gone once they are there. */
  file: File | undefined;
  name: string;
  sizeBytes: number;
  sentBytes: number;
  /** The addition that it belongs to. */
  addition: string;
  /** Where the server has it. */
  address?: string;
  state: 'waiting' | 'sending' | 'done' | 'failed';
  outcome?: string;
  assetId?: string;
  problem?: string;
}

interface Schema extends DBSchema {
  uploads: { key: string; value: Queued };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function open(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('uploads', 1, {
    upgrade(db) {
      db.createObjectStore('uploads', { keyPath: 'id' });
    }
  });
  return opened;
}

export async function loadQueue(): Promise<Queued[]> {
  const all = await (await open()).getAll('uploads');
  return all.sort((a, b) => a.order - b.order);
}

export async function keep(queued: Queued): Promise<void> {
  await (await open()).put('uploads', queued);
}

export async function forget(id: string): Promise<void> {
  await (await open()).delete('uploads', id);
}
