/**
 * Scores of rows: chosen scores -> rows a chunk at a time -> what is not observed of them yet -> passes through the
 * model -> tables in the same file as the layer scores. A chunk is finished when its observations lie in the run folder,
 * so that an interrupted run goes on there; of the rows nothing is held but their numbers.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type {
  Json,
  ModelVariant,
  ObserveSummary,
  ScoredRows,
  ScoresFile,
  ScoreTable,
  Tensors,
} from '../../../../protocol/scores.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import { Random } from '../../random/random.ts';
import { findDataScore } from '../../scores/dataScores.ts';
import type { Chunk, DataScore, RowFacts, RowFold, RowNeed, RowTexts } from '../../scores/dataTypes.ts';
import { observationOf } from '../../scores/observations.ts';
import { optionValues } from '../../scores/options.ts';
import { listed } from '../../text/listed.ts';
import { engineOf } from '../files/finished.ts';
import { modelStamp, requireUnchanged } from '../files/modelStamp.ts';
import { relativeTo } from '../files/paths.ts';
import { provenanceOf } from '../files/provenance.ts';
import { writeJson } from '../files/results.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { memoryLimit } from '../machine/machine.ts';
import { resetPeakMemory } from '../machine/memory.ts';
import { observedShape, requireMemory } from '../machine/observing.ts';
import { canonical, keyed, passesOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { plannedPass } from './plannedPass.ts';
import { encoded, factsOf, formed } from './rowForms.ts';
import type { Encoded } from './rowForms.ts';
import { influencedRows } from './rowInfluences.ts';
import type { InfluencedRows } from './rowInfluences.ts';
import { RowSource } from './rowSource.ts';
import type { SourceRow } from './rowSource.ts';
import { readScores } from './scores.ts';
import type { ComputedScores, ScoresOptions } from './scores.ts';
import { textsId } from './texts.ts';

/** Rows whose texts and observations are in memory at a time. */
const ROWS_PER_CHUNK = 2048;
/** Rows between two looks at the event loop. */
const ROWS_PER_TURN = 64;

export interface DataScoresOptions extends Omit<ScoresOptions, 'table'> {
  rowsPerChunk?: number | undefined;
}

/** A model that scores, opened once. */
interface Scorer {
  opened: OpenExperiment;
  sha256: string;
  variant: ModelVariant;
  tokenizerSha256: string;
  stamp: ReturnType<typeof modelStamp>;
  files: ObservationFiles;
}

interface Plan {
  score: DataScore;
  asked: AskedScore;
  values: Record<string, Json>;
  /** What decides the table's numbers beside score and options. */
  needs: string[];
  scorer: Scorer;
  source: RowSource | null;
  influence: InfluencedRows | null;
}

/**
 * @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest`, `notEnoughMemory`, `cancelled`; finished
 *   chunks are kept
 */
export async function computeDataScores(options: DataScoresOptions): Promise<ComputedScores> {
  const { experiment, scoresFile, run, signal } = options;
  const read = experimentFor({ ...experiment, data_scores: [...options.asked] }, options.file, 'score');
  const opened = await openExperiment(read, { fetching: { signal } });
  const open: OpenExperiment[] = [opened];
  try {
    const sha256 = await opened.checkpoint.sha256();
    if (options.modelSha256 !== undefined && options.modelSha256 !== sha256) {
      throw new LayerifError(
        'badModel',
        `${opened.checkpoint.path} is not the model of ${scoresFile.replace(SCORES_SUFFIX, '')}: its weights were changed since; score again`,
      );
    }
    const runFolder = path.dirname(scoresFile);
    const scorers = new Map<string, Scorer>();
    const scorerOf = async (name: string): Promise<Scorer> => {
      const known = scorers.get(name);
      if (known) return known;
      const other = name === '' ? null : await openExperiment(read, otherModel(read.experiment, name, signal));
      if (other) open.push(other);
      const scorer = await scorerFrom(other ?? opened, other !== null, runFolder);
      scorers.set(name, scorer);
      return scorer;
    };
    const sources = new Map<string, RowSource>();
    const sourceOf = async ({ texts }: AskedScore): Promise<RowSource> => {
      const name = JSON.stringify(texts ?? null);
      const known = sources.get(name) ?? (await RowSource.open(opened, texts));
      sources.set(name, known);
      return known;
    };
    const plans: Plan[] = [];
    for (const asked of options.asked) {
      const score = findDataScore(asked.id);
      const values = optionValues(score, asked.options);
      const scorer = await scorerOf(typeof values.scorer === 'string' ? values.scorer : '');
      const resultFile = scoresFile.replace(SCORES_SUFFIX, RESULT_SUFFIX);
      const influence = score.influence ? await influencedRows(resultFile, String(values.task), read.baseDir) : null;
      const source = influence ? null : await sourceOf(asked);
      requireLayer(score, values, scorer);
      const rows = influence?.id ?? `rows ${source!.id.slice(0, 16)}`;
      const asks = readsTokens(score)
        ? [`model ${scorer.sha256.slice(0, 16)} ${scorer.tokenizerSha256.slice(0, 16)}`]
        : [];
      plans.push({ score, asked, values, needs: [rows, ...asks], scorer, source, influence });
    }
    // A score among the rows of another one comes behind it, and changes with it.
    plans.sort((a, b) => Number(amongOf(a) !== '') - Number(amongOf(b) !== ''));
    for (const plan of plans) if (amongOf(plan) !== '') plan.needs.push(...amongNeeds(plan, plans));

    const made = readScores(scoresFile, sha256);
    const missing = plans.filter((plan) => !made?.tables.some((table) => isTableOf(table, plan)));
    if (made && missing.length === 0) return { file: made, scoresFile, passes: [] };
    if (!run) throw new LayerifError('badRequest', 'scores of rows are not computed yet: layerif score FILE does it');
    const asksModel = missing.some(({ score, values }) => Object.keys(score.needs(values as never)).length > 0);
    const engineInfo = asksModel || !made ? await run.engine.start(run.machine) : null;
    if (engineInfo) for (const pid of ['self', engineInfo.pid] as const) resetPeakMemory(pid);
    const own = {
      seconds: { ...made?.provenance.seconds },
      dataSha256: Object.assign(
        { ...made?.provenance.dataSha256 },
        ...plans.map(({ source, influence }) => source?.sha256 ?? influence?.rows.sha256),
      ) as Record<string, string>,
      seed: experiment.score.seed,
    };
    const file: ScoresFile = {
      format: 'layerif-scores',
      version: 1,
      status: 'partial',
      experimentFile: options.file,
      model: { name: opened.checkpoint.name, family: opened.model.family, layers: opened.model.layers, sha256 },
      tables: made?.tables ?? [],
      ...(made?.refused ? { refused: made.refused } : {}),
      provenance: {
        ...(engineInfo ? provenanceOf(engineInfo, own) : { ...made!.provenance, ...own }),
        peakMemoryBytes: made?.provenance.peakMemoryBytes ?? 0,
      },
    };
    const passes: ObserveSummary[] = [];
    const finish = (plan: Plan, table: ScoreTable): void => {
      file.tables = [...file.tables.filter((other) => !sameAsked(other, plan)), table];
      writeJson(scoresFile, file);
      options.onTable?.(file);
    };
    for (const group of groupsOf(missing)) {
      const done = await computeGroup(group, {
        options,
        file,
        engine: engineInfo ? engineOf(engineInfo) : null,
        baseDir: read.baseDir,
        finish,
      });
      passes.push(...done);
    }
    for (const { files } of scorers.values()) files.removeWork();
    file.status = 'complete';
    writeJson(scoresFile, file);
    return { file, scoresFile, passes };
  } finally {
    for (const one of open) one.close();
  }
}

function otherModel({ model }: OpenExperiment['experiment'], name: string, signal: AbortSignal | undefined) {
  return { fetching: { signal }, model: { path: name, max_length: model.max_length }, graphs: false };
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

const readsTokens = (score: DataScore): boolean => score.tokens === true;

const amongOf = ({ score, values }: Pick<Plan, 'score' | 'values'>): string => score.among?.(values as never) ?? '';

/** @throws LayerifError `badRequest` where the other score is not asked for too, or is one of other rows */
function amongNeeds(plan: Plan, plans: readonly Plan[]): string[] {
  const other = amongPlan(plan, plans);
  return [`among ${other.score.id} ${other.score.version} ${JSON.stringify(other.values)}`, ...other.needs];
}

function amongPlan(plan: Plan, plans: readonly Plan[]): Plan {
  const name = amongOf(plan);
  const fitting = plans.filter((one) => one !== plan && amongOf(one) === '' && one.source !== null);
  const other = fitting.find(({ score }) => score.id === name);
  if (!other) {
    const others = [...new Set(fitting.map(({ score }) => score.id))];
    throw new LayerifError(
      'badRequest',
      `${plan.score.id}.among "${name}" is not among the data_scores of the experiment: add it there; scores of rows there: ${others.length > 0 ? listed(others) : 'none'}`,
    );
  }
  if (other.source?.id === plan.source?.id) return other;
  throw new LayerifError('badRequest', `${plan.score.id}.among ${name} scores other rows: give both the same texts`);
}

/** @throws LayerifError `badRequest` */
function requireLayer(score: DataScore, { layer }: Record<string, Json>, { opened }: Scorer): void {
  const { layers } = opened.model;
  if (typeof layer !== 'number' || layer < layers) return;
  throw new LayerifError('badRequest', `${score.id}.layer ${layer} is beyond the last layer: use -1 to ${layers - 1}`);
}

/** Plans whose rows pass by together, in the order in which they are asked for. */
function groupsOf(plans: readonly Plan[]): Plan[][] {
  const groups = new Map<string, Plan[]>();
  for (const plan of plans) {
    const own = plan.influence ? plan.influence.id : `${plan.source!.id} ${plan.scorer.sha256}`;
    const name = amongOf(plan) === '' ? own : `${own} behind`;
    groups.set(name, [...(groups.get(name) ?? []), plan]);
  }
  return [...groups.values()];
}

interface GroupTools {
  options: DataScoresOptions;
  file: ScoresFile;
  engine: unknown;
  baseDir: string;
  finish: (plan: Plan, table: ScoreTable) => void;
}

async function computeGroup(plans: readonly Plan[], tools: GroupTools): Promise<ObserveSummary[]> {
  const { options, file, finish } = tools;
  const { signal } = options;
  const breathe = async () => {
    await new Promise((turn) => setImmediate(turn));
    if (signal?.aborted) throw new LayerifError('cancelled', 'scoring the rows was cancelled');
  };
  const folds = plans.map((plan) => ({ plan, fold: plan.score.open(plan.values as never) }));
  const [{ source, scorer, influence }] = plans;
  const passes: ObserveSummary[] = [];
  let rows = influence?.rows ?? null;
  let words = influence ? `training rows of ${influence.task.task}: ${influence.task.train.samples} rows` : '';
  if (source) {
    const compared = folds.filter(({ plan }) => plan.score.targets === true);
    const before = compared.length > 0 ? await source.countTargets() : 0;
    const total = before + (await source.count());
    const seen = new Rows(
      source,
      tools.baseDir,
      plans.some(({ score }) => readsTokens(score)) ? scorer.tokenizerSha256 : null,
    );
    const observing = new Observing(scorer, source, folds, tools, passes, breathe);
    const size = options.rowsPerChunk ?? ROWS_PER_CHUNK;
    if (compared.length > 0) {
      let done = 0;
      for await (const chunk of source.targets(size)) {
        const found = await observing.chunk(chunk, compared, { done, total, what: 'validation rows' });
        compared.forEach(({ fold }, i) => fold.targets?.(found[i]));
        done += chunk.length;
      }
    }
    for await (const chunk of source.chunks(size)) {
      const found = await observing.chunk(chunk, folds, { done: before + seen.count, total, what: 'rows' });
      folds.forEach(({ fold }, i) => fold.rows(found[i]));
      seen.add(chunk);
    }
    rows = seen.rows();
    const tokens = observing.tokens > 0 ? `, ${observing.tokens.toLocaleString('en-US')} tokens` : '';
    words = `${source.split} of ${source.dataset.name}: ${seen.count} rows${tokens}`;
  }
  for (const { plan, fold } of folds) {
    const random = new Random(file.provenance.seed, `score ${plan.score.id} ${JSON.stringify(plan.values)}`);
    try {
      const among = amongOf(plan) === '' ? undefined : keptValues(file, plan);
      const numbers = await fold.numbers({ random, influence: influence?.influence, among, breathe });
      finish(plan, tableOf(plan, numbers, rows!, words));
    } catch (error) {
      if (!(error instanceof LayerifError) || error.code !== 'badRequest') throw error;
      // The other scores stand.
      const { id: score } = plan.score;
      const others = (file.refused ?? []).filter((one) => one.score !== score);
      file.refused = [...others, { score, message: error.message }];
    }
  }
  return passes;
}

/** Values of the score that `among` names; null for rows that its rule leaves out. */
function keptValues({ tables }: ScoresFile, plan: Plan): (number | null)[] {
  const table = tables.findLast(
    (one) => one.score === amongOf(plan) && plan.needs.some((need) => need === amongWords(one)),
  );
  if (!table)
    throw new LayerifError(
      'badRequest',
      `${plan.score.id} is made among the rows of ${amongOf(plan)}, which was not computed`,
    );
  const left = new Set((table.marks ?? []).filter(({ drop }) => drop).flatMap(({ at }) => at));
  return table.values.map((value, row) => (left.has(row) ? null : value));
}

const amongWords = ({ score, version, options }: ScoreTable) => `among ${score} ${version} ${JSON.stringify(options)}`;

type Folded = { plan: Plan; fold: RowFold };

/** Chunks of one source through one model. */
class Observing {
  readonly #scorer: Scorer;
  readonly #source: RowSource;
  readonly #tools: GroupTools;
  readonly #passes: ObserveSummary[];
  readonly #breathe: () => Promise<void>;
  readonly #encodes: boolean;
  readonly #texts: boolean;
  /** Of the rows' own texts, as they are trained on. */
  tokens = 0;

  constructor(
    scorer: Scorer,
    source: RowSource,
    folds: readonly Folded[],
    tools: GroupTools,
    passes: ObserveSummary[],
    breathe: () => Promise<void>,
  ) {
    this.#scorer = scorer;
    this.#source = source;
    this.#tools = tools;
    this.#passes = passes;
    this.#breathe = breathe;
    this.#encodes = folds.some(({ plan }) => readsTokens(plan.score));
    this.#texts = folds.some(({ plan }) => plan.score.texts === true);
  }

  /** @returns for each score what it is shown of these rows */
  async chunk(
    rows: readonly SourceRow[],
    folds: readonly Folded[],
    { done, total, what }: { done: number; total: number; what: string },
  ): Promise<Chunk[]> {
    const { tokenizer } = this.#scorer.opened;
    const { maxLength } = this.#source;
    const all: (Encoded | null)[] = [];
    const facts: RowFacts[] = [];
    for (const row of rows) {
      if (all.length % ROWS_PER_TURN === ROWS_PER_TURN - 1) await this.#breathe();
      const one = this.#encodes ? encoded(row, tokenizer) : null;
      all.push(one);
      const bare = { prompt: 0, answer: 0, truncated: false, merged: false };
      const known = one
        ? factsOf(one, maxLength)
        : { ...bare, emptyPrompt: row.prompt.trim() === '', emptyAnswer: row.answer.trim() === '' };
      facts.push({ ...known, text: this.#texts ? row.prompt + row.answer : '' });
      if (what === 'rows') this.tokens += one?.whole.length ?? 0;
    }
    const forms = new Map<string, Formed>();
    const asked = folds.map(({ plan }) =>
      Object.entries(plan.score.needs(plan.values as never)).map(([name, need]) => {
        const form = JSON.stringify(need.text);
        const texts = forms.get(form) ?? this.#formed(all as Encoded[], need, rows);
        forms.set(form, texts);
        return { name, texts, need: keyed(this.#filled(need), texts.id, this.#scorer.variant) };
      }),
    );
    const known = await this.#observed(asked.flat(), { done, total, rows: rows.length, what });
    return asked.map((needs) => ({
      facts,
      observed: Object.fromEntries(
        needs.map(({ name, texts, need }): [string, RowTexts] => [name, { ...texts, tensors: known.get(need.key)! }]),
      ),
    }));
  }

  /** Layer -1 is the last one. */
  #filled({ of, options }: RowNeed): { of: RowNeed['of']; options: Record<string, Json> } {
    const { layers } = this.#scorer.opened.model;
    if (!Array.isArray(options.layers)) return { of, options };
    return { of, options: { ...options, layers: options.layers.map((layer) => (layer === -1 ? layers - 1 : layer)) } };
  }

  #formed(all: readonly Encoded[], need: RowNeed, rows: readonly SourceRow[]): Formed {
    const { tokenizer, model } = this.#scorer.opened;
    const { maxLength } = this.#source;
    const samples: EncodedSample[] = [];
    const places: { tokens: Int32Array; file: string; line: number | null }[] = [];
    const text = Int32Array.from(all, (row, i) => {
      const sample = formed(row, need.text, { tokenizer, maxLength });
      if (!sample) return -1;
      const { file, line } = rows[i].row;
      places.push({ tokens: sample.tokens, file, line });
      return samples.push(sample) - 1;
    });
    const task = this.#source.task?.task ?? 'data_scores';
    requireTexts({ what: 'row', task, texts: places, tokenizer, ...limitsOf(model) }, 'score');
    return { samples, text, id: textsId(samples) };
  }

  async #observed(
    asked: readonly { texts: Formed; need: KeyedNeed }[],
    { done, total, rows, what }: { done: number; total: number; rows: number; what: string },
  ): Promise<ReadonlyMap<string, Tensors>> {
    const { opened, files, variant, sha256, stamp } = this.#scorer;
    const { checkpoint, model } = opened;
    const { options, file, engine, baseDir } = this.#tools;
    const known = new Map<string, Tensors>();
    const textsOf = new Map(asked.map(({ texts, need }) => [need.key, texts.samples]));
    const wanted: KeyedNeed[] = [];
    for (const { texts, need } of asked) {
      if (known.has(need.key)) continue;
      const stored = texts.samples.length === 0 ? nothing(need, observedShape(model, 0)) : files.read(need);
      if (stored) known.set(need.key, stored);
      else wanted.push(need);
    }
    if (wanted.length === 0) return known;
    const { run, signal } = options;
    const limit = memoryLimit(run!.machine);
    const adapter = variant.variant === 'adapter' ? checkpoint.adapter!.path : null;
    const planned = (needs: readonly KeyedNeed[]) =>
      plannedPass(needs, { checkpoint, model, adapter }, [...textsOf.get(needs[0].key)!], limit, baseDir);
    const passes = passesOf(wanted, (pass) => planned(pass).memoryBytes <= limit);
    for (const [index, pass] of passes.entries()) {
      const plan = planned(pass);
      requireMemory(plan, limit, `observing ${rows} ${what}`);
      const key = createHash('sha256')
        .update(JSON.stringify([sha256, stamp, engine, pass.map((need) => need.key), plan.composition]))
        .digest('hex');
      const summary = await plan.run(
        {
          pool: run!.engine,
          machine: run!.machine,
          signal,
          onProgress: (event) =>
            options.onProgress?.({
              done: done + rows * ((index + event.done / event.total) / passes.length),
              total,
              message: `observing ${rows} ${what}`,
            }),
        },
        { workDir: files.workDir, key, checkpointSeconds: options.checkpointSeconds },
      );
      requireUnchanged(checkpoint, stamp);
      for (const need of pass) {
        const tensors = summary.observations[need.hash];
        files.write(need, tensors);
        known.set(need.key, tensors);
      }
      const { seconds, peakMemoryBytes } = file.provenance;
      seconds['observe rows'] = (seconds['observe rows'] ?? 0) + summary.seconds;
      file.provenance.peakMemoryBytes = Math.max(peakMemoryBytes, summary.peakMemoryBytes);
      this.#passes.push(summary);
    }
    return known;
  }
}

interface Formed {
  samples: EncodedSample[];
  text: Int32Array;
  id: string;
}

/** Of no texts. */
function nothing({ need }: KeyedNeed, shape: ReturnType<typeof observedShape>): Tensors {
  const spec = observationOf(need.of as RowNeed['of']);
  return Object.fromEntries(
    Object.entries(spec.tensors(shape, need.options)).map(([name, dims]) => [
      name,
      { shape: dims, data: new Float64Array(0) },
    ]),
  );
}

/** Where the rows stand. */
class Rows {
  readonly #found: ScoredRows;
  readonly #baseDir: string;
  readonly #files = new Map<string, number>();

  constructor({ dataset, split, task, sha256 }: RowSource, baseDir: string, tokenizer: string | null) {
    const rest = { files: [], file: [], row: [], line: [], sha256, tokenizer };
    this.#found = { dataset: dataset.name, split, task: task?.task ?? null, ...rest };
    this.#baseDir = baseDir;
  }

  get count(): number {
    return this.#found.row.length;
  }

  add(rows: readonly SourceRow[]): void {
    const { files, file, row: numbers, line } = this.#found;
    for (const { row } of rows) {
      let index = this.#files.get(row.file);
      if (index === undefined) {
        index = files.push(relativeTo(this.#baseDir, row.file)) - 1;
        this.#files.set(row.file, index);
      }
      file.push(index);
      numbers.push(row.row);
      line.push(row.line);
    }
  }

  rows(): ScoredRows {
    return this.#found;
  }
}

function tableOf(
  { score, values: options, needs }: Plan,
  { values, parts, notes, ...rest }: Awaited<ReturnType<RowFold['numbers']>>,
  rows: ScoredRows,
  texts: string,
): ScoreTable {
  if (values.length !== rows.row.length)
    throw new Error(`score ${score.id} gave ${values.length} values for ${rows.row.length} rows`);
  const defined = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  return {
    score: score.id,
    version: score.version,
    title: score.title,
    unit: score.unit,
    source: score.source,
    formula: score.formula,
    status: score.status,
    question: score.question,
    subject: score.subject,
    higherMeans: score.higherMeans,
    options,
    texts,
    axes: [{ name: 'row', labels: values.map((_, row) => row) }],
    values: values.map(defined),
    ...(parts
      ? { parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.map(defined)])) }
      : {}),
    ...rest,
    rows: readsTokens(score) ? rows : { ...rows, tokenizer: null },
    notes,
    needs,
  };
}

function isTableOf(table: ScoreTable, plan: Plan): boolean {
  return (
    sameAsked(table, plan) && table.version === plan.score.version && canonical(table.needs) === canonical(plan.needs)
  );
}

/** The same score of the same options; another table of the same rows takes its place. */
function sameAsked({ score, options, rows }: ScoreTable, plan: Plan): boolean {
  const asked = plan.source ?? plan.influence!.rows;
  const dataset = typeof asked.dataset === 'string' ? asked.dataset : asked.dataset.name;
  return (
    score === plan.score.id &&
    JSON.stringify(options) === JSON.stringify(plan.values) &&
    rows?.dataset === dataset &&
    rows.split === asked.split
  );
}
