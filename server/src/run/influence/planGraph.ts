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
import { totalOf } from '../machine/fitting.ts';
import type { Limits } from '../machine/machine.ts';
import { PROGRAMS } from '../machine/memory.ts';
import type { TaskPlan } from './plan.ts';

const MIB = 1 << 20;
const GRADIENT_TILE = 16 * MIB;

/** One plan per task. @throws LayerifError: what the graph cannot do */
export async function planGraph(
  prepared: Prepared,
  limits: Limits,
  pool: EnginePool,
  machine: Machine,
): Promise<TaskPlan[]> {
  const plans: TaskPlan[] = [];
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
    plans.push(planOf(prepared, task, limits, probe));
  }
  return plans;
}

/** The fewest passes that fit, else one layer at a time (which then exceeds the limit). */
export function planOf(prepared: Prepared, task: PreparedTask, limits: Limits, probe: GraphProbe): TaskPlan {
  const { layers } = prepared.scope;
  for (let length = layers.length; length > 1; length = Math.ceil(length / 2)) {
    const plan = evaluate(prepared, task, probe, length);
    if (plan.memoryBytes <= limits.memoryBytes) return plan;
    if (length === 2) break;
  }
  return evaluate(prepared, task, probe, 1);
}

function evaluate(
  { model, scope, checkpoint }: Prepared,
  { train, validation }: PreparedTask,
  { positions, seconds, activations }: GraphProbe,
  length: number,
): TaskPlan {
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
  const parts = {
    programs: PROGRAMS,
    weights: 2 * weights, // the file as it was read, and what sessions are fed with
    boundaries: 0,
    captures: 4 * samples * share * Math.max(0, ...perPass),
    products: 4 * (GRADIENT_TILE + narrow * samples) + 24 * samples ** 2,
    work: 3 * activations, // forward values and their cotangents
  };
  const tokens = modules.reduce((sum, m) => sum + m.count * share * samples * m.rows * m.columns, 0);
  const numbers = modules.reduce((sum, m) => sum + m.rows * m.columns, 0);
  const shapes = new Set(all.map((s) => s.tokens.length)).size;
  const [n, m] = [train.length, validation.length];
  return {
    plan: {
      segmentLength: length,
      weights: 'resident',
      boundaries: 'memory',
      batches: { train: train.map((_, i) => [i]), validation: validation.map((_, i) => [i]) },
      gradientTile: GRADIENT_TILE,
      projection: null,
      check: null,
      headRows: 1,
    },
    tokensPerBatch: longest,
    memoryBytes: totalOf(parts),
    memoryParts: parts,
    flops: {
      sweeps: 0,
      gradients: 2 * tokens,
      products: (samples * samples + samples * Math.min(samples, 128)) * numbers,
    },
    seconds: passes * (samples * seconds.run * share + shapes * seconds.session),
    diskBytes: 16 * (n * n + n * m + m) * modules.length,
    why: `an ONNX graph runs as a whole, sample by sample; ${passes === 1 ? 'all layers are captured in one pass' : `${passes} passes capture ${length} layers each`}`,
  };
}
