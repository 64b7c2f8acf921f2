/** What people write down themselves of an asset: what is said in it, and what stands in it. */
import type { AssetDetail, ClaimKind } from '../api/client';

/** Whether somebody says something of this kind of a piece of it, and did not take it back. */
export const isWrittenDown = (detail: AssetDetail, kind: ClaimKind): boolean =>
  detail.claims.some(
    (it) => it.kind === kind && it.undone_at_ms == null && !it.is_negation && it.value !== ''
  );

/** Whether it is known what stands in it. */
export const isRead = (detail: AssetDetail): boolean =>
  detail.artifacts.some((it) => it.kind === 'reading') || isWrittenDown(detail, 'written');

/** Whether it is something that is looked at, so that somebody can write down what stands in it. */
export const mayBeRead = ({ kind, look }: AssetDetail): boolean =>
  look != null && (kind === 'image' || kind === 'document');
