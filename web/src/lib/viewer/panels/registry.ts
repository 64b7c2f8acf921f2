/**
 * What stands beside a picture, film or recording: panels, one file each, in this order.
 *
 * A new kind of artifact gets a panel by adding a file and a line here; web/README.md has an example.
 */
import type { Component } from 'svelte';
import type { AssetDetail } from '../../api/client';
import type { Word } from '../../words/words.svelte';
import { transcriptOf } from '../heard';
import { isRead, isWrittenDown, mayBeRead } from '../written';
import Collections from './Collections.svelte';
import Faces from './Faces.svelte';
import Facts from './Facts.svelte';
import FileAbout from './FileAbout.svelte';
import Made from './Made.svelte';
import Places from './Places.svelte';
import Reading from './Reading.svelte';
import Similar from './Similar.svelte';
import Tags from './Tags.svelte';
import Together from './Together.svelte';
import Transcript from './Transcript.svelte';

export interface PanelProps {
  detail: AssetDetail;
  /** To be called when something about the asset was changed: it is fetched anew. */
  onchange: () => Promise<void>;
}

export interface Panel {
  /** The heading. */
  title: Word;
  /** Whether there is anything to show of this asset. */
  isFor: (detail: AssetDetail) => boolean;
  content: Component<PanelProps>;
}

export const PANELS: Panel[] = [
  {
    title: 'panel_transcript',
    isFor: (detail) =>
      transcriptOf(detail) !== undefined || detail.hearing != null || isWrittenDown(detail, 'said'),
    content: Transcript
  },
  {
    title: 'panel_reading',
    isFor: (detail) => isRead(detail) || mayBeRead(detail),
    content: Reading
  },
  {
    title: 'panel_faces',
    isFor: (detail) => detail.artifacts.some((it) => it.kind === 'faces'),
    content: Faces
  },
  {
    title: 'panel_tags',
    isFor: (detail) => detail.claims.some((it) => it.kind === 'tag' && it.undone_at_ms == null),
    content: Tags
  },
  { title: 'panel_facts', isFor: () => true, content: Facts },
  {
    title: 'panel_together',
    isFor: (detail) => detail.stacks.length > 0 || detail.replaces_asset_id != null,
    content: Together
  },
  {
    title: 'panel_similar',
    isFor: (detail) => detail.artifacts.some((it) => it.kind === 'tags'),
    content: Similar
  },
  { title: 'panel_collections', isFor: (detail) => !detail.deleted_at_ms, content: Collections },
  { title: 'panel_places', isFor: (detail) => detail.locations.length > 0, content: Places },
  { title: 'panel_file', isFor: () => true, content: FileAbout },
  { title: 'panel_made', isFor: (detail) => detail.artifacts.length > 0, content: Made }
];
