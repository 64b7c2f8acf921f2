/** Whether a key is meant for something that text is typed into, or that has its own use for it. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  return (
    target.closest('input, select, textarea, dialog, audio, video, [contenteditable]') !== null
  );
}
