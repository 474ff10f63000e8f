/**
 * What a model's class is made for, by the first name of `architectures` in config.json: a row per ending, the first
 * that fits counts. A class with another head than a row names is refused, because its blocks with some other head are
 * another model.
 *
 * `language`: next tokens. `classes`: one class a text, `score.weight` on the last token. A file without
 * `architectures` is a language model, as AutoModelForCausalLM takes it.
 */
import type { Config } from './types.ts';

export type HeadKind = 'language' | 'classes';

interface Kind {
  ending: RegExp;
  /** What it is, for messages. */
  title: string;
  /** Null: refused, and `advice` says what to do. */
  head: HeadKind | null;
  advice?: string;
}

const LOAD_LANGUAGE =
  'give the language model that it was made from, or a folder that AutoModelForCausalLM saved, if its head belongs to it';

export const architectureKinds: readonly Kind[] = [
  { ending: /ForCausalLM$/, title: 'a causal language model', head: 'language' },
  { ending: /LMHeadModel$/, title: 'a causal language model', head: 'language' },
  { ending: /DoubleHeadsModel$/, title: 'a causal language model with a second head', head: 'language' },
  { ending: /ForConditionalGeneration$/, title: 'a model of several kinds of input', head: 'language' },
  { ending: /ForSequenceClassification$/, title: 'a sequence classifier', head: 'classes' },
  { ending: /ForTokenClassification$/, title: 'a token classifier', head: null, advice: LOAD_LANGUAGE },
  { ending: /ForQuestionAnswering$/, title: 'an extractive question answerer', head: null, advice: LOAD_LANGUAGE },
  { ending: /ForMultipleChoice$/, title: 'a model with a head of one number for each choice', head: null },
  { ending: /ForMaskedLM$/, title: 'a masked language model, which sees later tokens', head: null },
  { ending: /Reward(Model)?$/i, title: 'a reward model', head: null },
  { ending: /ForCausalLM.+$/, title: 'a variant of a causal language model', head: null },
  {
    ending: /Model$/,
    title: 'a model without a head, as embedding models are saved',
    head: null,
    advice: LOAD_LANGUAGE,
  },
];

/**
 * The first name of `architectures`; null where the configuration has none.
 * @throws Error for what is no list of names
 */
export function architectureName(config: Config): string | null {
  const names = config.architectures ?? null;
  if (names === null) return null;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    throw new Error(`config.json: architectures is ${JSON.stringify(names)}; a list of class names is needed`);
  }
  return (names[0] as string | undefined) ?? null;
}

/** @throws Error that names the class, what is supported and what to do */
export function headKind(config: Config): HeadKind {
  const name = architectureName(config);
  if (name === null) return 'language';
  const kind = architectureKinds.find(({ ending }) => ending.test(name));
  if (kind?.head) return kind.head;
  const what = kind ? `${kind.title}, whose loss is not computed here` : 'a class that is not known here';
  throw new Error(
    `config.json: architectures names ${name}: ${what}; supported: ...ForCausalLM, ...LMHeadModel, ...ForSequenceClassification and the language model of ...ForConditionalGeneration: ${kind?.advice ?? LOAD_LANGUAGE}`,
  );
}
