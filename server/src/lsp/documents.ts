/** Experiment files as the editor has them, parsed once a version; files that are not open are read from disk. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TextDocuments } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parseExperiment, readExperimentText } from '../config/experiment.ts';
import type { ParsedFile } from '../config/experiment.ts';

export interface OpenExperiment extends ParsedFile {
  uri: string;
  /** Absolute path; for a document without a file, what stands in its URI. */
  file: string;
  /** Folder that relative paths start from. */
  baseDir: string;
  document: TextDocument;
  /** Of the newest text that was readable YAML: what completion falls back on while a line is half typed. */
  lastRaw: unknown;
}

/** What completion needs of a document: cheaper than all of it after every keystroke. */
export interface TypedExperiment {
  document: TextDocument;
  baseDir: string;
  /**
   * The plain value that a line is completed from: of the newest parse where nothing but this line has changed since,
   * else of the text as it is; undefined where it is no YAML.
   */
  rawBeside(line: number): unknown;
  /** As of `OpenExperiment`. */
  readonly parsed: OpenExperiment;
}

export class Documents {
  readonly #open: TextDocuments<TextDocument>;
  readonly #parsed = new Map<string, OpenExperiment & { version: number; text: string }>();

  constructor(open: TextDocuments<TextDocument>) {
    this.#open = open;
    open.onDidClose(({ document }) => this.#parsed.delete(document.uri));
  }

  /** @throws LayerifError `badExperiment` for a file that is neither open nor readable */
  get(uri: string): OpenExperiment {
    const file = fileOf(uri);
    const document = this.#open.get(uri) ?? TextDocument.create(uri, 'yaml', 0, readExperimentText(file));
    const known = this.#parsed.get(uri);
    if (known?.document === document && known.version === document.version) return known;
    const text = document.getText();
    const parsed = parseExperiment(text, file);
    const result = {
      ...parsed,
      uri,
      file,
      baseDir: path.dirname(file),
      document,
      version: document.version,
      text,
      lastRaw: parsed.raw ?? known?.lastRaw,
    };
    if (this.#open.get(uri)) this.#parsed.set(uri, result);
    return result;
  }

  /** @throws as `get` */
  typed(uri: string): TypedExperiment {
    const get = () => this.get(uri);
    const known = this.#parsed.get(uri);
    const document = this.#open.get(uri) ?? get().document;
    return {
      document,
      baseDir: path.dirname(fileOf(uri)),
      rawBeside: (line) =>
        known?.raw !== undefined && sameBeside(known.text, document.getText(), line) ? known.raw : get().raw,
      get parsed() {
        return get();
      },
    };
  }

  /** Included files may have changed. */
  forget(): void {
    this.#parsed.clear();
  }

  all(): string[] {
    return this.#open.keys();
  }
}

/** Whether two texts differ in one line alone, counted from 0. */
function sameBeside(a: string, b: string, line: number): boolean {
  let start = 0;
  for (let i = 0; i < line; i++) {
    start = b.indexOf('\n', start) + 1;
    if (start === 0) return false;
  }
  const end = b.indexOf('\n', start);
  const rest = end < 0 ? '' : b.slice(end);
  const last = a.length - rest.length;
  return last >= start && a.startsWith(b.slice(0, start)) && a.endsWith(rest) && !a.slice(start, last).includes('\n');
}

export function fileOf(uri: string): string {
  return uri.startsWith('file:')
    ? fileURLToPath(uri)
    : decodeURIComponent(uri.replace(/^[a-z][\w+.-]*:(\/\/[^/]*)?/i, ''));
}
