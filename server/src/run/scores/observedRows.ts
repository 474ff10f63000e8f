/**
 * Rows of a table, encoded as they were when it was computed, with the log-probabilities of their tokens that lie
 * beside it. The model does not run.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { findDataScore } from '../../scores/dataScores.ts';
import type { RowNeed, RowTexts } from '../../scores/dataTypes.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import { keyed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { encoded, formed } from './rowForms.ts';
import type { Encoded } from './rowForms.ts';
import { ROWS_PER_CHUNK } from './rowObserving.ts';
import { RowSource } from './rowSource.ts';
import type { SourceRow } from './rowSource.ts';
import { textsId } from './texts.ts';

const TOKENS = 'token_log_probabilities' satisfies RowNeed['of'];

/** Rows that went through the model together. */
export interface ObservedChunk {
  /** Place of its first row in the table. */
  first: number;
  rows: readonly SourceRow[];
  encoded: readonly Encoded[];
  /** Texts whose tokens the score reads, by the names of its needs. */
  observed: Readonly<Record<string, RowTexts>>;
  tokenizer: TextTokenizer;
}

export interface ObservedOptions {
  rowsPerChunk?: number | undefined;
  /** Only the chunk with this row. */
  only?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Chunks in the order of the table.
 * @throws LayerifError `badData` where data, tokenizer or observations are other ones than those of the table
 */
export async function* observedRows(
  { experimentFile, model }: ScoresFile,
  scoresFile: string,
  table: ScoreTable,
  { rowsPerChunk = ROWS_PER_CHUNK, only, signal }: ObservedOptions = {},
): AsyncGenerator<ObservedChunk, void, undefined> {
  const { dataset, split } = table.rows!;
  const name = typeof table.options.scorer === 'string' ? table.options.scorer : '';
  const again = `run layerif score ${path.basename(experimentFile)} --only data_scores again`;
  const read = experimentFor(loadExperiment(experimentFile), experimentFile, 'score');
  const opened = await openExperiment(read, { fetching: null });
  const other =
    name === '' ? null : await openExperiment(read, { fetching: null, model: { path: name }, graphs: false });
  const { tokenizer, checkpoint } = other ?? opened;
  try {
    const asked = read.experiment.data_scores?.find(
      ({ id, texts }) => id === table.score && texts?.dataset === dataset && texts.split === split,
    );
    const source = await RowSource.open(opened, asked?.texts ?? { dataset, split });
    if (!table.needs.some((need) => need.endsWith(source.id.slice(0, 16))))
      throw new LayerifError(
        'badData',
        `the rows are other ones than those that ${table.score} was computed of (data, task or max_length were changed): ${again}`,
      );
    const sha256 = await checkpoint.sha256();
    if (!other && sha256 !== model.sha256)
      throw new LayerifError(
        'badModel',
        `${checkpoint.path} is not the model that ${table.score} was computed with: ${again}`,
      );
    const files = new ObservationFiles(path.dirname(scoresFile), sha256);
    const needs = Object.entries(findDataScore(table.score).needs(table.options as never)).filter(
      ([, { of }]) => of === TOKENS,
    );
    const observedOf = ({ of, options, base, text: form }: RowNeed, all: readonly Encoded[]): RowTexts => {
      const made = all.map((row) => formed(row, form, { tokenizer, maxLength: source.maxLength }));
      const samples = made.filter((text) => text !== null);
      let next = 0;
      const text = Int32Array.from(made, (sample) => (sample === null ? -1 : next++));
      const variant = checkpoint.adapter && base !== true ? 'adapter' : 'base';
      const need = keyed({ of, options }, textsId(samples), { variant, ...(other ? { sha256 } : {}) });
      const tensors = samples.length === 0 ? {} : files.read(need);
      if (tensors) return { samples, text, tensors };
      throw new LayerifError(
        'badData',
        `the perplexities of these tokens are not kept in ${files.folder} any more: ${again}`,
      );
    };
    let first = 0;
    for await (const rows of source.chunks(rowsPerChunk)) {
      signal?.throwIfAborted();
      if (only === undefined || (only >= first && only < first + rows.length)) {
        const all = rows.map((row) => encoded(row, tokenizer));
        const observed = Object.fromEntries(needs.map(([name, need]) => [name, observedOf(need, all)]));
        yield { first, rows, encoded: all, observed, tokenizer };
      }
      first += rows.length;
    }
  } finally {
    opened.close();
    other?.close();
  }
}
