/**
 * Goes on with files that were on their way when the page was closed. What sends them is loaded only
 * where something is to be sent: a mark in the browser's storage says so.
 */
const MARK = 'uploads-waiting';

export function markWaiting(isWaiting: boolean): void {
  try {
    if (isWaiting) localStorage.setItem(MARK, 'yes');
    else localStorage.removeItem(MARK);
  } catch {
    // Without storage there is nothing to go on with.
  }
}

export async function resumeUploads(): Promise<void> {
  try {
    if (!localStorage.getItem(MARK)) return;
  } catch {
    return;
  }
  const { uploads } = await import('./uploads.svelte');
  await uploads.restore();
}
