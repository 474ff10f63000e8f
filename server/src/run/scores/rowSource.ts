/**
 * Rows that are scored: a slice of a dataset as prompts and answers, a chunk at a time, so that memory does not grow
 * with their number; and the validation samples of the task that they are compared with.
 */
import { createHash } from 'node:crypto';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Task, TextSource } from '../../../../protocol/experiment.ts';
import { exampleOf } from '../../data/context.ts';
import { withGivenAnswer } from '../../data/examples.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { fewshotForRows, fewshotPool, noFewshot } from '../../data/fewshot.ts';
import { parseSlices, resolveSlice } from '../../data/slices.ts';
import { countSlice, defaultValidation, openDataset, placeOf, readSlice } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { listed } from '../../text/listed.ts';
import { dataHashes } from '../files/provenance.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import type { PromptAndAnswer } from './rowForms.ts';
import { nth } from '../../lists/nth.ts';

export interface SourceRow extends PromptAndAnswer {
  row: Row;
}

export class RowSource {
  readonly dataset: OpenDataset;
  /** Null where the column `text` is the text. */
  readonly task: Task | null;
  readonly split: string;
  readonly maxLength: number;
  readonly sha256: Record<string, string>;
  /** Hash of everything that decides the texts. */
  readonly id: string;
  readonly reads: 'texts' | 'columns';

  private constructor(fields: Pick<RowSource, 'dataset' | 'task' | 'split' | 'maxLength' | 'sha256' | 'id' | 'reads'>) {
    ({
      dataset: this.dataset,
      task: this.task,
      split: this.split,
      maxLength: this.maxLength,
      sha256: this.sha256,
      id: this.id,
      reads: this.reads,
    } = fields);
  }

  /**
   * @param asked default: the training samples of the first task
   * @param reads `columns`: rows of which prompt and answer are not read, and which need none
   * @throws LayerifError `badData`: no such dataset or split, rows without a text
   */
  static async open(
    opened: OpenExperiment,
    asked: TextSource | undefined,
    reads: 'texts' | 'columns' = 'texts',
  ): Promise<RowSource> {
    const { experiment, baseDir } = opened;
    const { datasets, tasks, model } = experiment;
    const name = asked?.dataset ?? nth(tasks, 0).dataset;
    const declared = datasetNamed(datasets, name);
    await opened.fetchDatasets([name]);
    const dataset = await openDataset(name, declared, baseDir);
    const prompted =
      reads === 'texts' ? tasks.find((t) => t.dataset === name && t.doc_to_text !== undefined) : undefined;
    const task = prompted ?? null;
    if (task === null && reads === 'texts' && !dataset.columns.includes('text')) {
      throw new LayerifError(
        'badData',
        `dataset "${name}" has no column "text", and no task over it has a doc_to_text: name a task with a prompt and an answer; columns: ${listed(dataset.columns)}`,
      );
    }
    const split = asked?.split ?? nth(tasks, 0).training_split;
    const maxLength = asked?.max_length ?? model.max_length;
    const sha256 = await dataHashes(dataset.files, baseDir);
    const id = createHash('sha256')
      .update(JSON.stringify([datasets[name], task, split, maxLength, sha256, ...(reads === 'texts' ? [] : [reads])]))
      .digest('hex');
    return new RowSource({ dataset, task, split, maxLength, sha256, id, reads });
  }

  count(): Promise<number> {
    return countSlice(this.dataset, this.split);
  }

  /** Rows in the order of the slice. @throws LayerifError `badData` with file and line; for a slice without rows */
  async *chunks(rowsPerChunk: number): AsyncGenerator<SourceRow[], void, undefined> {
    yield* chunked(await this.#rows(this.split), rowsPerChunk);
  }

  /** Validation rows of the task. @throws LayerifError `badData` */
  async *targets(rowsPerChunk: number): AsyncGenerator<SourceRow[], void, undefined> {
    yield* chunked(await this.#rows(await this.#targetSplit()), rowsPerChunk);
  }

  async countTargets(): Promise<number> {
    return countSlice(this.dataset, await this.#targetSplit());
  }

  async #targetSplit(): Promise<string> {
    return this.task?.validation_split ?? (await defaultValidation(this.dataset, this.split));
  }

  async #rows(split: string): Promise<AsyncIterable<SourceRow>> {
    const { dataset, task } = this;
    // Drawn examples follow each other row by row, and which ones they are depends on all rows.
    if (task !== null && task.num_fewshot > 0) {
      const rows = await readSlice(dataset, split);
      const fewshot = fewshotForRows(task, await fewshotPool(task, dataset, split), rows);
      return each(rows.map((row) => ({ row, ...this.#text(row, fewshot(row)) })));
    }
    if ((await countSlice(dataset, split)) === 0) await readSlice(dataset, split); // says which rows there are
    const text = (row: Row): SourceRow => ({ row, ...this.#text(row, noFewshot(row)) });
    return (async function* () {
      for (const slice of parseSlices(split)) {
        const range = await resolveSlice(slice, () => dataset.count(slice.split));
        for await (const row of dataset.rows(slice.split, range)) yield text(row);
      }
    })();
  }

  #text(row: Row, examples: readonly Row[]): PromptAndAnswer {
    if (this.reads === 'columns') return { prompt: '', answer: '' };
    if (this.task) {
      const { prompt, answer } = exampleOf(this.task, withGivenAnswer(this.task, row), examples);
      return { prompt, answer };
    }
    const { text } = row.values;
    if (typeof text === 'string') return { prompt: '', answer: text };
    throw new LayerifError('badData', `row ${row.row} of dataset "${this.dataset.name}" has no text`, {
      place: placeOf(row),
    });
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  await Promise.resolve();
  yield* values;
}

async function* chunked<T>(values: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const value of values) {
    chunk.push(value);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
