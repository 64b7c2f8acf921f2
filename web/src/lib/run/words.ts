import type { Run } from '../api/client';
import { isWord, say, type Word } from '../words/words.svelte';

export function pipelineInWords(run: Run): string {
  const word = `pipeline_${run.pipeline}`;
  return isWord(word) ? say(word) : run.pipeline;
}

export function stateInWords(run: Run): string {
  return say(`run_${run.state}` as Word);
}

export function stepInWords(step: string): string {
  const word = `step_${step}`;
  return isWord(word) ? say(word) : step;
}
