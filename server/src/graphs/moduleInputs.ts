/** What the matrices of a graph's layers are multiplied with, by the names of values. */
import { readerOf } from '../onnx/attributes.ts';
import type { FoundLayers } from './layers.ts';
import { nth } from '../lists/nth.ts';

export interface ModuleInput {
  layer: number;
  /** Name below the layer. */
  module: string;
  columns: number;
  /** x in y = x Wᵀ. */
  value: string;
  /** Which axis of x has `columns` entries, counted from the last: 1 or 2. */
  axis: 1 | 2;
}

/**
 * One for each use of a matrix, in forward order.
 * @throws Error naming a module that is a kernel, whose inputs are patches
 */
export function moduleInputs({ layers }: FoundLayers): ModuleInput[] {
  return layers.flatMap(({ name: layerName, modules }, layer) =>
    modules.flatMap(({ name, module: { columns, uses } }) =>
      uses.map(({ node, side }): ModuleInput => {
        if (side === 'kernel') throw new Error(`${layerName}.${name} is a convolution, whose inputs are not read`);
        const own = side === 'right' ? 0 : 1;
        const turned = readerOf(node).int(own === 0 ? 'transA' : 'transB', 0) !== 0;
        // x W reads the last axis of x, W x the one before it; a transposed x the other one.
        const axis = (side === 'right') === turned ? 2 : 1;
        return { layer, module: name, columns, value: nth(node.inputs, own), axis };
      }),
    ),
  );
}
