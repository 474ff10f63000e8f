/**
 * `normalizer` of tokenizer.json: text into text, one row per type, as the Rust library does it. The library for
 * JavaScript departs from it: a final sigma when it lowers, `$1` in replacements, a guess in place of SentencePiece's
 * table.
 */
import { makerOf, wordOf } from './json.ts';
import type { Json } from './json.ts';
import { patternOf } from './patterns.ts';
import { precompiled } from './precompiled.ts';
import { byteLevel } from './preTokenizers.ts';

export type Normalizer = (text: string) => string;

/**
 * Characters that a normaliser may make of `n`: far above what Unicode asks for (NFKC makes 18 of one) and what
 * SentencePiece adds, far below what a file that doubles its text a hundred times wants.
 */
const mostOf = (n: number): number => 100 * n + 10_000;

const makers: Readonly<Record<string, (settings: Json) => Normalizer>> = {
  Sequence: (settings) => {
    const steps = ((settings['normalizers'] ?? []) as Json[]).map((step) => stepOf(step));
    return (text) => steps.reduce((now, step) => limited(step(now), text), text);
  },
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Lowercase: () => lower,
  Strip: (settings) => {
    const [left, right] = [settings['strip_left'] !== false, settings['strip_right'] !== false];
    return (text) => {
      const begun = left ? text.replace(/^\p{White_Space}+/u, '') : text;
      return right ? begun.slice(0, begun.length - trailing(begun)) : begun;
    };
  },
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  Prepend: (settings) => (text) => (text === '' ? '' : wordOf(settings['prepend'], MARK) + text),
  Replace: (settings) => {
    const [pattern, content] = [patternOf(settings['pattern']), wordOf(settings['content'], '')];
    return (text) => {
      let length = text.length;
      return text.replace(pattern, (found) => {
        length += content.length - found.length;
        if (length > mostOf(text.length)) throw grown(length, text.length);
        return content;
      });
    };
  },
  Precompiled: (settings) => precompiled(wordOf(settings['precompiled_charsmap'], '')),
  Nmt: () => (text) =>
    text.replace(controls, '').replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' '),
  ByteLevel: () => byteLevel,
  BertNormalizer: (settings) => {
    const lowers = settings['lowercase'] !== false;
    const strips = settings['strip_accents'] ?? lowers;
    const steps: [unknown, Normalizer][] = [
      [settings['clean_text'] !== false, cleaned],
      [settings['handle_chinese_chars'] !== false, (text) => text.replace(ideograph, ' $& ')],
      [strips, (text) => text.normalize('NFD').replace(/\p{Mn}/gu, '')],
      [lowers, lower],
    ];
    return (text) => steps.reduce((now, [wanted, step]) => (wanted === true ? step(now) : now), text);
  },
};

/** @throws Error for a type or a setting that is not in the table, and later for a text that grows beyond measure */
export function normalizerOf(settings: Json | null): Normalizer {
  if (settings === null) return (text) => text;
  const step = stepOf(settings);
  return (text) => limited(step(text), text);
}

function stepOf(settings: Json): Normalizer {
  return makerOf('normalizer', settings, makers)(settings);
}

function limited(made: string, text: string): string {
  if (made.length > mostOf(text.length)) throw grown(made.length, text.length);
  return made;
}

function grown(made: number, of: number): Error {
  return new Error(
    `its normalizer makes ${made} or more characters of a text of ${of}; at most ${mostOf(of)} are allowed`,
  );
}

const MARK = '▁';
/** Without those that count as white space. */
const controlCodes = '\\u0001-\\u0008\\u000b\\u000e-\\u001f\\u007f\\u008f\\u009f';
const controls = new RegExp(`[${controlCodes}]`, 'g');
const ideograph =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** Letter by letter: a sigma at the end of a word is lowered as any other. */
function lower(text: string): string {
  let out = '';
  for (const character of text) out += character.toLowerCase();
  return out;
}

/** Without control characters, with every white space a space. */
function cleaned(text: string): string {
  return text.replace(/\p{White_Space}|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]/gu, (found) => {
    if (found === '\t' || found === '\n' || found === '\r') return ' ';
    return /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\ufffd]/u.test(found) ? '' : ' ';
  });
}

function trailing(text: string): number {
  let length = 0;
  while (length < text.length && /\p{White_Space}/u.test(text.charAt(text.length - 1 - length))) length++;
  return length;
}
