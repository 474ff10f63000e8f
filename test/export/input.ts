/** A made-up result of five layers, exported by every test here. */
import { allocate } from '../../server/src/allocation/allocate.ts';
import { minMax } from '../../server/src/allocation/rounding.ts';
import { savitzkyGolay } from '../../server/src/allocation/savitzkyGolay.ts';
import { exportTargets } from '../../server/src/export/targets.ts';
import type { ExportInput, ExportTarget } from '../../server/src/export/types.ts';
import type { AllocationKind, AllocationRequest } from '../../protocol/allocation.ts';

const scores = [5.01, 8.36, 7.99, 8.46, 3.2];
const modules = [
  { name: 'self_attn.q_proj', rows: 16, columns: 16 },
  { name: 'self_attn.k_proj', rows: 8, columns: 16 },
  { name: 'self_attn.v_proj', rows: 8, columns: 16 },
  { name: 'self_attn.o_proj', rows: 16, columns: 16 },
  { name: 'mlp.gate_proj', rows: 24, columns: 16 },
  { name: 'mlp.up_proj', rows: 24, columns: 16 },
  { name: 'mlp.down_proj', rows: 16, columns: 24 },
];

export function exportInput(kind: AllocationKind | undefined, request: Partial<AllocationRequest> = {}): ExportInput {
  const layers = scores.map((_, index) => ({ index, name: `model.layers.${index}`, modules }));
  const normalised = minMax(scores);
  const smoothed = savitzkyGolay(normalised);
  const provenance = {
    layerif: '0.1.0',
    date: '2026-01-01T00:00:00.000Z',
    resultFile: 'runs/x.layerif-result.json',
    model: { name: 'tiny', sha256: '' },
    tasks: ['reviews'],
    estimator: 'datainf',
    aggregation: 'positive',
  } as const;
  return {
    model: './models/tiny',
    tasks: ['reviews'],
    layers: layers.map((layer, l) => ({
      ...layer,
      score: scores[l],
      normalised: normalised[l],
      smoothed: smoothed[l],
    })),
    allocation:
      kind === undefined
        ? null
        : {
            format: 'layerif-allocation',
            version: 1,
            ...allocate({ kind, ...request }, { layers, values: scores }),
            provenance: { ...provenance, tasks: [...provenance.tasks] },
          },
    loraRank: 8,
    loraScale: 2,
  };
}

/** Every target with every kind that it takes, by file name. */
export function everyExport(): {
  name: string;
  target: ExportTarget;
  kind: AllocationKind | undefined;
  content: string | Uint8Array;
}[] {
  return exportTargets.flatMap((target) =>
    (target.kinds.length > 0 ? target.kinds : [undefined]).map((kind) => ({
      name: `${target.id}${kind ? `-${kind}` : ''}${target.ending}`,
      target,
      kind,
      content: target.make(exportInput(kind)),
    })),
  );
}
