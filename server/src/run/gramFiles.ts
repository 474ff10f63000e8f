/**
 * Grams on disk. While a run is under way there is one file per finished layer; at the end they become one `grams.safetensors`
 * with the tensors `<task>/<layer>.<module>.{K,C,diagV}`, float64, readable from Python; with the estimator `ekfac` also
 * `ekfac.B`, `ekfac.damping` and `ekfac.mean_eigenvalue`.
 */
import { openSafetensors, readSafetensors, writeSafetensors } from '../checkpoints/safetensors.ts';
import type { ModuleGrams } from '../estimators/layerScores.ts';
import { cannotWrite } from './results.ts';

/** @param parametersOf number of weights of a module */
export function readLayerGrams(
  file: string,
  layer: number,
  modules: readonly string[],
  parametersOf: (module: string) => number,
): ModuleGrams[] {
  const tensors = readSafetensors(file);
  const names = new Set(tensors.names());
  return modules.map((module) => {
    const get = (name: string) => tensors.tensor(`${layer}.${module}.${name}`) as Float64Array;
    const [K, C, diagV] = [get('K'), get('C'), get('diagV')];
    const n = Math.round(Math.sqrt(K.length));
    const ekfac = names.has(`${layer}.${module}.ekfac.B`)
      ? { B: get('ekfac.B'), dampings: get('ekfac.damping'), meanEigenvalue: get('ekfac.mean_eigenvalue')[0] }
      : undefined;
    return { module, grams: { n, m: diagV.length, parameters: parametersOf(module), K, C, diagV, ekfac } };
  });
}

/** Joins the layer files into one, a tensor at a time. @throws LayerifError `cannotWrite` */
export function mergeGrams(into: string, parts: { task: string; files: string[] }[]): void {
  const tensors = parts.flatMap(({ task, files }) =>
    files.flatMap((file) => {
      const { tensor } = readSafetensors(file);
      return openSafetensors(file).tensors.map(({ name, shape }) => ({
        name: `${task}/${name}`,
        dtype: 'F64' as const,
        shape,
        data: () => tensor(name),
      }));
    }),
  );
  try {
    writeSafetensors(into, tensors);
  } catch (error) {
    throw cannotWrite(into, error);
  }
}
