/**
 * How much memory training LoRA experts takes, before it starts. In bytes, for the largest allocation:
 *
 *   weights      all of the model in float32, or of one layer where they are streamed
 *   trained      40 for every trained number: float64 master, gradient and two moments, the float32 copy that graphs read and a gradient
 *   kept         inputs of every layer for the tokens of a step
 *   work         what one run of a layer holds: inputs and outputs of its modules, of the experts too, forward and backward
 */
import type { Machine } from '../../../../protocol/run.ts';
import type { ExpertAllocation } from './expertAllocations.ts';
import { fitWeights, requireFit } from '../machine/fitting.ts';
import type { WeightMode } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import { PROGRAMS, streamedBytes, weightBytes } from '../machine/memory.ts';
import type { ExpertsInput } from './trainExpertsInput.ts';

const PER_TRAINED = 40;
const RUN_TOKENS = 1024;
const HEAD_BYTES = 256 << 20;

/** @returns whether the model's weights stay in memory. @throws LayerifError `notEnoughMemory` */
export function requireMemory(
  { checkpoint, model, modules, settings, train }: ExpertsInput,
  allocations: readonly Pick<ExpertAllocation, 'experts'>[],
  machine: Machine,
): WeightMode {
  const { rank, batch_size } = settings;
  const chosen = (layer: number) => model.modules(layer).filter((m) => !m.factor && modules.includes(m.name));
  const largest = Math.max(
    ...allocations.map(({ experts }) =>
      experts.reduce(
        (sum, count, l) => sum + count * chosen(l).reduce((all, m) => all + m.columns + rank * (m.rows + m.columns), 0),
        0,
      ),
    ),
  );
  const longest = train.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const stepTokens = Math.min(batch_size, train.length) * longest;
  const runTokens = Math.max(longest, Math.min(RUN_TOKENS, stepTokens));
  const most = Math.max(...allocations.flatMap(({ experts }) => experts));
  const widths = Math.max(
    ...Array.from({ length: model.layers }, (_, l) =>
      chosen(l).reduce((sum, m) => sum + m.rows + m.columns + 4 * most * (rank + 1), 0),
    ),
  );
  const parts = {
    programs: PROGRAMS,
    head: HEAD_BYTES,
    trained: PER_TRAINED * largest,
    kept: 4 * stepTokens * model.hidden * (model.layers + 2),
    work: 16 * runTokens * widths + 20 * model.heads * runTokens * longest,
  };
  const bytes = weightBytes(checkpoint, model);
  const limit = memoryLimit(machine);
  const { weights, memoryBytes } = fitWeights(parts, { resident: bytes.total, streamed: streamedBytes(bytes) }, limit);
  requireFit(
    memoryBytes,
    limit,
    `training ${largest.toLocaleString('en-US')} numbers of experts`,
    'lower train_experts.total, rank or batch_size, or raise --memory',
  );
  return weights;
}
