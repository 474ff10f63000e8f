import { test } from 'node:test';
import assert from 'node:assert/strict';
import { LayerifError } from '../../protocol/errors.ts';
import { parseCommandLine } from '../../server/src/cli/arguments.ts';
import { commandHelp, generalHelp } from '../../server/src/cli/help.ts';
import { commands as everyCommand } from '../../server/src/cli/commands.ts';
import { commonOptions, machineOptions } from '../../server/src/cli/options.ts';
import type { Command } from '../../server/src/cli/types.ts';
import { explained, wrapped } from '../../server/src/cli/wrap.ts';
import { assertGolden } from '../golden/golden.ts';

const command = (name: string, argument: string, options: Command['options']): Command => ({
  name,
  argument,
  summary: `does ${name}`,
  details: `Details of ${name}.`,
  options,
  run: () => Promise.resolve(0),
});
const commands = [
  command('score', 'FILE', ['task', 'output', 'json', ...machineOptions]),
  command('check', 'FILE', []),
  {
    ...command('one', 'RESULT', ['task', 'output']),
    several: true,
    oneTask: true,
    words: { output: { value: 'FILE', help: 'the one file that is written' } },
  },
];
const parse = (...words: string[]) => parseCommandLine(words, commands);

test('arguments: every option, in any order, with = or a space', () => {
  const {
    command: found,
    argument,
    options,
  } = parse(
    '--device=cpu',
    'score',
    '--task',
    'a',
    'x.yaml',
    '--task=b',
    '--threads',
    '3',
    '--memory',
    '2.5',
    '--output',
    'out',
    '--json',
  );
  assert.equal(found?.name, 'score');
  assert.equal(argument, 'x.yaml');
  assert.deepEqual(options, {
    task: ['a', 'b'],
    output: 'out',
    json: true,
    verbose: false,
    help: false,
    version: false,
    machine: { device: 'cpu', threads: 3, memoryBytes: 2.5 * 2 ** 30 },
    values: { device: 'cpu', task: 'b', threads: '3', memory: '2.5', output: 'out' },
    all: { device: ['cpu'], task: ['a', 'b'], threads: ['3'], memory: ['2.5'], output: ['out'] },
    flags: new Set(['json']),
    more: [],
  });
});

test('arguments: a command that takes several gets the others beside the first', () => {
  const compare = { ...commands[0], name: 'compare', several: true };
  const { argument, options } = parseCommandLine(['compare', 'a.json', 'b.json', 'c.json'], [compare]);
  assert.deepEqual([argument, options.more], ['a.json', ['b.json', 'c.json']]);
});

test('arguments: defaults', () => {
  const { options } = parse('score', 'x.yaml');
  assert.deepEqual(options.machine, { device: 'auto', threads: undefined, memoryBytes: undefined });
  assert.deepEqual(options.task, []);
  assert.equal(options.output, undefined);
});

test('arguments: -- ends the options, so a file may start with a dash', () => {
  assert.equal(parse('score', '--', '--odd.yaml').argument, '--odd.yaml');
});

test('arguments: help and version need no argument', () => {
  assert.equal(parse('--help').options.help, true);
  assert.equal(parse('score', '-h').command?.name, 'score');
  assert.deepEqual([parse('help', 'score').command?.name, parse('help', 'score').options.help], ['score', true]);
  assert.equal(parse('--version').options.version, true);
  assert.equal(parse().command, null);
});

const wrong: [words: string[], message: RegExp][] = [
  [['scroe', 'x'], /^unknown command "scroe": did you mean "score"\? Known: score, check, one$/],
  [['quantum', 'x'], /^unknown command "quantum"; known: score, check, one$/],
  [['score', 'x', '--tusk', 'a'], /^unknown option "--tusk": did you mean "--task"\?/],
  [['score', 'x', '-x'], /^unknown option "-x"/],
  [['check', 'x', '--json'], /^layerif check has no option --json: it takes --verbose, --help, --version$/],
  [['score'], /^layerif score needs FILE/],
  [['score', 'a', 'b'], /^layerif score takes one FILE, but got 2: a b$/],
  [['score', 'x', '--task'], /^--task needs a value: --task NAME$/],
  [['score', 'x', '--task='], /^--task needs a value/],
  [['score', 'x', '--json=yes'], /^--json takes no value, but got "yes"$/],
  [
    ['score', 'x', '--device', 'gpu'],
    /^--device "gpu" is not a device: use one of auto, cpu, cuda, webgpu, dml, coreml$/,
  ],
  [['score', 'x', '--threads', '0'], /^--threads "0" is not a number of threads/],
  [['score', 'x', '--threads', '2.5'], /^--threads "2\.5"/],
  [['score', 'x', '--memory', '8GB'], /^--memory "8GB" is not an amount of memory: use a number of GiB/],
  [['score', 'x', '--memory', '0'], /^--memory "0"/],
  [['one', 'x', '--task', 'a', '--task', 'b'], /^layerif one takes one task, but got 2: a, b; run it once for each$/],
  [['one', 'x', '--output'], /^--output needs a value: --output FILE$/],
];
for (const [words, message] of wrong) {
  test(`arguments: bad input: ${words.join(' ')}`, () => {
    assert.throws(
      () => parse(...words),
      (error) => {
        assert.ok(error instanceof LayerifError && error.code === 'badRequest');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('help: made from the tables', () => {
  assertGolden('cli/help.txt', [generalHelp(commands, 80), ...commands.map((one) => commandHelp(one, 80))].join('\n'));
  for (const name of [...commonOptions, ...machineOptions])
    assert.ok(commandHelp(commands[0], 80).includes(`--${name}`));
});

test('help: every line of every command fits 80 characters, and options say what they mean there', () => {
  for (const one of everyCommand)
    for (const line of commandHelp(one, 80).split('\n')) assert.ok(line.length <= 80, `${one.name}: ${line}`);
  // The kinds of `list` are one word.
  for (const line of generalHelp(everyCommand, 80).split('\n'))
    assert.ok(line.length <= 80 || line.trim().startsWith('list '), line);
  const helpOf = (name: string) =>
    commandHelp(
      everyCommand.find((one) => one.name === name)!,
      200,
    );
  assert.match(helpOf('export'), /--output FILE +the file to write/);
  assert.match(helpOf('allocate'), /--output FILE +the file of allocations/);
  assert.match(helpOf('score'), /--output DIR +where results go/);
  assert.match(helpOf('prune'), /--output DIR +folder of the pruned model/);
  assert.match(helpOf('compare'), /--top-k N +how many of the highest layers/);
  assert.match(helpOf('allocate'), /--top-k N +experts that are active per token/);
  for (const one of everyCommand)
    for (const name of Object.keys(one.words ?? {})) assert.ok((one.options as string[]).includes(name), one.name);
});

test('wrap: lines break at spaces; a long word stands alone; columns hang below themselves', () => {
  assert.deepEqual(wrapped('eleven words  in\nall here', 20), ['eleven words in all', 'here']);
  const long = 'x'.repeat(30);
  assert.deepEqual(wrapped(`a ${long} b`, 20), ['a', long, 'b']);
  assert.deepEqual(wrapped('', 20), []);
  assert.deepEqual(
    explained(
      [
        ['id', 'some words that do not fit', 'source'],
        ['a long id on its own', 'right'],
      ],
      24,
      4,
    ),
    ['id  some words that do', '    not fit', '    source', 'a long id on its own', '    right'],
  );
});
