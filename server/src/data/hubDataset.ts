/**
 * Datasets of the hub: which files of a repository belong to a subset (configuration) and to which split, by the rules
 * of Hugging Face (`configs` in the README's front matter, else a folder for each subset, else all files; then the
 * words in their names), and where the files lie in the cache. The same rules choose what is downloaded and read what
 * was.
 */
import fs from 'node:fs';
import path from 'node:path';
import picomatch from 'picomatch';
import { parse } from 'yaml';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Dataset } from '../../../protocol/experiment.ts';
import { cachedCommit, isDatasetId, snapshotFolder } from '../hub/cache.ts';
import type { HubRepo } from '../hub/cache.ts';
import { offlineBy } from '../hub/environment.ts';
import { formatOf } from './formats.ts';
import { listed } from '../text/listed.ts';
import { didYouMean } from '../text/nearest.ts';
import { nth } from '../lists/nth.ts';

/** Split -> paths within the repository; `null` for files whose names have yet to tell. */
export type HubSplits = { splits: Map<string, string[]> } | { folder: string; paths: string[] };

/** Where the hub keeps what it made of repositories without files that can be read. */
export const CONVERTED = 'refs/convert/parquet';

/** The repository that a dataset's path names, or null for a path of the disk. */
export function hubDatasetOf(dataset: Dataset, baseDir: string): HubRepo | null {
  const { path: target } = dataset;
  if (target === undefined || !isDatasetId(target) || formatOf(target) !== null) return null;
  if (fs.existsSync(path.resolve(baseDir, target))) return null;
  return { type: 'dataset', id: target };
}

/** Revisions to look at, the first that has files that can be read. */
export function revisionsOf({ revision }: Dataset): string[] {
  return revision === undefined ? ['main', CONVERTED] : [revision];
}

/** Folders of the cache with files of the dataset, by `revisionsOf`. @throws LayerifError `badData`: none */
export function cachedDatasetFolders(name: string, repo: HubRepo, dataset: Dataset): string[] {
  const folders = revisionsOf(dataset).flatMap((revision) => {
    const commit = cachedCommit(repo, revision);
    const folder = commit === null ? null : snapshotFolder(repo, commit);
    return folder !== null && fs.existsSync(folder) ? [folder] : [];
  });
  if (folders.length > 0) return folders;
  const offline = offlineBy();
  const get = `"hf download --repo-type dataset ${repo.id}"`;
  throw new LayerifError(
    'badData',
    `dataset "${name}": "${repo.id}" is neither a file nor a folder here, nor in the Hugging Face cache; ` +
      (offline === null
        ? `layerif score downloads it, as ${get} does`
        : `${offline} forbids to download it: unset it, or run ${get} where there is a network`),
  );
}

/**
 * @param paths of the repository's data files
 * @param readme its README.md, or null
 * @throws LayerifError `badData` for a subset that is not there, or that has to be chosen
 */
export function hubSplits(name: string, dataset: Dataset, paths: readonly string[], readme: string | null): HubSplits {
  if (dataset.data_files !== undefined) {
    return { splits: matched(name, Object.entries(dataset.data_files), '', paths) };
  }
  const configs = readme === null ? [] : configsOf(readme);
  const config = chosenConfig(name, dataset.name, configs, paths);
  if (config) {
    const files = splitPatterns(config.data_files);
    if (files.length > 0) return { splits: matched(name, files, config.data_dir ?? '', paths) };
    if (config.data_dir !== undefined) return within(config.data_dir, paths);
  }
  return dataset.name === undefined ? within(onlyFolder(paths), paths) : subset(name, dataset.name, paths);
}

interface Config {
  config_name: string;
  default?: boolean;
  data_dir?: string;
  data_files?: unknown;
}

/** Whether a README.md says which files belong to which subset. */
export function describesSubsets(readme: string): boolean {
  return configsOf(readme).length > 0;
}

/** `configs` of the YAML between the first two `---` lines. */
function configsOf(readme: string): Config[] {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readme)?.[1];
  if (front === undefined) return [];
  try {
    const { configs } = (parse(front) ?? {}) as { configs?: unknown };
    return Array.isArray(configs)
      ? (configs as Config[]).filter((config) => typeof config?.config_name === 'string')
      : [];
  } catch {
    return []; // a README that is no YAML says nothing
  }
}

function chosenConfig(
  name: string,
  wanted: string | undefined,
  configs: readonly Config[],
  paths: readonly string[],
): Config | null {
  if (configs.length === 0) return null;
  const names = configs.map((config) => config.config_name);
  if (wanted !== undefined) {
    const config = configs.find((other) => other.config_name === wanted);
    if (config) return config;
    if (paths.some((file) => file.startsWith(`${wanted}/`))) return null;
    throw fault(name, `has no subset "${wanted}"; name is one of ${listed(names)}${didYouMean(wanted, names)}`);
  }
  const usual = configs.find((config) => config.default === true) ?? configs.find((c) => c.config_name === 'default');
  if (usual) return usual;
  if (configs.length === 1) return nth(configs, 0);
  throw fault(name, `has several subsets; choose one with name: ${listed(names)}`);
}

/** A pattern, a list of patterns, `split: patterns` pairs or `{ split, path }` entries. */
function splitPatterns(files: unknown): [split: string, patterns: string | string[]][] {
  if (typeof files === 'string') return [['train', files]];
  if (!Array.isArray(files)) {
    return typeof files === 'object' && files !== null ? (Object.entries(files) as [string, string | string[]][]) : [];
  }
  if (files.every((entry) => typeof entry === 'string')) return [['train', files]];
  return (files as { split?: unknown; path?: unknown }[]).flatMap(({ split, path: patterns }) =>
    typeof split === 'string' && (typeof patterns === 'string' || Array.isArray(patterns))
      ? [[split, patterns as string | string[]] as [string, string | string[]]]
      : [],
  );
}

function matched(
  name: string,
  patterns: readonly [split: string, patterns: string | string[]][],
  folder: string,
  paths: readonly string[],
): Map<string, string[]> {
  const splits = new Map<string, string[]>();
  for (const [split, globs] of patterns) {
    const files = [globs].flat().flatMap((glob) => {
      const matches = picomatch(path.posix.join(folder, glob));
      return paths.filter((file) => matches(file)).sort();
    });
    splits.set(split, [...new Set(files)]);
  }
  if ([...splits.values()].every((files) => files.length === 0)) {
    throw fault(
      name,
      `no file matches ${listed(
        patterns.flatMap(([, globs]) => globs),
        4,
      )}; data files: ${listed(paths, 8)}`,
    );
  }
  return splits;
}

function subset(name: string, wanted: string, paths: readonly string[]): HubSplits {
  const found = within(wanted, paths);
  if ('paths' in found && found.paths.length > 0) return found;
  const folders = [
    ...new Set(paths.filter((file) => file.includes('/')).map((file) => file.slice(0, file.indexOf('/')))),
  ];
  throw fault(name, `has no subset "${wanted}"; folders in it: ${listed(folders)}${didYouMean(wanted, folders)}`);
}

/** The folder that everything lies in when it stands for the only subset (`default/train/0000.parquet`), else none. */
function onlyFolder(paths: readonly string[]): string {
  const folders = new Set(paths.map((file) => file.split('/').slice(0, -1)[0] ?? ''));
  if (folders.has('default')) return 'default';
  const [only = ''] = folders;
  return folders.size === 1 && only !== 'data' ? only : '';
}

function within(folder: string, paths: readonly string[]): HubSplits {
  const prefix = folder === '' || folder === '.' ? '' : `${folder.replace(/\/+$/, '')}/`;
  return { folder: prefix, paths: paths.filter((file) => file.startsWith(prefix)).sort() };
}

function fault(name: string, message: string): LayerifError {
  return new LayerifError('badData', `dataset "${name}": ${message}`);
}
