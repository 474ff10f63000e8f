/**
 * Scores of layers beside influence: what a score asks of the model (`Need`), what the engine observes for it, and the
 * one form in which every score is stored, drawn and exported (`ScoreTable`). Fields are only ever added.
 */
import type { MeasuredMemory, Phases, Provenance } from './provenance.ts';
import type { EncodedSample } from './samples.ts';

export const SCORES_SUFFIX = '.layerif-scores.json';
/** Folder beside a result with one file for each observation. */
export const OBSERVATIONS_FOLDER = 'observations';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Whose forward pass is observed: the checkpoint as it is, with the experiment's adapter, or another checkpoint. */
export interface ModelVariant {
  variant: 'base' | 'adapter' | 'checkpoint';
  /** Hash of the weights, where it is another model than the experiment's. */
  sha256?: string;
}

/**
 * What a score asks of the model. Its canonical JSON is the observation's key: two needs with one key are one
 * observation.
 */
export interface Need {
  /** An id of `server/src/scores/observations.ts`. */
  of: string;
  /** Of the observation: another one is another observation. */
  version: number;
  options: Record<string, Json>;
  /** Hash of the token ids; null where only weights are looked at. */
  texts: string | null;
  model: ModelVariant;
}

/** Numbers of an observation by name, row-major. */
export type Tensors = Record<string, { shape: number[]; data: Float64Array | Float32Array | Uint8Array }>;

export type Question =
  | 'remove_block'
  | 'prune_weights'
  | 'place_adapters'
  | 'find_information'
  | 'find_hallucination'
  | 'trust_data'
  | 'explain';

/** Which question a score answers, in words. */
export const questionWords: Record<Question, string> = {
  remove_block: 'which blocks can go',
  prune_weights: 'which layers lose weights',
  place_adapters: 'where adapters help',
  find_information: 'where information is',
  find_hallucination: 'where hallucination shows',
  trust_data: 'which data to trust',
  explain: 'what the layers do',
};

/** How the mark of a table begins whose layers `--to prone-list` names. */
export const PRONE_MARK = 'prone to hallucination';

export type Subject = 'layer' | 'module' | 'layer_pair' | 'sample' | 'token' | 'fact' | 'model' | 'run';

/** Of facts (`mastery`): how well they are known; the part `level` of a table. */
export const factLevels = [0, 1, 2, 3, 4] as const;

/** One score of one model on one set of texts. */
export interface ScoreTable {
  score: string;
  version: number;
  title: string;
  /** Of the values; '' for a ratio. */
  unit: string;
  source: string;
  formula: string;
  /** Whether the formula is the published one; `ours` where it could not be confirmed or has none. */
  status: 'published' | 'ours';
  question: Question;
  subject: Subject;
  /** What a high value speaks for; null where the score gives no direction. */
  higherMeans: 'keep' | 'remove' | null;
  options: Record<string, Json>;
  /** Which texts were read, in words; null where none were. */
  texts: string | null;
  /** One axis: bars or a line; two: a heat map. */
  axes: {
    name: string;
    labels: (string | number)[];
    /** What each label belongs to; equal ones stand together. */
    groups?: string[];
  }[];
  /** Row-major; null = undefined, with a note. */
  values: (number | null)[];
  /** What the values are made of, or what they are the mean of, each as long as `values`. */
  parts?: Record<string, (number | null)[]>;
  /** On other texts of the same kind: percentile interval at `level`. */
  intervals?: ([number, number] | null)[];
  level?: number;
  p?: (number | null)[];
  /** What a score would be by chance; one number, or one for each value. */
  reference?: { value: number | (number | null)[]; words: string };
  /** One value a layer, where the values themselves are none: what allocation and the agreement of scores take. */
  layers?: { values: (number | null)[]; words: string };
  /** Indices of values that stand out; with `drop` they are rows that the rule of the score leaves out. */
  marks?: {
    at: number[];
    words: string;
    /** Whether `select` leaves these out. */
    drop?: boolean;
  }[];
  /** Of token masks: share of the tokens that each threshold masks, thresholds ascending. */
  thresholds?: {
    at: number[];
    /** Share of the tokens that each threshold masks. */
    masked: number[];
  };
  /** Of scores of rows: where the row of each value stands. */
  rows?: ScoredRows;
  notes: string[];
  /** Keys of its observations: with them the table can be made again without the model. */
  needs: string[];
}

/** Rows of a dataset, one for each value of a table. */
export interface ScoredRows {
  dataset: string;
  split: string;
  /** The task whose template makes the texts; null where the column `text` is the text. */
  task: string | null;
  /** Paths relative to the experiment's folder, with `/`. */
  files: string[];
  /** Of each row: index into `files`, index within the file from 0, and line from 1 where the format has lines. */
  file: number[];
  row: number[];
  line: (number | null)[];
  /** By path: hex SHA-256 of the files when the rows were scored. */
  sha256: Record<string, string>;
  /** Of the model that scored: hex SHA-256 of its tokenizer; null where no tokens are looked at. */
  tokenizer: string | null;
}

/** `NAME.layerif-scores.json`, beside the result where there is one. */
export interface ScoresFile {
  format: 'layerif-scores';
  version: 1;
  /** `partial` while tables are added. */
  status: 'partial' | 'complete';
  /** Absolute path at the time of the run. */
  experimentFile: string;
  model: { name: string; family: string; layers: number; sha256: string };
  tables: ScoreTable[];
  /** Scores that were asked for and could not be made, with the reason; the others stand. */
  refused?: { score: string; message: string }[];
  provenance: Provenance<Phases> & MeasuredMemory;
}

/** An observation that is asked of the engine; `name` is how the answer calls it. */
export interface AskedObservation {
  name: string;
  of: string;
  options: Record<string, Json>;
}

/** Texts through the model once; every observation of the pass is made on the way. */
export interface ObserveRequest {
  modelPath: string;
  adapter?: string | undefined;
  /** What the experiment says of a user's graph. */
  graph?: { pattern?: string | undefined; output?: string | undefined };
  /** Empty where only weights are looked at. */
  texts: EncodedSample[];
  /** Groups of batches of indices into `texts`; activations of one group exist at a time. */
  groups: number[][][];
  /** The same for passes with layers left out, of which each holds many states; none where nobody asks for them. */
  ablated: number[][][];
  weights: 'resident' | 'streamed';
  /** Matrices that a pruning in memory has changed stay so; else the checkpoint's are observed. */
  keepChanges: boolean;
  /** Where activations between layers live: in memory, or in files below `workDir`. */
  boundaries: 'memory' | 'files';
  /** Counted positions per run of the head. */
  headRows: number;
  observations: AskedObservation[];
  /** Where an interrupted pass is kept and continued; null keeps nothing. */
  workDir: string | null;
  /** Hash of all that decides the numbers: what another pass has left is not taken over. */
  key: string;
  /** Least seconds between two saved states. */
  checkpointSeconds: number;
}

export interface ObserveSummary {
  observations: Record<string, Tensors>;
  /** Runs of ONNX Runtime sessions. */
  sessionRuns: number;
  seconds: number;
  peakMemoryBytes: number;
  /** Layers, over all groups, that an interrupted pass had finished. */
  resumedLayers: number;
}
