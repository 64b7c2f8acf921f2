/**
 * What can be done with everything that was chosen in the timeline: buttons in the bar below it, one
 * component each, in this order. Each takes the ids and shows its own dialog. This is the one place.
 */
import type { Component } from 'svelte';

export interface ActionProps {
  assets: string[];
}

export const ACTIONS: Component<ActionProps>[] = [];
