/**
 * Which files a dataset is made of, and which split each belongs to.
 *
 * `path` is a file, a folder or a glob; the splits of a folder or glob are told by folder names, else by file names
 * (the words and separators that Hugging Face looks for), else everything is `train`. What `save_to_disk` wrote says
 * itself (savedDataset.ts). `data_files` names the splits itself. A hub id is read from the Hugging Face cache
 * (hubDataset.ts).
 */
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { LayerifError } from '../../../protocol/errors.ts';
import type { DataFormat, Dataset } from '../../../protocol/experiment.ts';
import { dataEndings, formatOf, type DataFile } from './formats.ts';
import { cachedDatasetFolders, describesSubsets, hubDatasetOf, hubSplits } from './hubDataset.ts';
import { readError } from './readers/reader.ts';
import { savedFiles, savedSplits } from './savedDataset.ts';
import { listed } from '../text/listed.ts';
import { didYouMean } from '../text/nearest.ts';
import { urlAdvice, urlIn } from '../text/url.ts';
import { unreadableWords } from '../files/reading.ts';
import { readText } from '../files/textFile.ts';
import { nth } from '../lists/nth.ts';

/** The words that name a split in a path. The first is the split's name. */
export const splitWords: readonly (readonly string[])[] = [
  ['train', 'training'],
  ['validation', 'valid', 'dev', 'val'],
  ['test', 'testing', 'eval', 'evaluation'],
];

/** Files that describe a dataset and hold none of its rows. */
const notData = new Set(['config.json', 'dataset_info.json', 'dataset_infos.json', 'dataset_dict.json', 'state.json']);

/** Split name -> files in reading order. */
export type SplitFiles = Map<string, DataFile[]>;

/**
 * @param name the key in `datasets`, for messages
 * @param baseDir absolute folder of the experiment file; relative paths start there
 * @throws LayerifError `badData` when nothing is there, or a format is unknown
 */
export async function datasetFiles(name: string, dataset: Dataset, baseDir: string): Promise<SplitFiles> {
  const repo = hubDatasetOf(dataset, baseDir);
  if (repo) {
    const folders = cachedDatasetFolders(name, repo, dataset);
    for (const [i, root] of folders.entries()) {
      const all = (await filesBelow(root)).map((file) => slashed(relative(root, file)));
      const found = hubSplitFiles(name, dataset, all, readmeOf(root), root);
      if (found.size > 0) return found;
      if (i === folders.length - 1) throw noData(name, repo.id, all);
    }
  }
  if (dataset.data_files !== undefined) {
    const splits: SplitFiles = new Map();
    for (const [split, patterns] of Object.entries(dataset.data_files)) {
      const files: DataFile[] = [];
      for (const pattern of [patterns].flat())
        files.push(...(await matchingFiles(name, pattern, dataset, baseDir)).files);
      splits.set(split, files);
    }
    return splits;
  }
  if (dataset.path === undefined) throw fault(name, 'has neither path nor data_files; give one of them');
  const clone = await described(name, dataset, resolve(baseDir, dataset.path));
  if (clone !== null) return clone;
  const path = subsetPath(name, dataset.path, dataset.name, baseDir);
  const saved = savedSplits(resolve(baseDir, path));
  if (saved !== null)
    return new Map([...saved].map(([split, files]) => [split, files.map((file) => dataFile(name, file, dataset))]));
  const found = await matchingFiles(name, path, dataset, baseDir);
  return found.root === null ? new Map([['train', found.files]]) : bySplitWords(found.files, found.root);
}

/**
 * The files of a folder whose README.md says which are those of which subset, as repositories of the hub have it; else
 * null.
 */
async function described(name: string, dataset: Dataset, folder: string): Promise<SplitFiles | null> {
  const text = readmeOf(folder);
  if (text === null || savedSplits(folder) !== null || !describesSubsets(text)) return null;
  const all = (await filesBelow(folder)).map((file) => slashed(relative(folder, file)));
  const found = hubSplitFiles(name, dataset, all, text, folder);
  return found.size > 0 ? found : null;
}

/** @throws LayerifError `badData`: it is there and cannot be read */
function readmeOf(folder: string): string | null {
  const file = join(folder, 'README.md');
  if (!existsSync(file)) return null;
  try {
    return readText(file, 'config');
  } catch (error) {
    throw readError(error, file);
  }
}

/**
 * Split -> files of a hub repository; empty where it has no file that can be read.
 * @param paths of its files
 * @param readme its README.md, or null
 * @param root where the files lie, or will lie
 */
export function hubSplitFiles(
  name: string,
  dataset: Dataset,
  paths: readonly string[],
  readme: string | null,
  root: string,
): SplitFiles {
  const data = paths.filter((file) => isShown(file.split('/')) && isData(dataset)(file));
  if (data.length === 0) return new Map();
  const found = hubSplits(name, dataset, data, readme);
  const asFiles = (files: readonly string[]) => files.map((file) => dataFile(name, join(root, file), dataset));
  if ('splits' in found) return new Map([...found.splits].map(([split, files]) => [split, asFiles(files)]));
  return bySplitWords(ofOneFormat(asFiles(found.paths)), join(root, found.folder));
}

/** A repository may hold the same rows in several formats: those of which there are most files, as in Hugging Face. */
function ofOneFormat(files: DataFile[]): DataFile[] {
  const counts = new Map<DataFormat, number>();
  for (const { format } of files) counts.set(format, (counts.get(format) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || Number(b[0] === 'parquet') - Number(a[0] === 'parquet'));
  return files.filter(({ format }) => format === most?.[0]);
}

export function noData(name: string, id: string, files: readonly string[]): LayerifError {
  return fault(
    name,
    `"${id}" holds no data file (${listed(files, 6)}); endings that are read: ${dataEndings.join(' ')}`,
  );
}

/** A dataset repository holds one folder for each of its subsets (configurations). */
function subsetPath(name: string, path: string, subset: string | undefined, baseDir: string): string {
  const folder = resolve(baseDir, path);
  if (subset === undefined || !existsSync(folder) || !statSync(folder).isDirectory()) return path;
  if (existsSync(join(folder, subset))) return join(path, subset);
  const folders = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [],
  );
  if (folders.length === 0) return path;
  throw fault(
    name,
    `the folder "${path}" has no subset "${subset}"; folders in it: ${listed(folders)}${didYouMean(subset, folders)}`,
  );
}

/** What a dataset says of how its files are read. */
type Reading = Pick<Dataset, 'ds_type' | 'field'>;

interface Matches {
  files: DataFile[];
  /** Folder that the pattern starts from; null for a single file. */
  root: string | null;
}

async function matchingFiles(name: string, pattern: string, dataset: Reading, baseDir: string): Promise<Matches> {
  const path = resolve(baseDir, pattern);
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return { files: [dataFile(name, path, dataset)], root: null };
    const saved = savedFiles(path);
    if (saved !== null) return { files: saved.map((file) => dataFile(name, file, dataset)), root: null };
    const all = await filesBelow(path);
    return { files: sameFormat(name, pattern, all.filter(isData(dataset)), all, dataset), root: path };
  }
  const { base, glob } = splitPattern(pattern.replaceAll('\\', '/'), baseDir);
  const scanned = picomatch.scan(glob);
  if (!scanned.isGlob) throw missing(name, pattern, path, baseDir);
  const root = resolve(baseDir, base);
  if (scanned.base !== '')
    throw fault(
      name,
      `the folder ${[base, scanned.base].filter((part) => part !== '').join('/')} of the pattern "${pattern}" does not exist in ${baseDir}`,
    );
  const matches = picomatch(glob);
  const all = (await filesBelow(root)).filter((file) => matches(slashed(relative(root, file))));
  if (all.length === 0) throw fault(name, `no file matches the pattern "${pattern}" in ${baseDir}`);
  return { files: sameFormat(name, pattern, all.filter(isData(dataset)), all, dataset), root };
}

/**
 * The folder that a pattern starts from, taken by its name as far as it exists ("Daten (2024)", "[v2]", "{x}", "!new"),
 * and the rest, in which parentheses and exclamation marks stand for themselves, as in Python's glob.
 */
function splitPattern(pattern: string, baseDir: string): { base: string; glob: string } {
  const parts = pattern.split('/');
  let known = 0;
  for (let count = 1; count < parts.length; count += 1) {
    const folder = resolve(baseDir, parts.slice(0, count).join('/') || '/');
    if (!existsSync(folder) || !statSync(folder).isDirectory()) break;
    known = count;
  }
  const rest = parts.slice(known).join('/');
  const glob = rest.replace(/[()]|(?<!\[)!/g, '\\$&');
  return { base: parts.slice(0, known).join('/') || (pattern.startsWith('/') ? '/' : ''), glob };
}

/**
 * Absolute paths of every file below a folder, by name; hidden ones (`.git`, `__pycache__`) and descriptions left out.
 */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => isShown(relative(folder, file).split(sep)))
    .sort((a, b) => (slashed(a) < slashed(b) ? -1 : 1));
}

/** Not hidden, and no description of the dataset. */
function isShown(parts: readonly string[]): boolean {
  return !notData.has(parts.at(-1)!) && !parts.some((part) => part.startsWith('.') || part.startsWith('__'));
}

function isData({ ds_type }: Reading): (file: string) => boolean {
  return (file) => formatOf(file) !== null || (ds_type !== undefined && extname(file) !== '.md');
}

function dataFile(name: string, path: string, { ds_type, field }: Reading): DataFile {
  const format = ds_type ?? formatOf(path);
  if (format === null) {
    throw fault(
      name,
      `the ending of ${basename(path)} does not tell its format; endings that do: ${dataEndings.join(' ')}; else give ds_type: json, csv, tsv, parquet, arrow or text`,
    );
  }
  if (field !== undefined && format !== 'json')
    throw fault(
      name,
      `field: ${field} names a property of a JSON document, and ${basename(path)} is read as ${format}; remove it`,
    );
  return { path, format, ...(field === undefined ? {} : { field }) };
}

function sameFormat(name: string, pattern: string, files: string[], all: string[], dataset: Reading): DataFile[] {
  if (files.length === 0) {
    throw fault(
      name,
      `"${pattern}" holds no data file (${listed(
        all.map((file) => basename(file)),
        6,
      )}); endings that are read: ${dataEndings.join(' ')}`,
    );
  }
  const found = files.map((file) => dataFile(name, file, dataset));
  const formats = [...new Set(found.map((file) => file.format))];
  if (formats.length > 1) {
    throw fault(
      name,
      `"${pattern}" holds files of several formats (${formats.join(', ')}); name one file, or use a glob such as "${pattern.replace(/[/\\]$/, '')}/*${extname(nth(files, 0))}"`,
    );
  }
  return found;
}

/** Folder names first, then file names; what matches no word is left out once one file matches. */
function bySplitWords(files: DataFile[], root: string): SplitFiles {
  const shards = files.filter((file) => /^data\/[^/]+-\d{5}-of-\d{5}[^/]*$/.test(slashed(relative(root, file.path))));
  if (shards.length > 0) {
    const splits: SplitFiles = new Map();
    for (const file of shards) {
      const split = nth(/^(.+)-\d{5}-of-/.exec(basename(file.path))!, 1);
      splits.set(split, [...(splits.get(split) ?? []), file]);
    }
    return splits;
  }
  const folders = (file: DataFile): string[] => slashed(relative(root, file.path)).split('/').slice(0, -1);
  for (const parts of [folders, (file: DataFile): string[] => [basename(file.path)]]) {
    const splits: SplitFiles = new Map();
    for (const words of splitWords) {
      const own = files.filter((file) => parts(file).some((part) => words.some((word) => standsIn(word, part))));
      if (own.length > 0) splits.set(nth(words, 0), own);
    }
    if (splits.size > 0) return splits;
  }
  return new Map([['train', files]]);
}

/** `train` stands in `train.csv`, `my-train_01.csv` and `train`, not in `trainer.csv`. */
function standsIn(word: string, part: string): boolean {
  return new RegExp(`(^|[-._ 0-9])${word}([-._ 0-9]|$)`).test(part);
}

function missing(name: string, pattern: string, path: string, baseDir: string): LayerifError {
  const url = urlIn(pattern);
  if (url !== null) return fault(name, `"${url}" ${urlAdvice('dataset')}`);
  const link = brokenLink(path);
  if (link !== null) return fault(name, `the file "${pattern}" in ${baseDir} cannot be read: ${link}`);
  const folder = dirname(path);
  if (!existsSync(folder))
    return fault(
      name,
      `the file "${pattern}" does not exist in ${baseDir}: there is no folder ${slashed(relative(baseDir, folder)) || folder}`,
    );
  return fault(
    name,
    `the file "${pattern}" does not exist in ${baseDir}${suggestion(basename(path), folder, pattern)}`,
  );
}

/** Why a symbolic link leads to nothing; null for what is none. */
function brokenLink(path: string): string | null {
  let target: string;
  try {
    target = readlinkSync(path);
  } catch {
    return null;
  }
  try {
    statSync(path);
    return null;
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return gone ? `it is a symbolic link to ${target}, which does not exist` : unreadableWords(error);
  }
}

function suggestion(wanted: string, folder: string, pattern: string): string {
  const names = readdirNames(folder).filter((file) => formatOf(file) !== null);
  const near = didYouMean(wanted, names);
  return near === '' ? `; data files in ${dirname(pattern)}: ${listed(names, 8)}` : near;
}

function readdirNames(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}

function fault(name: string, message: string): LayerifError {
  return new LayerifError('badData', `dataset "${name}": ${message}`);
}
