/** What is said to the service worker, so that it keeps what pages need that were not opened yet. */
export const KEEP_REST = 'keep-rest';

/** Has all pages kept for offline when nothing else is to be done; not over a line that is to be spared. */
export async function keepRest(): Promise<void> {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData || !('serviceWorker' in navigator)) return;
  // It is there when the first page has been loaded.
  const { active } = await navigator.serviceWorker.ready;
  const begin = () => active?.postMessage(KEEP_REST);
  if ('requestIdleCallback' in window) requestIdleCallback(begin);
  else setTimeout(begin);
}
