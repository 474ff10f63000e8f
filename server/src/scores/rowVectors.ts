/** One vector of hidden states a row, for scores that compare rows by them. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { OptionRow } from './types.ts';
import type { RowNeed, RowTexts } from './dataTypes.ts';
import { dotAt } from '../linear/vectors.ts';
import { entry } from '../lists/entry.ts';

/** Of scores that read hidden states alone. */
export const encoderOption = {
  type: 'text',
  default: '',
  words:
    'Folder, .gguf file, .onnx encoder with its tokenizer.json beside it, or hub id of the model whose vectors are taken; empty: the model of the experiment.',
} as const satisfies OptionRow;

export const poolOption = {
  type: 'choice',
  default: 'mean',
  choices: ['mean', 'last'],
  words: 'Vector of a row: the mean over its tokens, or its last token.',
} as const satisfies OptionRow;

export const layerOption = {
  type: 'number',
  default: -1,
  least: -1,
  whole: true,
  words: 'Behind which layer, from 0; -1 is the last one.',
} as const satisfies OptionRow;

/** Behind a layer; -1 is filled in by whoever knows how many there are. */
export const rowStates = (layer: number): RowNeed => ({
  of: 'hidden_pooled',
  options: { layers: [layer] },
  text: { form: 'answered', prefix: '' },
});

/** Vectors of rows that pass by; zeros for rows without a text. */
export class RowVectors {
  #width = 0;
  readonly #chunks: Float32Array[] = [];
  readonly known: boolean[] = [];

  add({ text, tensors, samples }: RowTexts, pool: 'mean' | 'last'): void {
    const { data } = entry(tensors, pool);
    const width = samples.length === 0 ? this.#width : data.length / samples.length;
    if (this.#width > 0 && width !== this.#width)
      throw new LayerifError('failed', `states of ${width} numbers behind those of ${this.#width}`);
    this.#width = width;
    const chunk = new Float32Array(text.length * width);
    text.forEach((index, row) => {
      const square = index < 0 ? 0 : dotAt(data, index * width, index * width, width);
      this.known.push(square > 0);
      if (square === 0) return;
      const scale = this.scale(square);
      chunk.set(
        data.subarray(index * width, (index + 1) * width).map((value) => scale * value),
        row * width,
      );
    });
    this.#chunks.push(chunk);
  }

  /** Factor of a vector whose squared length is `square`. */
  protected scale(_square: number): number {
    return 1;
  }

  get width(): number {
    return this.#width;
  }

  /** All rows, one after the other. */
  all(): Float32Array {
    const size = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const data = new Float32Array(size);
    let at = 0;
    for (const chunk of this.#chunks) {
      data.set(chunk, at);
      at += chunk.length;
    }
    return data;
  }
}

/** The same of length 1. */
export class UnitVectors extends RowVectors {
  protected override scale(square: number): number {
    return 1 / Math.sqrt(square);
  }
}
