/**
 * Texts of rows: asked of the host when a table needs them, kept for as long as the page lives, whatever tab is shown.
 */
import { useEffect, useState } from 'preact/hooks';
import type { SampleTextAnswer } from '../../protocol/lsp.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { onMessage, send } from './host.ts';

export type SampleText = SampleTextAnswer['samples'][number];

/** Where the rows of a table come from. */
export interface TextSource {
  /** Changes with everything that changes the meaning of a row's index. */
  key: string;
  request: (requestId: number, indices: number[]) => FromWebview;
}

/** @param source names the result's data */
export const samplesOf = (source: string, task: string, split: 'train' | 'validation' = 'train'): TextSource => ({
  key: `${source}\n${task}\n${split}\n`,
  request: (requestId, samples) => ({ type: 'samples', requestId, task, split, samples }),
});

/** Rows that are asked for at once where all are read. */
const CHUNK = 500;

const texts = new Map<string, SampleText>();
const asked = new Set<string>();
/** Request id -> what its rows' keys begin with. */
const pending = new Map<number, string>();
const listeners = new Set<() => void>();
let requests = 0;
let stopListening: (() => void) | null = null;

/** What is known of the asked rows, by index; a row that is not in the map yet is on its way. */
export function useTexts(source: TextSource, indices: readonly number[]): ReadonlyMap<number, SampleText> {
  useNews();
  useEffect(() => ask(source, indices), [source.key, indices.join()]);
  return knownOf(source, indices);
}

/** The same for rows 0 to `count`, in chunks one after the other, from when they are `wanted` on. */
export function useAllTexts(source: TextSource, count: number, wanted: boolean): ReadonlyMap<number, SampleText> {
  useNews();
  const all = Array.from({ length: count }, (_, index) => index);
  const known = knownOf(source, all);
  const missing = all
    .filter((index) => !asked.has(source.key + index) && !texts.has(source.key + index))
    .slice(0, CHUNK);
  const waiting = [...pending.values()].includes(source.key);
  useEffect(() => {
    if (wanted && !waiting && missing.length > 0) ask(source, missing);
  }, [source.key, wanted, waiting, missing[0]]);
  return known;
}

function useNews(): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw((n) => n + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
}

function knownOf({ key }: TextSource, indices: readonly number[]): Map<number, SampleText> {
  const known = new Map<number, SampleText>();
  for (const index of indices) {
    const text = texts.get(key + index);
    if (text) known.set(index, text);
  }
  return known;
}

function ask({ key, request }: TextSource, indices: readonly number[]): void {
  stopListening ??= onMessage((message) => {
    if (message.type === 'samples') receive(message.requestId, message.answer);
  });
  const missing = indices.filter((index) => !asked.has(key + index));
  if (missing.length === 0) return;
  for (const index of missing) asked.add(key + index);
  const requestId = ++requests;
  pending.set(requestId, key);
  send(request(requestId, missing));
}

function receive(requestId: number, answer: SampleTextAnswer): void {
  const key = pending.get(requestId);
  if (key === undefined) return;
  pending.delete(requestId);
  for (const sample of answer.samples) {
    texts.set(key + sample.index, sample);
    // Without a file the server could not be asked: the next table tries again.
    if (sample.file === '') asked.delete(key + sample.index);
  }
  for (const listener of listeners) listener();
}
