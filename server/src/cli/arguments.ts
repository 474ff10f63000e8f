/** Words of the command line -> command, argument and options, with "did you mean" for what is not known. */
import { parseArgs } from 'node:util';
import { LayerifError } from '../../../protocol/errors.ts';
import { nearest } from '../text/nearest.ts';
import { commonOptions, optionTable, readDevice, readMemory, readThreads, type OptionName } from './options.ts';
import type { Command, Options } from './types.ts';

export interface Invocation {
  /** Null for `layerif`, `layerif --help` and `layerif --version`. */
  command: Command | null;
  /** Null only when help or the version is asked for. */
  argument: string | null;
  options: Options;
}

/**
 * @throws LayerifError `badRequest` for an unknown command or option, a missing or superfluous argument, a wrong value.
 */
export function parseCommandLine(words: readonly string[], commands: readonly Command[]): Invocation {
  const { tokens } = parseArgs({
    args: [...words],
    options: optionTable,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<OptionName, string[]>();
  const positionals: string[] = [];
  const spoken = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const named = commands.find(({ name }) => name === (spoken[0] === 'help' ? spoken[1] : spoken[0]));
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (!Object.hasOwn(optionTable, token.name)) throw unknown('option', token.rawName, optionsOf(named));
    const name = token.name as OptionName;
    const wanted = optionTable[name].type;
    if (wanted === 'boolean' && token.value !== undefined) {
      throw new LayerifError('badRequest', `--${name} takes no value, but got "${token.value}"`);
    }
    if (wanted === 'string' && !token.value) {
      const value = named?.words?.[name]?.value ?? (optionTable[name] as { value: string }).value;
      throw new LayerifError('badRequest', `--${name} needs a value: --${name} ${value}`);
    }
    given.set(name, [...(given.get(name) ?? []), token.value ?? '']);
  }

  const [word, ...rest] = positionals[0] === 'help' ? positionals.slice(1) : positionals;
  if (positionals[0] === 'help') given.set('help', ['']);
  const options = read(given);
  if (word === undefined) return { command: null, argument: null, options };

  const command = commands.find(({ name }) => name === word);
  if (!command)
    throw unknown(
      'command',
      word,
      commands.map(({ name }) => name),
    );
  if (options.help || options.version) return { command, argument: null, options };
  const allowed: readonly OptionName[] = [...command.options, ...commonOptions];
  for (const name of given.keys()) {
    if (!allowed.includes(name)) {
      throw new LayerifError(
        'badRequest',
        `layerif ${command.name} has no option --${name}: it takes ${allowed.map((other) => `--${other}`).join(', ')}`,
      );
    }
  }
  if (command.oneTask && options.task.length > 1) {
    throw new LayerifError(
      'badRequest',
      `layerif ${command.name} takes one task, but got ${options.task.length}: ${options.task.join(', ')}; run it once for each`,
    );
  }
  const [argument, ...more] = rest;
  if (argument === undefined && command.without !== undefined) return { command, argument: command.without, options };
  if (argument === undefined)
    throw new LayerifError(
      'badRequest',
      `layerif ${command.name} needs ${command.argument}: layerif ${command.name} ${command.argument}`,
    );
  if (more.length > 0 && !command.several) {
    throw new LayerifError(
      'badRequest',
      `layerif ${command.name} takes one ${command.argument}, but got ${rest.length}: ${rest.join(' ')}`,
    );
  }
  return { command, argument, options: { ...options, more } };
}

function read(given: ReadonlyMap<OptionName, string[]>): Options {
  const last = (name: OptionName) => given.get(name)?.at(-1);
  const device = last('device');
  const threads = last('threads');
  const memory = last('memory');
  return {
    task: given.get('task') ?? [],
    ...(given.has('set') ? { set: given.get('set')! } : {}),
    output: last('output'),
    json: given.has('json'),
    verbose: given.has('verbose'),
    help: given.has('help'),
    version: given.has('version'),
    machine: {
      device: device === undefined ? 'auto' : readDevice(device),
      threads: threads === undefined ? undefined : readThreads(threads),
      memoryBytes: memory === undefined ? undefined : readMemory(memory),
    },
    values: Object.fromEntries(
      [...given].filter(([name]) => optionTable[name].type === 'string').map(([name, texts]) => [name, texts.at(-1)!]),
    ),
    all: Object.fromEntries([...given].filter(([name]) => optionTable[name].type === 'string')),
    more: [],
    flags: new Set([...given.keys()].filter((name) => optionTable[name].type === 'boolean')),
  };
}

/** "unknown command "scroe": did you mean "score"?" with the whole list when nothing is near. */
export function unknown(what: string, word: string, known: readonly string[]): LayerifError {
  const meant = nearest(word, known);
  return new LayerifError(
    'badRequest',
    `unknown ${what} "${word}"${meant === null ? '; known' : `: did you mean "${meant}"? Known`}: ${known.join(', ')}`,
  );
}

/** Those of the command that is asked for; of all commands where it is none. */
function optionsOf(command: Command | undefined): string[] {
  const names = command ? [...command.options, ...commonOptions] : Object.keys(optionTable);
  return names.map((name) => `--${name}`);
}
