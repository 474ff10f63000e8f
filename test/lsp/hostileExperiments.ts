/**
 * Experiments that would keep a program busy for ever, one row per kind, and a seeded choice of them. Each kind writes
 * what it needs into a folder that holds the tiny workspace of `tinyLlama.ts` and gives the text of its experiment.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** @param random uniform in [0, 1) @returns the experiment's text */
export type Kind = (folder: string, random: () => number) => string;

interface TaskOptions {
  model?: string;
  text?: string;
  data?: string;
  extra?: string;
}

export function experiment({
  model = './model',
  text = '{{text}}',
  data = 'data/h.jsonl',
  extra = '',
}: TaskOptions): string {
  return [
    'version: 1',
    `model: { path: ${JSON.stringify(model)} }`,
    `datasets: { s: { path: ${JSON.stringify(data)} } }`,
    'tasks:',
    '  - task: t',
    '    dataset: s',
    '    training_split: train[:8]',
    '    validation_split: train[8:12]',
    `    doc_to_text: ${JSON.stringify(text)}`,
    '    doc_to_target: label',
    ...(extra ? [`    ${extra}`] : []),
    'score: { estimator: datainf }',
    '',
  ].join('\n');
}

/** Rows that a backtracking engine takes 2^30 steps for. */
export function writeRows(folder: string, length = 34): void {
  const rows = Array.from({ length: 20 }, (_, i) => JSON.stringify({ text: `${'a'.repeat(length)}!${i}`, label: 'x' }));
  fs.writeFileSync(path.join(folder, 'data', 'h.jsonl'), `${rows.join('\n')}\n`);
}

export function copyModel(folder: string, name: string): string {
  const to = path.join(folder, name);
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(path.join(folder, 'model'), to, { recursive: true });
  return to;
}

function changeTokenizer(folder: string, name: string, change: (json: Record<string, unknown>) => void): string {
  const file = path.join(copyModel(folder, name), 'tokenizer.json');
  const json = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(json);
  fs.writeFileSync(file, JSON.stringify(json));
  writeRows(folder);
  return experiment({ model: `./${name}` });
}

export const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)];

/** Kinds that keep a loop busy although every text is read from a regular file of a sensible size. */
export const busyKinds = {
  yamlKeys(folder, random) {
    writeRows(folder);
    // Every key is compared with all before it.
    const keys = Array.from({ length: 40_000 + Math.floor(1000 * random()) }, (_, i) => `${i.toString(36)}:`);
    return `${keys.join('\n')}\n`;
  },
} satisfies Record<string, Kind>;

/** Scores of these never come to tokens: the check of a file does not tokenize, a run does. */
export const busyRuns = {
  tokenizerRegex(folder, random) {
    const Regex = pick(random, ['(a+)+$', '(a|aa)+$', '([a-z]*)*!$']);
    return changeTokenizer(folder, 'regexModel', (json) => {
      json.pre_tokenizer = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
    });
  },
} satisfies Record<string, Kind>;

/** Kinds that are refused at once, with what the message says. */
export const refusedKinds = {
  regexReplace: [
    (folder) => {
      writeRows(folder);
      return experiment({ text: "{{ text | regex_replace('(a|a?)+$', 'x') }}" });
    },
    /takes longer than 1 s: it backtracks/,
  ],
  nestedLoops: [
    (folder) => {
      writeRows(folder);
      return experiment({ text: '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}' });
    },
    /the template takes more than \d+ steps|stopped analysing this file: it was not done/,
  ],
  pipeIncluded: [pipe('include', (name) => experiment({ extra: `include: ${name}` })), /it is a named pipe/],
  deviceIncluded: [() => experiment({ extra: 'include: /dev/zero' }), /it is a device/],
  includeTree: [
    (folder) => {
      for (let i = 0; i < 15; i++)
        fs.writeFileSync(path.join(folder, `tree${i}.yaml`), `include: [tree${i + 1}.yaml, tree${i + 1}.yaml]\n`);
      fs.writeFileSync(path.join(folder, 'tree15.yaml'), 'description: x\n');
      return experiment({ extra: 'include: tree0.yaml' });
    },
    /includes more than 200 files/,
  ],
  includeChain: [
    (folder) => {
      for (let i = 0; i < 40; i++)
        fs.writeFileSync(path.join(folder, `chain${i}.yaml`), `include: chain${i + 1}.yaml\n`);
      return experiment({ extra: 'include: chain0.yaml' });
    },
    /more than 20 deep/,
  ],
  pipeAsConfig: [
    (folder) => {
      const model = copyModel(folder, 'pipeModel');
      fs.rmSync(path.join(model, 'config.json'));
      execFileSync('mkfifo', [path.join(model, 'config.json')]);
      return experiment({ model: './pipeModel' });
    },
    /config\.json cannot be read: it is a named pipe/,
  ],
  pipeAsData: [pipe('rows.jsonl', (name) => experiment({ data: name })), /named pipe|no regular file|there is no/],
  largeYaml: [() => `${experiment({})}# ${'x'.repeat(10_000_000)}\n`, /at most 262144 are read/],
  doubledText: [
    (folder) => {
      writeRows(folder);
      const grow = '{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}';
      return experiment({ text: `{% set ns = namespace(x='ab') %}${grow}{{ ns.x }}` });
    },
    /a text of \d+ characters or more; at most 10000000 are made/,
  ],
  keptLists: [
    (folder) => {
      writeRows(folder);
      const grow = '{% for i in range(500) %}{% set ns.x = ns.x + [[i] * 9000000] %}{% endfor %}';
      return experiment({ text: `{% set ns = namespace(x=[]) %}${grow}{{ ns.x | length }}` });
    },
    /the template reads and makes more than \d+ characters and elements/,
  ],
  widened: [
    (folder) => {
      writeRows(folder);
      return experiment({ text: "{{ 'a'.center(999999999) }}" });
    },
    /doc_to_text fails on row 0 \(a text of 999999999 characters or more; at most 10000000 are made\)/,
  ],
  nestedLists: [
    (folder) => {
      writeRows(folder);
      return experiment({ text: '{{ [[1] * 1000] * 1000 * 1000 }}' });
    },
    /a text of \d+ characters or more; at most 10000000 are made/,
  ],
  replacedText: [
    (folder) => {
      writeRows(folder);
      return experiment({ text: "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}" });
    },
    /a text of \d+ characters or more; at most 10000000 are made/,
  ],
  deviceAsData: [() => experiment({ data: '/dev/zero' }), /device|no regular file|there is no|ending/],
  deepYaml: [() => `a: ${'['.repeat(100_000)}`, /deep in each other/],
  aliases: [() => `a: &a 1\nb:\n${'- *a\n'.repeat(2000)}`, /more than 500 aliases/],
} satisfies Record<string, [(folder: string) => string, RegExp]>;

function pipe(name: string, text: (name: string) => string): (folder: string) => string {
  return (folder) => {
    const file = path.join(folder, name);
    fs.rmSync(file, { force: true });
    execFileSync('mkfifo', [file]);
    return text(name);
  };
}
