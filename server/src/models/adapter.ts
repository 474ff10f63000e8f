/**
 * Low-rank adapters on the linear modules of an architecture (Hu et al. 2021, arXiv 2106.09685):
 *
 *   y = x Wᵀ + s (x Aᵀ) Bᵀ (+ s b),   A [r, in], B [out, r], b [out]
 *
 * A and B are linear modules of their own, `<module>.lora_A` and `<module>.lora_B`, so one backward sweep has the
 * gradients of W, A and B. `SegmentBuilder.linear` adds the second term; every family that uses it can be adapted.
 */
import type { Architecture, LinearModule, Lora } from './types.ts';
import { nth } from '../lists/nth.ts';

export interface Adapter {
  /** For messages. */
  path: string;
  /** By module name with its layer, such as `model.layers.0.self_attn.q_proj`. */
  factors: ReadonlyMap<string, Lora>;
  /** Whether the configuration asks for factors of a module; null where it does not say. */
  targets(module: string): boolean | null;
}

/** @throws Error for factors of what is no linear module of a layer, and for modules that lack theirs */
export function adapted(base: Architecture, adapter: Adapter | undefined): Architecture {
  if (!adapter) return base;
  const perLayer = Array.from({ length: base.layers }, (_, layer) => factorsOf(base, adapter, layer));
  const known = perLayer.reduce((sum, factors) => sum + factors.size, 0);
  if (known < adapter.factors.size) {
    const inLayers = new Set(perLayer.flatMap((factors, l) => [...factors.keys()].map((m) => join(base, l, m))));
    const other = [...adapter.factors.keys()].find((name) => !inLayers.has(name));
    throw new Error(
      `adapter ${adapter.path} adapts ${other}, which is no linear module of a layer; embeddings, head and experts that share one tensor cannot be adapted: merge the adapter into the model (peft: merge_and_unload)`,
    );
  }
  return {
    ...base,
    modules: (layer) => base.modules(layer).flatMap((m) => [m, ...factorModules(m, nth(perLayer, layer).get(m.name))]),
    kind: (layer) => `${base.kind(layer)} ${signature(nth(perLayer, layer))}`,
    block: (b, x, layer) => b.withLora(nth(perLayer, layer), () => base.block(b, x, layer)),
  };
}

function join(base: Architecture, layer: number, module: string): string {
  return `${base.layerName(layer)}.${module}`;
}

function factorsOf(base: Architecture, adapter: Adapter, layer: number): Map<string, Lora> {
  const factors = new Map<string, Lora>();
  for (const { name } of base.modules(layer)) {
    const whole = join(base, layer, name);
    const lora = adapter.factors.get(whole);
    if (lora) factors.set(name, lora);
    else if (adapter.targets(whole) === true) {
      throw new Error(
        `adapter ${adapter.path}: target_modules of adapter_config.json asks for ${whole}, adapter_model.safetensors has no factors of it; the file is not complete or belongs to another model`,
      );
    }
  }
  return factors;
}

function factorModules({ name, rows, columns }: LinearModule, lora: Lora | undefined): LinearModule[] {
  if (!lora) return [];
  return [
    { name: `${name}.lora_A`, rows: lora.rank, columns, factor: true },
    { name: `${name}.lora_B`, rows, columns: lora.rank, factor: true },
  ];
}

/** Layers whose graphs are the same, scales included, have the same. */
function signature(factors: ReadonlyMap<string, Lora>): string {
  return `lora(${[...factors].map(([name, { rank, scale, bias }]) => `${name} ${rank} ${scale}${bias ? ' bias' : ''}`).join(', ')})`;
}
