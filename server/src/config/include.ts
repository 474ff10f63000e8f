/**
 * `include:` of a harness task file: keys of the file come under the keys of the task, files may include files.
 *
 * Paths in an included file are relative to it; they are rewritten to be relative to the experiment's folder. Every key
 * remembers which text it came from, so that a problem in an included file is reported there.
 */
import { urlAdvice, urlIn } from '../text/url.ts';
import fs from 'node:fs';
import path from 'node:path';
import { dotted, shown } from './messages.ts';
import { isMapping } from './words.ts';
import { readText } from '../files/textFile.ts';
import type { Path, Range } from './yamlSource.ts';
import { YamlSource } from './yamlSource.ts';
import { faultWords } from '../files/reading.ts';

export interface PlacedProblem extends Range {
  message: string;
  severity: 'error' | 'warning' | 'information';
}

export interface Expanded {
  /** The experiment with every included task filled in. */
  value: unknown;
  /** Where keys of `tasks[i]` stand that come from an included file. */
  origins: Map<number, Map<string, YamlSource>>;
  /** Every text that was read, the experiment first. */
  sources: YamlSource[];
  problems: PlacedProblem[];
}

/** Of included files of one experiment. The harness' largest groups take a few dozen. */
const MOST_READS = 200;
const DEEPEST = 20;

interface Key {
  value: unknown;
  source: YamlSource;
}

/** @param read text of a file; throws when it cannot be read */
export function expandIncludes(
  root: YamlSource,
  read: (file: string) => string = (file) => readText(file, 'yaml'),
): Expanded {
  const expanded: Expanded = { value: root.value, origins: new Map(), sources: [root], problems: [] };
  if (!isMapping(root.value) || !Array.isArray(root.value.tasks)) return expanded;
  const folder = path.dirname(root.file);
  let reads = 0;

  const tasks = (root.value.tasks as unknown[]).map((task, index) => {
    if (!isMapping(task) || !('include' in task)) return task;
    const keys = collect(task, root, ['tasks', index], [root.file]);
    const included = [...keys].filter(([, { source }]) => source !== root);
    expanded.origins.set(index, new Map(included.map(([key, { source }]) => [key, source])));
    return Object.fromEntries([...keys].map(([key, { value }]) => [key, value]));
  });
  expanded.value = { ...root.value, tasks };
  return expanded;

  /** The keys of a task and of what it includes, each with the text it stands in. */
  function collect(
    task: Record<string, unknown>,
    source: YamlSource,
    taskPath: Path,
    chain: string[],
  ): Map<string, Key> {
    const { include, ...own } = task;
    const from = path.dirname(source.file);
    const keys = new Map<string, Key>();
    for (const [key, value] of Object.entries(own)) {
      keys.set(key, { value: source === root ? value : rebased(key, value, from, folder), source });
    }
    if (include === undefined) return keys;
    const includePath = [...taskPath, 'include'];
    const names = typeof include === 'string' ? [include] : include;
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && name !== '')) {
      problem(source, includePath, `${dotted(includePath)} is ${shown(include)}: expected the path of a task file`);
      return keys;
    }
    // As in the harness, a later file of a list wins over earlier ones.
    for (const name of (names as string[]).toReversed()) {
      const file = path.resolve(from, name);
      const included = open(file, name, source, includePath, chain);
      if (!included) continue;
      for (const [key, item] of collect(included.value as Record<string, unknown>, included, [], [...chain, file])) {
        if (!keys.has(key)) keys.set(key, item);
      }
    }
    return keys;
  }

  function open(file: string, name: string, source: YamlSource, includePath: Path, chain: string[]): YamlSource | null {
    const say = (message: string): null => {
      problem(source, includePath, message);
      return null;
    };
    if (chain.some((other) => path.resolve(other) === file)) {
      const names = [...chain, file].map((f) => path.basename(f));
      return say(`include ${JSON.stringify(name)} goes round in a circle: ${names.join(' -> ')}`);
    }
    if (chain.length > DEEPEST)
      return say(
        `include ${JSON.stringify(name)}: files include each other more than ${DEEPEST} deep; join some of them`,
      );
    reads += 1;
    if (reads > MOST_READS) {
      // Said once: a tree of files that include each other twice has millions of such places.
      if (reads > MOST_READS + 1) return null;
      return say(
        `include ${JSON.stringify(name)}: the experiment includes more than ${MOST_READS} files, one that is included twice counts twice; join some of them`,
      );
    }
    let text: string;
    try {
      text = read(file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return say(
        `include ${JSON.stringify(name)}: ${code !== 'ENOENT' ? faultWords(error) : urlIn(name) === null ? `there is no file ${file}; give its path from the folder of this file` : urlAdvice()}`,
      );
    }
    const included = new YamlSource(text, file, 'pyyaml');
    expanded.sources.push(included);
    if (isMapping(included.value)) return included;
    if (included.problems.length === 0)
      say(`include ${JSON.stringify(name)}: expected a task file, found ${shown(included.value)}`);
    return null;
  }

  function problem(source: YamlSource, where: Path, message: string): void {
    expanded.problems.push({ ...source.valueRange(where), message, severity: 'error' });
  }
}

/** Paths of an included file, relative to the experiment's folder. */
function rebased(key: string, value: unknown, from: string, to: string): unknown {
  const moved = (file: unknown): unknown => {
    if (typeof file !== 'string' || path.isAbsolute(file) || file.includes('://')) return file;
    return path.relative(to, path.resolve(from, file)).replaceAll('\\', '/');
  };
  const movedAll = (files: unknown): unknown => {
    if (Array.isArray(files)) return files.map(moved);
    if (isMapping(files)) return Object.fromEntries(Object.entries(files).map(([k, v]) => [k, movedAll(v)]));
    return moved(files);
  };
  if (key === 'dataset_kwargs' && isMapping(value)) {
    const { data_files, data_dir } = value;
    return {
      ...value,
      ...(data_files === undefined ? {} : { data_files: movedAll(data_files) }),
      ...(data_dir === undefined ? {} : { data_dir: moved(data_dir) }),
    };
  }
  // A dataset_path may as well be a Hub id, a builder or a name of the experiment: only what exists is a path.
  if (key === 'dataset_path' && typeof value === 'string' && fs.existsSync(path.resolve(from, value)))
    return moved(value);
  return value;
}
