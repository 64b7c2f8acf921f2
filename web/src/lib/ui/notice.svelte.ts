/** One line that says what was just done, with a way to take it back. */
interface Notice {
  words: string;
  action?: { words: string; run: () => void };
}

export const notice = $state<{ current?: Notice }>({});
let timer: ReturnType<typeof setTimeout> | undefined;

/** It stays long enough to be read and reached; what can be taken back here can be elsewhere too. */
export function tell(words: string, action?: Notice['action']): void {
  clearTimeout(timer);
  notice.current = { words, action };
  timer = setTimeout(() => (notice.current = undefined), action ? 20_000 : 8_000);
}

export function hush(): void {
  clearTimeout(timer);
  notice.current = undefined;
}
