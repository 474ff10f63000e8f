/**
 * Token masks of a table, made again from the observations that lie beside it: the rows are encoded as they were, the
 * model does not run.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { comparesModels, maskedTokens, tokenPerplexities } from '../../scores/tokenMask.ts';
import type { MaskOptions } from '../../scores/tokenMask.ts';
import { loadExperiment } from '../../config/experiment.ts';
import type { Row } from '../../data/types.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import { keyed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { encoded, formed } from './rowForms.ts';
import { RowSource } from './rowSource.ts';
import { ROWS_PER_CHUNK } from './rowObserving.ts';
import { startsOf } from '../../scores/rowLosses.ts';
import { textsId } from './texts.ts';
import { nth } from '../../lists/nth.ts';

export interface MaskedRow {
  row: Row;
  /** Token ids of prompt and answer, nothing cut. */
  tokens: Int32Array;
  /** 1 for tokens that are in the loss; those of the prompt, and what the model did not read, are not. */
  lossMask: Uint8Array;
  /** Perplexity of each token, null where it is not counted. */
  perplexities: (number | null)[];
}

/**
 * Rows in the order of the table.
 * @throws LayerifError `badData` where data, tokenizer or observations are other ones than those of the table
 */
export async function* maskedRows(
  { experimentFile, model }: ScoresFile,
  scoresFile: string,
  table: ScoreTable,
  {
    rowsPerChunk = ROWS_PER_CHUNK,
    signal,
  }: { rowsPerChunk?: number | undefined; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<MaskedRow, void, undefined> {
  const { dataset, split } = table.rows!;
  const options = table.options as unknown as MaskOptions & { scorer: string };
  const again = `run layerif score ${path.basename(experimentFile)} --only data_scores again`;
  const read = experimentFor(loadExperiment(experimentFile), experimentFile, 'score');
  const opened = await openExperiment(read, { fetching: null });
  const scorer =
    options.scorer === ''
      ? opened
      : await openExperiment(read, {
          fetching: null,
          model: { path: options.scorer },
          graphs: false,
        });
  try {
    const asked = read.experiment.data_scores?.find(
      ({ id, texts }) => id === table.score && texts?.dataset === dataset && texts.split === split,
    );
    const source = await RowSource.open(opened, asked?.texts ?? { dataset, split });
    if (!table.needs.some((need) => need.endsWith(source.id.slice(0, 16))))
      throw new LayerifError(
        'badData',
        `the rows are other ones than those that token_mask was computed of (data, task or max_length were changed): ${again}`,
      );
    const { tokenizer, checkpoint } = scorer;
    const sha256 = await checkpoint.sha256();
    const files = new ObservationFiles(path.dirname(scoresFile), sha256);
    const other = scorer === opened ? {} : { sha256 };
    if (scorer === opened && sha256 !== model.sha256)
      throw new LayerifError(
        'badModel',
        `${checkpoint.path} is not the model that token_mask was computed with: ${again}`,
      );
    let index = 0;
    for await (const chunk of source.chunks(rowsPerChunk)) {
      signal?.throwIfAborted();
      const all = chunk.map((row) => encoded(row, tokenizer));
      const texts = all.map((row) =>
        formed(row, { form: 'answered', prefix: '' }, { tokenizer, maxLength: source.maxLength }),
      );
      const samples = texts.filter((text) => text !== null);
      const id = textsId(samples);
      const observedBy = (variant: 'base' | 'adapter') => {
        const tensors = files.read(keyed({ of: 'token_log_probabilities', options: {} }, id, { variant, ...other }));
        if (tensors || samples.length === 0) return { samples, tensors: tensors ?? {} };
        throw new LayerifError(
          'badData',
          `the perplexities of these tokens are not kept in ${files.folder} any more: ${again}`,
        );
      };
      const own = observedBy(checkpoint.adapter ? 'adapter' : 'base');
      const base = comparesModels(options.variant) ? observedBy('base') : null;
      const starts = startsOf(samples);
      let text = 0;
      for (const [i, { row }] of chunk.entries()) {
        const { whole } = nth(all, i);
        const sample = texts[i];
        const lossMask = new Uint8Array(whole.length);
        const perplexities: (number | null)[] = Array.from(whole, () => null);
        if (sample) {
          const found = tokenPerplexities(own, base, text, nth(starts, text));
          const masked = maskedTokens(found.own, found.base, index, options);
          const cut = cutBefore(whole, sample.tokens);
          masked.forEach((drop, t) => {
            lossMask[cut + sample.countedFrom + t] = drop ? 0 : 1;
            perplexities[cut + sample.countedFrom + t] = nth(found.own, t);
          });
          text++;
        }
        yield { row, tokens: whole, lossMask, perplexities };
        index++;
      }
    }
  } finally {
    opened.close();
    if (scorer !== opened) scorer.close();
  }
}

/** A long text loses tokens of its prompt at the front. */
function cutBefore(whole: Int32Array, kept: Int32Array): number {
  return kept.every((token, t) => token === whole[t]) ? 0 : whole.length - kept.length;
}
