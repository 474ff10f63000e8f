/**
 * Requests and notifications between the extension (client) and the language server, beside standard LSP.
 * One row per message: method, who sends it, when.
 */
import type { GradientCheckReport } from './check.ts';
import type { Allocation, AllocationKind, AllocationRequest } from './allocation.ts';
import type { EstimatorId, Score, ProtocolId } from './experiment.ts';
import type { InspectedModel } from './inspection.ts';
import type { ResultTask } from './result.ts';
import type { PruningReport } from './pruning.ts';
import type { RunEvent } from './run.ts';
import type { Comparison, DampingSweep } from './trust.ts';
import type { DeviceReport, DeviceId } from './devices.ts';

/** Client -> server request: start a run. Answers when the run ends. Only one run at a time; a second one is refused. */
export const SCORE_REQUEST = 'layerif/score';
export interface ScoreParams {
  uri: string;
  /** Only this task. */
  task?: string;
  /** Only tasks over this dataset. */
  dataset?: string;
}
export interface ScoreAnswer {
  resultFile: string | null;
  /** Null when it finished. */
  error: { code: string; message: string } | null;
}

/** Client -> server request: the self-check of gradients, `layerif check FILE --gradients`. One run at a time, as with scores. */
export const CHECK_GRADIENTS_REQUEST = 'layerif/checkGradients';
export interface CheckGradientsParams {
  /** Absolute path of the experiment file. */
  file: string;
}
export interface CheckGradientsAnswer {
  /** Null when it did not come to an end; a failed check is a report too. */
  report: GradientCheckReport | null;
  error: { code: string; message: string } | null;
}

/** Client -> server request: influence against retraining, `layerif validate FILE`. One run at a time, as with scores. */
export const VALIDATE_REQUEST = 'layerif/validate';
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

/** Client -> server request: cancel the run under way. */
export const CANCEL_REQUEST = 'layerif/cancelRun';

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

/** Client -> server request: the text of training rows, for the tables of the results view. */
export const SAMPLE_TEXT_REQUEST = 'layerif/sampleText';
export interface SampleTextParams {
  resultFile: string;
  task: string;
  split: 'train' | 'validation';
  /** Indices into `tasks[].train.rows` (or `validation.rows`). */
  samples: number[];
}
export interface SampleTextAnswer {
  /** Absolute path and line (from 1, null for Parquet) of each row beside its text; `null` text when the file changed or is gone. */
  samples: { index: number; text: string | null; file: string; line: number | null }[];
}

/** Client -> server request: where a task and its dataset stand in an experiment file (lines from 0). */
export const LOCATE_REQUEST = 'layerif/locate';
export interface LocateParams {
  uri: string;
  task?: string;
  dataset?: string;
}
export interface LocateAnswer {
  line: number;
  character: number;
}

/** Client -> server request: what an experiment file holds, for the tree of experiments. Works on broken files too: what can be read is listed. */
export const OUTLINE_REQUEST = 'layerif/outline';
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

/** Client -> server request: an allocation from a result, with the sentence that explains every layer. */
export const ALLOCATE_REQUEST = 'layerif/allocate';
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
}

/** Client -> server request: an allocation or the scores in the words of another program. */
export const EXPORT_REQUEST = 'layerif/export';
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

/** Client -> server request: the rules and export targets there are, for menus. */
export const ALLOCATION_CHOICES_REQUEST = 'layerif/allocationChoices';
export interface AllocationChoicesAnswer {
  rules: { id: string; title: string; kinds: AllocationKind[] }[];
  targets: { id: string; title: string; kinds: AllocationKind[] }[];
}

/** Client -> server request: the scores of a finished run by another estimator, damping or aggregation, from its stored Grams. */
export const RESCORE_REQUEST = 'layerif/rescore';
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

/** Client -> server request: how the order of layers changes with the damping factor, from the stored Grams. */
export const SWEEP_REQUEST = 'layerif/sweepDamping';
export interface SweepParams {
  /** Absolute path. */
  resultFile: string;
}
export interface SweepAnswer {
  /** Null with an error. */
  tasks: DampingSweep[] | null;
  error: { code: string; message: string } | null;
}

/** Client -> server requests: prune a model, evaluate one, or prune in several ways and compare. One at a time, as with scores. */
export const PRUNE_REQUEST = 'layerif/prune';
export interface PruneParams {
  uri: string;
  method?: 'magnitude' | 'wanda' | 'sparsegpt';
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

export const EVALUATE_REQUEST = 'layerif/evaluate';
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

export const PRUNE_AND_COMPARE_REQUEST = 'layerif/pruneAndCompare';
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
export const ESTIMATE_PRUNING_REQUEST = 'layerif/estimatePruning';
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

/** Client -> server request: tasks and runs beside each other, `layerif compare`. */
export const COMPARE_REQUEST = 'layerif/compare';
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

/** Client -> server request: layers, modules and what a graph's data must bring; from headers, without running anything. */
export const INSPECT_REQUEST = 'layerif/inspectModel';
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

/** Client -> server request: every device tried and measured, for *LayerIF: Check Acceleration*. */
export const DEVICES_REQUEST = 'layerif/devices';
export interface DevicesAnswer {
  /** Null with an error. */
  report: DeviceReport | null;
  /** The report as a Markdown document. */
  markdown: string;
  error: { code: string; message: string } | null;
}

/** Client -> server request: what *LayerIF: Install CUDA Runtime* would install, to be shown and agreed to. */
export const CUDA_OFFER_REQUEST = 'layerif/cudaOffer';
export interface CudaOfferParams {
  /** cuDNN too. */
  optional: boolean;
}
export interface CudaOfferAnswer {
  /** A package each, with what it is for, sizes and licence. */
  lines: string[];
  /** Bytes. */
  download: number;
  kept: number;
  /** Folder of what is installed already, or null. */
  installed: string | null;
}

/** Client -> server requests: install it (agreed to by then), or remove it. */
export const INSTALL_CUDA_REQUEST = 'layerif/installCuda';
export const REMOVE_CUDA_REQUEST = 'layerif/removeCuda';
export interface CudaAnswer {
  /** Folder that is now there, or that was removed; null when there was none, and with an error. */
  folder: string | null;
  error: { code: string; message: string } | null;
}

/** Server -> client notification: bytes of an installation under way. */
export const INSTALL_CUDA_PROGRESS = 'layerif/installCudaProgress';
export interface InstallCudaProgress {
  done: number;
  total: number;
  message: string;
}
