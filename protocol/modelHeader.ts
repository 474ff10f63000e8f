/** What the header of a model file says, for the editor *Model Layers*: nothing of the weights is read for it. */

/** Tensors of one name below their layer, of one type and shape; a `*` stands for the numbers of experts. */
export interface HeaderTensors {
  /** As Hugging Face calls it where that is known. */
  name: string;
  /** As the file calls it, where that differs; a `*` stands for the numbers of layers. */
  stored: string | null;
  type: string;
  shape: number[];
  count: number;
  /** Indices into `layers`; none for tensors outside. */
  layers: number[];
  /** Of all together. */
  parameters: number;
  /** Null for a type whose size is not known. */
  bytes: number | null;
}

export interface HeaderLayer {
  name: string;
  tensors: number;
  parameters: number;
  bytes: number | null;
  types: string[];
}

export interface ModelHeader {
  /** Name of the file, or the hub id. */
  name: string;
  format: 'safetensors' | 'gguf' | 'onnx';
  /** Such as `GGUF version 3`. */
  version: string;
  /** Bytes as a whole. */
  files: { name: string; bytes: number }[];
  tensors: number;
  parameters: number;
  types: { name: string; tensors: number; bytes: number | null }[];
  layers: HeaderLayer[];
  modules: HeaderTensors[];
  /** Embeddings, head, norms behind the layers. */
  others: HeaderTensors[];
  /** In the order of the file; long texts and lists are cut. */
  metadata: { key: string; value: string }[];
  /** What is not shown, sentences. */
  notes: string[];
}
