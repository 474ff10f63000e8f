/**
 * The plan for a user's graph, from what one run of its largest sample took (engine: `probeGraph`). As many layers are
 * captured at a time as fit; every further pass runs all samples once more.
 *
 *   captures  4 bytes x samples x Σ positions (rows + columns) over the modules of the layers of one pass, at most
 */
import type { GraphProbe, GraphProbeRequest } from '../../../../protocol/engine.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { encodedSample, graphOptions } from '../inputs/openModel.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { firstThatFits, totalOf } from '../machine/fitting.ts';
import type { Limits } from '../machine/machine.ts';
import { PROGRAMS } from '../machine/memory.ts';
import { cheaperSums, fits, SUBSAMPLES, sumsPossible } from './plan.ts';
import type { TaskPlan } from './plan.ts';
import { apart, countOf, subsampleOf } from './sums.ts';

const MIB = 1 << 20;
const GRADIENT_TILE = 16 * MIB;

/** One plan per task. @throws LayerifError: what the graph cannot do */
export async function planGraph(
  prepared: Prepared,
  limits: Limits,
  pool: EnginePool,
  machine: Machine,
): Promise<TaskPlan[]> {
  const { accumulate = 'auto' } = prepared.experiment.score;
  const plans: { grams: TaskPlan; sums: TaskPlan }[] = [];
  for (const task of prepared.tasks) {
    const sample = [...task.train, ...task.validation].reduce((a, b) => (a.tokens.length >= b.tokens.length ? a : b));
    const request: GraphProbeRequest = {
      modelPath: prepared.checkpoint.path,
      graph: graphOptions(prepared.experiment.model),
      layers: prepared.scope.layers,
      modules: prepared.scope.modules,
      sample: encodedSample(sample),
    };
    const probe = await pool.work('graph', request, machine);
    plans.push({
      grams: planOf(prepared, task, limits, probe),
      sums: sumsOf(prepared, task, limits, probe),
    });
  }
  const [grams, sums] = [plans.map((plan) => plan.grams), plans.map((plan) => plan.sums)];
  if (accumulate === 'sums') return sums;
  if (accumulate === 'grams' || !sumsPossible(prepared)) return grams;
  const because = cheaperSums(grams, sums, limits);
  return because === null ? grams : sums.map((plan) => ({ ...plan, why: `${because}; ${plan.why}` }));
}

/** The fewest passes that fit, else one layer at a time (which then exceeds the limit). */
export function planOf(
  prepared: Prepared,
  task: PreparedTask,
  limits: Limits,
  probe: GraphProbe,
  sums: SumsWay | null = null,
): TaskPlan {
  const { layers } = prepared.scope;
  for (let length = layers.length; length > 1; length = Math.ceil(length / 2)) {
    const plan = evaluate(prepared, task, probe, length, sums);
    if (plan.memoryBytes <= limits.memoryBytes) return plan;
    if (length === 2) break;
  }
  return evaluate(prepared, task, probe, 1, sums);
}

/** Most samples of the subsample, and whether all captures are held or those of the subsample alone. */
interface SumsWay {
  subsample: number;
  all: boolean;
}

function sumsOf(prepared: Prepared, task: PreparedTask, limits: Limits, probe: GraphProbe): TaskPlan {
  return firstThatFits(
    SUBSAMPLES.flatMap((subsample) => [true, false].map((all) => ({ subsample, all }))),
    (way) => planOf(prepared, task, limits, probe, way),
    (plan) => fits(plan, limits),
  );
}

function evaluate(
  { model, scope, checkpoint, experiment: { score }, estimator }: Prepared,
  task: PreparedTask,
  { positions, seconds, activations }: GraphProbe,
  length: number,
  way: SumsWay | null,
): TaskPlan {
  const { train, validation } = task;
  const chosen = way && subsampleOf(task, way.subsample, score.seed);
  const samples = train.length + validation.length;
  const all = [...train, ...validation];
  const longest = Math.max(...all.map(({ tokens }) => tokens.length));
  // Captures of a text grow with its length; images are all as large as the one that was measured.
  const share = longest === 0 ? 1 : all.reduce((sum, { tokens }) => sum + tokens.length, 0) / (longest * samples);
  const modules = scope.layers.flatMap((layer) =>
    model.modules(layer).flatMap(({ name, rows, columns }) => {
      const count = positions[layer]?.[name];
      return count === undefined ? [] : [{ layer, rows, columns, numbers: count * (rows + columns), count }];
    }),
  );
  const passes = Math.ceil(scope.layers.length / length);
  const perPass = Array.from({ length: passes }, (_, pass) => {
    const own = new Set(scope.layers.slice(pass * length, (pass + 1) * length));
    return modules.filter((m) => own.has(m.layer)).reduce((sum, m) => sum + m.numbers, 0);
  });
  const weights = 4 * [...checkpoint.tensors.values()].reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0);
  const narrow = Math.max(0, ...modules.map((m) => Math.min(m.rows, m.columns) * m.count));
  const inGrams = chosen ? countOf(chosen) : samples;
  const held = chosen ? (way.all ? train.length : chosen.train.length) : train.length;
  const inMemory = chosen ? held + chosen.validation.length : samples;
  const largest = Math.max(
    0,
    ...perPass.map((_, pass) => {
      const own = new Set(scope.layers.slice(pass * length, (pass + 1) * length));
      return modules.filter((m) => own.has(m.layer)).reduce((sum, m) => sum + m.rows * m.columns, 0);
    }),
  );
  const parts = {
    programs: PROGRAMS,
    weights: 2 * weights, // the file as it was read, and what sessions are fed with
    boundaries: 0,
    captures: 4 * inMemory * share * Math.max(0, ...perPass),
    products: 4 * (GRADIENT_TILE + narrow * inGrams) + 24 * inGrams ** 2 + (chosen ? 12 * largest : 0),
    work: 3 * activations, // forward values and their cotangents
  };
  const tokens = modules.reduce((sum, m) => sum + m.count * share * samples * m.rows * m.columns, 0);
  const numbers = modules.reduce((sum, m) => sum + m.rows * m.columns, 0);
  const shapes = new Set(all.map((s) => s.tokens.length)).size;
  const [n, m] = [train.length, validation.length];
  const [p, q] = chosen ? [chosen.train.length, chosen.validation.length] : [n, m];
  const weighted = estimator.sums?.weight !== null;
  // The samples that are not held run a second time.
  const runs = samples + (chosen && weighted ? n - held : 0);
  const order = chosen ? apart(n, chosen.train).flat() : train.map((_, i) => i);
  const later = chosen ? apart(m, chosen.validation).flat() : validation.map((_, i) => i);
  return {
    plan: {
      segmentLength: length,
      weights: 'resident',
      boundaries: 'memory',
      batches: { train: order.map((i) => [i]), validation: later.map((i) => [i]) },
      gradientTile: GRADIENT_TILE,
      projection: null,
      check: null,
      ...(chosen && { sums: { estimator: score.estimator, damping: score.damping, subsample: chosen, held } }),
      headRows: 1,
    },
    tokensPerBatch: longest,
    memoryBytes: totalOf(parts),
    memoryParts: parts,
    flops: {
      sweeps: 0,
      gradients: (2 * tokens * inGrams) / samples,
      products:
        (inGrams * inGrams + inGrams * Math.min(inGrams, 128)) * numbers +
        (chosen ? (2 * tokens * (m + (weighted ? 4 : 2) * n)) / samples : 0),
    },
    seconds: passes * (runs * seconds.run * share + shapes * seconds.session),
    diskBytes: 16 * (p * p + p * q + q + (chosen ? 2 * n + m : 0)) * modules.length,
    why: `an ONNX graph runs as a whole, sample by sample; ${passes === 1 ? 'all layers are captured in one pass' : `${passes} passes capture ${length} layers each`}`,
  };
}
