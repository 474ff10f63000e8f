/**
 * A YAML text with the place of everything in it.
 *
 * Paths are lists of keys and indices as in the plain value. A path that is not there has the place of its nearest
 * parent. Aliases (`*name`) and merge keys (`<<`) are followed to where the text really stands. Lines and columns count
 * from 1, columns in UTF-16 units as editors do.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node, Pair, ScalarTag, YAMLError } from 'yaml';
import { pyyaml } from './pyyaml.ts';
import { aliasesOf, isMergeKey } from './yamlAliases.ts';
import { indentedMore } from './yamlIndent.ts';
import { syntaxWords } from './yamlWords.ts';
import { textLimits } from '../files/textFile.ts';

export type Path = readonly (string | number)[];

export interface Range {
  file: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

/** `!function utils.f`, a Python function of a harness file: its value keeps the tag, so that it is no text. */
const functionTag: ScalarTag = { tag: '!function', resolve: (source) => `!function ${source}` };

/** A problem in the text itself; `path` is not known for these. */
export interface SyntaxProblem extends Range {
  message: string;
  severity: 'error' | 'warning';
}

interface Found {
  /** The key's node, absent for list items and the root. */
  key: Node | null;
  value: Node | null;
  /** How many parts of the path exist. */
  depth: number;
}

/** Collections within collections; a task file has five or six. */
const DEEPEST = 60;

export class YamlSource {
  readonly file: string;
  /** The plain value; undefined when the text is broken. */
  readonly value: unknown;
  readonly problems: SyntaxProblem[] = [];
  readonly #doc: Document.Parsed;
  readonly #targets: ReadonlyMap<Alias, Node> = new Map();
  readonly #lines = new LineCounter();
  /** As it was read: some lines may be indented more than in the file, by what `#added` says. */
  readonly #text: string;
  readonly #added: ReadonlyMap<number, number>;

  /** @param dialect `pyyaml` for a task file of the harness */
  constructor(text: string, file: string, dialect: 'yaml1.2' | 'pyyaml' = 'yaml1.2') {
    this.file = file;
    // An editor's text does not come through `readText`.
    const refusal = tooMuch(text);
    if (refusal) text = '';
    const parse = (read: string, lineCounter?: LineCounter) => parseYaml(read, dialect, lineCounter);
    const indented = indentedMore(text, parse);
    this.#text = indented?.text ?? text;
    this.#added = indented?.added ?? new Map<number, number>();
    this.#doc = parse(this.#text, this.#lines);
    if (refusal) {
      this.problems.push({ ...this.#range(0, 0), message: refusal, severity: 'error' });
      return;
    }
    let broken = false;
    const seen = new Set<number>();
    for (const error of this.#doc.errors) {
      const duplicate = error.code === 'DUPLICATE_KEY';
      broken ||= !duplicate;
      const range = this.#range(error.pos[0], error.pos[1]);
      // One slip makes the parser complain several times about its line.
      if (seen.has(range.line)) continue;
      seen.add(range.line);
      this.problems.push({
        ...(duplicate ? this.#duplicate(error, range) : { ...range, message: syntaxWords(error) }),
        severity: 'error',
      });
    }
    for (const warning of this.#doc.warnings) {
      const tag = /^Unresolved tag: (\S+)/.exec(warning.message)?.[1];
      const message = tag ? `the tag ${tag} means nothing here and is ignored` : warning.message;
      this.problems.push({ ...this.#range(...warning.pos), message, severity: 'warning' });
    }
    const { targets, faults } = aliasesOf(this.#doc);
    this.#targets = targets;
    for (const { node, message } of faults)
      this.problems.push({ ...this.#nodeRange(node), message, severity: 'error' });
    if (broken || faults.length > 0) return;
    // What stands behind aliases has been measured: the library's own limit knows no place.
    this.value = this.#doc.toJS({ maxAliasCount: -1 }) as unknown;
  }

  has(path: Path): boolean {
    return this.#find(path).depth === path.length;
  }

  /** The key (for a list item: where the item begins). */
  keyRange(path: Path): Range {
    const found = this.#find(path);
    return this.#nodeRange(found.key ?? firstOf(found.value));
  }

  /** The value, as far as it stands on its first line; the key where there is no value or the path does not exist. */
  valueRange(path: Path): Range {
    const found = this.#find(path);
    if (found.depth < path.length) return this.#nodeRange(found.key ?? firstOf(found.value));
    const [start, end] = found.value?.range ?? [0, 0];
    return start === end ? this.keyRange(path) : this.#range(start, end);
  }

  /** What stands at a line and column: the deepest key or value there. Aliases are not followed. */
  pathAt(line: number, column: number): { path: Path; on: 'key' | 'value' } | null {
    const start = this.#lines.lineStarts[line - 1] ?? this.#text.length;
    const offset = start + (this.#added.get(line) ?? 0) + column - 1;
    const within = (node: unknown) => {
      const range = (node as Node | null)?.range;
      return !!range && range[0] <= offset && offset <= range[1];
    };
    const path: (string | number)[] = [];
    let node = this.#doc.contents as Node | null;
    for (;;) {
      if (isSeq(node)) {
        const index = node.items.findIndex(within);
        if (index < 0) return null;
        path.push(index);
        node = node.items[index] as Node;
      } else if (isMap(node)) {
        const pair = node.items.find(({ key, value }) => within(key) || within(value));
        const name = nameOf(pair?.key);
        if (!pair || name === undefined) return null;
        path.push(name);
        if (within(pair.key)) return { path, on: 'key' };
        node = pair.value as Node;
      } else {
        return within(node) ? { path, on: 'value' } : null;
      }
    }
  }

  /** Names behind a `!function` tag with the keys they stand under, the outermost first. */
  functions(): { keys: string[]; source: string; range: Range }[] {
    const found: { keys: string[]; source: string; range: Range }[] = [];
    visit(this.#doc, {
      Scalar: (_, node, ancestors) => {
        if (node.tag !== '!function') return;
        const keys = ancestors.filter((a): a is Pair => isPair(a)).map((pair) => nameOf(pair.key) ?? '');
        found.push({ keys, source: String(node.value).replace('!function ', ''), range: this.#nodeRange(node) });
      },
    });
    return found;
  }

  #find(path: Path): Found {
    let found: Found = { key: null, value: this.#doc.contents, depth: 0 };
    for (const part of path) {
      const next = this.#step(found.value, part);
      if (!next) return found;
      found = { ...next, depth: found.depth + 1 };
    }
    return found;
  }

  #step(parent: Node | null, part: string | number): Omit<Found, 'depth'> | null {
    const node = this.#resolved(parent);
    if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      return item ? { key: null, value: item } : null;
    }
    if (!isMap(node)) return null;
    const named = (name: string) => node.items.filter(({ key }) => nameOf(key) === name);
    // Of two equal keys the later one counts.
    const pair = named(String(part)).at(-1);
    if (pair) return { key: pair.key as Node, value: pair.value as Node | null };
    for (const { value } of named('<<')) {
      const target = this.#resolved(value as Node | null);
      for (const source of isSeq(target) ? (target.items as Node[]) : [target]) {
        const inherited = this.#step(source, part);
        if (inherited) return inherited;
      }
    }
    return null;
  }

  #resolved(node: Node | null): Node | null {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  #nodeRange(node: Node | null): Range {
    return this.#range(node?.range?.[0] ?? 0, node?.range?.[1] ?? 0);
  }

  /** Offsets to a range that ends on the line it begins on: a mark over half a file says nothing. */
  #range(start: number, end: number): Range {
    const newline = this.#text.slice(start, end).search(/\r?\n/);
    const from = this.#lines.linePos(start);
    const to = this.#lines.linePos(Math.max(start, newline < 0 ? end : start + newline));
    const line = Math.max(1, from.line);
    return {
      file: this.file,
      line,
      column: Math.max(1, from.col - (this.#added.get(from.line) ?? 0)),
      endLine: Math.max(line, to.line),
      endColumn: Math.max(1, to.col - (this.#added.get(to.line) ?? 0)),
    };
  }

  #duplicate(error: YAMLError, range: Range): Range & { message: string } {
    const offset = error.pos[0];
    let first: number | undefined;
    let name = '';
    let width = 0;
    visit(this.#doc, {
      Map: (_, map) => {
        const again = map.items.find(({ key }) => isScalar(key) && key.range?.[0] === offset);
        if (!again || !isScalar(again.key)) return;
        name = nameOf(again.key) ?? '';
        width = again.key.range![1] - again.key.range![0];
        const earlier = map.items.find(({ key }) => nameOf(key) === name);
        first = isScalar(earlier?.key) ? earlier.key.range?.[0] : undefined;
        return visit.BREAK;
      },
    });
    const where = first === undefined ? '' : `, it already stands in line ${this.#lines.linePos(first).line}`;
    return {
      ...range,
      ...this.#range(offset, offset + width),
      message: `duplicate key "${name}"${where}: remove one of the two`,
    };
  }
}

/** Merge keys (`<<`) are those of PyYAML in both. */
function parseYaml(text: string, dialect: 'yaml1.2' | 'pyyaml', lineCounter?: LineCounter): Document.Parsed {
  const common = { prettyErrors: false, merge: true, ...(lineCounter ? { lineCounter } : {}) };
  if (dialect === 'yaml1.2') return parseDocument(text, { ...common, customTags: [functionTag] });
  const { tags, ...options } = pyyaml;
  return parseDocument(text, { ...common, ...options, customTags: [...tags, functionTag] });
}

/** What is not even parsed, with the reason: parsing takes time with the square of some of these. */
function tooMuch(text: string): string | null {
  if (text.length > textLimits.yaml)
    return `the text has ${text.length} characters, at most ${textLimits.yaml} are read: lists of data belong into a dataset's file`;
  // Flow collections: brackets in quotes count too, an upper bound that no real file comes near.
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > 10 * DEEPEST)
      return `brackets stand more than ${10 * DEEPEST} deep in each other: write the text flatter`;
  }
  for (const [indent] of text.matchAll(/^(?:[-?] ?)+/gm)) {
    if (indent.length > 2 * DEEPEST)
      return `lists stand more than ${DEEPEST} deep in each other: write the text flatter`;
  }
  return null;
}

/** A key as it appears in the plain value. */
function nameOf(key: unknown): string | undefined {
  if (isMergeKey(key)) return '<<';
  return isScalar(key) ? String(key.value) : undefined;
}

/** Where a collection begins to be visible: its first key. */
function firstOf(node: Node | null): Node | null {
  return isMap(node) && node.items[0] ? (node.items[0].key as Node) : node;
}
