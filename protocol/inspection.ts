/** What a model is made of, as the editor's page of layers shows it. */

export interface InspectedModule {
  /** Below its layer. */
  name: string;
  /** [rows, columns] of the weight. */
  shape: [number, number];
  parameters: number;
}

/** What a user's ONNX graph tells beside. */
export interface InspectedGraph {
  /** Which loss is appended. */
  task: 'causal' | 'classification' | 'encoder';
  /** How the layers were found, in words. */
  how: string;
  /** Output that holds the logits, and all outputs. */
  logits: string;
  outputs: string[];
  /** Size of the vocabulary or number of classes; null where the graph leaves it open. */
  classes: number | null;
  /** Whether samples bring token ids. */
  tokens: boolean;
  /** Length that the graph fixes for its tokens. */
  length: number | null;
  /** Inputs that the data bring beside tokens; axes by number or name, the first is the batch. */
  arrays: { name: string; shape: (number | string)[] }[];
  /** Normalisation by channel as `preprocessor_config.json` beside the graph declares it; null without one. */
  normalisation: { mean: number[]; std: number[] } | null;
}

export interface InspectedModel {
  name: string;
  /** Absolute. */
  path: string;
  family: string;
  format: string;
  parameters: number;
  scoredParameters: number;
  /** 0..1, of the weights in the layers. */
  coverage: number;
  /** Layer i is `layerNames[i]`. */
  layerNames: string[];
  /** Layers with the same modules, by the first of them. */
  kinds: { layers: number[]; modules: InspectedModule[] }[];
  /** Tensors that no module owns: norms, biases, embeddings, head. */
  unscored: { name: string; shape: number[] }[];
  /** Tensors that no part of the model reads and that are none of the usual constants. */
  notRead: { name: string; shape: number[] }[];
  /** Stored types of the weights with the number of tensors. */
  dtypes: Record<string, number>;
  /** Null for a checkpoint of a known family. */
  graph: InspectedGraph | null;
}
