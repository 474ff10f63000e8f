/**
 * Reads an experiment file: text -> YAML with places -> included task files -> schema -> references -> resolved
 * experiment.
 *
 * Everything that is wrong is reported at once, each problem at the key or value it is about; a missing key is reported
 * at its parent.
 */
import { urlIn } from '../text/url.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Experiment } from '../../../protocol/experiment.ts';
import { groupFindings } from './groups.ts';
import { mended } from './mended.ts';
import { expandIncludes } from './include.ts';
import type { Expanded, PlacedProblem } from './include.ts';
import { findingsOf } from './messages.ts';
import type { Finding } from './messages.ts';
import { referenceFindings } from './references.ts';
import { resolveExperiment } from './resolve.ts';
import { experimentSchema } from './schema.ts';
import { functionMessage, ignoredKeys, keysBesideTexts, refusedTaskKeys } from './taskSchema.ts';
import { isMapping } from './words.ts';
import { YamlSource } from './yamlSource.ts';
import type { Path, Range } from './yamlSource.ts';
import { readText } from '../files/textFile.ts';
import { dataScores } from '../scores/dataScores.ts';
import { faultWords } from '../files/reading.ts';

export type { Path, Range } from './yamlSource.ts';

/** Lines and columns count from 1; `file` is the experiment's or that of an included task. */
export interface Problem extends Range {
  message: string;
  severity: 'error' | 'warning' | 'information';
  /**
   * Keys and indices down to what is at fault, in the experiment with its includes; [] where the text itself is broken.
   */
  path: Path;
}

/** Where things of an experiment stand. A path that is not there has the place of its nearest parent. */
export interface Positions {
  has(path: Path): boolean;
  /** The key, or where a list item begins. */
  key(path: Path): Range;
  /** The value, as far as its first line goes; the key where there is none. */
  value(path: Path): Range;
  /** What stands at a place of the experiment's own text; line and column from 1. */
  at(line: number, column: number): { path: Path; on: 'key' | 'value' } | null;
}

export interface ParsedFile {
  /** Null when there is an error. */
  experiment: Experiment | null;
  /** By place. */
  problems: Problem[];
  positions: Positions;
  /** Of a file with errors: the rest of it, to be judged with them; null where there are none, or nothing is left. */
  rest: () => { experiment: Experiment; left: readonly Path[] } | null;
  /** The plain value with includes filled in, whatever is wrong with it; undefined when the YAML is broken. */
  raw: unknown;
}

/** Carries every problem of the file; it is itself the first error. */
export class ExperimentError extends LayerifError {
  readonly problems: readonly Problem[];

  constructor(first: Problem, problems: readonly Problem[]) {
    super('badExperiment', first.message, { place: { file: first.file, line: first.line, column: first.column } });
    this.name = 'ExperimentError';
    this.problems = problems;
  }
}

/**
 * @param file where the text stands: included files are relative to its folder
 * @param read text of an included file; throws when it cannot be read
 */
export function parseExperiment(text: string, file: string, read?: (file: string) => string): ParsedFile {
  const root = new YamlSource(text, file);
  const expanded = expandIncludes(root, read);
  const positions = positionsIn(root, expanded);
  const texts = expanded.sources.flatMap(textProblems);
  if (root.value === undefined)
    return { experiment: null, problems: texts, positions, rest: () => null, raw: undefined };

  const parsed = experimentSchema.safeParse(withoutRefused(expanded.value));
  const groups = groupFindings(expanded.value);
  const found = withoutConsequences([
    ...(parsed.error?.issues ?? []).flatMap((issue) => findingsOf(issue, expanded.value)),
    ...referenceFindings(expanded.value),
    ...ignoredFindings(expanded.value),
  ]);
  const isOf = (path: Path) => groups.some((group) => group.path[0] === path[0] && group.path[1] === path[1]);
  const findings = [...found.filter(({ path }) => !isOf(path)), ...groups];
  const placed = findings
    .map(({ path, at, message, severity }) => ({
      ...(at === 'key' ? positions.key(path) : positions.value(path)),
      message,
      severity,
      path,
    }))
    // Of a Python function it is enough to say that it is one.
    .filter((found) => !texts.some((said) => samePlace(said, found)));
  const problems = sorted(
    [...texts, ...expanded.problems.map((problem) => ({ ...problem, path: [] })), ...placed],
    file,
  );
  const valid = parsed.success && !problems.some(({ severity }) => severity === 'error');
  return {
    experiment: valid ? resolveExperiment(parsed.data, hasScoresAlone(expanded.value)) : null,
    problems,
    positions,
    rest: () => (valid ? null : restOf(expanded.value, findings)),
    raw: expanded.value,
  };
}

/** What is right with a file that has errors. */
function restOf(value: unknown, findings: readonly Finding[]): ReturnType<ParsedFile['rest']> {
  const { value: own, left } = mended(value, findings);
  const parsed = experimentSchema.safeParse(withoutRefused(own));
  const again = parsed.success ? referenceFindings(own).some(({ severity }) => severity === 'error') : true;
  return parsed.success && !again ? { experiment: resolveExperiment(parsed.data, hasScoresAlone(own)), left } : null;
}

function samePlace(a: Range, b: Range): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

/** Scores made of influence bring it along. */
function hasScoresAlone(value: unknown): boolean {
  if (!isMapping(value) || value.score !== undefined) return false;
  const asked: unknown[] = Array.isArray(value.data_scores) ? value.data_scores : [];
  const ids = asked.flatMap((entry) => (isMapping(entry) ? Object.keys(entry) : [String(entry)]));
  if (dataScores.some(({ id, influence }) => influence && ids.includes(id))) return false;
  return value.scores !== undefined || asked.length > 0;
}

/**
 * Reads the file from disk.
 * @throws ExperimentError for the first error; LayerifError `badExperiment` when it cannot be read
 */
export function loadExperiment(file: string): Experiment {
  const { experiment, problems } = parseExperiment(readExperimentText(file), file);
  if (experiment) return experiment;
  throw new ExperimentError(
    problems.find(({ severity }) => severity === 'error')!,
    problems,
  );
}

/** @throws LayerifError `badExperiment` */
export function readExperimentText(file: string): string {
  try {
    return readText(file, 'yaml').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : faultWords(error);
    const advice = 'give the path of a *.layerif.yaml or layerif.yaml file';
    const url = urlIn(file);
    if (code === 'ENOENT' && url !== null)
      throw new LayerifError(
        'badExperiment',
        `cannot read the experiment ${url}: it is a URL; download it and ${advice}`,
      );
    const what = code === 'EENCODING' ? why : `${why}; ${advice}`;
    throw new LayerifError('badExperiment', `cannot read the experiment ${file}: ${what}`, { cause: error });
  }
}

function textProblems(source: YamlSource): Problem[] {
  const hooks = source
    .functions()
    // Refused keys have the same advice already; what is under the others does not reach a text.
    .filter(({ keys }) => !keys.some((key) => Object.hasOwn(refusedTaskKeys, key) || keysBesideTexts.has(key)))
    .map(({ keys, source: name, range }) => ({
      ...range,
      message: functionMessage(keys.at(-1) ?? '', name),
      severity: 'error' as const,
    }));
  return [...source.problems, ...hooks].map((problem: PlacedProblem) => ({ ...problem, path: [] }));
}

/** Keys of a task that come from an included file have their place there. */
function positionsIn(root: YamlSource, { origins }: Expanded): Positions {
  const where = (path: Path): [YamlSource, Path] => {
    const [section, index, key] = path;
    const origin = section === 'tasks' && typeof index === 'number' ? origins.get(index)?.get(String(key)) : undefined;
    return origin ? [origin, path.slice(2)] : [root, path];
  };
  const ask = <T>(path: Path, question: (source: YamlSource, path: Path) => T) => question(...where(path));
  return {
    has: (path) => ask(path, (source, inner) => source.has(inner)),
    key: (path) => ask(path, (source, inner) => source.keyRange(inner)),
    value: (path) => ask(path, (source, inner) => source.valueRange(inner)),
    at: (line, column) => root.pathAt(line, column),
  };
}

/** Keys for which harness files write null where they mean the default. */
const nullable = new Set(['num_fewshot']);

/** Refused keys have their own message; the schema need not complain about them again. */
function withoutRefused(value: unknown): unknown {
  if (!isMapping(value) || !Array.isArray(value.tasks)) return value;
  const keep = (task: unknown) =>
    isMapping(task)
      ? Object.fromEntries(
          Object.entries(task).filter(
            ([key, item]) => !Object.hasOwn(refusedTaskKeys, key) && !(item === null && nullable.has(key)),
          ),
        )
      : task;
  return { ...value, tasks: value.tasks.map(keep) };
}

/** A misspelt key is not also a missing one. */
function withoutConsequences(findings: Finding[]): Finding[] {
  const join = (path: Path) => JSON.stringify(path);
  const meant = findings
    .filter(({ meant }) => meant !== undefined)
    .map(({ path, meant }) => join([...path.slice(0, -1), meant!]));
  return findings.filter(
    (finding) => finding.meant !== undefined || finding.at !== 'key' || !meant.includes(join(finding.path)),
  );
}

function ignoredFindings(value: unknown): Finding[] {
  if (!isMapping(value) || !Array.isArray(value.tasks)) return [];
  return value.tasks.flatMap((task: unknown, index): Finding[] =>
    isMapping(task)
      ? ignoredKeys(task).map((key) => ({
          path: ['tasks', index, ...key.split('.')],
          at: 'key',
          message: `${key} is accepted from harness task files and ignored: it does not change layer scores`,
          severity: 'information',
        }))
      : [],
  );
}

/** By place, problems of the experiment's own text first. */
function sorted(problems: Problem[], file: string): Problem[] {
  const other = (problem: Problem) => (problem.file === file ? 0 : 1);
  return problems.sort((a, b) => other(a) - other(b) || a.line - b.line || a.column - b.column);
}
