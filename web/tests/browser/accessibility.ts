/** What a page lacks for people who cannot see it well, hear it or use a mouse. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');

export async function violations(page: Page): Promise<string[]> {
  // The policy of the page lets no script of ours in by a tag; evaluating one is the debugger's right.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const found = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    });
    return found.violations.flatMap((rule) =>
      rule.nodes.map(
        (node) => `${rule.id}: ${node.target.join(' ')} (${node.failureSummary ?? ''})`
      )
    );
  });
}
