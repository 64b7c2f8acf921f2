import type { Run } from '../api/client';
import { isWord, say, type Word } from '../words/words.svelte';

export function pipelineInWords(run: Run): string {
  const word = `pipeline_${run.pipeline}`;
  return isWord(word) ? say(word) : run.pipeline;
}

export function stateInWords(run: Run): string {
  if (run.waits_for) return say('run_waiting');
  return say(`run_${run.state}` as Word);
}

export function stepInWords(step: string): string {
  const word = `step_${step}`;
  return isWord(word) ? say(word) : step;
}

/** What a run waits for that is nothing of its own, if it does. */
export function waitInWords(run: Run): string | undefined {
  if (!run.waits_for) return undefined;
  return say(run.waits_for_code === 'no_space' ? 'run_waits_no_space' : 'run_waits_other');
}

/** The key of the words for why a file was passed over or not read, of the sentence that a scan gives. */
export function wordOfReason(reason: string): string {
  return `reason_${reason.toLowerCase().replace(/[^a-z]+/g, '_')}`;
}
