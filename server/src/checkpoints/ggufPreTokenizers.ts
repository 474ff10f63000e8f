/**
 * Ways of splitting a text before the merges of byte-level BPE (`tokenizer.ggml.pre`), by the names that llama.cpp
 * knows. A file only names one, so a row here repeats what the model's own tokenizer.json says. Several patterns are
 * cut one after the other.
 *
 * To add one: a row here, and its ids in test/reference/tokenizers/make.py. Names of models that are no byte-level
 * decoders (Gemma 4, Sarvam, Jina's and Granite's encoders, plain white space) are left out and refused.
 */
import type { Json } from './ggufVocabulary.ts';

export interface PreTokenizer {
  split: Json;
  normalizer?: Json;
  /** A word that is a token needs no merges. */
  ignoreMerges?: boolean;
  /** Whether the beginning-of-sequence token stands before a text when the file does not say. */
  addsBos?: boolean;
}

export const byteLevel = (regex: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});
const sequence = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers });
const split = (pattern: string): Json => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
/** Cut by each pattern in turn, then bytes as characters. */
const cuts = (...patterns: string[]): Json => sequence(...patterns.map(split), byteLevel(false));
const NFC: Json = { type: 'NFC' };

/** Endings of English words, in either case. */
const endings = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const lettersWithSign = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const signs = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';

/** cl100k_base and its kin, which differ in how many digits are one word. */
const cl100k = (digits: string): string => `${endings}|${lettersWithSign}|${digits}|${signs}|${spaces}`;

/**
 * Words end where a capital begins another: o200k_base, and Tekken with each digit for itself and no English endings.
 */
function cased(ending: string, digits: string): string {
  const [upper, lower] = ['[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]', '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'];
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  const words = `${before}${upper}*${lower}+${ending}|${before}${upper}+${lower}*${ending}`;
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`;
}

const asciiSigns = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]';
const deepSeekWords = (signsThenSpaces: string): string =>
  `${asciiSigns}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+${signsThenSpaces}|\\s+(?!\\S)|\\s+`;
const hanAndKana = '[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+';
const bloomWords = ' ?[^(\\s|[.,!?…。，、।۔،])]+';
const hangulAndCjk =
  '[\\uac00-\\ud7a3\\u3131-\\u318e]+|[！…“”‘’—：；，、-〿︰-﹏]+|[\\u3105-\\u312f]+|[\\u4e00-\\u9fa5\\u3040-\\u309f\\u30a0-\\u30ff]+';

/** DeepSeek's letters: scripts with cases, and CJK for itself. */
const casedLetters =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\\u1f7dᾀ-ᾴᾶ-ᾼ\\u1fbeῂ-ῄῆ-ῌῐ-\\u1fd3ῖ-\\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\\u2126ℨ\\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃';
const cjk = '[\\u4e00-\\u9fa5\\u0800-\\u4e00\\uac00-\\ud7ff]+';
const asianScripts =
  '[\\u4e00-\\u9fff\\u3400-\\u4dbf\\uf900-\\ufaff\\u3040-\\u309f\\u30a0-\\u30ff\\uff65-\\uff9f\\u2f00-\\u2fdf\\u0e40-\\u0e7f\\u0e80-\\u0eff\\u1780-\\u17ff\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff\\uac00-\\ud7af\\u1100-\\u11ff]+';
const notHan = (some: string): string => `[${some}&&[^\\p{Han}]]`;
const kimiWords = ((): string => {
  const [upper, lower] = [notHan('\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}'), notHan('\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}')];
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  const words = `${before}${upper}*${lower}+${endings}?|${before}${upper}+${lower}*${endings}?`;
  return `[\\p{Han}]+|${words}|\\p{N}{1,3}|${signs}|${spaces}`;
})();

const words: PreTokenizer = { split: byteLevel(true) };
/** GPT-NeoX's, which Pythia, OLMo and StableLM 3B have. */
const neox: PreTokenizer = { ...words, normalizer: NFC };
/** GPT-2's, with each digit for itself. */
const digits: PreTokenizer = { split: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)) };
const threeDigits: PreTokenizer = { split: cuts(cl100k('\\p{N}{1,3}')) };
const llamaBpe: PreTokenizer = { ...threeDigits, ignoreMerges: true, addsBos: true };
const oneDigit: PreTokenizer = { split: cuts(cl100k('\\p{N}')) };
const qwen2: PreTokenizer = { ...oneDigit, normalizer: NFC };
const o200k: PreTokenizer = { split: cuts(cased(`${endings}?`, '\\p{N}{1,3}')) };
const deepSeek3: PreTokenizer = { split: cuts('\\p{N}{1,3}', hanAndKana, deepSeekWords('[\\r\\n]*|\\s*[\\r\\n]+')) };
const bloom: PreTokenizer = { split: cuts(bloomWords) };
const bailing: PreTokenizer = {
  split: cuts(`'(?i:[sdmt]|ll|ve|re)|${lettersWithSign}|\\p{N}|${signs}|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`),
};

/** Names that share a row. */
const named = (row: PreTokenizer, ...names: string[]): Record<string, PreTokenizer> =>
  Object.fromEntries(names.map((name) => [name, row]));

export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  default: {
    split: cuts(
      '[\\p{P}$+<=>^~|]+',
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
      '\\p{N}+',
      '[0-9][0-9][0-9]',
    ),
  },
  ...named(words, 'gpt-2', 'phi-2', 'jais', 'trillion', 'granite-docling', 'exaone4', 'gigachat', 'a.x-4.0', 'mellum'),
  ...named(words, 'jina-es', 'jina-de', 'jina-v2-es', 'jina-v2-de', 'modern-bert'),
  ...named(neox, 'olmo', 'mpt'),
  ...named(digits, 'smollm', 'starcoder', 'refact', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'),
  'command-r': { ...digits, normalizer: NFC },
  falcon: {
    split: sequence(
      { type: 'Punctuation', behavior: 'Contiguous' },
      byteLevel(true),
      { type: 'Digits', individual_digits: false },
      split('[0-9][0-9][0-9]'),
    ),
  },
  ...named(llamaBpe, 'llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'),
  ...named(threeDigits, 'dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe'),
  ...named(qwen2, 'qwen2', 'stablelm2', 'deepseek-r1-qwen', 'megrez', 'kormo', 'f2llmv2'),
  ...named(oneDigit, 'hunyuan', 'solar-open', 'grok-2'),
  qwen35: {
    split: cuts(
      `${endings}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`,
    ),
    normalizer: NFC,
  },
  'jais-2': {
    split: cuts(
      `${endings}|${lettersWithSign}|\\p{N}{1,3}|${signs}|\\s*[\\r\\n]+|${[512, 256, 128, 64, 32, 16, 8, 4, '1,2']
        .map((run) => `\\s{${run}}(?!\\S)`)
        .join('|')}|\\s{1}`,
    ),
  },
  minicpm5: { split: cuts('\\p{N}{1,3}', cl100k('\\p{N}+')), ignoreMerges: true },
  laguna: { split: cuts('[^\\n]+|[\\n]+', cl100k('\\p{N}')) },
  ufakzeka: { split: cuts(`${lettersWithSign}|\\p{N}|${signs}|${spaces}`) },
  'seed-coder': {
    split: cuts(`${endings}|${lettersWithSign}|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${spaces}`),
  },
  'exaone-moe': {
    split: cuts(
      `${endings}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`,
    ),
  },
  ...named(o200k, 'gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'),
  ...named(
    { split: cuts('\\d{1,3}(?=(?:\\d{3})*\\b)', cased(`${endings}?`, '\\p{N}{1,3}')) },
    'tiny_aya',
    'cohere2moe',
  ),
  youtu: { split: cuts(hangulAndCjk, cased(`${endings}?`, '\\p{N}')), ignoreMerges: true },
  tekken: { split: cuts(cased('', '\\p{N}')), ignoreMerges: true, addsBos: true },
  'kimi-k2': { split: cuts(kimiWords) },
  'deepseek-llm': {
    split: cuts('[\\r\\n]', `\\s?[${casedLetters}]+`, '\\s?[!-/:-~！-／：-～‘-‟\\u3000-。]+', '\\s+$', cjk, '\\p{N}+'),
  },
  'deepseek-coder': { split: cuts('[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', cjk, '\\p{N}') },
  ...named(deepSeek3, 'deepseek-v3', 'hunyuan-dense', 'joyai-llm', 'hy_v4'),
  spark2_5: { split: cuts('\\p{N}{1,3}', hanAndKana, deepSeekWords('|[\\r\\n]'), '\\p{N}') },
  afmoe: {
    split: cuts('\\p{Nd}{1,3}(?=(?:\\p{Nd}{3})*(?!\\p{Nd}))', asianScripts, deepSeekWords('[\\r\\n]*|\\s*[\\r\\n]+')),
  },
  ...named(bloom, 'bloom', 'poro-chat', 'gpt3-finnish'),
  viking: { split: cuts(bloomWords, '\\p{N}') },
  superbpe: { split: cuts('\\p{N}+', '(?=(\\d{3})+(?!\\d))') },
  ...named(bailing, 'bailingmoe', 'bailingmoe2', 'llada-moe'),
  chameleon: {
    split: cuts(
      '<sentinel:[0-9]+>',
      '(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z',
      '([\\t\\n]|    |  )',
      '\\p{N}',
      '[\\p{P}!-/:-@\\[-`{-~]',
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
    ),
    addsBos: true,
  },
};
