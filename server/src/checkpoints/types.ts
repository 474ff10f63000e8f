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
  /**
   * What the stored numbers are multiplied with (scaledWeights.ts); tensors of their own, which the checkpoint does not
   * name.
   */
  scales?: Scales;
}

/** One scale for every block of rows x columns, or the powers of two of MXFP4. */
export type Scales =
  | { kind: 'grid'; info: TensorInfo; block: readonly [rows: number, columns: number] }
  | { kind: 'mxfp4'; info: TensorInfo };

/** Rank r and factor s of a LoRA adapter's term s (x Aᵀ) Bᵀ on one module. */
export interface LoraFactor {
  rank: number;
  scale: number;
  /** Whether B has a bias b: s ((x Aᵀ) Bᵀ + b), a tensor `<module>.lora_B.bias`. */
  bias?: boolean;
}

export interface Checkpoint {
  /** Absolute path that was opened. */
  readonly path: string;
  /** Folder or file name without ending. */
  readonly name: string;
  readonly format: 'safetensors' | 'gguf' | 'onnx';
  /** Commit of a hub id. */
  readonly revision?: string;
  /** As in Hugging Face `config.json`; rebuilt from the metadata for GGUF. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Weight files, in name order; an adapter's files behind them. */
  readonly files: readonly string[];
  /** A PEFT LoRA adapter, whose factors are tensors `<module>.lora_A.weight` and `<module>.lora_B.weight`. */
  readonly adapter?: {
    /** Absolute path of its folder. */
    readonly path: string;
    /** The model that it was made for, as its configuration names it, or null. */
    readonly baseModel: string | null;
    /** By module name with its layer, such as `model.layers.0.self_attn.q_proj`. */
    readonly factors: ReadonlyMap<string, LoraFactor>;
    /** Whether its configuration asks for factors of a module; null where it does not say. */
    targets(module: string): boolean | null;
  };
  /**
   * Reads one tensor as float32, row-major in the Hugging Face layout (GGUF: dequantised, Q/K order restored).
   * @param into an array of the tensor's size that may be filled and returned instead of a new one
   * @throws LayerifError `badModel` when the tensor is missing, the file is shorter than the header says or a value is
   *   NaN or infinite.
   */
  read(name: string, into?: Float32Array): Float32Array;
  /**
   * Parsed `tokenizer.json` and `tokenizer_config.json` (rebuilt for GGUF), and what the files leave open about tokens.
   * Throws `badModel` when there is none.
   */
  tokenizer(): {
    tokenizerJson: Record<string, unknown>;
    tokenizerConfig: Record<string, unknown>;
    warnings?: readonly string[];
  };
  /** Hex SHA-256 over the hex SHA-256 of `files`; file hashes are cached by path, size and time. */
  sha256(): Promise<string>;
  close(): void;
}
