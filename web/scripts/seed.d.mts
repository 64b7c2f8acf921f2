/** See seed.mjs. */
export function seed(folder: string, count: number): void;
