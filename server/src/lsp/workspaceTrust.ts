/**
 * Requests that need a trusted workspace: they load a model, start a process or download. The extension asks before it
 * sends one; the server holds it too, whoever sends it. A client that knows no trust (`trusted` is not given) runs what
 * its user starts.
 */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import type { RequestName } from '../../../protocol/requests.ts';

/** What each does, as the refusal says it; null for those that only read files or write beside them. */
export const does: Record<RequestName, string | null> = {
  score: 'scoring loads a model and starts a process',
  estimate: 'the estimate may download a model and starts a process',
  validate: 'validation loads a model and starts a process',
  checkGradients: 'the check of gradients loads a model and starts a process',
  prune: 'pruning loads a model and starts a process',
  evaluate: 'evaluation loads a model and starts a process',
  measureScores: 'measuring scores loads a model and starts a process',
  pruneAndCompare: 'pruning loads a model and starts a process',
  estimatePruning: 'the estimate may download a model and starts a process',
  devices: 'trying devices starts processes with native libraries',
  tool: null,
  cudaOffer: null,
  installCuda: 'installing the CUDA runtime downloads native libraries',
  removeCuda: null,
  cancelRun: null,
  sampleText: null,
  rowText: null,
  rowTokens: null,
  tokenInfluence: null,
  selectRows: null,
  rowsWithout: null,
  rowMarks: null,
  linesWithout: null,
  locate: null,
  outline: null,
  allocate: null,
  export: null,
  allocationChoices: null,
  rescore: null,
  sweepDamping: null,
  compare: null,
  compareEstimators: null,
  inspectModel: null,
  modelHeader: null,
  predict: null,
  analyse: null,
  tableColumns: null,
  describeData: null,
};

export class WorkspaceTrust {
  #trusted = true;

  /** @param trusted of `initializationOptions` or of a notification; anything but a boolean leaves it as it is */
  set(trusted: unknown): void {
    if (typeof trusted === 'boolean') this.#trusted = trusted;
  }

  /** @throws ResponseError when the workspace is not trusted and the request needs it */
  require(name: RequestName): void {
    const reason = does[name];
    if (this.#trusted || reason === null) return;
    throw new ResponseError(
      LSPErrorCodes.RequestFailed,
      `this workspace is not trusted, and ${reason}; trust it (command "Workspaces: Manage Workspace Trust") and run it again`,
    );
  }
}
