/** Deletes many, with a way to take it back. The originals are not touched. */
import { answered, api } from '../api/client';
import { tell } from '../ui/notice.svelte';
import { say } from '../words/words.svelte';

const AT_ONCE = 4;

/** Deletes what can be deleted; `onchange` is called then, and again when it was taken back. */
export async function remove(ids: readonly string[], onchange: () => Promise<void>): Promise<void> {
  const gone = await each(ids, (id) => answered(api.DELETE('/api/v1/assets/{id}', path(id))));
  await onchange();
  const restore = async () => {
    const back = await each(gone, (id) =>
      answered(api.POST('/api/v1/assets/{id}/restore', path(id)))
    );
    await onchange();
    if (back.length === gone.length) tell(say('undone'));
    else tell(say('selection_some_failed', { count: gone.length - back.length }));
  };
  const failed = ids.length - gone.length;
  tell(
    failed > 0
      ? say('selection_some_failed', { count: failed })
      : say('selection_deleted', { count: gone.length }),
    gone.length > 0 ? { words: say('undo'), run: () => void restore() } : undefined
  );
}

const path = (id: string) => ({ params: { path: { id } } });

/** Does something with each, a few at once; gives those with which it worked. */
async function each(ids: readonly string[], act: (id: string) => Promise<unknown>) {
  const done: string[] = [];
  let next = 0;
  const work = async () => {
    while (next < ids.length) {
      const id = ids[next++]!;
      try {
        await act(id);
        done.push(id);
      } catch {
        // Counted below as one that is missing among those that worked.
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}
