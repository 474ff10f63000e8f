/**
 * Who takes part: a row per contestant, in the order of the table. `on`: the workloads that it runs on; `why` says what keeps it from the
 * others, and stands below the table. `other`: whether it is shown with PyTorch's other MKL path too (environment.mjs).
 *
 * To add one: a Python file that ends in `report(seconds)`, a row here, and where its scores can be compared a line in agreement.py.
 */

/** Random token ids; `runs` caps --runs. */
export const workloads = {
  XS: { train: 8, validation: 2, tokens: 64, runs: 1 },
  S: { train: 16, validation: 4, tokens: 64, runs: 2 },
  M: { train: 64, validation: 16, tokens: 128, runs: 1 },
};

const everywhere = ['XS', 'S', 'M'];
const small = ['XS', 'S'];

export const contestants = {
  torch: { name: 'PyTorch, gradients alone', script: 'torch_gradients.py', on: everywhere, other: true },
  kronfluence: {
    name: 'kronfluence identity, per-module scores',
    script: 'kronfluence_identity.py',
    on: everywhere,
    other: true,
  },
  dattri: { name: 'dattri LoGra 64 × 64, identity', script: 'dattri_logra.py', on: everywhere },
  datainf: {
    name: 'DataInf’s reference formula in PyTorch',
    script: 'datainf_reference.py',
    on: small,
    why: 'it keeps every sample’s gradients, 425 MB each: 34 GB for the 80 samples of M',
  },
  captum: {
    name: 'captum TracInCP, one checkpoint',
    script: 'captum_tracin.py',
    on: small,
    why: 'it holds the gradients of all queries at once: 6.8 GB for the 16 of M, beside what it computes them from',
  },
  bergson: {
    name: 'bergson build and score, no projection',
    script: 'bergson_build.py',
    on: small,
    why: 'it writes the gradients of all queries to disk and reads them back: 6.8 GB for the 16 of M',
  },
  kronfluenceEkfac: {
    name: 'kronfluence EK-FAC',
    script: 'kronfluence_ekfac.py',
    on: ['XS'],
    why: 'its 420 eigendecompositions take minutes whatever the number of samples; the smallest workload shows them',
  },
  layerif: { name: 'LayerIF: the whole command `layerif score`', experiment: 'bench.layerif.yaml', on: everywhere },
  layerif64: {
    name: 'LayerIF with `projection: 64`',
    experiment: 'bench64.layerif.yaml',
    on: everywhere,
  },
};

/** Parameters of the blocks' scored matrices and of the head, SmolLM-135M's shape. */
const BLOCKS = 106_168_320;
const HEAD = 28_311_552;

/**
 * Floating-point operations that a run cannot do without: 6 per block parameter and token, 4 per head parameter and token, and for exact
 * gradients the Gram products of all samples, each pair once.
 */
export function usefulFlops({ train, validation, tokens }, grams) {
  const samples = train + validation;
  return samples * tokens * (6 * BLOCKS + 4 * HEAD) + (grams ? samples * (samples + 1) * BLOCKS : 0);
}
