/**
 * What can be done with everything that was chosen in the timeline: buttons in the bar below it, one
 * component each, in this order. Each takes the ids and shows its own dialog. This is the one place.
 */
import type { Component } from 'svelte';
import AddToCollectionAction from './AddToCollectionAction.svelte';
import BulkClaimAction from './BulkClaimAction.svelte';

export interface ActionProps {
  assets: string[];
  /** After something was changed about them. */
  onchange: () => Promise<void>;
}

export const ACTIONS: Component<ActionProps>[] = [AddToCollectionAction, BulkClaimAction];
