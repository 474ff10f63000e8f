/**
 * Needs that go through the model together become a pass forward, backward, with moved weights or with changes, by what
 * they read.
 */
import path from 'node:path';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ObserveSummary } from '../../../../protocol/scores.ts';
import type { ObservationId } from '../../scores/observations.ts';
import { planDeltaMasks, runDeltaMasks } from '../machine/deltaMasks.ts';
import { planGradientPass, runGradientPass } from '../machine/gradientPass.ts';
import { planGraphPass } from '../machine/graphPass.ts';
import { planMovedGradients, runMovedGradients } from '../machine/movedGradients.ts';
import { planPass, runPass } from '../machine/observing.ts';
import type { ObservedModel, ObserveTools } from '../machine/observing.ts';
import { tunedPath } from './changes.ts';
import { directionOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { nth } from '../../lists/nth.ts';

/** A pass of whichever direction its needs ask for. */
export interface Pass {
  memoryBytes: number;
  /** How texts are put together, which decides the numbers to the last bit. */
  composition: unknown;
  run(
    tools: ObserveTools,
    kept: { workDir: string; key: string; checkpointSeconds?: number | undefined },
  ): Promise<ObserveSummary>;
}

export function plannedPass(
  needs: readonly KeyedNeed[],
  target: ObservedModel,
  texts: EncodedSample[],
  limit: number,
  baseDir: string,
): Pass {
  const asked = needs.map(({ hash, need }) => ({ name: hash, of: need.of as ObservationId, options: need.options }));
  if (directionOf(nth(needs, 0)) === 'backward') {
    const pass = planGradientPass(target, texts, asked, limit);
    return {
      memoryBytes: pass.memoryBytes,
      composition: pass.request.plan.batches,
      run: (tools, { workDir, key, checkpointSeconds }) =>
        runGradientPass(pass, tools, { workDir: path.join(workDir, key.slice(0, 16)), checkpointSeconds }),
    };
  }
  if (directionOf(nth(needs, 0)) === 'moved') {
    const pass = planMovedGradients(target, texts, nth(asked, 0), limit);
    return {
      memoryBytes: pass.memoryBytes,
      composition: pass.request.plan.batches,
      run: (tools, { workDir, key, checkpointSeconds }) =>
        runMovedGradients(pass, nth(asked, 0), tools, {
          workDir: path.join(workDir, key.slice(0, 16)),
          checkpointSeconds,
        }),
    };
  }
  if (directionOf(nth(needs, 0)) === 'changes') {
    const plan = planDeltaMasks(target, texts, nth(asked, 0), tunedPath(nth(asked, 0), baseDir), limit);
    return {
      memoryBytes: plan.memoryBytes,
      composition: plan.request.tokensPerRun,
      run: (tools, { workDir, key }) =>
        runDeltaMasks(plan, target, nth(asked, 0), tools, { workDir: path.join(workDir, key.slice(0, 16)) }),
    };
  }
  const pass = target.graph
    ? planGraphPass(target.graph, texts, asked)
    : planPass(target, texts, asked, limit, { files: true });
  return {
    memoryBytes: pass.memoryBytes,
    composition: [pass.request.groups, pass.request.ablated],
    run: (tools, kept) => runPass(pass, tools, kept),
  };
}
