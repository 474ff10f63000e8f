/**
 * Gradients at moved weights by three backward sweeps: one that keeps the mean gradient g of each matrix in files, one
 * at W + s g and one at W - s g. Each is resumed by itself. On disk g takes as much as the weights of the linear
 * modules in float32.
 */
import path from 'node:path';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ObserveSummary, Tensors } from '../../../../protocol/scores.ts';
import { planGradientPass, runGradientPass } from './gradientPass.ts';
import type { GradientPass } from './gradientPass.ts';
import type { AskedObservation, ObservedModel, ObserveTools } from './observing.ts';
import { nth } from '../../lists/nth.ts';

const PRODUCTS = 'products';

/** Of one sweep: they come one after the other. @param asked `moved_gradients` */
export function planMovedGradients(
  target: ObservedModel,
  texts: EncodedSample[],
  { options: { batches = null } }: AskedObservation,
  limit: number,
): GradientPass {
  const products = { name: PRODUCTS, of: 'weight_products', options: { batches } } as const;
  return planGradientPass(target, texts, [products], limit, true);
}

/** @throws LayerifError as `EnginePool.work` */
export async function runMovedGradients(
  pass: GradientPass,
  { name, options }: AskedObservation,
  tools: ObserveTools,
  { workDir, checkpointSeconds }: { workDir: string; checkpointSeconds?: number | undefined },
): Promise<ObserveSummary> {
  let done = 0;
  const sweep = async (folder: string, change: Partial<GradientPass['request']>): Promise<ObserveSummary> => {
    const { onProgress } = tools;
    const summary = await runGradientPass(
      { ...pass, request: { ...pass.request, ...change } },
      {
        ...tools,
        onProgress:
          onProgress && ((event) => onProgress({ done: done * event.total + event.done, total: 3 * event.total })),
      },
      { workDir: path.join(workDir, folder), checkpointSeconds },
    );
    done++;
    return summary;
  };
  const first = await sweep('gradients', { keepGradients: true });
  const all = Object.entries(first.observations[PRODUCTS] ?? {});
  const square = all.reduce((sum, [key, { data }]) => (key.startsWith('square/') ? sum + nth(data, 0) : sum), 0);
  const step = square > 0 ? Number(options.step) / square : 0;
  const own: Tensors = { norm: one(Math.sqrt(square)), step: one(step) };
  const summaries = [first];
  for (const [side, sign] of [
    ['plus', 1],
    ['minus', -1],
  ] as const) {
    const moved = { folder: path.join(workDir, 'gradients'), step: sign * step };
    const summary = square > 0 ? await sweep(side, { moved }) : first;
    if (square > 0) summaries.push(summary);
    for (const [key, tensor] of Object.entries(summary.observations[PRODUCTS] ?? {})) {
      if (key.startsWith('product/')) own[key.replace('product/', `${side}/`)] = tensor;
    }
  }
  const total = (of: (summary: ObserveSummary) => number) => summaries.reduce((sum, summary) => sum + of(summary), 0);
  return {
    observations: { [name]: own },
    sessionRuns: total(({ sessionRuns }) => sessionRuns),
    seconds: total(({ seconds }) => seconds),
    peakMemoryBytes: Math.max(...summaries.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    resumedLayers: total(({ resumedLayers }) => resumedLayers),
  };
}

const one = (value: number) => ({ shape: [1], data: Float64Array.of(value) });
