/** The vocabulary of user-supplied graphs: the file, what is scored in it, what a run of it tells. */
import type { DecodedModel, DecodedNode } from '../onnx/decode.ts';
import type { DataType, TypedArray } from '../onnx/types.ts';

/** A graph file that is open; constants in other files are read when they are asked for. */
export interface GraphFile {
  /** Absolute. */
  path: string;
  model: DecodedModel;
  /** The graph and its external data, absolute. */
  files: string[];
  /** Content of a constant, external or not. @throws LayerifError `badModel` for a file that is too short */
  constant(name: string): TypedArray;
  /** Where a constant lies, in bytes; the graph's own file with offset 0 for those inside it. */
  place(name: string): { file: string; offset: number; length: number };
}

/** How a node reads its weight: `left` in W x, `right` in x W; the kernel of a convolution. */
export type WeightSide = 'left' | 'right' | 'kernel';

/** A node that multiplies with a weight. */
export interface WeightUse {
  node: DecodedNode;
  side: WeightSide;
  /** Constant that the weight comes from, perhaps transposed or cast on its way. */
  initializer: string;
  /** Whether that constant is stored as columns x rows. */
  turned: boolean;
}

/** A matrix or kernel whose per-sample gradients can be taken: y = x Wᵀ with W rows x columns. */
export interface GraphModule {
  /** Hugging Face name where the graph tells it, such as `model.layers.0.self_attn.q_proj`. */
  path: string;
  rows: number;
  /** Inputs per group times kernel positions, for a convolution. */
  columns: number;
  groups: number;
  /** Of a convolution, spatial sizes; [] for a matrix. */
  kernel: readonly number[];
  /** All of its uses; gradients are summed over them. */
  uses: WeightUse[];
}

/** Layer `index` is `name`; `modules` are names below it. */
export interface GraphLayer {
  name: string;
  modules: { name: string; module: GraphModule }[];
}

/** What one run of the graph as it is told of a value. `data` is kept for constants. */
export interface Probed {
  type: DataType;
  shape: number[];
  data: TypedArray | null;
}

/** An encoder gives hidden states and no logits. */
export type GraphTask = 'causal' | 'classification' | 'encoder';
