/**
 * Scores beside influence: chosen scores -> what they need -> what is not there yet -> passes through the model -> tables. Observations lie
 * in the run folder, tables in `NAME.layerif-scores.json`, which is complete JSON at every moment and replaced after each table. Nothing is
 * computed twice: observations are known by their keys, tables by score, options and texts.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { AskedScore, Experiment, TextSource } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { Json, ObserveSummary, ScoresFile, ScoreTable, Tensors } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import type { Architecture } from '../../models/types.ts';
import { Random } from '../../random/random.ts';
import { optionValues } from '../../scores/options.ts';
import { findScore, scores } from '../../scores/scores.ts';
import { tableOf } from '../../scores/tables.ts';
import type { Score, ScoreNeed } from '../../scores/types.ts';
import { engineOf } from '../files/finished.ts';
import { modelStamp, requireUnchanged } from '../files/modelStamp.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult, writeJson } from '../files/results.ts';
import { provenanceOf } from '../files/provenance.ts';
import { calibrationOf } from '../inputs/pruneInput.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { memoryLimit } from '../machine/machine.ts';
import { planDeltaMasks, runDeltaMasks } from '../machine/deltaMasks.ts';
import { planGradientPass, runGradientPass } from '../machine/gradientPass.ts';
import { planMovedGradients, runMovedGradients } from '../machine/movedGradients.ts';
import { observedShape, planPass, requireMemory, runPass } from '../machine/observing.ts';
import type { ObservedModel, ObserveTools } from '../machine/observing.ts';
import type { ObservationId } from '../../scores/observations.ts';
import { resetPeakMemory } from '../machine/memory.ts';
import { tunedPath, withChanges } from './changes.ts';
import { directionOf, keyed, passesOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { textsId } from './texts.ts';

export interface ScoresOptions {
  /** Absolute path of the experiment file. */
  file: string;
  experiment: Experiment;
  asked: readonly AskedScore[];
  scoresFile: string;
  /** Of the result beside which the tables stand: another model is refused. */
  modelSha256?: string | undefined;
  /** Null computes tables from what is observed already, and nothing else. */
  run: { machine: Machine; engine: EnginePool } | null;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  /** Called with the file's new content after each table. */
  onTable?: ((file: ScoresFile) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Where scores are looked up; the product's own by default. */
  table?: readonly Score[] | undefined;
  /** Least seconds between two saved states of a pass. */
  checkpointSeconds?: number | undefined;
}

export interface ComputedScores {
  file: ScoresFile;
  scoresFile: string;
  /** Of the passes that were run; empty where everything was there. */
  passes: ObserveSummary[];
}

/** Scores that are not there and may not be measured here. */
export class MissingScores extends LayerifError {
  readonly scores: readonly AskedScore[];

  constructor(scores: readonly AskedScore[]) {
    const ids = scores.map(({ id }) => id).join(', ');
    super('badRequest', `the scores ${ids} are not measured yet: layerif score FILE --only scores does it`);
    this.name = 'MissingScores';
    this.scores = scores;
  }
}

/**
 * @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest`, `notEnoughMemory`, `cancelled`; finished passes are kept.
 *   MissingScores without `run`
 */
export async function computeScores(options: ScoresOptions): Promise<ComputedScores> {
  const { experiment, run, signal, scoresFile } = options;
  const read = experimentFor({ ...experiment, scores: [...options.asked] }, options.file, 'score');
  const chosen = options.asked.map((asked) => {
    const score = findScore(asked.id, options.table ?? scores);
    return { score, asked, values: optionValues(score, asked.options) };
  });
  const opened = await openExperiment(read, { fetching: { signal } });
  const { checkpoint, model } = opened;
  try {
    const stamp = modelStamp(checkpoint);
    const sha256 = await checkpoint.sha256();
    if (options.modelSha256 !== undefined && options.modelSha256 !== sha256) {
      throw new LayerifError(
        'badModel',
        `${checkpoint.path} is not the model of ${scoresFile.replace(SCORES_SUFFIX, '')}: its weights were changed since; score again`,
      );
    }
    const adapter = checkpoint.adapter?.path ?? null;
    const variant = { variant: adapter === null ? ('base' as const) : ('adapter' as const) };
    const sets = new TextSets(opened);
    const plans: Plan[] = [];
    for (const { score, asked, values } of chosen) {
      const bare: [string, ScoreNeed][] = [];
      for (const [name, need] of Object.entries(score.needs(values, observedShape(model, 0)))) {
        bare.push([name, need.of === 'delta_masks' ? await withChanges(need, opened) : need]);
      }
      const reads = bare.some(([, need]) => keyed(need, '', variant).need.texts !== null);
      const set = reads ? await sets.of(asked.texts) : null;
      // Changes to a second checkpoint start at the bare model.
      const of = (need: ScoreNeed) =>
        tunedPath(need, opened.baseDir) === null ? variant : { variant: 'base' as const };
      const needs = Object.fromEntries(bare.map(([name, need]) => [name, keyed(need, set?.id ?? null, of(need))]));
      plans.push({ score, asked, values, set, needs });
    }

    const made = readScores(scoresFile, sha256);
    const missing = plans.filter((plan) => !made?.tables.some((table) => isTableOf(table, plan)));
    if (made && missing.length === 0) return { file: made, scoresFile, passes: [] };
    const files = new ObservationFiles(path.dirname(scoresFile), sha256);
    const known = new Map<string, Tensors>();
    for (const need of missing.flatMap(({ needs }) => Object.values(needs))) {
      const stored = known.has(need.key) ? null : files.read(need);
      if (stored) known.set(need.key, stored);
    }
    const wanted = missing.flatMap(({ needs }) => Object.values(needs)).filter(({ key }) => !known.has(key));
    if (!run && (wanted.length > 0 || !made)) throw new MissingScores(missing.map(({ asked }) => asked));
    const engineInfo = run && (wanted.length > 0 || !made) ? await run.engine.start(run.machine) : null;
    if (engineInfo) for (const pid of ['self', engineInfo.pid] as const) resetPeakMemory(pid);
    const own = {
      seconds: { ...made?.provenance.seconds },
      dataSha256: { ...made?.provenance.dataSha256, ...sets.dataSha256 },
      seed: experiment.score.seed,
    };
    const file: ScoresFile = {
      format: 'layerif-scores',
      version: 1,
      status: 'partial',
      experimentFile: options.file,
      model: { name: checkpoint.name, family: model.family, layers: model.layers, sha256 },
      tables: made?.tables ?? [],
      provenance: {
        ...(engineInfo ? provenanceOf(engineInfo, own) : { ...made!.provenance, ...own }),
        peakMemoryBytes: made?.provenance.peakMemoryBytes ?? 0,
      },
    };
    const limit = run ? memoryLimit(run.machine) : Infinity;
    const target = { checkpoint, model, adapter };
    const textsOf = (need: KeyedNeed): EncodedSample[] => sets.samples(need.need.texts);
    const planned = (needs: readonly KeyedNeed[]) =>
      plannedPass(
        needs,
        needs[0].need.model.variant === 'base' ? { ...target, adapter: null } : target,
        textsOf(needs[0]),
        limit,
        opened.baseDir,
      );
    const passes = passesOf(wanted, (pass) => planned(pass).memoryBytes <= limit);
    const done: ComputedScores['passes'] = [];
    const finish = (): void => {
      for (const plan of missing) {
        if (file.tables.some((table) => isTableOf(table, plan))) continue;
        if (!Object.values(plan.needs).every(({ key }) => known.has(key))) continue;
        file.tables = [...file.tables, table(plan, known, model, experiment.score.seed)];
        writeJson(scoresFile, file);
        options.onTable?.(file);
      }
    };
    finish();
    for (const [index, pass] of passes.entries()) {
      const names = pass.map(({ need }) => need.of).join(', ');
      const plan = planned(pass);
      requireMemory(plan, limit, `observing ${names} on ${textsOf(pass[0]).length} texts`);
      const key = createHash('sha256')
        .update(JSON.stringify([sha256, stamp, engineOf(engineInfo!), pass.map(({ key }) => key), plan.composition]))
        .digest('hex');
      const summary = await plan.run(
        {
          pool: run!.engine,
          machine: run!.machine,
          signal,
          onProgress: (event) =>
            options.onProgress?.({
              done: index + event.done / event.total,
              total: passes.length,
              message: `observing ${names}: layer ${Math.min(model.layers, Math.ceil((event.done / event.total) * model.layers))} of ${model.layers}`,
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
      const label = `observe ${names}`;
      seconds[label] = (seconds[label] ?? 0) + summary.seconds;
      file.provenance.peakMemoryBytes = Math.max(peakMemoryBytes, summary.peakMemoryBytes);
      done.push(summary);
      finish();
    }
    files.removeWork();
    file.status = 'complete';
    writeJson(scoresFile, file);
    return { file, scoresFile, passes: done };
  } finally {
    opened.close();
  }
}

/** A pass of whichever direction its needs ask for. */
interface Pass {
  memoryBytes: number;
  /** How texts are put together, which decides the numbers to the last bit. */
  composition: unknown;
  run(
    tools: ObserveTools,
    kept: { workDir: string; key: string; checkpointSeconds?: number | undefined },
  ): Promise<ObserveSummary>;
}

function plannedPass(
  needs: readonly KeyedNeed[],
  target: ObservedModel,
  texts: EncodedSample[],
  limit: number,
  baseDir: string,
): Pass {
  const asked = needs.map(({ hash, need }) => ({ name: hash, of: need.of as ObservationId, options: need.options }));
  if (directionOf(needs[0]) === 'backward') {
    const pass = planGradientPass(target, texts, asked, limit);
    return {
      memoryBytes: pass.memoryBytes,
      composition: pass.request.plan.batches,
      run: (tools, { workDir, key, checkpointSeconds }) =>
        runGradientPass(pass, tools, { workDir: path.join(workDir, key.slice(0, 16)), checkpointSeconds }),
    };
  }
  if (directionOf(needs[0]) === 'moved') {
    const pass = planMovedGradients(target, texts, asked[0], limit);
    return {
      memoryBytes: pass.memoryBytes,
      composition: pass.request.plan.batches,
      run: (tools, { workDir, key, checkpointSeconds }) =>
        runMovedGradients(pass, asked[0], tools, { workDir: path.join(workDir, key.slice(0, 16)), checkpointSeconds }),
    };
  }
  if (directionOf(needs[0]) === 'changes') {
    const plan = planDeltaMasks(target, texts, asked[0], tunedPath(asked[0], baseDir), limit);
    return {
      memoryBytes: plan.memoryBytes,
      composition: plan.request.tokensPerRun,
      run: (tools, { workDir, key }) =>
        runDeltaMasks(plan, target, asked[0], tools, { workDir: path.join(workDir, key.slice(0, 16)) }),
    };
  }
  const pass = planPass(target, texts, asked, limit, { files: true });
  return {
    memoryBytes: pass.memoryBytes,
    composition: pass.request.groups,
    run: (tools, kept) => runPass(pass, tools, kept),
  };
}

interface Plan {
  score: Score;
  asked: AskedScore;
  values: Record<string, Json>;
  set: TextSet | null;
  needs: Record<string, KeyedNeed>;
}

function table(
  { score, values, set, needs }: Plan,
  known: ReadonlyMap<string, Tensors>,
  model: Architecture,
  seed: number,
): ScoreTable {
  const observed = Object.fromEntries(Object.entries(needs).map(([name, { key }]) => [name, known.get(key)!]));
  const numbers = score.score(observed, values as never, {
    model: observedShape(model, set?.samples.length ?? 0),
    random: new Random(seed, `score ${score.id}`),
  });
  return tableOf(score, numbers, {
    options: values,
    texts: set?.words ?? null,
    needs: Object.values(needs).map(({ key }) => key),
    layers: model.layers,
  });
}

/** The same score of the same version, options and observations. */
function isTableOf(table: ScoreTable, { score, values, needs }: Plan): boolean {
  return (
    table.score === score.id &&
    table.version === score.version &&
    JSON.stringify(table.options) === JSON.stringify(values) &&
    JSON.stringify(table.needs) === JSON.stringify(Object.values(needs).map(({ key }) => key))
  );
}

interface TextSet {
  /** Hash of the token ids. */
  id: string;
  words: string;
  samples: EncodedSample[];
}

/** Texts of the experiment, read once for all scores that ask for the same. */
class TextSets {
  readonly #opened: OpenExperiment;
  readonly #known = new Map<string, TextSet>();
  readonly dataSha256: Record<string, string> = {};

  constructor(opened: OpenExperiment) {
    this.#opened = opened;
  }

  /** @throws LayerifError `badData` */
  async of(asked: TextSource | undefined): Promise<TextSet> {
    const { experiment, baseDir, model } = this.#opened;
    const source = asked ?? experiment.prune?.calibration;
    const name = JSON.stringify(source ?? null);
    const known = this.#known.get(name);
    if (known) return known;
    await this.#opened.fetchDatasets([source?.dataset ?? experiment.tasks[0].dataset]);
    const { tokenizer } = this.#opened;
    const { dataset, split, samples, texts, tokens, dataSha256 } = await calibrationOf(
      experiment,
      source === undefined ? {} : { calibration: source },
      baseDir,
      tokenizer,
    );
    const task = asked ? 'texts' : 'prune.calibration';
    requireTexts({ what: 'calibration text', task, texts, tokenizer, ...limitsOf(model) }, 'score');
    const words = `${split} of ${dataset}: ${samples.length} texts, ${tokens.toLocaleString('en-US')} tokens`;
    const set = { id: textsId(samples), words, samples };
    Object.assign(this.dataSha256, dataSha256);
    this.#known.set(name, set);
    return set;
  }

  samples(id: string | null): EncodedSample[] {
    return [...this.#known.values()].find((set) => set.id === id)?.samples ?? [];
  }
}

/** `NAME.layerif-scores.json` beside a result. */
export function scoresFileOf(resultFile: string): string {
  return resultFile.replace(/(\.layerif-result)?\.json$/, SCORES_SUFFIX);
}

/** The tables beside a result; null where there are none, or none of this model. */
export function readScores(file: string, modelSha256: string): ScoresFile | null {
  try {
    const found = readFileOf('scores', file);
    return found.model.sha256 === modelSha256 ? found : null;
  } catch {
    return null;
  }
}

export interface MeasureOptions extends Pick<ScoresOptions, 'asked' | 'run' | 'onProgress' | 'onTable' | 'signal'> {
  resultFile: string;
}

/** Scores beside a result, of its model. @throws LayerifError as `computeScores` */
export async function scoresOfResult({ resultFile, ...options }: MeasureOptions): Promise<ComputedScores> {
  const { experimentFile, experiment: remembered, model } = readResult(resultFile);
  let experiment = remembered;
  try {
    experiment = loadExperiment(experimentFile);
  } catch {
    // Moved, or being edited: as the result remembers it.
  }
  return computeScores({
    ...options,
    file: experimentFile,
    experiment: {
      ...experiment,
      model: { ...experiment.model, revision: model.revision ?? experiment.model.revision },
    },
    scoresFile: scoresFileOf(resultFile),
    modelSha256: model.sha256,
  });
}
