/**
 * The model families, one row each. To add one: a file beside this, a row here, a reference case in test/reference and
 * a row in test/models/families.test.ts.
 */
import { falcon } from './falcon.ts';
import { gemma, gemma2, gemma3 } from './gemma.ts';
import { gpt2 } from './gpt2.ts';
import { gptNeox } from './gptNeox.ts';
import { llama, mistral } from './llama.ts';
import { mixtral } from './mixtral.ts';
import { olmo2 } from './olmo2.ts';
import { opt } from './opt.ts';
import { phi } from './phi.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { qwen2Moe, qwen3Moe } from './qwenMoe.ts';
import { smollm3 } from './smollm3.ts';
import { stablelm } from './stablelm.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';
import { requireOwnMathematics } from './configKeys.ts';
import { languageConfig, unknownWrapper } from './wrappers.ts';
import { closestTo } from '../text/nearest.ts';

export const families: readonly Family[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  smollm3,
  olmo2,
  stablelm,
  gemma,
  gemma2,
  gemma3,
  phi,
  phi3,
  gpt2,
  gptNeox,
  opt,
  falcon,
  mixtral,
  qwen2Moe,
  qwen3Moe,
];

/** @throws Error for an unknown `model_type`, naming the nearest that is supported, and all others. */
export function architectureOf(given: Config, weights: Weights): Architecture {
  const config = languageConfig(given);
  const type = config.model_type;
  const family = families.find((f) => f.modelTypes.includes(String(type)));
  if (!family) {
    const known = families.flatMap((f) => f.modelTypes);
    const inside = typeof given.text_config === 'object' && given.text_config !== null;
    if (inside && config === given) throw new Error(unknownWrapper(given));
    const near = typeof type === 'string' ? `; the nearest name that is: ${closestTo(type, known)}` : '';
    throw new Error(
      `config.json: model_type ${JSON.stringify(type ?? null)} is not supported${near}; supported: ${known.join(', ')} (CONTRIBUTING.md says how to add a family)`,
    );
  }
  if (config.is_causal === false) {
    throw new Error(
      'config.json: is_causal is false; only models in which a token sees none that come later are supported',
    );
  }
  requireOwnMathematics(config);
  return family.architecture(config, weights);
}
