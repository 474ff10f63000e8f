/**
 * The folders that tools may read. A chat model chooses paths, and what it writes into an experiment file or a result
 * names further ones, so all of them are held to the folders that the user has given, symbolic links followed.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { parseExperiment, readExperimentText } from '../../config/experiment.ts';
import { readText } from '../../files/textFile.ts';
import { nth } from '../../lists/nth.ts';

/** Everything from the first sign of a glob on. */
const GLOB = /[^/\\]*[*?[{].*$/s;

export class Folders {
  readonly paths: readonly string[];
  readonly #real: readonly string[];

  /** @throws LayerifError `badRequest` for one that is no folder */
  constructor(paths: readonly string[]) {
    this.paths = paths.map((one) => path.resolve(one));
    this.#real = this.paths.map((folder) => {
      if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return fs.realpathSync(folder);
      throw new LayerifError('badRequest', `${folder} is no folder: name folders that exist, whose files may be read`);
    });
  }

  /**
   * The folders among the roots of a client; a root that is no folder holds nothing.
   * @throws LayerifError `badRequest` where none is
   */
  static ofRoots(roots: readonly string[]): Folders {
    const paths = roots.flatMap((root) =>
      root.startsWith('file:') ? [fileURLToPath(root)] : path.isAbsolute(root) ? [root] : [],
    );
    const there = paths.filter((one) => fs.statSync(one, { throwIfNoEntry: false })?.isDirectory());
    if (there.length > 0) return new Folders(there);
    throw new LayerifError(
      'badRequest',
      `none of the roots of this client is a folder (${roots.join(', ')}): start layerif mcp with the folders that may be read`,
    );
  }

  /**
   * Absolute path of what is named; a relative one is looked for in every folder.
   * @throws LayerifError `badRequest` for a place outside
   */
  inside(named: string): string {
    const given = named.startsWith('file:') ? fileURLToPath(named) : named;
    const places = path.isAbsolute(given) ? [given] : this.paths.map((folder) => path.resolve(folder, given));
    const place = places.find((one) => fs.existsSync(one)) ?? nth(places, 0);
    if (!this.holds(place)) throw this.#outside(named);
    return place;
  }

  /** Whether the path, and what links on its way lead to, lies inside. */
  holds(absolute: string): boolean {
    const below = (folder: string, one: string) => one === folder || one.startsWith(folder + path.sep);
    const lexical = path.resolve(absolute);
    if (![...this.paths, ...this.#real].some((folder) => below(folder.replace(/[/\\]$/, ''), lexical))) return false;
    const real = realpathOf(lexical);
    return this.#real.some((folder) => below(folder.replace(/[/\\]$/, ''), real));
  }

  /**
   * Holds an experiment file to the folders: the file, what it includes, and what it names.
   * @returns absolute path of the file
   * @throws LayerifError `badRequest`
   */
  experiment(named: string): string {
    const file = this.inside(named);
    const outside: string[] = [];
    const included = (one: string): string => {
      if (this.holds(one)) return readText(one, 'yaml');
      outside.push(one);
      throw this.#outside(one);
    };
    const { experiment } = parseExperiment(readExperimentText(file), file, included);
    for (const one of outside) throw this.#outside(one);
    // What is wrong with a file is said, with its place, by whoever loads it.
    if (experiment) this.requireNamed(experiment, path.dirname(file), file);
    return file;
  }

  /** @throws LayerifError `badRequest` for a model, dataset or other file outside */
  requireNamed(experiment: Experiment, baseDir: string, file: string): void {
    const { model, datasets, score, scores, data_scores, prune, output_dir } = experiment;
    for (const [key, value] of stringsIn({ model, datasets, score, scores, data_scores, prune, output_dir }, '')) {
      const place = path.resolve(baseDir, value.replace(GLOB, ''));
      const isPath = /(^|\.)(path|adapter|output_dir)$|data_files|arrays/.test(key) || fs.existsSync(place);
      if (isPath && !this.holds(place))
        throw new LayerifError(
          'badRequest',
          `${file} names ${value} (${key}), which lies outside the folders that may be read (${this.paths.join(', ')}): move it there, or start layerif mcp with its folder too`,
        );
    }
  }

  #outside(named: string): LayerifError {
    return new LayerifError(
      'badRequest',
      `${named} lies outside the folders that may be read (${this.paths.join(', ')}): name a file inside, or start layerif mcp with its folder too`,
    );
  }
}

/** Of the part of the path that exists, with the rest behind it. */
function realpathOf(absolute: string): string {
  try {
    return fs.realpathSync(absolute);
  } catch {
    const parent = path.dirname(absolute);
    return parent === absolute ? absolute : path.join(realpathOf(parent), path.basename(absolute));
  }
}

/** Every text with its dotted key. */
function* stringsIn(value: unknown, key: string): Generator<[key: string, value: string]> {
  if (typeof value === 'string' && /[\w~.]/.test(value)) yield [key, value];
  else if (typeof value === 'object' && value !== null)
    for (const [name, part] of Object.entries(value)) yield* stringsIn(part, key === '' ? name : `${key}.${name}`);
}
