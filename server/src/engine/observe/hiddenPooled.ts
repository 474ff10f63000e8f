/** Hidden states behind chosen layers, one vector per sample: of its last token, or the mean over its tokens. */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { FeatureRequest, Features } from '../../../../protocol/training.ts';
import { makeBatches, groupsOf } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import { numbers } from '../runtime/runtime.ts';
import { forward } from '../sweep/sweep.ts';

/** @returns per layer: samples x hidden of the last token, and of the mean */
export async function features(model: Model, request: FeatureRequest): Promise<Features[]> {
  const { architecture } = model;
  const { hidden } = architecture;
  model.weights.mode = request.weights;
  const samples: EncodedSample[] = request.samples.map((tokens) => ({ tokens, countedFrom: tokens.length }));
  const batches = makeBatches(architecture, 'train', samples, groupsOf(architecture, samples, request.tokensPerRun));
  const found: Features[] = [];
  for (const layer of request.layers) {
    const outputs = (await forward(model, batches, [[layer]], 1, () => undefined))[1];
    const last = new Float32Array(samples.length * hidden);
    const mean = new Float32Array(samples.length * hidden);
    for (const [b, batch] of batches.entries()) {
      const states = numbers(outputs[b]);
      batch.samples.forEach((sample, row) => {
        const count = samples[sample].tokens.length;
        const start = row * batch.length * hidden;
        last.set(states.subarray(start + (count - 1) * hidden, start + count * hidden), sample * hidden);
        for (let h = 0; h < hidden; h++) {
          let sum = 0;
          for (let t = 0; t < count; t++) sum += states[start + t * hidden + h];
          mean[sample * hidden + h] = sum / count;
        }
      });
    }
    found.push({ layer, hidden, last, mean });
  }
  return found;
}
