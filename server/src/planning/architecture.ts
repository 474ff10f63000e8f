/**
 * What the Performance Law needs out of a `config.json` of transformers. Families call the same number by different
 * names; a mixture of experts is refused, since the law for it could not be read.
 */
import type { Shape, WeightCounts } from './performanceLaw.ts';

type Config = Readonly<Record<string, unknown>>;

const names = {
  layers: ['num_hidden_layers', 'n_layer', 'num_layers', 'n_layers'],
  hidden: ['hidden_size', 'n_embd', 'd_model'],
  feedForward: ['intermediate_size', 'n_inner', 'ffn_dim', 'ffn_hidden_size', 'd_ff'],
  vocabulary: ['vocab_size'],
  heads: ['num_attention_heads', 'n_head', 'num_heads', 'n_heads'],
  keyValueHeads: ['num_key_value_heads', 'num_kv_heads', 'n_head_kv'],
  headSize: ['head_dim'],
} as const;

/** Counts of experts under the names that families give them. */
const expertNames = ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts', 'num_experts_per_tok'];

/** Model types whose feed-forward network has no gate. */
const ungated = new Set(['gpt2', 'gpt_neox', 'gpt_neo', 'gptj', 'opt', 'phi', 'bloom', 'falcon', 'starcoder2', 'mpt']);

export interface ReadArchitecture {
  shape: Omit<Shape, 'parameters'>;
  counts: WeightCounts;
  /** `model_type`, where it stands. */
  family: string | null;
}

/** @returns why the numbers cannot be had, as a clause; else the numbers */
export function architectureOf(config: Config): { read: ReadArchitecture; why: null } | { read: null; why: string } {
  const inner = isObject(config.text_config) ? config.text_config : config;
  const experts = expertNames.find((name) => (numberOf(inner, [name]) ?? 0) > 1);
  if (experts !== undefined)
    return {
      read: null,
      why: `it is a mixture of experts (${experts} is ${String(inner[experts])}); the Performance Law for these could not be read, so only dense models are predicted`,
    };
  const found = {
    layers: numberOf(inner, names.layers),
    hidden: numberOf(inner, names.hidden),
    feedForward: numberOf(inner, names.feedForward),
  };
  const { layers, hidden } = found;
  const family = typeof inner.model_type === 'string' ? inner.model_type : null;
  // GPT-2 leaves it out: four times the hidden size. The same names mean the same in GPT-Neo, GPT-J and BLOOM.
  const feedForward =
    found.feedForward ?? (hidden !== null && family !== null && ungated.has(family) ? 4 * hidden : null);
  const missing = Object.entries({ layers, hidden, feedForward }).find(([, value]) => value === null)?.[0];
  if (layers === null || hidden === null || feedForward === null)
    return {
      read: null,
      why: `it has no positive number under ${names[missing as keyof typeof found].join(', ')}; add it, or give --layers, --hidden and --ffn by hand and no file`,
    };
  const heads = numberOf(inner, names.heads);
  const headSize = numberOf(inner, names.headSize) ?? (heads === null ? null : hidden / heads);
  const keyValueHeads = numberOf(inner, names.keyValueHeads) ?? heads;
  return {
    why: null,
    read: {
      shape: { layers, hidden, feedForward },
      family,
      counts: {
        vocabulary: numberOf(inner, names.vocabulary) ?? undefined,
        tied: inner.tie_word_embeddings === true || family === 'gpt2',
        matrices: family !== null && ungated.has(family) ? 2 : 3,
        queryWidth: heads === null || headSize === null ? undefined : heads * headSize,
        keyValueWidth: keyValueHeads === null || headSize === null ? undefined : keyValueHeads * headSize,
      },
    },
  };
}

const isObject = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function numberOf(config: Config, keys: readonly string[]): number | null {
  for (const key of keys) {
    const value = config[key];
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  }
  return null;
}
