import { apply } from '$lib/settings.svelte';

// The app runs in the browser alone: what it shows is private, and one program serves it as files.
export const ssr = false;
export const prerender = false;

export async function load({ url }: { url: URL }): Promise<void> {
  await apply(url.pathname === '/');
}
