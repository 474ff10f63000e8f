/**
 * Models of several kinds of input (pictures, sound) whose text goes through a decoder of a known family: what of
 * config.json the language model reads. Their tensors get the names of the causal language model in
 * checkpoints/tensorNames.ts.
 *
 * A row per `model_type` that was compared with transformers on text alone (test/reference/wrappers). Others are
 * refused by name: their language model may be fed or masked in ways of its own.
 */
import { architectureName } from './architectures.ts';
import { section } from './config.ts';
import type { Config } from './types.ts';
import { lookup } from '../text/lookup.ts';

interface Wrapper {
  /** `tie_word_embeddings` where the file has none. */
  tied?: boolean;
  /** The language model's `tie_word_embeddings` counts too where the wrapper's own is false. */
  innerTie?: boolean;
  /**
   * Three-dimensional positions, which are the same number three times in text: the setting of rotary positions is the
   * plain one.
   */
  threePositions?: boolean;
}

const wrappers: Readonly<Record<string, Wrapper>> = {
  gemma3: { tied: true },
  mistral3: { tied: true },
  internvl: { tied: true },
  llava: { innerTie: true },
  llava_next: {},
  llava_onevision: { innerTie: true },
  vipllava: {},
  idefics3: {},
  smolvlm: {},
  qwen2_vl: { innerTie: true, threePositions: true },
  qwen2_5_vl: { innerTie: true, threePositions: true },
  qwen3_vl: { threePositions: true },
};

const wrapperTypes: readonly string[] = Object.keys(wrappers);

/** `model_type` of a language model inside a wrapper -> of the causal language model with the same mathematics. */
const innerTypes: Readonly<Record<string, string>> = {
  qwen2_vl_text: 'qwen2',
  qwen2_vl: 'qwen2',
  qwen2_5_vl_text: 'qwen2',
  qwen2_5_vl: 'qwen2',
  qwen3_vl_text: 'qwen3',
};

/** Keys of a wrapper's own that say nothing of its language model. */
const ownKeys = ['text_config', 'vision_config', 'audio_config', 'model_type'];

/**
 * The configuration of the language model; `config` itself where it is no wrapper's.
 * @throws Error for a classifier made of a wrapper
 */
export function languageConfig(config: Config): Config {
  const type = config.model_type;
  const wrapper = lookup(wrappers, type);
  if (!wrapper) return underOwnName(config);
  const name = architectureName(config);
  if (name !== null && !/For(ConditionalGeneration|CausalLM)$/.test(name)) {
    throw new Error(
      `config.json: architectures names ${name}, made of the multimodal model_type ${JSON.stringify(type)}; of these only the language model of ...ForConditionalGeneration is supported`,
    );
  }
  // The first files of some have the language model's keys beside the others.
  const flat = Object.fromEntries(Object.entries(config).filter(([key]) => !ownKeys.includes(key)));
  const inner = config.text_config === undefined ? flat : section(config, 'text_config');
  const innerType = inner.model_type ?? type;
  const outerTie = config.tie_word_embeddings ?? wrapper.tied ?? false;
  return {
    ...inner,
    ...(wrapper.threePositions ? plainPositions(inner) : {}),
    model_type: lookup(innerTypes, innerType) ?? innerType,
    architectures: config.architectures ?? [],
    tie_word_embeddings: outerTie === true || (wrapper.innerTie === true && inner.tie_word_embeddings === true),
  };
}

/** AutoConfig takes a Mistral with `layer_types` for a Ministral, whose layers differ; inside a wrapper it does not. */
function underOwnName(config: Config): Config {
  return config.model_type === 'mistral' && 'layer_types' in config ? { ...config, model_type: 'ministral' } : config;
}

/** For a configuration that holds a `text_config` and is none of the above. */
export function unknownWrapper(config: Config): string {
  const name = architectureName(config);
  return `config.json: ${name === null ? '' : `architectures names ${name}, `}model_type ${JSON.stringify(config.model_type)} is a model of several kinds of input that is not supported; the language models of these are: ${wrapperTypes.join(', ')}: save the language model by itself if it is one of a known family (transformers: model.language_model.save_pretrained)`;
}

const THREE_POSITIONS = ['mrope_section', 'mrope_interleaved'];

/** A rotary setting without its split into three, of which text knows nothing. */
function plainPositions(config: Config): Config {
  const keys = ['rope_scaling', 'rope_parameters'].filter((key) => typeof config[key] === 'object' && config[key]);
  return Object.fromEntries(
    keys.map((key) => {
      const kept = Object.entries(section(config, key)).filter(([name]) => !THREE_POSITIONS.includes(name));
      const named = Object.fromEntries(kept.map(([name, value]) => [name, value === 'mrope' ? 'default' : value]));
      return [key, named];
    }),
  );
}
