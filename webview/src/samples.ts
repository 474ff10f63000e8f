/**
 * Texts of training samples: asked of the host when a table needs them, kept for as long as the page lives, whatever
 * tab is shown.
 */
import { useEffect, useState } from 'preact/hooks';
import type { SampleTextAnswer } from '../../protocol/lsp.ts';
import { onMessage, send } from './host.ts';

export type SampleText = SampleTextAnswer['samples'][number];

const texts = new Map<string, SampleText>();
const asked = new Set<string>();
/** Request id -> what its samples' keys begin with. */
const pending = new Map<number, string>();
const listeners = new Set<() => void>();
let requests = 0;
let stopListening: (() => void) | null = null;

/**
 * What is known of the asked samples, by index; a sample that is not in the map yet is on its way. `source` names the
 * result's data.
 */
export function useSampleTexts(
  source: string,
  task: string,
  samples: readonly number[],
): ReadonlyMap<number, SampleText> {
  const prefix = `${source}\n${task}\n`;
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  useEffect(() => ask(prefix, task, samples), [prefix, samples.join()]);

  const known = new Map<number, SampleText>();
  for (const index of samples) {
    const text = texts.get(prefix + index);
    if (text) known.set(index, text);
  }
  return known;
}

function ask(prefix: string, task: string, samples: readonly number[]): void {
  stopListening ??= onMessage((message) => {
    if (message.type === 'samples') receive(message.requestId, message.answer);
  });
  const missing = samples.filter((index) => !asked.has(prefix + index));
  if (missing.length === 0) return;
  for (const index of missing) asked.add(prefix + index);
  const requestId = ++requests;
  pending.set(requestId, prefix);
  send({ type: 'samples', requestId, task, split: 'train', samples: missing });
}

function receive(requestId: number, answer: SampleTextAnswer): void {
  const prefix = pending.get(requestId);
  if (prefix === undefined) return;
  pending.delete(requestId);
  for (const sample of answer.samples) {
    texts.set(prefix + sample.index, sample);
    // Without a file the server could not be asked: the next table tries again.
    if (sample.file === '') asked.delete(prefix + sample.index);
  }
  for (const listener of listeners) listener();
}
