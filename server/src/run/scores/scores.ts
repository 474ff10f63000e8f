/**
 * Scores beside influence: chosen scores -> what they need -> what is not there yet -> passes through the model ->
 * tables. Observations lie in the run folder, tables in `NAME.layerif-scores.json`, which is complete JSON at every
 * moment and replaced after each table. Nothing is computed twice: observations are known by their keys, tables by
 * score, options and texts.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { AskedScore, Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ObserveSummary, ScoresFile, ScoreTable, Tensors } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { optionValues } from '../../scores/options.ts';
import { findScore, scores } from '../../scores/scores.ts';
import type { Score } from '../../scores/types.ts';
import { engineOf } from '../files/finished.ts';
import { modelStamp, requireUnchanged } from '../files/modelStamp.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult, writeJson } from '../files/results.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { memoryLimit } from '../machine/machine.ts';
import { requireMemory } from '../machine/observing.ts';
import { followed } from './followed.ts';
import { observedModel } from './graphScores.ts';
import { influenceMembers } from './members.ts';
import { passesOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { ObservationFiles } from './observationFiles.ts';
import { ownAnswers } from './ownAnswers.ts';
import { plannedPass } from './plannedPass.ts';
import { plansOf, refusedScore } from './planning.ts';
import { amongTables, isTableOf, sameAsked, table, tableId } from './plans.ts';
import type { Plan } from './plans.ts';
import {
  begunScores,
  completed,
  keepPass,
  readScores,
  requireModelOf,
  scoresFileOf,
  startedEngine,
} from './scoresFile.ts';
import type { NoisyRun } from './sampleInfluence.ts';
import { TextSets } from './textSets.ts';
import { TunedModels } from './tunedModel.ts';
import { nth } from '../../lists/nth.ts';
import { entry } from '../../lists/entry.ts';

export interface ScoresOptions {
  /** Absolute path of the experiment file. */
  file: string;
  experiment: Experiment;
  asked: readonly AskedScore[];
  scoresFile: string;
  /** Of the result beside which the tables stand: another model is refused. */
  modelSha256?: string | undefined;
  /** Scores influence with changed labels, for scores that ask for it. */
  noisyRun?: NoisyRun | undefined;
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
 * @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest`, `notEnoughMemory`, `cancelled`; finished
 *   passes are kept. MissingScores without `run`
 */
export async function computeScores(given: ScoresOptions): Promise<ComputedScores> {
  const tablesOf = async (asked: readonly AskedScore[]) => (await computeScores({ ...given, asked })).file.tables;
  const options = { ...given, asked: await followed(given, tablesOf) };
  const { experiment, run, signal, scoresFile } = options;
  const read = experimentFor({ ...experiment, scores: [...options.asked] }, options.file, 'score');
  const chosen = chosenScores(options.asked, options.table);
  const opened = await openExperiment(read, { fetching: { signal } });
  const { checkpoint, graph } = opened;
  const model = observedModel(opened.model, graph);
  const closing = [() => opened.close()];
  try {
    const stamp = modelStamp(checkpoint);
    const sha256 = await checkpoint.sha256();
    requireModelOf(scoresFile, { path: checkpoint.path, sha256 }, options.modelSha256);
    const sets = new TextSets(opened);
    const files = new ObservationFiles(path.dirname(scoresFile), sha256);
    const others = new TunedModels(opened);
    closing.push(() => others.close());
    const resultFile = scoresFile.replace(SCORES_SUFFIX, '.layerif-result.json');
    let writing = 0;
    const write = ownAnswers(opened, {
      ...options,
      ...{ folder: files.folder, modelSha256: sha256, onWritten: (seconds: number) => (writing += seconds) },
    });
    const { plans, refused } = await plansOf(chosen, {
      ...{ opened, sets, others, resultFile, write },
      noisyRun: options.noisyRun,
    });

    const made = readScores(scoresFile, sha256);
    if (plans.length === 0) throw nth(refused, 0).error;
    const measured = plans.filter(({ score }) => !score.among);
    const influence = influenceMembers(resultFile, model.layers);
    // A score of scores is made again where one of them, or influence, is another one.
    const sources = [
      ...new Set(
        measured.flatMap((plan) => [
          tableId(plan),
          ...Object.keys(plan.needs).map((name) => entry(plan.needs, name).key),
          ...(plan.influence ? plan.sources! : []),
        ]),
      ),
      ...(influence ? [`influence ${influence.id}`] : []),
    ];
    for (const plan of plans) if (plan.score.among) plan.sources = sources;
    // Scores of scores come behind what they are made of.
    plans.sort((a, b) => Number('among' in a.score) - Number('among' in b.score));
    const missing = plans.filter((plan) => !made?.tables.some((table) => isTableOf(table, plan)));
    if (made && missing.length === 0 && refused.length === 0) return { file: made, scoresFile, passes: [] };
    const known = new Map<string, Tensors>();
    // For a score of scores what the others were made of is read too, where it lies there.
    const looked = missing.some(({ score }) => 'among' in score) ? plans : missing;
    for (const need of looked.flatMap(({ needs }) => Object.values(needs))) {
      const stored = known.has(need.key) ? null : files.read(need);
      if (stored) known.set(need.key, stored);
    }
    const wanted = missing.flatMap(({ needs }) => Object.values(needs)).filter(({ key }) => !known.has(key));
    if (!run && (wanted.length > 0 || !made)) throw new MissingScores(missing.map(({ asked }) => asked));
    const engineInfo = run && (wanted.length > 0 || !made) ? await startedEngine(run) : null;
    const file = begunScores(made, engineInfo, {
      experimentFile: options.file,
      model: { name: checkpoint.name, family: model.family, layers: model.layers, sha256 },
      refused: refused.map(({ score, message }) => ({ score, message })),
      dataSha256: sets.dataSha256,
      seed: experiment.score.seed,
    });
    if (writing > 0) file.provenance.seconds.answers = (file.provenance.seconds.answers ?? 0) + writing;
    const limit = run ? memoryLimit(run.machine) : Infinity;
    const textsOf = (need: KeyedNeed): EncodedSample[] => sets.samples(need.need.texts);
    const planned = (needs: readonly KeyedNeed[]) =>
      plannedPass(needs, others.target(nth(needs, 0)), textsOf(nth(needs, 0)), limit, opened.baseDir);
    const passes = passesOf(wanted, (pass) => planned(pass).memoryBytes <= limit);
    const done: ComputedScores['passes'] = [];
    const lost = new Set<Plan>();
    const lose = (plan: Plan, error: unknown): void => {
      refused.push(refusedScore(plan.score, error));
      lost.add(plan);
      file.refused = refused.map(({ score, message }) => ({ score, message }));
    };
    const madeOf = async (plan: Plan): Promise<ScoreTable | null> => {
      const there = measured.filter((one) => !lost.has(one));
      if (plan.score.among)
        return amongTables(plan, { plans: there, known, file, model, influence: influence?.members ?? [] });
      try {
        return lost.has(plan) ? null : await table(plan, known, model, experiment.score.seed);
      } catch (error) {
        lose(plan, error);
        return null;
      }
    };
    const finish = async (): Promise<void> => {
      for (const plan of missing) {
        if (file.tables.some((table) => isTableOf(table, plan))) continue;
        if (!Object.values(plan.needs).every(({ key }) => known.has(key))) continue;
        const made = await madeOf(plan);
        if (!made) continue;
        // One of the same score and options takes the place of what it was made of before.
        const stale = plan.score.among ? file.tables.filter((other) => sameAsked(other, plan)) : [];
        file.tables = [...file.tables.filter((other) => !stale.includes(other)), made];
        writeJson(scoresFile, file);
        options.onTable?.(file);
      }
    };
    await finish();
    for (const [index, pass] of passes.entries()) {
      const names = pass.map(({ need }) => need.of).join(', ');
      const plan = planned(pass);
      const keys = new Set(pass.map(({ key }) => key));
      const reading = missing.filter(({ needs }) => Object.values(needs).some(({ key }) => keys.has(key)));
      const observing = async () => {
        requireMemory(plan, limit, `observing ${names} on ${textsOf(nth(pass, 0)).length} texts`);
        const key = createHash('sha256')
          .update(JSON.stringify([sha256, stamp, engineOf(engineInfo!), pass.map(({ key }) => key), plan.composition]))
          .digest('hex');
        return plan.run(
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
      };
      const summary = await observing().catch((error: unknown) => {
        for (const one of reading) lose(one, error);
        return null;
      });
      if (!summary) continue;
      requireUnchanged(checkpoint, stamp);
      keepPass(pass, summary, { files, known, file, label: `observe ${names}` });
      done.push(summary);
      await finish();
    }
    // Some of what a score of scores is made of may be missing for good.
    await finish();
    if (lost.size > 0 && measured.every((plan) => lost.has(plan))) throw nth(refused, 0).error;
    files.removeWork();
    completed(file, scoresFile);
    return { file, scoresFile, passes: done };
  } finally {
    for (const close of closing) close();
  }
}

/** Scores with the values of their options. @throws LayerifError `badRequest` for one that does not exist */
export function chosenScores(asked: readonly AskedScore[], among: readonly Score[] = scores) {
  return asked.map((one) => {
    const score = findScore(one.id, among);
    return { score, asked: one, values: optionValues(score, one.options) };
  });
}

export interface MeasureOptions extends Pick<
  ScoresOptions,
  'asked' | 'run' | 'noisyRun' | 'onProgress' | 'onTable' | 'signal'
> {
  /** A result, or a file of scores that stands alone. */
  resultFile: string;
}

/** Scores beside a result, of its model. @throws LayerifError as `computeScores` */
export async function scoresOfResult({ resultFile, ...options }: MeasureOptions): Promise<ComputedScores> {
  if (resultFile.endsWith(SCORES_SUFFIX)) {
    const { experimentFile: file, model } = readFileOf('scores', resultFile);
    const own = { file, experiment: loadExperiment(file), scoresFile: resultFile, modelSha256: model.sha256 };
    return computeScores({ ...options, ...own });
  }
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
