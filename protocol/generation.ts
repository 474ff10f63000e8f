/** What crosses between `run` and the engine for generated texts, and the file that `layerif generate` writes. */
import type { MeasuredMemory, Provenance } from './provenance.ts';

/** How the next token is chosen from the logits; words and defaults of transformers' `GenerationConfig`. */
export interface Sampling {
  /** false: always the most probable token (of equals the first). */
  doSample: boolean;
  temperature: number;
  /** The most probable tokens that are drawn from; 0 for all. */
  topK: number;
  /** The fewest tokens whose probabilities reach this sum are drawn from; 1 for all. */
  topP: number;
  /** Tokens with less than this share of the largest probability are left out; 0 for none. */
  minP: number;
  /** Logits of tokens that the text has already are divided by it where positive, else multiplied; 1 for none. */
  repetitionPenalty: number;
  seed: number;
}

export interface GenerateRequest {
  modelPath: string;
  /** Absolute path of a PEFT LoRA adapter that is applied to the model. */
  adapter?: string | undefined;
  prompts: Int32Array[];
  /** Most new tokens of each prompt. */
  maxNewTokens: number[];
  /** Which random numbers each prompt is drawn with, beside the seed; default: by its index. */
  streams?: string[] | undefined;
  /** Indices of prompts that share runs. */
  batches: number[][];
  weights: 'resident' | 'streamed';
  /** Tokens of one prompt per run. */
  chunk: number;
  /** Tokens that end a text; they are part of it. */
  eos: number[];
  sampling: Sampling;
}

/** `eos`: an ending token; `stop`: whoever asked had enough; `length`: `maxNewTokens` are there. */
export type Ending = 'eos' | 'stop' | 'length';

export interface GenerateSummary {
  /** Per prompt: new tokens, with the ending one. */
  tokens: Int32Array[];
  endings: Ending[];
  /** Of reading prompts and of adding tokens, which begins at the second new token. */
  seconds: { prompts: number; tokens: number };
  /** Tokens that were read, and tokens that were made behind the first one of each text. */
  counts: { prompts: number; tokens: number };
  sessionRuns: number;
  peakMemoryBytes: number;
}

/** What `layerif generate --json` prints. Fields are only ever added. */
export interface GeneratedFile {
  format: 'layerif-generation';
  version: 1;
  model: { name: string; family: string; sha256: string };
  sampling: Sampling;
  /** Tokens that end a text. */
  eos: number[];
  /** Strings before which a text ends. */
  stop: string[];
  maxNewTokens: number;
  notes: string[];
  texts: {
    prompt: string;
    /** Without special tokens and stop string. */
    text: string;
    promptTokens: number;
    /** New tokens, with the one that ended the text. */
    tokens: number[];
    ending: Ending;
    /** Of a prompt from a file; line from 1 or null. */
    file?: string;
    line?: number | null;
  }[];
  /** Null where no token was counted; the first new token of a text counts as part of its prompt. */
  tokensPerSecond: { prompts: number | null; new: number | null };
  provenance: Provenance & MeasuredMemory;
}
