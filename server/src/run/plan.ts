/**
 * What a run will need, and the plan that fits the memory limit: the first of `choices` whose peak stays below it.
 *
 * Memory in float32 numbers, t = padded tokens of a task, one segment of k blocks at a time:
 *   weights      all blocks, embedding and head (resident), or the largest of them (streamed)
 *   boundaries   (segments + 2) x t x hidden: activations between segments, cotangents at one boundary twice
 *   captures     t x (inputs and outputs of the scored modules of k blocks)
 *   tile         gradients of all samples for some rows of one matrix
 *   work         what one run of a block or of the head holds beside its outputs
 * Time is floating-point operations over the measured MatMul rate times the share of it that each part reaches.
 */
import type { CollectPlan } from '../../../protocol/engine.ts';
import { batches } from '../data/batches.ts';
import type { Checkpoint } from '../checkpoints/types.ts';
import { SegmentBuilder } from '../models/segment.ts';
import type { Architecture } from '../models/types.ts';
import type { Prepared, PreparedTask } from './prepare.ts';

const MIB = 1 << 20;

interface Choice {
  weights: CollectPlan['weights'];
  segmentLength: number;
  tokensPerBatch: number;
  gradientTile: number;
}

/** From the fastest to the smallest. */
const choices: readonly Choice[] = [
  { weights: 'resident', segmentLength: 1, tokensPerBatch: 1024, gradientTile: 16 * MIB },
  { weights: 'resident', segmentLength: 1, tokensPerBatch: 512, gradientTile: 8 * MIB },
  { weights: 'streamed', segmentLength: 1, tokensPerBatch: 1024, gradientTile: 16 * MIB },
  { weights: 'streamed', segmentLength: 1, tokensPerBatch: 512, gradientTile: 8 * MIB },
  { weights: 'streamed', segmentLength: 1, tokensPerBatch: 128, gradientTile: 4 * MIB },
  { weights: 'streamed', segmentLength: 2, tokensPerBatch: 128, gradientTile: 4 * MIB },
  { weights: 'streamed', segmentLength: 4, tokensPerBatch: 128, gradientTile: 4 * MIB },
];

/** Both processes with ONNX Runtime loaded and nothing in them. */
const BASE_BYTES = 220 * MIB;
/** Numbers in the logits of one run of the head. */
const HEAD_NUMBERS = 8 * MIB;

export interface TaskPlan {
  plan: Omit<CollectPlan, 'checkpointSeconds'>;
  tokensPerBatch: number;
  memoryBytes: number;
  memoryParts: Record<string, number>;
  flops: { sweeps: number; gradients: number; products: number };
  diskBytes: number;
  why: string;
}

/** The first choice that fits, else the smallest (whose `memoryBytes` then exceeds the limit). */
export function planTask(prepared: Prepared, task: PreparedTask, memoryLimit: number): TaskPlan {
  let last: TaskPlan | null = null;
  for (const choice of choices) {
    last = evaluate(prepared, task, choice);
    if (last.memoryBytes <= memoryLimit) return last;
  }
  return last!;
}

function evaluate({ checkpoint, model, scope }: Prepared, task: PreparedTask, choice: Choice): TaskPlan {
  const { weights, segmentLength, tokensPerBatch, gradientTile } = choice;
  const group = (lengths: number[]) => batchesOf(model, lengths, tokensPerBatch);
  const lengths = {
    train: task.train.map((s) => s.tokens.length),
    validation: task.validation.map((s) => s.tokens.length),
  };
  const grouped = { train: group(lengths.train), validation: group(lengths.validation) };
  const sizes = [
    ...grouped.train.map((batch) => padded(batch, lengths.train)),
    ...grouped.validation.map((batch) => padded(batch, lengths.validation)),
  ];
  const tokens = sizes.reduce((sum, { rows, length }) => sum + rows * length, 0);
  const largest = sizes.reduce((a, b) => (a.rows * a.length >= b.rows * b.length ? a : b));
  const samples = task.train.length + task.validation.length;
  const headRows = Math.max(16, Math.min(512, Math.floor(HEAD_NUMBERS / model.vocabulary)));

  const segments = Math.ceil((model.layers - scope.layers[0]) / segmentLength);
  const captured = capturedPerToken(model, scope.modules) * segmentLength;
  const perTokenWork =
    2.5 *
      capturedPerToken(
        model,
        model.modules(0).map((m) => m.name),
      ) +
    8 * model.hidden;
  const blockWork = largest.rows * largest.length * (perTokenWork + 5 * model.heads * largest.length);
  const n = task.train.length;
  const m = task.validation.length;
  const gramNumbers = n * n + n * m + m; // float64

  const bytes = weightBytes(checkpoint, model);
  const tile = Math.min(gradientTile, samples * Math.max(...model.modules(0).map((x) => x.rows * x.columns)));
  const parts: Record<string, number> = {
    programs: BASE_BYTES,
    weights: weights === 'resident' ? bytes.total : Math.max(bytes.embedding, bytes.head, bytes.layer * segmentLength),
    boundaries: 4 * (segments + 2) * tokens * model.hidden,
    captures: 4 * captured * tokens,
    tile: 4 * tile,
    work: Math.max(4 * blockWork, 16 * headRows * model.vocabulary) + 24 * (n + m) ** 2,
  };
  const attention = 4 * model.hidden * largest.length;
  const blockParameters = model.modules(0).reduce((sum, x) => sum + x.rows * x.columns, 0);
  const top = model.layers - scope.layers[0];
  const counted = [...task.train, ...task.validation].reduce((sum, s) => sum + s.tokens.length - s.countedFrom, 0);
  return {
    plan: {
      segmentLength,
      weights,
      batches: grouped,
      gradientTile,
      headRows,
    },
    tokensPerBatch,
    memoryBytes: Object.values(parts).reduce((a, b) => a + b, 0),
    memoryParts: parts,
    flops: {
      // forward 2, and in the backward sweep 2 for recomputing and 2 for the input's gradient, per weight and token
      sweeps:
        tokens * (blockParameters * (2 * model.layers + 4 * top) + attention * (model.layers + 3 * top)) +
        counted * 6 * model.hidden * model.vocabulary,
      gradients: 2 * tokens * scope.scoredParameters,
      products: (samples * samples + samples * Math.min(samples, 128)) * scope.scoredParameters,
    },
    diskBytes: 2 * 8 * gramNumbers * scope.layers.length * scope.modules.length + 2 * 4 * tokens * model.hidden,
    why:
      weights === 'resident'
        ? 'all weights fit into memory'
        : `all weights (${(bytes.total / 2 ** 30).toFixed(1)} GiB as float32) do not fit, so one segment's weights are read at a time`,
  };
}

/** Seconds on a machine that multiplies matrices at `rate`; the shares were measured (test/bench). */
export function secondsFor(plan: TaskPlan, rate: number, readBytes: number): number {
  const { sweeps, gradients, products } = plan.flops;
  const reads = plan.plan.weights === 'resident' ? 1 : 2;
  return sweeps / (0.75 * rate) + gradients / (0.5 * rate) + products / (0.8 * rate) + (reads * readBytes) / 1e9 + 0.5;
}

/** Length-bucketed; where the tables depend on a sample's own length only equals share a batch. */
export function batchesOf(model: Architecture, lengths: number[], tokensPerBatch: number): number[][] {
  const groups = new Map<number, number[]>();
  lengths.forEach((length, i) => {
    const key = model.lengthMatters(length) ? length : 0;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].flatMap((members) =>
    batches(
      members.map((i) => lengths[i]),
      tokensPerBatch,
    ).map((batch) => batch.map((position) => members[position])),
  );
}

/** Float32 bytes of the embedding, of one layer, of the head, and of everything the sweeps read. */
export function weightBytes(
  checkpoint: Checkpoint,
  model: Architecture,
): { embedding: number; layer: number; head: number; total: number } {
  let outside = 0;
  const perLayer = new Array<number>(model.layers).fill(0);
  const prefixes = perLayer.map((_, layer) => `${model.layerName(layer)}.`);
  for (const { name, shape } of checkpoint.tensors.values()) {
    const size = 4 * shape.reduce((a, b) => a * b, 1);
    const layer = prefixes.findIndex((prefix) => name.startsWith(prefix));
    if (layer >= 0 && model.buffers?.includes(name.slice(prefixes[layer].length))) continue;
    if (layer >= 0) perLayer[layer] += size;
    else outside += size;
  }
  const table = 4 * model.vocabulary * model.hidden;
  return {
    embedding: table,
    head: table,
    layer: Math.max(...perLayer),
    total: outside + perLayer.reduce((a, b) => a + b, 0),
  };
}

/** Numbers per token that the scored modules of a layer hand over: distinct inputs once (q, k and v share theirs), outputs each. */
function capturedPerToken(model: Architecture, modules: readonly string[]): number {
  const b = new SegmentBuilder('capture sizes');
  const x = b.graph.input('x', 'float32', ['B', 'T', model.hidden]);
  b.inBlock(0, model.layerName(0), () => model.block(b, x, 0));
  const scored = b.captures.filter((c) => modules.includes(c.module));
  const inputs = new Map(scored.map((c) => [c.input.name, c.input]));
  const width = (shape: readonly (number | string)[]) => Number(shape[shape.length - 1]);
  return (
    [...inputs.values()].reduce((sum, v) => sum + width(v.shape), 0) +
    scored.reduce((sum, c) => sum + width(c.output.shape), 0)
  );
}

function padded(batch: number[], lengths: number[]): { rows: number; length: number } {
  return { rows: batch.length, length: Math.max(...batch.map((i) => lengths[i])) };
}
