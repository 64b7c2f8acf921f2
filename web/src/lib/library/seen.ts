/** Coming back from the viewer to a list. */
import { looking } from './looking.svelte';

/** Leads the focus to what was looked at last, if it is in this box. */
export function focusSeen(box: HTMLElement | undefined): void {
  const { seen } = looking;
  const link = seen && box?.querySelector<HTMLElement>(`a[href="/assets/${seen}"]`);
  if (!link) return;
  looking.seen = undefined;
  link.scrollIntoView({ block: 'nearest' });
  link.focus({ preventScroll: true });
}
