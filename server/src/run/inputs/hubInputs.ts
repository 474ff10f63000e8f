/**
 * Hub ids of an experiment: what a command downloads before it opens model and data, and what `check` says is not there
 * yet. What the cache holds is used as it is and the hub is not asked; so a branch that moves does not change an
 * experiment that was run before.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { LayerifError } from '../../../../protocol/errors.ts';
import type { Dataset, Experiment } from '../../../../protocol/experiment.ts';
import { findCachedModel, modelFiles } from '../../checkpoints/hubModel.ts';
import { besidePath } from '../../checkpoints/openCheckpoint.ts';
import { hubDatasetOf, revisionsOf } from '../../data/hubDataset.ts';
import { hubSplitFiles, noData } from '../../data/inputFiles.ts';
import { parseSlices } from '../../data/slices.ts';
import { cachedCommit, isHubId, missingOf, readListing, repoFolder, snapshotFolder } from '../../hub/cache.ts';
import type { Listing, RemoteFile } from '../../hub/cache.ts';
import { bytesToFetch, downloadFiles, megabytes } from '../../hub/download.ts';
import { offlineBy } from '../../hub/environment.ts';
import type { Wanted } from '../../hub/errors.ts';
import { listRepo, readRemoteText } from '../../hub/remote.ts';
import { resolveModel } from './modelPath.ts';
import { readText } from '../../files/textFile.ts';
import { lookup } from '../../text/lookup.ts';

export interface DownloadEvent {
  /** Bytes. */
  done: number;
  total: number;
  message: string;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((event: DownloadEvent) => void) | undefined;
  /** What a user should know of the model, a sentence at a time, once it is open. */
  onWarning?: ((sentence: string) => void) | undefined;
}

/** Files of one repository that are not in the cache. */
export interface ToFetch {
  wanted: Wanted;
  listing: Listing;
  files: RemoteFile[];
  /** Still to come. */
  bytes: number;
}

type Model = Pick<Experiment['model'], 'path' | 'revision'>;

/**
 * Downloads the model of an experiment if it is a hub id that the cache does not hold as a whole; else does nothing.
 * @throws LayerifError
 */
export async function fetchModel(model: Model, baseDir: string, options: FetchOptions = {}): Promise<void> {
  const missing = await missingModel(model, baseDir, options.signal);
  if (missing) await fetchAll([missing], options);
}

/**
 * Downloads what the tasks of an experiment read of datasets with hub ids.
 * @param names keys of `datasets`
 * @throws LayerifError
 */
export async function fetchDatasets(
  experiment: Experiment,
  names: Iterable<string>,
  baseDir: string,
  options: FetchOptions = {},
): Promise<void> {
  for (const name of new Set(names)) {
    const dataset = experiment.datasets[name] as Dataset | undefined;
    if (!dataset) continue; // said by those who read it
    const missing = await missingDataset(name, dataset, wantedSplits(experiment, name), baseDir, options.signal);
    if (missing) await fetchAll([missing], options);
  }
}

/** Whether a hub id is not in the cache, without asking the hub. */
export function isModelAbsent({ path: target, revision }: Model, baseDir: string): boolean {
  const resolved = resolveModel(target, baseDir);
  return isHubId(resolved) && findCachedModel(resolved, revision) === null;
}

/**
 * Asks the hub what a model needs that the cache lacks; null for a path, for a model that is there, and offline.
 * @throws LayerifError: what the hub refuses, a repository without weights that can be read
 */
export async function missingModel(
  { path: target, revision = 'main' }: Model,
  baseDir: string,
  signal?: AbortSignal,
): Promise<ToFetch | null> {
  const id = resolveModel(target, baseDir);
  if (!isHubId(id) || findCachedModel(id, revision) !== null || offlineBy() !== null) return null;
  const wanted: Wanted = { repo: { type: 'model', id }, revision, beside: besidePath(path.resolve(baseDir, target)) };
  const listing = await listingOf(wanted, signal);
  const files = await modelFiles(id, listing.files, (file) => textOf(wanted, listing, file, signal));
  return toFetch(wanted, listing, files);
}

/**
 * @param splits that are read; null for all
 * @throws LayerifError: what the hub refuses, a subset that is not there, no file that can be read
 */
export async function missingDataset(
  name: string,
  dataset: Dataset,
  splits: ReadonlySet<string> | null,
  baseDir: string,
  signal?: AbortSignal,
): Promise<ToFetch | null> {
  const repo = hubDatasetOf(dataset, baseDir);
  if (!repo || offlineBy() !== null) return null;
  const beside = besidePath(path.resolve(baseDir, dataset.path!));
  let listing: Listing | null = null;
  const revisions = revisionsOf(dataset);
  const first = Math.max(
    0,
    revisions.findIndex((revision) => cachedCommit(repo, revision) !== null),
  );
  for (const revision of revisions.slice(first)) {
    const wanted: Wanted = { repo, revision, beside };
    try {
      listing = await listingOf(wanted, signal);
    } catch (error) {
      const { code } = error as LayerifError;
      // What other tools left in the cache has to do where the hub cannot be asked.
      if (code === 'failed' && cachedCommit(repo, revision) !== null) return null;
      // The second revision is only a guess: the first one's files say what is wrong.
      if (listing === null || code === 'cancelled') throw error;
      break;
    }
    const { files } = listing;
    const readme = files.find((file) => file.path === 'README.md');
    const text = readme ? await textOf(wanted, listing, readme, signal) : null;
    const root = repoFolder(repo);
    const found = hubSplitFiles(
      name,
      dataset,
      files.map((file) => file.path),
      text,
      root,
    );
    if (found.size === 0) continue;
    const paths = new Set(
      [...found]
        .filter(([split]) => splits === null || splits.has(split))
        .flatMap(([, list]) => list.map((file) => path.relative(root, file.path).split(path.sep).join('/'))),
    );
    return toFetch(wanted, listing, [...(readme ? [readme] : []), ...files.filter((file) => paths.has(file.path))]);
  }
  throw noData(name, repo.id, listing?.files.map((file) => file.path) ?? []);
}

/** Splits that the experiment reads of a dataset; null for all, where a column tells them. */
export function wantedSplits(experiment: Experiment, name: string): Set<string> | null {
  if (lookup(experiment.datasets, name)?.split_column !== undefined) return null;
  const { tasks, prune, evaluate } = experiment;
  const slices = tasks
    .filter((task) => task.dataset === name)
    .flatMap((task) => [
      task.training_split,
      task.validation_split ?? 'validation',
      task.test_split,
      task.fewshot_split,
    ]);
  for (const source of [prune?.calibration, evaluate?.perplexity])
    if (source?.dataset === name) slices.push(source.split);
  return new Set(slices.flatMap((text) => (text === undefined ? [] : parseSlices(text).map(({ split }) => split))));
}

/** `269 MB`, in words of a person. */
export function sizeOf({ bytes }: ToFetch): string {
  return megabytes(bytes);
}

/** A small file, from the cache where it lies there. */
export async function textOf(
  wanted: Wanted,
  { commit }: Listing,
  file: RemoteFile,
  signal?: AbortSignal,
): Promise<string> {
  const cached = path.join(snapshotFolder(wanted.repo, commit), file.path);
  return fs.existsSync(cached) ? readText(cached, 'tokenizer') : readRemoteText(wanted, commit, file, signal);
}

/** From the cache where the commit was listed before, else from the hub. */
export async function listingOf(wanted: Wanted, signal?: AbortSignal): Promise<Listing> {
  const commit = cachedCommit(wanted.repo, wanted.revision);
  const known = commit === null ? null : readListing(wanted.repo, commit);
  // A snapshot of other tools stays at its commit too.
  return known ?? listRepo(commit === null ? wanted : { ...wanted, revision: commit }, signal);
}

function toFetch(wanted: Wanted, listing: Listing, files: RemoteFile[]): ToFetch | null {
  const missing = missingOf(wanted.repo, { ...listing, files });
  const bytes = bytesToFetch(wanted.repo, missing);
  return missing.length === 0 ? null : { wanted, listing, files: missing, bytes };
}

async function fetchAll(all: readonly ToFetch[], { signal, onProgress }: FetchOptions): Promise<void> {
  for (const { wanted, listing, files } of all) {
    const { id } = wanted.repo;
    await downloadFiles(wanted, listing, files, {
      signal,
      onProgress: (done, total) =>
        onProgress?.({ done, total, message: `downloading ${id}: ${megabytes(done)} of ${megabytes(total)}` }),
    });
  }
}

/** `model org/name is not a path (did you mean ...?) nor in the Hugging Face cache; score will download 269 MB`. */
export function notHere(what: string, beside: string, size?: string): string {
  return `${what} is neither a path${beside} nor in the Hugging Face cache; score will download ${size ?? 'it from the hub'}`;
}
