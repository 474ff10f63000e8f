/**
 * Grams that are there before a sweep, when samples are added to a finished run: pairs of two known samples are not
 * multiplied again but read from the file, a module at a time.
 */
import type { KnownGrams } from '../../../../protocol/engine.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

type Captured = ModuleCaptures['batches'];

/** Batches of known samples before all others; a batch has samples of one kind. */
export function knownFirst(batches: Captured, known: Pick<KnownGrams, 'train' | 'validation'>): Captured {
  const isKnown = ({ batch }: Captured[number]) => batch.samples.every((i) => i < known[sideOf(batch.split)]);
  return [...batches.filter(isKnown), ...batches.filter((one) => !isKnown(one))];
}

const sideOf = (split: Captured[number]['batch']['split']) => (split === 'validation' ? split : 'train');

/** Reads the parts of K, C and diagV that are known into their places. */
export class KnownReader {
  readonly #known: KnownGrams;
  readonly #tensors: Pick<ReturnType<typeof readSafetensors>, 'tensor'>;

  constructor(known: KnownGrams) {
    this.#known = known;
    this.#tensors = readSafetensors(known.file);
  }

  fill(layer: number, module: string, { K, C, diagV }: Record<'K' | 'C' | 'diagV', Float64Array>): void {
    const { prefix, train, validation } = this.#known;
    const stored = (name: string) => this.#tensors.tensor(`${prefix}${layer}.${module}.${name}`) as Float64Array;
    const ofValidation = stored('diagV');
    place(stored('K'), K, train, train);
    place(stored('C'), C, train, validation, ofValidation.length, diagV.length);
    diagV.set(ofValidation.subarray(0, validation));
  }
}

/** The first rows and columns of one matrix into another, both row-major; square ones know their widths. */
function place(
  from: Float64Array,
  into: Float64Array,
  rows: number,
  columns: number,
  width = Math.sqrt(from.length),
  intoWidth = Math.sqrt(into.length),
): void {
  for (let i = 0; i < rows; i++) into.set(from.subarray(i * width, i * width + columns), i * intoWidth);
}
