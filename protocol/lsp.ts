/**
 * What requests and notifications between the extension (client) and the language server carry; `requests.ts` has one
 * row each.
 */
import type { PrunerId } from './methods.ts';
import type { GradientCheckReport } from './check.ts';
import type { Allocation, AllocationKind, AllocationRequest } from './allocation.ts';
import type { AskedScore, EstimatorId, Score, ProtocolId, Until } from './experiment.ts';
import type { DescribedData } from './dataDescription.ts';
import type { InspectedModel } from './inspection.ts';
import type { ModelHeader } from './modelHeader.ts';
import type { ResultTask } from './result.ts';
import type { PruningReport } from './pruning.ts';
import type { Estimate, RunEvent } from './run.ts';
import type { Comparison, DampingSweep, EstimatorComparison } from './trust.ts';
import type { DeviceId } from './devices.ts';
import type { ToolAnswer, ToolId } from './tools.ts';

/** Start a run. Answers when the run ends. Only one run at a time; a second one is refused. */
export interface ScoreParams {
  uri: string;
  /** Only this task. */
  task?: string;
  /** Only tasks over this dataset. */
  dataset?: string;
  /** Rows are added until the order is settled, in place of what the file says. */
  until?: Until;
  /**
   * Only these layer scores, beside the newest result of the model where there is one. A score without options is as
   * the file declares it, if it does.
   */
  scores?: AskedScore[];
}
export interface ScoreAnswer {
  /** The result; the scores where the file declares no influence, or where only scores were asked for. */
  resultFile: string | null;
  /** Null when it finished. */
  error: { code: string; message: string } | null;
}

/** The self-check of gradients, `layerif check FILE --gradients`. One run at a time, as with scores. */
export interface CheckGradientsParams {
  /** Absolute path of the experiment file. */
  file: string;
}
export interface CheckGradientsAnswer {
  /** Null when it did not come to an end; a failed check is a report too. */
  report: GradientCheckReport | null;
  error: { code: string; message: string } | null;
}

/** Influence against retraining, `layerif validate FILE`. One run at a time, as with scores. */
export interface ValidateParams {
  uri: string;
  /** Default: the first task. */
  task?: string;
  /** Default: those of the experiment's section `validate`. */
  protocols?: ProtocolId[];
}
export interface ValidateAnswer {
  /** `NAME.layerif-validation.json`. */
  resultFile: string | null;
  /** Null when it finished. */
  error: { code: string; message: string } | null;
}

/** What scoring an experiment will take, `layerif estimate FILE`. One at a time with runs. */
export interface EstimateParams {
  uri: string;
  /** Only this task. */
  task?: string;
}
export interface EstimateAnswer {
  /** Null with an error; a run that does not fit is an estimate with a `refusal`. */
  estimate: Estimate | null;
  error: { code: string; message: string } | null;
}

/** A tool for chat models that reads finished runs, `protocol/tools.ts`. */
export interface ToolParams {
  tool: Exclude<ToolId, 'score'>;
  /** As the model sent it. */
  input: unknown;
  /** Absolute paths of the folders that may be read. */
  folders: string[];
}
export interface ToolCallAnswer {
  /** Null with an error. */
  answer: ToolAnswer | null;
  error: { code: string; message: string } | null;
}

/** Cancel the run under way. */

/** Server -> client notification: every event of the run under way. */
export const RUN_EVENT = 'layerif/runEvent';
export type RunEventParams = RunEvent;

/** Server -> client notification: state of the engine, for the status bar. */
export const ENGINE_STATE = 'layerif/engineState';
export interface EngineStateParams {
  state: 'stopped' | 'starting' | 'idle' | 'busy' | 'failed';
  /** "cpu, 2 threads, node 20.20.2" */
  detail: string;
}

/** The text of training rows, for the tables of the results view. */
export interface SampleTextParams {
  resultFile: string;
  task: string;
  split: 'train' | 'validation';
  /** Indices into `tasks[].train.rows` (or `validation.rows`). */
  samples: readonly number[];
}
export interface SampleTextAnswer {
  /**
   * Absolute path and line (from 1, null for Parquet and Arrow) of each row beside its text; `null` text when the file
   * changed or is gone.
   */
  samples: {
    index: number;
    text: string | null;
    /** The part of the text that is the answer; null without a text, or where rows have none. */
    answer: string | null;
    file: string;
    line: number | null;
  }[];
}

/** Where a task and its dataset stand in an experiment file (lines from 0). */
export interface LocateParams {
  uri: string;
  task?: string;
  dataset?: string;
}
export interface LocateAnswer {
  line: number;
  character: number;
}

/**
 * What an experiment file holds, for the tree of experiments. Works on broken files too: what can be read is listed.
 */
export interface OutlineParams {
  uri: string;
}
export interface OutlineAnswer {
  /** In file order; lines from 0. */
  tasks: { task: string; dataset: string; line: number }[];
  datasets: { dataset: string; line: number }[];
}

/** Arguments of the code lens commands: one JSON object. */
export interface LensArgument {
  uri: string;
  task?: string;
  dataset?: string;
}

/** `initializationOptions` and `workspace/configuration` section `layerif`. */
export interface Settings {
  device: DeviceId;
  /** Directory for caches (file hashes); default: the platform's cache folder. */
  server: { threads: number; maxMemory: number; idleTimeout: number; runtime: string };
}

export interface InitializationOptions extends Settings {
  /** Whether the user trusts the workspace; a client that knows no such thing leaves it out, which counts as yes. */
  trusted?: boolean;
}

/** Client to server: the workspace is trusted now. */
export const WORKSPACE_TRUST = 'layerif/workspaceTrust';
export interface WorkspaceTrustParams {
  trusted: boolean;
}

/** An allocation from a result, with the sentence that explains every layer. */
export interface AllocateParams extends AllocationRequest {
  /** Absolute path. */
  resultFile: string;
  /** Default: the mean over all tasks. */
  tasks?: string[];
  /** Writes NAME.layerif-allocation.json beside the result. */
  save?: boolean;
}
export interface AllocateAnswer {
  /** Null with an error. */
  allocation: Allocation | null;
  /** The file that was written, else null. */
  file: string | null;
  error: { code: string; message: string } | null;
  /** With an error: scores that the rule reads and that `layerif/measureScores` measures. */
  missing?: AskedScore[];
}

/** Layer scores beside a result, measured on its model. One run at a time, as with influence. */
export interface MeasureScoresParams {
  /** Absolute path. */
  resultFile: string;
  /** Default: those of the experiment file. */
  scores?: AskedScore[];
}
export interface MeasureScoresAnswer {
  /** `NAME.layerif-scores.json`; null with an error. */
  scoresFile: string | null;
  error: { code: string; message: string } | null;
}

/** An allocation or the scores in the words of another program. */
export interface ExportParams extends Omit<AllocationRequest, 'kind'> {
  resultFile: string;
  /** An id of `layerif list exports`. */
  to: string;
  /** Default: what the target takes. */
  kind?: AllocationKind;
  tasks?: string[];
  /** File to write, absolute or relative to the result; absent: nothing is written. */
  output?: string;
  loraRank?: number;
  loraAlpha?: number;
}
export interface ExportAnswer {
  /** Null for binary files and with an error. */
  text: string | null;
  /** The file that was written, or the default place. */
  file: string | null;
  notes: string[];
  error: { code: string; message: string } | null;
}

/** The rules and export targets there are, for menus. */
export interface AllocationChoicesAnswer {
  rules: { id: string; title: string; kinds: AllocationKind[] }[];
  targets: { id: string; title: string; kinds: AllocationKind[] }[];
}

/** The scores of a finished run by another estimator, damping or aggregation, from its stored Grams. */
export interface RescoreParams {
  /** Absolute path. */
  resultFile: string;
  /** What is left out is as the run had it. */
  estimator?: EstimatorId;
  damping?: Partial<Score['damping']>;
  aggregation?: Score['aggregation'];
  per?: 'sample' | 'pair';
}
/** What a page draws of a task once its scores are computed again; samples and losses stay as they are. */
export type RescoredTask = Pick<ResultTask, 'task' | 'layers' | 'influence' | 'uncertainty'>;
export interface RescoreAnswer {
  /** Null with an error. */
  tasks: RescoredTask[] | null;
  error: { code: string; message: string } | null;
}

/** How the order of layers changes with the damping factor, from the stored Grams. */
export interface SweepParams {
  /** Absolute path. */
  resultFile: string;
}
export interface SweepAnswer {
  /** Null with an error. */
  tasks: DampingSweep[] | null;
  error: { code: string; message: string } | null;
}

/** Prune a model, evaluate one, or prune in several ways and compare. One at a time, as with scores. */
export interface PruneParams {
  uri: string;
  method?: PrunerId;
  sparsity?: number;
  /** `uniform`, a rule, or an allocation file. */
  map?: string;
  structure?: string;
  /** Folder, absolute; default: below the experiment's output folder. */
  output?: string;
}
export interface PruneAnswer {
  /** Null with an error. */
  report: PruningReport | null;
  /** Folder of the pruned model. */
  output: string | null;
  error: { code: string; message: string } | null;
}

export interface EvaluateParams {
  uri: string;
  /** In place of the experiment's model. */
  model?: string;
  tasks?: string[];
}
export interface EvaluateAnswer {
  /** `NAME.layerif-evaluation.json`. */
  evaluationFile: string | null;
  error: { code: string; message: string } | null;
}

export interface PruneAndCompareParams {
  uri: string;
  /** Result whose scores the rules read; default: the newest complete one. */
  resultFile?: string;
  maps?: string[];
  methods?: string[];
  sparsities?: number[];
  structure?: string;
  /** Documents of each task. */
  limit?: number;
}
export interface PruneAndCompareAnswer {
  /** `NAME.layerif-pruning-comparison.json`. */
  comparisonFile: string | null;
  error: { code: string; message: string } | null;
}

/** What a prune-and-compare would take. */
export interface EstimatePruningAnswer {
  estimate: {
    prunings: number;
    documents: number;
    evaluationTokens: number;
    calibrationTokens: number;
    seconds: number;
  } | null;
  error: { code: string; message: string } | null;
}

/** Tasks and runs beside each other, `layerif compare`. */
export interface CompareParams {
  /** Absolute paths of results. */
  files: string[];
  /** Models of different depth by relative depth. */
  byDepth?: boolean;
}
export interface CompareAnswer {
  /** Null with an error. */
  comparison: Comparison | null;
  error: { code: string; message: string } | null;
}

/** Other estimators on the gradients of a finished run, for the tab Trust. */
export interface CompareEstimatorsParams {
  /** Absolute path. */
  resultFile: string;
}
export interface CompareEstimatorsAnswer {
  /** Null with an error. */
  tasks: EstimatorComparison[] | null;
  error: { code: string; message: string } | null;
}

/** Layers, modules and what a graph's data must bring; from headers, without running anything. */
export interface InspectParams {
  /** Absolute path of a checkpoint folder, a .gguf or a .onnx file. */
  path: string;
  /** `model.layers_pattern`, of a graph; empty or absent: found by itself. */
  layersPattern?: string;
  /** `model.output`, of a graph; empty or absent: found by itself. */
  output?: string;
}
export interface InspectAnswer {
  /** Null with an error. */
  model: InspectedModel | null;
  error: { code: string; message: string } | null;
}

/** What the header of a model file says, for the editor *Model Layers*. */
export interface ModelHeaderParams {
  /** Absolute path of a file; or a hub id `org/name` or `org/name@revision`, with `/FILE` behind it for one file. */
  path: string;
}
export interface ModelHeaderAnswer {
  /** Null with an error. */
  header: ModelHeader | null;
  error: { code: string; message: string } | null;
}

/** What a data file holds, for *Create Experiment*. */
export interface DescribeDataParams {
  /** Absolute path of a file or folder. */
  path: string;
}
export interface DescribeDataAnswer {
  /** Null with an error. */
  data: DescribedData | null;
  error: { code: string; message: string } | null;
}
