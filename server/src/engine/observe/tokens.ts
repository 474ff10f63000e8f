/** Walks over the states of a layer's texts, and which positions of all texts stand for them. */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { Random } from '../../random/random.ts';
import type { Batch } from '../sweep/batch.ts';

/** @param visit called per text with its row's first number in the states of its batch */
export function eachText(
  batches: readonly Batch[],
  hidden: number,
  visit: (text: number, batch: number, start: number) => void,
): void {
  for (const [b, { samples, length }] of batches.entries()) {
    samples.forEach((text, row) => visit(text, b, row * length * hidden));
  }
}

/**
 * `count` positions of all texts without repeats, as many as there are at most; text by text.
 * @param from first position of a text that counts
 * @param upTo behind the last one, by text
 */
export function drawnPositions(
  texts: readonly EncodedSample[],
  { count, seed, from, upTo }: { count: number; seed: number; from: number; upTo: (text: EncodedSample) => number },
): Map<number, { place: number; position: number }[]> {
  const all = texts.flatMap((text, index) =>
    Array.from({ length: Math.max(0, upTo(text) - from) }, (_, t) => ({ text: index, position: from + t })),
  );
  const chosen = new Random(seed, 'positions').subset(all.length, Math.min(count, all.length));
  const byText = new Map<number, { place: number; position: number }[]>();
  for (const [place, at] of chosen.entries()) {
    const { text, position } = all[at];
    byText.set(text, [...(byText.get(text) ?? []), { place, position }]);
  }
  return byText;
}
