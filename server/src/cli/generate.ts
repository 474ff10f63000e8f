/** `layerif generate FILE|MODEL`: texts that a model writes behind prompts. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { GeneratedFile } from '../../../protocol/generation.ts';
import { generateFile } from '../run/generate/generateFile.ts';
import type { GenerateOptions } from '../run/generate/generateFile.ts';
import { samplingSettings } from '../generation/settings.ts';
import type { AskedSampling } from '../generation/settings.ts';
import { readLimit } from './evaluate.ts';
import { counted, duration } from './format.ts';
import { readCount } from './lists.ts';
import { machineOptions } from './options.ts';
import type { OptionName } from './options.ts';
import { progressOn } from './progress.ts';
import type { Command, Options } from './types.ts';

const DEFAULT_NEW_TOKENS = 128;
/** Characters of a prompt in the heading of its text. */
const HEADING = 60;

export const generate: Command = {
  name: 'generate',
  argument: 'FILE|MODEL',
  summary: 'write texts behind prompts, greedily or by drawing',
  details:
    'MODEL is a folder, a .gguf file or a hub id; FILE is an experiment, whose model is taken, and the rows of its first task (or --task)\n' +
    'as prompts where none are given. Greedy unless --temperature is given; what the command line leaves open is as in the generation_config.json of\n' +
    'the model. A text ends with an ending token of the model, before a --stop text, or after --max-new-tokens. With --apply-chat-template prompts are\n' +
    'rendered as the turn of a user; conversations ("messages") are always rendered, and one that ends with a message of the assistant is gone on with.',
  options: [
    'prompt',
    'prompts',
    'apply-chat-template',
    'chat-template',
    'system-instruction',
    'task',
    'limit',
    'adapter',
    'max-new-tokens',
    'stop',
    'temperature',
    'top-k',
    'top-p',
    'min-p',
    'repetition-penalty',
    'seed',
    'json',
    ...machineOptions,
  ],
  words: { 'top-k': { help: 'how many tokens are drawn from (default: of the model, else 50)' } },
  cooperative: true,

  async run(argument, options, terminal) {
    const progress = progressOn(terminal);
    const { values } = options;
    const prompts = options.all.prompt;
    // One text alone is shown as it grows; several would be mixed up.
    const alone = prompts?.length === 1 && values.prompts === undefined && !options.json;
    try {
      const made = await generateFile({
        target: argument,
        baseDir: terminal.baseDir,
        prompts,
        promptsFile: values.prompts,
        chat: chatOf(options),
        task: options.task.at(-1),
        limit: values.limit === undefined ? undefined : readLimit(values.limit),
        adapter: values.adapter,
        maxNewTokens:
          values['max-new-tokens'] === undefined
            ? DEFAULT_NEW_TOKENS
            : readCount('max-new-tokens', values['max-new-tokens'], 1),
        stop: options.all.stop ?? [],
        sampling: readSampling(values),
        machine: options.machine,
        signal: terminal.signal,
        onText: (_, piece) => {
          if (alone) terminal.out(piece);
        },
        onNote: (note) => terminal.err(`Note: ${note}\n`),
        onProgress: (event) => {
          if (!alone) progress.update({ task: '', phase: 'generate', ...event });
        },
      });
      progress.clear();
      if (options.json) terminal.out(`${JSON.stringify(made)}\n`);
      else terminal.out(alone ? '\n' : textsReport(made));
      if (!options.json) terminal.err(`${rateLine(made)}\n`);
      return 0;
    } finally {
      progress.clear();
    }
  },
};

/** @throws LayerifError `badRequest` for an instruction that would have no effect */
function chatOf({ values, flags }: Options): GenerateOptions['chat'] {
  const [named, system] = [values['chat-template'], values['system-instruction']];
  if (flags.has('apply-chat-template') || named !== undefined) return { template: named ?? true, system };
  if (system === undefined) return undefined;
  throw new LayerifError(
    'badRequest',
    `--system-instruction ${JSON.stringify(system.slice(0, 40))} is a message of a conversation; give --apply-chat-template too`,
  );
}

const samplingOptions: Readonly<Record<keyof typeof samplingSettings, OptionName>> = {
  temperature: 'temperature',
  topK: 'top-k',
  topP: 'top-p',
  minP: 'min-p',
  repetitionPenalty: 'repetition-penalty',
};

/** A temperature asks for drawing; what needs drawing is refused without. @throws LayerifError `badRequest` */
export function readSampling(values: Options['values']): AskedSampling {
  const asked: AskedSampling = { doSample: values.temperature !== undefined };
  for (const [name, option] of Object.entries(samplingOptions) as [keyof typeof samplingSettings, OptionName][]) {
    const text = values[option];
    if (text === undefined) continue;
    const value = text.trim() === '' ? NaN : Number(text);
    const { fits, allowed } = samplingSettings[name];
    if (!Number.isFinite(value) || !fits(value))
      throw new LayerifError('badRequest', `--${option} "${text}": needed is ${allowed}`);
    if (!asked.doSample && name !== 'repetitionPenalty') {
      throw new LayerifError(
        'badRequest',
        `--${option} ${text} is about drawing, and the likeliest token is taken without --temperature; give --temperature X, for example 1`,
      );
    }
    asked[name] = value;
  }
  if (values.seed !== undefined) asked.seed = readCount('seed', values.seed, 0);
  return asked;
}

function textsReport({ texts }: GeneratedFile): string {
  return texts
    .map(({ prompt, text }, i) => {
      const line = prompt.replaceAll(/\s+/g, ' ').trim();
      const end = line.length > HEADING ? `… ${line.slice(-HEADING)}` : line;
      return `[${i + 1}] ${end}\n${text}\n`;
    })
    .join('\n');
}

function rateLine({ texts, tokensPerSecond, provenance }: GeneratedFile): string {
  const made = texts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const rate = tokensPerSecond.new === null ? '' : `, ${tokensPerSecond.new.toFixed(1)} tokens per second`;
  return `${counted(made, 'token')} in ${duration(provenance.seconds)} on ${provenance.device}${rate}`;
}
