/** Whether people would see something: pictures that are decoded, at the places of their tiles. */
import type { Page } from 'playwright-core';

/**
 * Whether every tile within the window shows its picture, or its name where none was drawn, and whether tiles
 * cover at least that part of the window's height and the grid's width.
 */
export function arePainted(page: Page, leastCovered: number): Promise<boolean> {
  return page.evaluate(async (least) => {
    const grid = document.querySelector('.grid')!.getBoundingClientRect();
    const seen = (box: DOMRect) =>
      Math.max(0, Math.min(box.bottom, innerHeight) - Math.max(box.top, 0)) * box.width;
    // Of a tile that is only just touched there is nothing to look at.
    const tiles = [...document.querySelectorAll<HTMLElement>('.grid a')].filter((tile) => {
      const box = tile.getBoundingClientRect();
      return box.bottom > 6 && box.top < innerHeight - 6;
    });
    let covered = 0;
    for (const tile of tiles) {
      const box = tile.getBoundingClientRect();
      // What lies there is this tile and nothing over it.
      const y = Math.min(Math.max(box.top, 0) + 4, innerHeight - 2);
      const over = document.elementFromPoint(box.left + box.width / 2, y);
      if (!over?.closest('.track, .selection, .notice, nav') && !tile.contains(over)) return false;
      const picture = tile.querySelector('img');
      const card = tile.querySelector<HTMLElement>('.card .name');
      if (picture) {
        if (!picture.complete || picture.naturalWidth === 0) return false;
        if (!picture.classList.contains('here')) return false;
        await picture.decode();
      } else if (!card?.innerText) return false;
      covered += seen(box);
    }
    return covered >= least * seen(grid) && seen(grid) > 0;
  }, leastCovered);
}
