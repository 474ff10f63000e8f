/** Small tables of scores with everything that a table may have: hand-written numbers. */
import type { ScoresFile, ScoreTable } from '../../protocol/scores.ts';

export const layerTable: ScoreTable = {
  score: 'test_score',
  version: 1,
  title: 'Test score',
  unit: 'nats',
  source: 'Nobody 2026',
  formula: 'a | b',
  status: 'ours',
  question: 'remove_block',
  subject: 'layer',
  higherMeans: 'remove',
  options: { epsilon: 0.1, way: 'peak' },
  texts: 'train[:2] of x: 2 texts',
  axes: [{ name: 'layer', labels: [0, 1, 2, 3] }],
  values: [2, null, -1, 12345.678],
  parts: { mean: [1, 2, 3, 4], 'var, "all"': [0.1, null, 0.3, 0.4] },
  intervals: [[1.5, 2.5], null, [-2, 0], [12000, 13000]],
  level: 0.9,
  reference: { value: [1, 1, 1, null], words: 'by chance' },
  marks: [{ at: [0, 2], words: 'low, watch it' }],
  notes: ['layer 1: no token is left'],
  needs: ['{"of":"a"}'],
};

export const heatTable: ScoreTable = {
  score: 'pairs',
  version: 1,
  title: 'Pairs',
  unit: '',
  source: 'Nobody 2026',
  formula: 'c',
  status: 'published',
  question: 'explain',
  subject: 'token',
  higherMeans: null,
  options: {},
  texts: null,
  axes: [
    { name: 'layer', labels: [0, 1] },
    { name: 'token', labels: ['a', 'b', 'c'] },
  ],
  values: [0, 1, 2, -4, 3, null],
  marks: [{ at: [4], words: 'strong' }],
  notes: ['one token has no successor'],
  needs: ['{"of":"b"}'],
};

export const scoresFile = (tables: ScoreTable[] = [layerTable, heatTable]): ScoresFile => ({
  format: 'layerif-scores',
  version: 1,
  status: 'complete',
  experimentFile: '/workspace/x.layerif.yaml',
  model: { name: 'Tiny', family: 'llama', layers: 4, sha256: 'ab' },
  tables,
  provenance: {
    layerif: '0.1.0',
    onnxruntime: '1.30.0',
    device: 'cpu',
    threads: 2,
    date: '2026-11-20T12:00:00Z',
    seconds: {},
    peakMemoryBytes: 0,
    dataSha256: {},
    seed: 0,
  },
});
