/**
 * JSON-RPC messages as the supervisor passes them on, and what it says about them in place of a worker that was ended.
 */
import { requests } from '../../../../protocol/requests.ts';
import { lookup } from '../../text/lookup.ts';

export interface Message {
  jsonrpc: '2.0';
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

/** Who does what: a process each, so that one can be ended without the others. */
export type Role = 'language' | 'results' | 'jobs';

const roles: Readonly<Record<string, Role>> = Object.fromEntries(
  (
    [
      [
        'jobs',
        ['score', 'estimate', 'validate', 'checkGradients', 'prune', 'evaluate', 'pruneAndCompare', 'cancelRun'],
      ],
      ['jobs', ['measureScores', 'devices', 'cudaOffer', 'installCuda', 'removeCuda']],
      ['results', ['sampleText', 'allocate', 'export', 'rescore', 'sweepDamping', 'compare', 'inspectModel']],
      ['results', ['rowText', 'rowTokens', 'tokenInfluence', 'selectRows', 'rowsWithout', 'rowMarks', 'linesWithout']],
      ['results', ['estimatePruning', 'describeData', 'compareEstimators', 'predict', 'analyse', 'tableColumns']],
      ['results', ['modelHeader', 'tool']],
    ] as const
  ).flatMap(([role, names]) => names.map((name) => [requests[name].method, role])),
);

export function roleOf(method: string): Role {
  return (Object.hasOwn(roles, method) ? roles[method] : undefined) ?? 'language';
}

/** Between supervisor and worker only. */
export const PING = 'layerif/ping';
export const PING_ID = 'layerif-ping';
export const INITIALIZE_ID = 'layerif-initialize';
/** A worker begins or ends what a document asks for: which one is at fault when its loop does not come back. */
export const BEGIN = 'layerif/begin';
export const END = 'layerif/end';

/** The document that a message is about. */
export function uriOf({ params }: Message): string | null {
  const { textDocument, uri, data } = (params ?? {}) as Record<string, unknown>;
  const holder = (textDocument ?? data ?? {}) as { uri?: unknown };
  return typeof holder.uri === 'string' ? holder.uri : typeof uri === 'string' ? uri : null;
}

/** Answers about a document that is not analysed: nothing to show. */
const emptyAnswers: Readonly<Record<string, unknown>> = {
  'textDocument/completion': [],
  'textDocument/codeLens': [],
  'textDocument/codeAction': [],
  'textDocument/definition': [],
  'textDocument/references': [],
  'textDocument/documentSymbol': [],
  'textDocument/documentLink': [],
  [requests.outline.method]: { tasks: [], datasets: [] },
};

export function emptyAnswer({ id, method, params }: Message): Message {
  // A lens stays as it came.
  const result = method === 'codeLens/resolve' ? params : (lookup(emptyAnswers, method ?? '') ?? null);
  return { jsonrpc: '2.0', id: id!, result };
}

/** The field of an answer that stands beside `error` and is null then. */
const valueFields: Readonly<Record<string, readonly string[]>> = {
  [requests.score.method]: ['resultFile'],
  [requests.estimate.method]: ['estimate'],
  [requests.validate.method]: ['resultFile'],
  [requests.checkGradients.method]: ['report'],
  [requests.prune.method]: ['report', 'output'],
  [requests.evaluate.method]: ['evaluationFile'],
  [requests.pruneAndCompare.method]: ['comparisonFile'],
  [requests.estimatePruning.method]: ['estimate'],
  [requests.measureScores.method]: ['scoresFile'],
  [requests.allocate.method]: ['allocation', 'file'],
  [requests.rowTokens.method]: ['tokens'],
  [requests.tokenInfluence.method]: ['influence'],
  [requests.selectRows.method]: ['selected'],
  [requests.rowsWithout.method]: ['written'],
  [requests.linesWithout.method]: ['written'],
  [requests.rowMarks.method]: ['marks'],
  [requests.rescore.method]: ['tasks'],
  [requests.sweepDamping.method]: ['tasks'],
  [requests.compare.method]: ['comparison'],
  [requests.compareEstimators.method]: ['tasks'],
  [requests.inspectModel.method]: ['model'],
  [requests.modelHeader.method]: ['header'],
  [requests.predict.method]: ['prediction'],
  [requests.analyse.method]: ['analysis'],
  [requests.tableColumns.method]: ['columns'],
  [requests.describeData.method]: ['data'],
  [requests.tool.method]: ['answer'],
  [requests.installCuda.method]: ['folder'],
  [requests.removeCuda.method]: ['folder'],
};

/** RequestFailed of the protocol. */
const REQUEST_FAILED = -32803;

export function failedAnswer({ id, method }: Message, code: string, message: string): Message {
  const fields = lookup(valueFields, method ?? '');
  if (!fields) return { jsonrpc: '2.0', id: id!, error: { code: REQUEST_FAILED, message } };
  const nulls = Object.fromEntries(fields.map((field) => [field, null]));
  return { jsonrpc: '2.0', id: id!, result: { ...nulls, error: { code, message } } };
}
