/** What was heard in a film or recording. */
import type { AssetDetail } from '$lib/api/client';

/** The transcript of an asset; none where it is only noted that nobody could hear it. */
export const transcriptOf = (detail: AssetDetail) =>
  detail.artifacts.find((it) => it.kind === 'transcript' && it.model !== 'metadata');
