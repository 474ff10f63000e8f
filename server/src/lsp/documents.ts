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

export class Documents {
  readonly #open: TextDocuments<TextDocument>;
  readonly #parsed = new Map<string, OpenExperiment & { version: number }>();

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
    const parsed = parseExperiment(document.getText(), file);
    const result = {
      ...parsed,
      uri,
      file,
      baseDir: path.dirname(file),
      document,
      version: document.version,
      lastRaw: parsed.raw ?? known?.lastRaw,
    };
    if (this.#open.get(uri)) this.#parsed.set(uri, result);
    return result;
  }

  /** Included files may have changed. */
  forget(): void {
    this.#parsed.clear();
  }

  all(): string[] {
    return this.#open.keys();
  }
}

export function fileOf(uri: string): string {
  return uri.startsWith('file:')
    ? fileURLToPath(uri)
    : decodeURIComponent(uri.replace(/^[a-z][\w+.-]*:(\/\/[^/]*)?/i, ''));
}
