/**
 * Scores of rows: chosen scores -> rows a chunk at a time -> what is not observed of them yet -> passes through the
 * model -> tables in the same file as the layer scores. A chunk is finished when its observations lie in the run
 * folder, so that an interrupted run goes on there; of the rows nothing is held but their numbers.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ObserveSummary, ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { Random } from '../../random/random.ts';
import { engineOf } from '../files/finished.ts';
import { writeJson } from '../files/results.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import { Observing, ROWS_PER_CHUNK } from './rowObserving.ts';
import type { ObservingTools } from './rowObserving.ts';
import { amongNeeds, amongOf, asksModel, groupsOf, isTableOf, readsTokens, sameAsked } from './rowPlans.ts';
import { RowPlanning } from './rowPlanning.ts';
import type { Plan } from './rowPlans.ts';
import { Rows, tableOf } from './rowTable.ts';
import type { ComputedScores, ScoresOptions } from './scores.ts';
import { begunScores, completed, readScores, requireModelOf, startedEngine } from './scoresFile.ts';
import { nth } from '../../lists/nth.ts';

export interface DataScoresOptions extends Omit<ScoresOptions, 'table'> {
  rowsPerChunk?: number | undefined;
}

/**
 * @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest`, `notEnoughMemory`, `cancelled`; finished
 *   chunks are kept
 */
export async function computeDataScores(options: DataScoresOptions): Promise<ComputedScores> {
  const { experiment, scoresFile, run, signal } = options;
  const read = experimentFor({ ...experiment, data_scores: [...options.asked] }, options.file, 'score');
  const opened = await openExperiment(read, { fetching: { signal } });
  const planning = new RowPlanning(opened, scoresFile, { signal });
  try {
    const sha256 = await opened.checkpoint.sha256();
    requireModelOf(scoresFile, { path: opened.checkpoint.path, sha256 }, options.modelSha256);
    const plans: Plan[] = [];
    for (const asked of options.asked) plans.push(await planning.plan(asked));
    // A score among the rows of another one comes behind it, and changes with it.
    plans.sort((a, b) => Number(amongOf(a) !== '') - Number(amongOf(b) !== ''));
    for (const plan of plans) if (amongOf(plan) !== '') plan.needs.push(...amongNeeds(plan, plans));

    const made = readScores(scoresFile, sha256);
    const missing = plans.filter((plan) => !made?.tables.some((table) => isTableOf(table, plan)));
    if (made && missing.length === 0) return { file: made, scoresFile, passes: [] };
    if (!run) throw new LayerifError('badRequest', 'scores of rows are not computed yet: layerif score FILE does it');
    const engineInfo = missing.some(asksModel) || !made ? await startedEngine(run) : null;
    const file = begunScores(made, engineInfo, {
      experimentFile: options.file,
      model: { name: opened.checkpoint.name, family: opened.model.family, layers: opened.model.layers, sha256 },
      refused: made?.refused ?? [],
      dataSha256: Object.assign(
        {},
        ...plans.map(({ source, influence }) => source?.sha256 ?? influence?.rows.sha256),
      ) as Record<string, string>,
      seed: experiment.score.seed,
    });
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
    planning.removeWork();
    completed(file, scoresFile);
    return { file, scoresFile, passes };
  } finally {
    planning.close();
    opened.close();
  }
}

interface GroupTools extends ObservingTools {
  options: DataScoresOptions;
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
  const { source, scorer, influence } = nth(plans, 0);
  const passes: ObserveSummary[] = [];
  let rows = influence?.rows ?? null;
  let words = influence ? `training samples of ${influence.task.task}: ${influence.task.train.samples} rows` : '';
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
        const found = await observing.chunk(chunk, compared, { done, total, what: 'validation samples' });
        compared.forEach(({ fold }, i) => fold.targets?.(nth(found, i)));
        done += chunk.length;
      }
    }
    for await (const chunk of source.chunks(size)) {
      const found = await observing.chunk(chunk, folds, { done: before + seen.count, total, what: 'rows' });
      folds.forEach(({ fold }, i) => fold.rows(nth(found, i)));
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
