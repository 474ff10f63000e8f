/** From scores of rows that are asked for to plans: the models that score, the rows, the influence. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ModelVariant } from '../../../../protocol/scores.ts';
import { findDataScore } from '../../scores/dataScores.ts';
import { optionValues } from '../../scores/options.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { dataHashes } from '../files/provenance.ts';
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { openExperiment } from '../inputs/openExperiment.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { Templates } from './factRows.ts';
import { requireTokens } from './graphScores.ts';
import { ObservationFiles } from './observationFiles.ts';
import { influencedRows } from './rowInfluences.ts';
import { readsTokens, requireAdapter, requireLayer, requirePrompt, requireScorer } from './rowPlans.ts';
import type { Plan, Scorer } from './rowPlans.ts';
import { RowSource } from './rowSource.ts';

export class RowPlanning {
  readonly #opened: OpenExperiment;
  readonly #scoresFile: string;
  readonly #fetching: FetchOptions | null;
  readonly #others: OpenExperiment[] = [];
  readonly #scorers = new Map<string, Scorer>();
  readonly #sources = new Map<string, RowSource>();

  /** @param fetching how a scorer of the hub is downloaded; null: not at all */
  constructor(opened: OpenExperiment, scoresFile: string, fetching: FetchOptions | null) {
    this.#opened = opened;
    this.#scoresFile = scoresFile;
    this.#fetching = fetching;
  }

  /** @throws LayerifError `badModel`, `badData`, `badRequest`, `badExperiment` */
  async plan(asked: AskedScore): Promise<Plan> {
    const { baseDir } = this.#opened;
    const score = findDataScore(asked.id);
    const values = optionValues(score, asked.options);
    const scorer = await this.#scorer(typeof values.scorer === 'string' ? values.scorer : '');
    const resultFile = this.#scoresFile.replace(SCORES_SUFFIX, RESULT_SUFFIX);
    const influence = score.influence ? await influencedRows(resultFile, String(values.task), baseDir) : null;
    const facts = score.facts?.(values);
    const templatesFile = facts && facts.templates !== '' ? path.resolve(baseDir, facts.templates) : null;
    const templates = templatesFile === null ? null : Templates.read(templatesFile);
    const source = influence ? null : await this.#source(asked, templates ? 'columns' : 'texts');
    if (facts && !templates) requirePrompt(source);
    requireScorer(score, values, scorer);
    requireLayer(score, values, scorer);
    requireAdapter(score, values, scorer);
    const rows = influence?.id ?? `rows ${source!.id.slice(0, 16)}`;
    const asks = readsTokens(score)
      ? [`model ${scorer.sha256.slice(0, 16)} ${scorer.tokenizerSha256.slice(0, 16)}`]
      : [];
    const made = templatesFile === null ? [] : Object.values(await dataHashes([templatesFile], baseDir));
    const needs = [rows, ...asks, ...made.map((sha256) => `templates ${sha256.slice(0, 16)}`)];
    return { score, asked, values, needs, scorer, source, influence, templates };
  }

  async #scorer(name: string): Promise<Scorer> {
    const known = this.#scorers.get(name);
    if (known) return known;
    const other =
      name === '' ? null : await openExperiment(this.#opened, { fetching: this.#fetching, model: { path: name } });
    if (other) this.#others.push(other);
    requireTokens(`the scorer ${name}`, other?.graph ?? null);
    const scorer = await scorerFrom(other ?? this.#opened, other !== null, path.dirname(this.#scoresFile));
    this.#scorers.set(name, scorer);
    return scorer;
  }

  async #source({ texts }: AskedScore, reads: RowSource['reads']): Promise<RowSource> {
    const name = `${reads} ${JSON.stringify(texts ?? null)}`;
    const known = this.#sources.get(name) ?? (await RowSource.open(this.#opened, texts, reads));
    this.#sources.set(name, known);
    return known;
  }

  removeWork(): void {
    for (const { files } of this.#scorers.values()) files.removeWork();
  }

  /** The other models; the experiment's own stays with whoever opened it. */
  close(): void {
    for (const other of this.#others) other.close();
  }
}

async function scorerFrom(opened: OpenExperiment, other: boolean, runFolder: string): Promise<Scorer> {
  const { checkpoint } = opened;
  const sha256 = await checkpoint.sha256();
  const variant: ModelVariant = { variant: checkpoint.adapter ? 'adapter' : 'base', ...(other ? { sha256 } : {}) };
  const tokenizerSha256 = createHash('sha256')
    .update(JSON.stringify(checkpoint.tokenizer().tokenizerJson))
    .digest('hex');
  const files = new ObservationFiles(runFolder, sha256);
  return { opened, sha256, variant, tokenizerSha256, stamp: modelStamp(checkpoint), files };
}
