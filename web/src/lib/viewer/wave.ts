/** The JSON of `audiowaveform`, version 2: the lowest and the highest sample of each stretch, in turn. */
export interface Waveform {
  bits: number;
  length: number;
  data: number[];
}

/** How loud it is over time in so many bars, each 0 to 1; the loudest is 1. */
export function barsOf(wave: Waveform, count: number): number[] {
  const stretches = Math.min(wave.length, Math.floor(wave.data.length / 2));
  const bars = Math.max(0, Math.min(count, stretches));
  const heights = Array.from({ length: bars }, (_, bar) => {
    const from = Math.floor((bar * stretches) / bars);
    const until = Math.max(from + 1, Math.floor(((bar + 1) * stretches) / bars));
    let most = 0;
    for (let i = from; i < until; i++) {
      most = Math.max(most, Math.abs(wave.data[2 * i]!), Math.abs(wave.data[2 * i + 1]!));
    }
    return most;
  });
  const loudest = Math.max(...heights, 1);
  return heights.map((height) => height / loudest);
}
