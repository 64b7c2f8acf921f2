/** Files on their way into the vault, two at a time, by tus; each goes on from where it was interrupted. */
import { Upload as Tus, type DetailedError } from 'tus-js-client';
import { answered, api } from '../api/client';
import { Problem } from '../api/problem';
import { renewTimelines } from '../timeline/timeline.svelte';
import { isWord, say } from '../words/words.svelte';
import { markWaiting } from './resume';
import { forget, keep, loadQueue, type Queued } from './store';

const AT_ONCE = 2;
/** How long to wait before each try after the line went; then it is for a person to try again. */
const PATIENCE_MS = [0, 500, 1500, 4000, 10_000, 30_000];

class Uploads {
  items = $state<Queued[]>([]);
  /** Whether the queue could not be kept, so that a reload would lose it. */
  isFleeting = $state(false);
  problem = $state.raw<Problem | undefined>();
  #restored: Promise<void> | undefined;
  #running = new Map<string, Tus>();

  /** Takes up what was on its way; once. */
  restore(): Promise<void> {
    this.#restored ??= (async () => {
      try {
        const queue = await loadQueue();
        this.items = queue.map((it) => (it.state === 'sending' ? { ...it, state: 'waiting' } : it));
      } catch {
        this.isFleeting = true;
      }
      this.#advance();
    })();
    return this.#restored;
  }

  /** Files that were chosen together become one addition. */
  async add(files: File[]): Promise<void> {
    await this.restore();
    const chosen = files.filter((file) => file.size > 0);
    if (chosen.length === 0) return;
    let addition: string;
    try {
      addition = (await answered(api.POST('/api/v1/additions', { body: { process: true } }))).id;
      this.problem = undefined;
    } catch (thrown) {
      this.problem = Problem.from(thrown);
      return;
    }
    for (const file of chosen) {
      const queued: Queued = {
        id: crypto.randomUUID(),
        order: Date.now() + this.items.length / 1e6,
        file,
        name: file.name,
        sizeBytes: file.size,
        sentBytes: 0,
        addition,
        state: 'waiting'
      };
      this.items.push(queued);
      await this.#keep(queued);
    }
    this.#advance();
  }

  /** Gives one up, wherever it is. */
  async remove(id: string): Promise<void> {
    const at = this.items.findIndex((it) => it.id === id);
    const item = this.items[at];
    if (!item) return;
    await this.#running
      .get(id)
      ?.abort(item.state !== 'done')
      .catch(() => {});
    this.#running.delete(id);
    this.items.splice(at, 1);
    await forget(id).catch(() => {});
    await this.#settle(item.addition);
    this.#advance();
  }

  async retry(id: string): Promise<void> {
    const item = this.items.find((it) => it.id === id);
    if (item?.state !== 'failed') return;
    item.state = 'waiting';
    item.problem = undefined;
    await this.#keep(item);
    this.#advance();
  }

  /** Forgets what has arrived. */
  async clear(): Promise<void> {
    for (const item of this.items.filter((it) => it.state === 'done'))
      await forget(item.id).catch(() => {});
    this.items = this.items.filter((it) => it.state !== 'done');
  }

  #advance(): void {
    markWaiting(this.items.some((it) => it.state === 'waiting' || it.state === 'sending'));
    for (const item of this.items) {
      if (this.#running.size >= AT_ONCE) return;
      if (item.state === 'waiting' && !this.#running.has(item.id)) this.#send(item);
    }
  }

  #send(item: Queued): void {
    if (!item.file) {
      void this.#fail(item, say('upload_file_gone'));
      return;
    }
    item.state = 'sending';
    const tus = new Tus(item.file, {
      endpoint: '/api/v1/uploads',
      uploadUrl: item.address,
      retryDelays: PATIENCE_MS,
      storeFingerprintForResuming: false,
      metadata: {
        filename: item.name,
        modified_at_ms: String(item.file.lastModified),
        addition: item.addition
      },
      onUploadUrlAvailable: () => {
        item.address = tus.url ?? undefined;
        void this.#keep(item);
      },
      onProgress: (sent) => {
        item.sentBytes = sent;
      },
      onSuccess: () => void this.#finish(item),
      onError: (error) => void this.#fail(item, wordsOf(error), isGone(error))
    });
    this.#running.set(item.id, tus);
    tus.start();
  }

  async #finish(item: Queued): Promise<void> {
    this.#running.delete(item.id);
    item.sentBytes = item.sizeBytes;
    const id = item.address?.split('/').at(-1);
    try {
      const upload = id
        ? await answered(api.GET('/api/v1/uploads/{id}', { params: { path: { id } } }))
        : undefined;
      item.outcome = upload?.outcome ?? undefined;
      item.assetId = upload?.asset_id ?? undefined;
      if (upload?.state === 'refused') {
        await this.#fail(item, upload.problem?.detail ?? say('upload_failed'));
        return;
      }
    } catch {
      // It is there; only what became of it is not known here.
    }
    item.state = 'done';
    item.file = undefined;
    await this.#keep(item);
    await this.#settle(item.addition);
    this.#advance();
  }

  async #fail(item: Queued, words: string, isGone = false): Promise<void> {
    this.#running.delete(item.id);
    item.state = 'failed';
    item.problem = words;
    // What the server no longer knows begins anew.
    if (isGone) item.address = undefined;
    await this.#keep(item);
    this.#advance();
  }

  /** Tells the server when nothing more comes of an addition. */
  async #settle(addition: string): Promise<void> {
    if (this.items.some((it) => it.addition === addition && it.state !== 'done')) return;
    try {
      await answered(
        api.POST('/api/v1/additions/{id}/end', { params: { path: { id: addition } } })
      );
    } catch {
      // The server ends an addition of which nothing comes by itself.
    }
    await renewTimelines();
  }

  async #keep(item: Queued): Promise<void> {
    try {
      await keep({ ...$state.snapshot({ ...item, file: undefined }), file: item.file });
    } catch {
      this.isFleeting = true;
    }
  }
}

export const uploads = new Uploads();

function statusOf(error: Error | DetailedError): number {
  return 'originalResponse' in error ? (error.originalResponse?.getStatus() ?? 0) : 0;
}

function isGone(error: Error | DetailedError): boolean {
  return [404, 410].includes(statusOf(error));
}

function wordsOf(error: Error | DetailedError): string {
  const status = statusOf(error);
  if (status === 0) return say('problem_offline');
  try {
    const body = 'originalResponse' in error ? error.originalResponse?.getBody() : undefined;
    const code: unknown = JSON.parse(body ?? '{}').code;
    const word = `problem_${String(code)}`;
    if (isWord(word)) return say(word);
  } catch {
    // No problem document: the general words do.
  }
  return say('upload_failed');
}
