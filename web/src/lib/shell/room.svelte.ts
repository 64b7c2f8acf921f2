/** How much room the window has, in letters' sizes: what is wide for small text is narrow for large. */

let widthRem = $state(40);

export const isWide = () => widthRem >= 48;
/** Whether two things fit beside each other. */
export const isBroad = () => widthRem >= 58;
export const isRoomy = () => widthRem >= 16.5;

export function measure(): void {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
  widthRem = window.innerWidth / size;
}
