/**
 * Problems of an open experiment. The text is judged 300 ms after the last keystroke; the disk is looked at when the
 * text is right. A problem in an included task file is shown at the `include` that leads there.
 */
import { pathToFileURL } from 'node:url';
import { DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver/node';
import type { Connection, Diagnostic } from 'vscode-languageserver/node';
import { located } from '../../../protocol/errors.ts';
import type { Positions, Problem } from '../config/experiment.ts';
import { checkExperiment } from '../run/check/check.ts';
import { fileOf } from './documents.ts';
import type { Documents } from './documents.ts';
import { lspRange } from './ranges.ts';
import { workingOn } from './workingOn.ts';

const DEBOUNCE_MS = 300;
/** A slow disk may not hold back what is known from the text. */
const PATIENCE_MS = 200;

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
} as const;

export class Diagnostics {
  readonly #connection: Connection;
  readonly #documents: Documents;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** The check that may publish, by document; an older one is outdated. */
  readonly #newest = new Map<string, symbol>();

  constructor(connection: Connection, documents: Documents) {
    this.#connection = connection;
    this.#documents = documents;
  }

  /** Checks after a pause in typing, or at once. */
  schedule(uri: string, delay = DEBOUNCE_MS): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.set(
      uri,
      setTimeout(() => {
        this.#timers.delete(uri);
        workingOn(uri, () => this.#check(uri)).catch((error: Error) =>
          this.#connection.console.error(`checking ${uri}: ${error.stack}`),
        );
      }, delay),
    );
  }

  close(uri: string): void {
    clearTimeout(this.#timers.get(uri));
    this.#timers.delete(uri);
    this.#newest.delete(uri);
    this.#publish(uri, []);
  }

  async #check(uri: string): Promise<void> {
    const turn = Symbol();
    this.#newest.set(uri, turn);
    const { document, problems, positions, file } = this.#documents.get(uri);
    const publish = (found: readonly Problem[]) => {
      if (this.#newest.get(uri) !== turn) return;
      this.#publish(
        uri,
        found.map((problem) => diagnosticOf(problem, file, positions)),
        document.version,
      );
    };
    if (!uri.startsWith('file:')) return publish(problems);
    const early = setTimeout(() => publish(problems), PATIENCE_MS);
    try {
      publish((await checkExperiment(fileOf(uri), document.getText(), 'quick')).problems);
    } catch (error) {
      publish(problems);
      throw error;
    } finally {
      clearTimeout(early);
    }
  }

  #publish(uri: string, diagnostics: Diagnostic[], version?: number): void {
    void this.#connection.sendDiagnostics({ uri, diagnostics, ...(version === undefined ? {} : { version }) });
  }
}

function diagnosticOf(problem: Problem, file: string, positions: Positions): Diagnostic {
  const severity = severities[problem.severity];
  if (problem.file === file) {
    const tags = problem.severity === 'information' ? [DiagnosticTag.Unnecessary] : undefined;
    return {
      range: lspRange(problem),
      severity,
      source: 'layerif',
      message: problem.message,
      ...(tags ? { tags } : {}),
    };
  }
  const index = problem.path[0] === 'tasks' && typeof problem.path[1] === 'number' ? problem.path[1] : null;
  const include = index === null ? positions.key(['tasks']) : positions.value(['tasks', index, 'include']);
  return {
    range: lspRange(include),
    severity,
    source: 'layerif',
    message: located({ message: problem.message, place: problem }),
    relatedInformation: [
      { location: { uri: pathToFileURL(problem.file).href, range: lspRange(problem) }, message: problem.message },
    ],
  };
}
