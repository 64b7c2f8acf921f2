/** A folder on the way from the root. */
export interface Crumb {
  /** Empty for the root. */
  name: string;
  path: string;
}

/** The folders on the way to one that is named by an absolute path, the root first. */
export function crumbsOf(pathText: string): Crumb[] {
  const names = pathText.split('/').filter(Boolean);
  const crumbs = names.map((name, at) => ({ name, path: `/${names.slice(0, at + 1).join('/')}` }));
  return [{ name: '', path: '/' }, ...crumbs];
}
