/** Texts of training samples: asked of the host when a table needs them, kept while the page lives. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SampleTextAnswer } from '../../protocol/lsp.ts';
import { onMessage, send } from './host.ts';

export type SampleText = SampleTextAnswer['samples'][number];

let nextRequest = 1;

/** What is known of the asked samples, by index; a sample that is not in the map yet is on its way. `key` names the result and its run. */
export function useSampleTexts(key: string, task: string, samples: readonly number[]): ReadonlyMap<number, SampleText> {
  const cache = useRef(new Map<string, SampleText>());
  const pending = useRef(new Map<number, string>());
  const asked = useRef(new Set<string>());
  const [, redraw] = useState(0);
  const prefix = `${key}\n${task}\n`;

  useEffect(
    () =>
      onMessage((message) => {
        if (message.type !== 'samples') return;
        const owner = pending.current.get(message.requestId);
        if (owner === undefined) return;
        pending.current.delete(message.requestId);
        for (const sample of message.answer.samples) cache.current.set(owner + sample.index, sample);
        redraw((n) => n + 1);
      }),
    [],
  );
  useEffect(() => {
    const missing = samples.filter((index) => !asked.current.has(prefix + index));
    if (missing.length === 0) return;
    for (const index of missing) asked.current.add(prefix + index);
    const requestId = nextRequest++;
    pending.current.set(requestId, prefix);
    send({ type: 'samples', requestId, task, split: 'train', samples: missing });
  }, [prefix, samples.join()]);

  return new Map(
    samples.flatMap((index) =>
      cache.current.has(prefix + index) ? [[index, cache.current.get(prefix + index)!]] : [],
    ),
  );
}
