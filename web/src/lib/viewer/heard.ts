/** What was heard in a film or recording. */
import type { AssetDetail, Run } from '$lib/api/client';
import { playingTime } from '$lib/playing';
import { say } from '$lib/words/words.svelte';

/** The transcript of an asset; none where it is only noted that nobody could hear it. */
export const transcriptOf = (detail: AssetDetail) =>
  detail.artifacts.find((it) => it.kind === 'transcript' && it.model !== 'metadata');

/** How far a recording has been heard; again, where somebody heard it before. */
export function hearingInWords(
  hearing: NonNullable<AssetDetail['hearing']>,
  isAgain: boolean
): string {
  const all = hearing.duration_ms;
  if (all == null) return say(isAgain ? 'hearing_again' : 'hearing_begins');
  return say(isAgain ? 'hearing_again_so_far' : 'hearing_so_far', {
    until: playingTime(hearing.until_ms),
    all: playingTime(all)
  });
}

/** Whether what is shown of a recording is out of date, because this run goes on hearing it or has ended. */
export function isHeardFurther(detail: AssetDetail, run: Run): boolean {
  const now = run.hearing?.find((it) => it.asset_id === detail.id);
  const hasEnded = run.pipeline === 'understand' && run.ended_at_ms != null;
  return hasEnded || (now !== undefined && now.until_ms !== detail.hearing?.until_ms);
}
