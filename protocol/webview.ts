/**
 * Webview <-> extension. `Pages` says which messages are a page's own; both sides switch over `type` and end in
 * `assertNever`. Every message to a webview is a complete snapshot.
 */
import type { GradientCheckReport } from './check.ts';
import type { SampleTextAnswer } from './lsp.ts';
import type { AnswerOf, ParamsOf, Requests } from './requests.ts';
import type { PruningComparison } from './pruning.ts';
import type { Result } from './result.ts';
import type { Estimate } from './run.ts';
import type { ScoresFile } from './scores.ts';
import type { Comparison } from './trust.ts';
import type { ValidationResult } from './validation.ts';

/**
 * What the results page asks and gets, beside its result. The extension adds the result file and hands the question to
 * the language server; a page never names a file.
 */
export type Questions = {
  [
    Name in
      | 'rescore'
      | 'sweepDamping'
      | 'compareEstimators'
      | 'allocate'
      | 'measureScores'
      | 'allocationChoices'
      | 'export'
      | 'inspectModel'
      | 'modelHeader'
      | 'predict'
      | 'analyse'
      | 'tableColumns'
      | 'rowTokens'
      | 'tokenInfluence'
      | 'selectRows'
      | 'rowsWithout'
  ]: {
    /** Without the subject of the page, and without what writes files. */
    params: Omit<ParamsOf<Requests[Name]>, 'resultFile' | 'path' | 'save' | (Name extends Writing ? 'output' : never)>;
    answer: AnswerOf<Requests[Name]>;
  };
};
/** Questions that show what would be written. */
type Writing = 'export' | 'selectRows' | 'rowsWithout';
export type Question = keyof Questions;
type WriteRows = {
  [What in 'selectRows' | 'rowsWithout']: { type: 'writeRows'; what: What; params: Questions[What]['params'] };
}['selectRows' | 'rowsWithout'];
type Ask = {
  [What in Question]: { type: 'ask'; requestId: number; what: What; params: Questions[What]['params'] };
}[Question];

/** What lies beside a result and says how far it can be trusted. */
export interface Trust {
  /** The last self-check of the experiment in this workspace. */
  check: { report: GradientCheckReport; date: string } | null;
  /** The newest validation of the experiment. */
  validation: { result: ValidationResult; file: string } | null;
  /** Why a validation that is there cannot be read; null when nothing is wrong. */
  fault: string | null;
  /** What runs now, in words; null when nothing does. */
  busy: string | null;
}

/** The tables of scores beside a result, or the file that is shown by itself. */
export interface ScoresSeen {
  /** Null where none lie there, or with a fault. */
  scores: ScoresFile | null;
  /** Why a file that is there cannot be read; null when nothing is wrong. */
  fault: string | null;
}

/** Commands that a page may run on its result. */
export type PageCommand = 'addSamples' | 'checkGradients' | 'validateInfluence' | 'pruneAndEvaluate';

/** A chart or a table of the results page that can leave it. */
export interface ExportItem {
  id: string;
  /** Name of the tab that it stands in. */
  tab: string;
  kind: 'chart' | 'table';
  name: string;
}
/** `html`: the whole page. */
export type ExportForm = 'svg' | 'png' | 'csv' | 'md' | 'html';

export type ToWebview =
  | { type: 'result'; result: Result; file: string }
  /**
   * A run under way: `result` is what is known so far (null before the first layer); `startedAt` in milliseconds since
   * the epoch.
   */
  | {
      type: 'running';
      runId: string;
      startedAt: number;
      estimate: Estimate;
      message: string;
      done: number;
      total: number;
      result: Result | null;
    }
  | { type: 'idle' }
  | { type: 'failed'; message: string }
  | { type: 'samples'; requestId: number; answer: SampleTextAnswer }
  | { type: 'trust'; trust: Trust }
  /** `alone`: the page shows a file of scores and no result. */
  | ({ type: 'scores'; alone: boolean } & ScoresSeen)
  /** To one `ask`; `failure` when the question itself failed, with a null answer. */
  | { type: 'answer'; requestId: number; answer: unknown; failure: string | null }
  /** To the page of comparisons. */
  | { type: 'pruningComparison'; comparison: PruningComparison }
  | { type: 'runComparison'; comparison: Comparison }
  /** To pages of a model: its absolute path or hub id, and a number that grows when the file changes. */
  | { type: 'inspecting'; file: string; revision: number }
  /** To the page of predictions: absolute path, empty for numbers alone. */
  | { type: 'predicting'; file: string }
  /** To the page of a table: absolute path, and a number that grows when the file changes. */
  | { type: 'analysing'; file: string; revision: number }
  /** To the results page: what of it can leave it, and one item of that; `id` empty for the whole page. */
  | { type: 'listExports'; requestId: number }
  | { type: 'makeExport'; requestId: number; id: string; form: ExportForm }
  /** Brings a tab to the front; `score`: the newest table of this score. */
  | { type: 'showTab'; tab: string; score?: string };

export type FromWebview =
  /** Sent once the page listens; the host answers with the current snapshot. */
  | { type: 'ready' }
  | { type: 'cancel' }
  | { type: 'samples'; requestId: number; task: string; split: 'train' | 'validation'; samples: number[] }
  /** As `samples`, for rows of a score of rows. */
  | { type: 'rowTexts'; requestId: number; by: string; rows: number[] }
  /** Asks for a place and writes a dataset there. */
  | WriteRows
  | { type: 'openSample'; file: string; line: number | null }
  | { type: 'revealTask'; task: string }
  | { type: 'revealDataset'; dataset: string }
  | { type: 'openResult' }
  | Ask
  | { type: 'command'; command: PageCommand }
  /** `what` for the message that says it is in the clipboard. */
  | { type: 'copy'; text: string; what: string }
  /** Asks for a place beside the shown file, NAME.`name`.`ending`, and writes the text there. */
  | { type: 'saveText'; text: string; name: string; ending: 'csv' | 'md' }
  /** Opens the layers of the model that the shown file belongs to, with what is scored of them. */
  | { type: 'inspectWhole' }
  /** To `listExports` the items, to `makeExport` the content; `failure` says why there is none. */
  | {
      type: 'exported';
      requestId: number;
      items: ExportItem[];
      content: string | Uint8Array | null;
      failure: string | null;
    }
  /** Starts an experiment about the inspected model, with what stands in the fields. */
  | { type: 'createExperiment'; layersPattern: string; output: string }
  /** Writes the allocation beside the result. */
  | { type: 'saveAllocation'; params: Questions['allocate']['params'] }
  /** Asks for a place and writes the export there. */
  | { type: 'saveExport'; params: Questions['export']['params'] };

/** Page -> the messages that it is told, those that it says, and the questions that it asks. */
export interface Pages {
  results: {
    told:
      | 'result'
      | 'running'
      | 'failed'
      | 'samples'
      | 'trust'
      | 'scores'
      | 'answer'
      | 'showTab'
      | 'listExports'
      | 'makeExport';
    says:
      | 'ready'
      | 'cancel'
      | 'samples'
      | 'rowTexts'
      | 'writeRows'
      | 'openSample'
      | 'revealTask'
      | 'revealDataset'
      | 'openResult'
      | 'ask'
      | 'command'
      | 'copy'
      | 'saveAllocation'
      | 'saveExport'
      | 'saveText'
      | 'exported';
    asks: Exclude<Question, 'inspectModel' | 'modelHeader' | 'predict' | 'analyse' | 'tableColumns'>;
  };
  /** The view in the side bar. */
  layers: {
    told: 'result' | 'running' | 'idle' | 'failed';
    says: 'ready' | 'cancel' | 'openResult' | 'revealTask' | 'revealDataset';
    asks: never;
  };
  comparison: { told: 'pruningComparison' | 'runComparison' | 'failed'; says: 'ready'; asks: never };
  predict: { told: 'predicting' | 'answer'; says: 'ready' | 'ask' | 'copy'; asks: 'predict' };
  analysis: {
    told: 'analysing' | 'answer';
    says: 'ready' | 'ask' | 'copy' | 'saveText';
    asks: 'analyse' | 'tableColumns';
  };
  inspect: { told: 'inspecting' | 'answer'; says: 'ready' | 'ask' | 'createExperiment'; asks: 'inspectModel' };
  /** The editor *Model Layers*. */
  header: { told: 'inspecting' | 'failed' | 'answer'; says: 'ready' | 'ask' | 'inspectWhole'; asks: 'modelHeader' };
}
export type PageId = keyof Pages;
export type ToPage<Id extends PageId> = Extract<ToWebview, { type: Pages[Id]['told'] }>;
export type FromPage<Id extends PageId> =
  | Extract<FromWebview, { type: Exclude<Pages[Id]['says'], 'ask'> }>
  | Extract<FromWebview, { type: 'ask'; what: Pages[Id]['asks'] }>;
