/**
 * Experiments at random that ask for more than there is: of time, of memory, or of files that never end. A family is a
 * row; each writes what it needs into the folder of the tiny workspace and gives the experiment's text.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { wideningTemplates } from '../data/wideningTemplates.ts';
import { experiment, copyModel, pick, writeRows, type Kind } from './hostileExperiments.ts';

type Random = () => number;

const whole = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

/** A file that is none: a pipe that nobody writes to, a device, a folder, a text without end. */
const strangers: Readonly<Record<string, (file: string) => void>> = {
  pipe: (file) => void execFileSync('mkfifo', [file]),
  zeros: (file) => fs.symlinkSync('/dev/zero', file),
  noise: (file) => fs.symlinkSync('/dev/urandom', file),
  terminal: (file) => fs.symlinkSync('/dev/tty', file),
  folder: (file) => fs.mkdirSync(file),
  itself: (file) => fs.symlinkSync(path.basename(file), file),
  sparse(file) {
    fs.writeFileSync(file, '{');
    fs.truncateSync(file, 2 ** 41);
  },
  brackets: (file) => fs.writeFileSync(file, '['.repeat(200_000)),
};

function stranger(random: Random, file: string): void {
  fs.rmSync(file, { recursive: true, force: true });
  strangers[pick(random, Object.keys(strangers))](file);
}

/** A pattern with repetition within repetition. */
function backtracking(random: Random): string {
  const letter = pick(random, ['a', '[a-z]', '\\w', '.', '(a|a)', '(a|aa)', '(a?)']);
  const inner = `(${letter}${pick(random, ['+', '*', '{1,}', '+?'])}${pick(random, ['', 'a?', '|a'])})`;
  return inner + pick(random, ['+', '*', '{2,}']) + pick(random, ['$', '!!', '\\d$', '(?=!!)']);
}

const sizes = (random: Random): string => pick(random, ['999', '9999', '99999', '10**5']);

/** A template's text; `text` is 34 letters a and a sign. */
const templates: Readonly<Record<string, (random: Random) => string>> = {
  loops(random) {
    const depth = whole(random, 2, 5);
    const body = pick(random, ['', '{{ i }}', '{% set x = i %}', "{{ 'x' * 100 }}"]);
    return `{% for i in range(${sizes(random)}) %}`.repeat(depth) + body + '{% endfor %}'.repeat(depth);
  },
  doubling(random) {
    const start = pick(random, ["'ab'", '[1, 2]', '(1, 2)']);
    const grow = pick(random, ['ns.x + ns.x', 'ns.x * 3', '[ns.x, ns.x]', 'ns.x|list + ns.x|list']);
    return `{% set ns = namespace(x=${start}) %}{% for i in range(200) %}{% set ns.x = ${grow} %}{% endfor %}{{ ns.x }}`;
  },
  widening: (random) => pick(random, wideningTemplates)[0],
  patterns: (random) => `{{ text | regex_replace(${JSON.stringify(backtracking(random))}, 'x') }}`,
  macros: (random) =>
    pick(random, [
      '{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}',
      '{% macro m(n) %}{% if n < 60 %}{{ m(n + 1) }}{{ m(n + 1) }}{% endif %}{% endmacro %}{{ m(0) }}',
      '{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}',
    ]),
  nesting(random) {
    const depth = whole(random, 2000, 60_000);
    const [open, close] = pick(random, [
      ['(', ')'],
      ['[', ']'],
      ['not ', ''],
      ['-', ''],
    ]);
    return `{{ ${open.repeat(depth)}1${close.repeat(depth)} }}`;
  },
};

export const families = {
  template(folder, random) {
    writeRows(folder);
    return experiment({ text: templates[pick(random, Object.keys(templates))](random) });
  },
  include(folder, random) {
    const name = (depth: number): string => `inc${depth}.yaml`;
    const depth = whole(random, 1, 30);
    const width = whole(random, 1, 4);
    for (let i = 0; i < depth; i++) {
      const next = Array.from({ length: width }, () => name(i + 1)).join(', ');
      fs.rmSync(path.join(folder, name(i)), { recursive: true, force: true });
      fs.writeFileSync(path.join(folder, name(i)), `include: [${next}]\n`);
    }
    // The last one: a circle, or no file.
    const last = path.join(folder, name(depth));
    if (random() < 0.3) {
      fs.rmSync(last, { recursive: true, force: true });
      fs.writeFileSync(last, `include: ${name(0)}\n`);
    } else stranger(random, last);
    return experiment({ extra: `include: ${name(0)}` });
  },
  model(folder, random) {
    writeRows(folder);
    const model = copyModel(folder, 'strangeModel');
    stranger(random, path.join(model, pick(random, ['config.json', 'tokenizer.json', 'model.safetensors'])));
    return experiment({ model: './strangeModel' });
  },
  data(folder, random) {
    const name = `strange.${pick(random, ['jsonl', 'json', 'csv', 'parquet', 'arrow', 'jsonl.gz', 'jsonl.xz', 'txt'])}`;
    stranger(random, path.join(folder, name));
    return experiment({ data: name });
  },
  unfolding(folder, random) {
    const [form, begin] = pick(random, [
      ['jsonl', '{"text": "'],
      ['json', '[{"text": "'],
      ['csv', 'text,label\n"'],
      ['txt', ''],
    ]);
    const zeros = gzipSync(Buffer.concat([Buffer.from(begin), Buffer.alloc(2 ** 26, 'a')]));
    // Members of gzip stand behind each other: 64 MiB each.
    const file = path.join(folder, `bomb.${form}.gz`);
    fs.writeFileSync(file, Buffer.concat([zeros, ...Array<Buffer>(40).fill(gzipSync(Buffer.alloc(2 ** 26, 'a')))]));
    return experiment({ data: `bomb.${form}.gz` });
  },
  yaml(_folder, random) {
    const length = whole(random, 1000, 250_000);
    const laughs = Array.from({ length: 12 }, (_, i) => `k${i + 1}: &k${i + 1} [${`*k${i}, `.repeat(9)}]`).join('\n');
    return pick(random, [
      `${experiment({})}# ${'x'.repeat(10_000_000)}\n`,
      `a: ${'['.repeat(length)}`,
      `a: ${'{a: '.repeat(length / 4)}`,
      `${'- '.repeat(length / 2)}a\n`,
      `k0: &k0 [1]\n${laughs}\n`,
      `a: "${'\\x41'.repeat(length / 4)}`,
      `${'? '.repeat(length / 2)}a\n`,
      `a: ${'&x '.repeat(length / 3)}b\n`,
      `a: ${'!t '.repeat(length / 3)}b\n`,
      `${'\t'.repeat(length)}a: b\n`,
      `a: >\n${' x\n'.repeat(length / 3)}`,
    ]);
  },
} satisfies Record<string, Kind>;

/** @returns a name for messages and the experiment's text */
export function drawn(folder: string, random: Random): { family: string; text: string } {
  const family = pick(random, Object.keys(families) as (keyof typeof families)[]);
  return { family, text: families[family](folder, random) };
}
