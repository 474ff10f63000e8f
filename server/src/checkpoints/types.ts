/** A checkpoint: named tensors and where they lie, with the model's configuration and tokenizer. */

export interface TensorInfo {
  /** Hugging Face name, for GGUF too. */
  name: string;
  /** As stored: F32, F16, BF16, F64 or a GGUF block type such as Q4_1. */
  dtype: string;
  shape: readonly number[];
  /** Absolute, symbolic links resolved. */
  file: string;
  /** Bytes from the start of the file. */
  offset: number;
  byteLength: number;
}

export interface Checkpoint {
  /** Absolute path that was opened. */
  readonly path: string;
  /** Folder or file name without ending. */
  readonly name: string;
  readonly format: 'safetensors' | 'gguf';
  /** As in Hugging Face `config.json`; rebuilt from the metadata for GGUF. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Weight files, in name order. */
  readonly files: readonly string[];
  /**
   * Reads one tensor as float32, row-major in the Hugging Face layout (GGUF: dequantised, Q/K order restored).
   * @throws LayerifError `badModel` when the tensor is missing, the file is shorter than the header says or a value is NaN or infinite.
   */
  read(name: string): Float32Array;
  /** Parsed `tokenizer.json` and `tokenizer_config.json` (rebuilt for GGUF). Throws `badModel` when there is none. */
  tokenizer(): { tokenizerJson: Record<string, unknown>; tokenizerConfig: Record<string, unknown> };
  /** Hex SHA-256 over the hex SHA-256 of the weight files in name order; file hashes are cached by path, size and time. */
  sha256(): Promise<string>;
  close(): void;
}
