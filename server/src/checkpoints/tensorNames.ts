/**
 * What stands before the names of a Hugging Face folder's tensors. `save_pretrained` of a causal language model writes
 * `model.layers.0...`; the inner model alone, compilers, parallel wrappers, trainers and PEFT write the same tensors
 * under other words. Names become those of the causal language model here, so that the families know one spelling.
 *
 * To read another wrapper: a word of `wrappers` or `anywhere`. To read another way of calling the model itself: a row
 * of `roots`.
 */
import { nth } from '../lists/nth.ts';

interface Root {
  /** The tensor of the token embedding below the model, which every checkpoint has. */
  probe: string;
  /** What the causal language model has before it. */
  prefix: string;
  /** The family reads names without the prefix too, and its layers keep them (GPT-2's published files). */
  bare?: boolean;
}

/** The first whose probe is there counts. */
const roots: readonly Root[] = [
  { probe: 'decoder.embed_tokens.weight', prefix: 'model.', bare: true }, // OPT
  { probe: 'embed_tokens.weight', prefix: 'model.' }, // Llama and all that are named alike
  { probe: 'wte.weight', prefix: 'transformer.', bare: true }, // GPT-2
  { probe: 'embed_in.weight', prefix: 'gpt_neox.', bare: true }, // GPT-NeoX
  { probe: 'word_embeddings.weight', prefix: 'transformer.', bare: true }, // Falcon
];

/** Words that may stand before the model, in any order and number. */
const wrappers = new Set([
  'module', // DataParallel, DistributedDataParallel
  '_forward_module', // Lightning Fabric, DeepSpeed
  'base_model', // PEFT: base_model.model
  'pretrained_model', // TRL's models with a value head
  'model',
  'transformer',
  'gpt_neox',
  'language_model', // models that see pictures too
  'text_model', // SmolVLM, Idefics 3
  'llm',
  'student', // distillation
]);

/** Words that wrappers of single modules put anywhere into a name. */
const anywhere = /(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/** Modules that stand beside the model, not below it. */
const beside = /^(?:lm_head|embed_out|score|classifier|v_head|value_head)\./;

/**
 * Stored name -> the causal language model's name, of all tensors. A name under which no embedding lies is left as it
 * is.
 */
export function modelNames(stored: Iterable<string>): Map<string, string> {
  const plain = [...stored].map((name) => [name, withoutWords(name)] as const);
  const names = new Set(plain.map(([, name]) => name));
  const found = leadOf(names);
  if (found === null) return new Map(plain);
  const { lead, prefix } = found;
  const outer = lead.endsWith(prefix) ? lead.slice(0, lead.length - prefix.length) : lead;
  const renamed = (name: string): string => {
    if (name.startsWith(lead)) {
      const below = name.slice(lead.length);
      return beside.test(below) ? below : prefix + below;
    }
    return name.startsWith(outer) ? name.slice(outer.length) : name;
  };
  return new Map(plain.map(([name, clean]) => [name, renamed(clean)]));
}

/** What is to be replaced by the prefix; null where nothing is. */
function leadOf(names: ReadonlySet<string>): { lead: string; prefix: string } | null {
  for (const { probe, prefix, bare = false } of roots) {
    if (names.has(prefix + probe) || (bare && names.has(probe))) return null;
    const leads = [...names]
      .filter((name) => name === probe || name.endsWith(`.${probe}`))
      .map((name) => name.slice(0, name.length - probe.length))
      .filter((lead) => lead.split('.').every((word) => word === '' || wrappers.has(word)))
      .sort((a, b) => a.length - b.length);
    if (leads.length > 0) return { lead: nth(leads, 0), prefix };
  }
  return null;
}

function withoutWords(name: string): string {
  return name.replace(anywhere, '').replace(/^\./, '');
}

/** A name that ends as `wanted` does below its first word, for a message; null where there is none. */
export function sameTail(wanted: string, names: Iterable<string>): string | null {
  const tail = wanted.slice(wanted.indexOf('.') + 1);
  for (const name of names) if (name === tail || name.endsWith(`.${tail}`)) return name;
  return null;
}
