/** The two parts of a catalogue (see vite.config.ts). */
declare module '*.json?first' {
  const texts: Record<string, never>;
  export default texts;
}
declare module '*.json?rest' {
  const texts: Record<string, never>;
  export default texts;
}
