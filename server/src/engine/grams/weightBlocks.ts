/**
 * Captures of parts of a weight matrix: an attention head is some rows of its query, key and value matrices (outputs of
 * the module) and some columns of its output matrix (inputs). With the captured y or x cut to these, everything behind
 * sees a smaller matrix.
 */
import type { WeightBlock } from '../../../../protocol/engine.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

/** The captures of each block of the module, or the module's own where it has none. */
export function* blockCaptures(
  captures: ModuleCaptures,
  blocks: readonly WeightBlock[] | undefined,
): Generator<ModuleCaptures> {
  const { layer, module, rows, columns, batches } = captures;
  const own = blocks?.filter((block) => block.layer === layer && block.module === module) ?? [];
  if (own.length === 0) {
    yield captures;
    return;
  }
  for (const { name, side, first, last } of own) {
    const size = last - first;
    yield {
      layer,
      module: name,
      rows: side === 'rows' ? size : rows,
      columns: side === 'columns' ? size : columns,
      batches: batches.map(({ batch, x, y }) => ({
        batch,
        x: side === 'columns' ? part(x, first, last) : x,
        y: side === 'rows' ? part(y, first, last) : y,
      })),
    };
  }
}

/** Positions first .. last - 1 of the last axis of [B, T, width]. */
function part(tensor: Tensor, first: number, last: number): Tensor {
  const [samples, length, width] = tensor.dims;
  const all = numbers(tensor);
  const size = last - first;
  const cut = new Float32Array(samples * length * size);
  for (let position = 0; position < samples * length; position++) {
    cut.set(all.subarray(position * width + first, position * width + last), position * size);
  }
  return floats(cut, [samples, length, size]);
}
