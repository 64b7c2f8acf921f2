import { beforeEach, describe, expect, it } from 'vitest';
import { MOST, Selection, type ListIds } from './selection.svelte';

const idsBetween: ListIds = async (from, until) =>
  Array.from({ length: until - from }, (_, i) => `id${from + i}`);
const chosen = (selection: Selection) => [...selection.ids].sort();

describe('choosing', () => {
  let selection: Selection;
  beforeEach(() => {
    selection = new Selection(idsBetween);
  });

  it('takes one after another, and leaves them again', () => {
    selection.toggle('id4', 4);
    selection.toggle('id9', 9);
    expect([selection.isOn, chosen(selection)]).toEqual([true, ['id4', 'id9']]);
    selection.toggle('id4', 4);
    expect(chosen(selection)).toEqual(['id9']);
    selection.end();
    expect([selection.isOn, chosen(selection)]).toEqual([false, []]);
  });

  it('reaches from the last one that was tapped, in both directions, and keeps what was chosen before', async () => {
    selection.toggle('id20', 20);
    selection.toggle('id5', 5);
    await selection.extendTo(7);
    expect(chosen(selection)).toEqual(['id20', 'id5', 'id6', 'id7']);
    // Further in the other direction: what the range no longer reaches is no longer chosen.
    await selection.extendTo(3);
    expect(chosen(selection)).toEqual(['id20', 'id3', 'id4', 'id5']);
    await selection.extendTo(5);
    expect(chosen(selection)).toEqual(['id20', 'id5']);
  });

  it('begins with where one is when nothing was tapped', async () => {
    await selection.extendTo(2, 1);
    expect(chosen(selection)).toEqual(['id1', 'id2']);
    await selection.extendTo(3, 2);
    expect(chosen(selection)).toEqual(['id1', 'id2', 'id3']);
  });

  it('refuses what is too long, and goes on when it is shorter', async () => {
    selection.toggle('id0', 0);
    await selection.extendTo(MOST);
    expect([selection.isTooLong, selection.ids.size]).toEqual([true, 1]);
    await selection.extendTo(MOST - 1);
    expect([selection.isTooLong, selection.ids.size]).toEqual([false, MOST]);
  });

  it('lets the newest range win, however slowly an older one comes', async () => {
    const waiting: (() => void)[] = [];
    const slow = new Selection(async (from, until, signal) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return idsBetween(from, until, signal);
    });
    const first = slow.extendTo(900, 0);
    const second = slow.extendTo(2, 0);
    waiting[1]!();
    await second;
    waiting[0]!();
    await first;
    expect(chosen(slow)).toEqual(['id0', 'id1', 'id2']);
    expect(slow.isGathering).toBe(false);
    const late = slow.extendTo(5);
    slow.end();
    waiting[2]!();
    await late;
    expect([slow.isOn, slow.ids.size]).toEqual([false, 0]);
  });

  it('says what did not work, and keeps what was chosen', async () => {
    const failing = new Selection(() => Promise.reject(new Error('no line')));
    failing.toggle('id1', 1);
    await failing.extendTo(3);
    expect([failing.problem?.message, chosen(failing)]).toEqual(['no line', ['id1']]);
    expect(failing.isGathering).toBe(false);
  });
});
