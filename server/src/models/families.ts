/**
 * The model families, one row each. To add one: a file beside this, a row here, a reference case in test/reference and a row in
 * test/models/families.test.ts.
 */
import { gemma, gemma2, gemma3 } from './gemma.ts';
import { llama, mistral } from './llama.ts';
import { phi } from './phi.ts';
import { phi3 } from './phi3.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const families: readonly Family[] = [llama, mistral, gemma, gemma2, gemma3, phi, phi3];

/** @throws Error for an unknown `model_type`, naming those that are supported. */
export function architectureOf(config: Config, weights: Weights): Architecture {
  const type = config.model_type;
  const family = families.find((f) => f.modelTypes.includes(String(type)));
  if (!family) {
    const known = families.flatMap((f) => f.modelTypes).join(', ');
    throw new Error(
      `config.json: model_type ${JSON.stringify(type ?? null)} is not supported; supported: ${known} (CONTRIBUTING.md says how to add a family)`,
    );
  }
  return family.architecture(config, weights);
}
