/**
 * `adapter_config.json` of a PEFT LoRA adapter (Hu et al. 2021, arXiv 2106.09685; rank-stabilised scaling:
 * Kalajdzievski 2023, arXiv 2312.03732): which modules are adapted, with which rank and which factor s in y = x Wᵀ + s
 * (x Aᵀ) Bᵀ, with `lora_bias` + s b.
 *
 * Every key is one of three: read below, in `harmless` because it does not change what a trained adapter computes, or
 * in `refused` unless it has its neutral value. A key that is none of these is refused too, for a newer PEFT may mean
 * anything by it.
 */
import { inTime, TooSlow } from '../text/inTime.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { quoted } from './printable.ts';
import type { LoraFactor } from './types.ts';
import { lookup } from '../text/lookup.ts';

type Json = Readonly<Record<string, unknown>>;

export interface PeftConfig {
  baseModel: string | null;
  /** As written, for a description. */
  targetModules: string | readonly string[] | null;
  rank: number;
  /**
   * Rank and factor of a module.
   * @param path as PyTorch names it in the model, such as `model.layers.0.self_attn.q_proj`
   */
  factorOf(path: string): LoraFactor;
  /** Whether a module is adapted; null where the file leaves that to the model (`all-linear`, or nothing said). */
  targets(path: string): boolean | null;
}

/** Keys for training, initialisation or the adapter's card. */
const harmless = new Set([
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'ensure_weight_tying',
  'eva_config',
  'inference_mode',
  'loftq_config',
  'lora_dropout',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'task_type',
  // Only says how a base weight is stored, which matters for merging.
  'fan_in_fan_out',
]);

const read = new Set([
  'alpha_pattern',
  'exclude_modules',
  'init_lora_weights',
  'layers_pattern',
  'layers_to_transform',
  'lora_alpha',
  'lora_bias',
  'peft_type',
  'r',
  'rank_pattern',
  'target_modules',
  'target_parameters',
  'use_rslora',
]);

/** Keys that change the mathematics, with what to do; null, false and empty values are neutral. */
const refused: Readonly<Record<string, string>> = {
  use_dora: 'DoRA rescales the columns of the weights; merge the adapter into the model (peft: merge_and_unload)',
  modules_to_save: 'whole modules were trained too; merge the adapter into the model (peft: merge_and_unload)',
  trainable_token_indices: 'embeddings were trained too; merge the adapter into the model (peft: merge_and_unload)',
  layer_replication:
    'layers are repeated, each copy with factors of its own, so the adapted model has other layers than its base; merge the adapter into the model (peft: merge_and_unload)',
  alora_invocation_tokens:
    'the factors act only on tokens from the invocation sequence on (activated LoRA, arXiv 2504.12397), so the adapted model is not one model for all tokens; train a plain LoRA, or leave model.adapter out',
  use_qalora: 'QA-LoRA pools its inputs; merge the adapter into the model (peft: merge_and_unload)',
};

/**
 * Initialisations that leave the base weights as they are; the others (PiSSA, OLoRA, CorDA, LoftQ, ...) subtract from
 * them.
 */
const plainInitialisations: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'eva', 'orthogonal'];

/** Where a pattern matches a module's path; null where it does not. @throws LayerifError for one that backtracks */
type Match = (path: string) => RegExpExecArray | null;
/** @throws LayerifError for a text that is no regular expression */
type Pattern = (text: string, key: string) => Match;
const PATTERN_SECONDS = 1;

/** @throws LayerifError `badModel` naming the key, its value and what is supported */
export function peftConfig(file: string, json: Json): PeftConfig {
  const fail = (what: string): LayerifError => new LayerifError('badModel', `${file}: ${what}`, { place: { file } });
  const shown = (key: string): string => `${key} is ${quoted(json[key])}`;
  if (json.peft_type !== 'LORA') throw fail(`${shown('peft_type')}; only "LORA" adapters can be applied`);
  if ((json.bias ?? 'none') !== 'none')
    throw fail(`${shown('bias')}; only "none" is supported: merge the adapter into the model (peft: merge_and_unload)`);
  for (const [key, value] of Object.entries(json)) {
    if (isNeutral(value) || read.has(key) || harmless.has(key) || key === 'bias') continue;
    const why = Object.hasOwn(refused, key)
      ? lookup(refused, key)
      : 'this version does not know the key and what it changes; merge the adapter into the model (peft: merge_and_unload)';
    throw fail(`${shown(key)}: ${why}`);
  }
  if (!plainInitialisations.includes(json.init_lora_weights)) {
    throw fail(
      `${shown('init_lora_weights')}, which changes the base weights too; save it as plain LoRA (peft: save_pretrained with path_initial_model_for_weight_conversion)`,
    );
  }

  const positive = (key: string, value: unknown, whole: boolean): number => {
    if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
      throw fail(`${key} is ${quoted(value)}; a positive ${whole ? 'whole ' : ''}number is needed`);
    return value;
  };
  const pattern: Pattern = (text, key) => {
    let regex: RegExp;
    try {
      regex = new RegExp(text);
    } catch (error) {
      throw fail(`${shown(key)}, which holds no regular expression: ${(error as Error).message}`);
    }
    return (path) => {
      try {
        return inTime(PATTERN_SECONDS, () => regex.exec(path));
      } catch (error) {
        if (!(error instanceof TooSlow)) throw error;
        throw fail(
          `${shown(key)}, which takes longer than ${PATTERN_SECONDS} s for ${quoted(path)}: it backtracks; write it without nested repetition`,
        );
      }
    };
  };
  /** First matching key wins; a key stands for the end of a module's path. */
  const patterns = (key: string, whole: boolean): [Match, number][] => {
    const given = json[key] ?? {};
    if (typeof given !== 'object' || Array.isArray(given))
      throw fail(`${shown(key)}; an object of module names and numbers is needed`);
    return Object.entries(given).map(([name, value]) => [
      pattern(`^(.*\\.)?(${name})$`, key),
      positive(`${key}.${name}`, value, whole),
    ]);
  };
  const rank = positive('r', json.r ?? 8, true);
  const alpha = positive('lora_alpha', json.lora_alpha ?? 8, false);
  const [ranks, alphas] = [patterns('rank_pattern', true), patterns('alpha_pattern', false)];
  const stabilised = json.use_rslora === true;
  const bias = json.lora_bias === true;
  const first = (list: [Match, number][], path: string, fallback: number) =>
    list.find(([match]) => match(path) !== null)?.[1] ?? fallback;

  return {
    baseModel: typeof json.base_model_name_or_path === 'string' ? json.base_model_name_or_path : null,
    targetModules: names('target_modules', json, fail),
    rank,
    factorOf(path) {
      const r = first(ranks, path, rank);
      return {
        rank: r,
        scale: first(alphas, path, alpha) / (stabilised ? Math.sqrt(r) : r),
        ...(bias ? { bias } : {}),
      };
    },
    targets: targetRule(json, fail, pattern),
  };
}

/** A text is a regular expression over the whole path, a list holds paths or their ends. */
function matcher(given: string | readonly string[], key: string, pattern: Pattern): (path: string) => boolean {
  if (typeof given !== 'string') return (path) => given.some((name) => path === name || path.endsWith(`.${name}`));
  const match = pattern(`^(?:${given})$`, key);
  return (path) => match(path) !== null;
}

function targetRule(json: Json, fail: (what: string) => LayerifError, pattern: Pattern): PeftConfig['targets'] {
  const included = names('target_modules', json, fail);
  const parameters = parameterRule(json, fail);
  const excluded = names('exclude_modules', json, fail);
  const out = excluded === null ? () => false : matcher(excluded, 'exclude_modules', pattern);
  const everything = included === null || (typeof included === 'string' && included.toLowerCase() === 'all-linear');
  if (parameters !== null && (everything || included === null)) return (path) => parameters(path) || null;
  if (everything) return (path) => (out(path) ? false : null);
  const inside = matcher(included, 'target_modules', pattern);
  // With a regular expression PEFT refuses layers_to_transform.
  const layers = typeof included === 'string' ? null : layerRule(json, fail, pattern);
  return (path) => parameters?.(path) === true || (!out(path) && inside(path) && (layers === null || layers(path)));
}

/**
 * `target_parameters`: weights by name in place of modules. That of a linear module is adapted as the module is, W + s
 * B A; experts in one tensor have a pair of factors for each expert, which serves two matrices at once.
 */
function parameterRule(json: Json, fail: (what: string) => LayerifError): ((path: string) => boolean) | null {
  const given = names('target_parameters', json, fail);
  if (given === null) return null;
  const list = [given].flat();
  const other = list.find((name) => !/(^|\.)weight$/.test(name));
  if (other !== undefined) {
    throw fail(
      `target_parameters is ${quoted(json.target_parameters)}: parameters that are no linear modules are adapted (experts in one tensor have a pair of factors for each expert, which serves two matrices); merge the adapter into the model (peft: merge_and_unload)`,
    );
  }
  return (path) => list.some((name) => `${path}.weight` === name || `${path}.weight`.endsWith(`.${name}`));
}

/** `layers_to_transform`: the number behind `layers_pattern`, else behind any two names, is one of these. */
function layerRule(
  json: Json,
  fail: (what: string) => LayerifError,
  pattern: Pattern,
): ((path: string) => boolean) | null {
  const given = json.layers_to_transform ?? [];
  const layers: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (layers.some((layer) => !Number.isInteger(layer)))
    throw fail(`layers_to_transform is ${quoted(given)}; a layer's number or a list of layer numbers is needed`);
  if (layers.length === 0) return null;
  const words = names('layers_pattern', json, fail) ?? [];
  const matches = (typeof words === 'string' ? [words] : words).map((word) =>
    pattern(`^(?:|.*?\\.)(?:${word})\\.(?<layer>\\d+)\\.`, 'layers_pattern'),
  );
  if (matches.length === 0) matches.push((path) => /^.*?\.[^.]*\.(?<layer>\d+)\./.exec(path));
  return (path) => {
    const found = matches.map((match) => match(path)).find((one) => one !== null);
    return found !== undefined && layers.includes(Number(found.groups!.layer));
  };
}

/** A text, a list of texts, or null where nothing is said. */
function names(key: string, json: Json, fail: (what: string) => LayerifError): string | readonly string[] | null {
  const value = json[key];
  if (isNeutral(value)) return null;
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((name): name is string => typeof name === 'string')) return value;
  throw fail(`${key} is ${quoted(value)}; a text or a list of texts is needed`);
}

function isNeutral(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
