/** A SYNTHETIC comparison of prunings for the page tests. */
import type { ComparedMetric, ComparedPruning, PruningComparison } from '../../protocol/pruning.ts';

const maps = ['uniform', 'layerif', 'owl', 'reversed'];

export function sampleComparison(
  sparsities: readonly number[],
  methods: readonly string[] = ['wanda'],
): PruningComparison {
  const dense = pruning('dense', 'none', 0, 0);
  const prunings = methods.flatMap((method, m) =>
    sparsities.flatMap((sparsity) => maps.map((map, i) => pruning(method, map, sparsity, i + m))),
  );
  return {
    format: 'layerif-pruning-comparison',
    version: 1,
    status: 'complete',
    model: { name: 'SmolLM2-135M-Instruct', family: 'llama', sha256: 'a'.repeat(64) },
    experimentFile: '/workspace/reviews.layerif.yaml',
    resultFile: '/workspace/runs/reviews/x/reviews.layerif-result.json',
    calibration: { dataset: 'reviews', split: 'train[:64]', texts: 64, tokens: 4000 },
    prunings: [dense, ...prunings],
    findings: [
      'wanda at 50 %: layerif does not beat uniform on sentiment acc (difference +0.01 [-0.03, +0.05], p 0.62).',
    ],
    gate: { maxDrop: 0.05, passed: false, failures: ['sentiment acc falls by 8.0 points.'] },
    provenance: {
      layerif: '0.1.0',
      onnxruntime: '1.30.0',
      device: 'cpu',
      threads: 2,
      date: '2026-11-22T08:00:00Z',
      seconds: 700,
      dataSha256: { 'reviews.jsonl': 'ab'.repeat(32) },
      seed: 0,
    },
  };
}

function pruning(method: string, map: string, sparsity: number, place: number): ComparedPruning {
  const accuracy = 0.8 - 0.5 * sparsity ** 2 - 0.02 * place;
  const perplexity = 12 * Math.exp(3 * sparsity ** 2 + 0.05 * place);
  const isPruned = method !== 'dense';
  const metric = (
    task: string,
    name: string,
    value: number,
    higherIsBetter: boolean,
    spread: number,
  ): ComparedMetric => ({
    task,
    metric: name,
    higherIsBetter,
    value,
    interval: [value - spread, value + spread],
    documents: 200,
    againstUniform:
      isPruned && map !== 'uniform'
        ? {
            difference: higherIsBetter ? -0.02 * place : 0.05 * place,
            interval: map === 'reversed' ? [-0.09, -0.01] : [-0.06, 0.04],
            p: map === 'reversed' ? 0.0004 : 0.4,
          }
        : null,
    drop: isPruned ? (higherIsBetter ? 0.8 - value : value / 12 - 1) : 0,
  });
  return {
    method,
    map,
    structure: 'unstructured',
    sparsity,
    achieved: sparsity,
    layers: Array.from({ length: 12 }, (_, l) =>
      map === 'uniform' ? sparsity : isPruned ? sparsity * (0.8 + (0.4 * l) / 11) : 0,
    ),
    metrics: [
      metric('sentiment', 'acc', accuracy, true, 0.05),
      metric('perplexity:reviews', 'perplexity', perplexity, false, 1),
    ],
    seconds: { prune: 10, evaluate: 20 },
  };
}
