/** Which files are experiments, and how they are called in menus. No `vscode` here: unit-tested as plain functions. */

/** Patterns of `contract.md`: `*.layerif.yaml` or `layerif.yaml` (JSON is accepted inside, being YAML). */
export const EXPERIMENT_GLOBS: readonly string[] = ['**/*.layerif.yaml', '**/layerif.yaml'];
export const EXPERIMENT_GLOB = '**/{*.layerif.yaml,layerif.yaml}';
export const RESULT_GLOB = '**/*.layerif-result.json';

/** Folders whose files are never offered: other people's packages and caches. */
export const EXCLUDE_GLOB = '**/{node_modules,.git,.venv,venv,__pycache__}/**';

/** Of folders that runs write, named by time and hash of the run: results, Grams, pruned models, adapters. */
export const isInRun = (path: string): boolean => /[\\/]\d{8}T\d{6}Z-[0-9a-f]{6}[\\/]/.test(path);

const base = (path: string) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

export function isExperimentFile(path: string): boolean {
  const name = base(path);
  return name === 'layerif.yaml' || (name.endsWith('.layerif.yaml') && name.length > '.layerif.yaml'.length);
}

/** NAME of the result file: the file's name without `.layerif.yaml`; for a bare `layerif.yaml` its folder's name. */
export function experimentName(path: string): string {
  const name = base(path);
  if (name !== 'layerif.yaml') return name.replace(/\.layerif\.yaml$/, '');
  const folder = path.slice(0, path.length - name.length).replace(/[\\/]+$/, '');
  return base(folder) || 'layerif';
}
