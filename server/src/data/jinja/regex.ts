/**
 * The filter `regex_replace` of lm-evaluation-harness, Python's `re.sub`, and `re.findall` for its filters of answers.
 * What means another thing in JavaScript is rewritten, what has no counterpart is refused. A pattern that does not end
 * within a second is stopped.
 */
import { inTime, TooSlow } from '../../text/inTime.ts';
import { REGEX_SECONDS, inRegexTime, requireText } from './limits.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

interface Match {
  index: number;
  groups: (string | null)[];
  named: Record<string, string | undefined>;
}

/** @throws Error for a pattern that is broken, refused or too slow */
export function regexReplace(text: string, pattern: string, replacement: string, count: number): string {
  const expand = replacementOf(replacement);
  let out = '';
  let at = 0;
  for (const match of matchesOf(text, pattern, count > 0 ? count : 1e9)) {
    out += text.slice(at, match.index) + expand(match);
    requireText(out.length);
    at = match.index + match.groups[0]!.length;
  }
  return out + text.slice(at);
}

/**
 * Python's `re.findall`: the texts of all matches, of its group where the pattern has one, of its groups where it has
 * several.
 * @throws Error as `regexReplace`
 */
export function regexFindAll(text: string, pattern: string): (string | string[])[] {
  return matchesOf(text, pattern, 1e9).map(({ groups: [whole, ...groups] }) => {
    const texts = groups.map((group) => group ?? '');
    return texts.length === 0 ? whole! : texts.length === 1 ? nth(texts, 0) : texts;
  });
}

function matchesOf(text: string, pattern: string, most: number): Match[] {
  const { source, flags } = translated(pattern);
  try {
    const compiled = new RegExp(source, flags);
    return inRegexTime((seconds) => inTime(seconds, () => found(text, compiled, most)));
  } catch (error) {
    throw new Error(
      error instanceof TooSlow
        ? `regex_replace with ${JSON.stringify(pattern)} takes longer than ${REGEX_SECONDS} s: it backtracks; write it without nested repetition`
        : `regex_replace: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function found(text: string, pattern: RegExp, most: number): Match[] {
  const matches: Match[] = [];
  for (let match = pattern.exec(text); match !== null && matches.length < most; match = pattern.exec(text)) {
    const groups = [...match].map((group: string | undefined) => group ?? null);
    matches.push({ index: match.index, groups, named: match.groups ?? {} });
    if (match[0] === '') pattern.lastIndex += (text.codePointAt(pattern.lastIndex) ?? 0) > 0xffff ? 2 : 1;
  }
  return matches;
}

/** Python's pattern in JavaScript's words. */
function translated(pattern: string): { source: string; flags: string } {
  let flags = 'gu';
  let inClass = false;
  let classStart = -1;
  const inline = /^\(\?([aiLmsux]+)\)/.exec(pattern);
  const body = inline ? pattern.slice(inline[0].length) : pattern;
  for (const flag of inline?.[1] ?? '') {
    if ('aLx'.includes(flag)) throw new Error(`regex_replace: the flag (?${flag}) is not read`);
    if (flag !== 'u') flags += flag;
  }
  const multiline = flags.includes('m');
  const source = body.replace(
    /\\[^]|\(\?P<|\(\?P=(\w+)\)|\(\?P>|\(\?#[^)]*\)|[[\]^$(){}/-]|[*+?}]\+/g,
    (token, reference: string | undefined, at: number) => {
      if (token.startsWith('\\')) return escape(token, inClass);
      if (inClass) {
        if (token === ']' && at !== classStart + 1 && !(body[classStart + 1] === '^' && at === classStart + 2))
          inClass = false;
        else if (token === ']' || token === '[') return `\\${token}`;
        else if (token.length > 1) return [...token].map((char) => (/[(){}]/.test(char) ? `\\${char}` : char)).join('');
        else if (/[(){}/]/.test(token)) return `\\${token}`;
        return token;
      }
      if (token === '[') {
        inClass = true;
        classStart = at;
      }
      if (token === '(?P<') return '(?<';
      if (reference !== undefined) return `\\k<${reference}>`;
      if (token.startsWith('(?#')) return '';
      if (token === ']') return '\\]';
      if (token === '{' && !/^\{\d*,?\d*\}/.test(body.slice(at))) return '\\{';
      if (token === '}' && !/\{\d*,?\d*$/.test(body.slice(0, at))) return '\\}';
      // Python's $ stands before a last line break too.
      if (token === '$' && !multiline) return '(?=\\n?(?![^]))';
      if (token.length === 2) throw new Error('regex_replace: possessive quantifiers are not read');
      return token;
    },
  );
  if (/\(\?(?:[aiLmsux]+[-)]|>|\()/.test(source))
    throw new Error('regex_replace: flags, atomic groups and conditions inside the pattern are not read');
  return { source, flags };
}

const classes = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: '\\p{L}\\p{N}_',
  s: '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000',
};
const WORD = '[\\p{L}\\p{N}_]';

function escape(token: string, inClass: boolean): string {
  const char = nth(token, 1);
  switch (char) {
    case 'd':
    case 'D':
      return classes[char];
    case 'w':
    case 's':
      return inClass ? classes[char] : `[${classes[char]}]`;
    case 'W':
    case 'S':
      if (inClass) throw new Error(`regex_replace: \\${char} inside [...] is not read`);
      return `[^${lookup(classes, char.toLowerCase())}]`;
    case 'b':
      return inClass ? '\\x08' : `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`;
    case 'B':
      return `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`;
    case 'A':
      return '(?<![^])';
    case 'Z':
      return '(?![^])';
    case 'a':
      return '\\x07';
    default:
      // With the flag u JavaScript knows fewer escapes of punctuation, and none of a space.
      return /[\^$\\.*+?()[\]{}|/]|[a-zA-Z0-9]/.test(char) ? token : char === '-' ? '\\x2d' : char;
  }
}

/** `\1`, `\g<1>`, `\g<name>` and the escapes of a replacement. */
function replacementOf(template: string): (match: Match) => string {
  const escapes: Record<string, string> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
    '\\': '\\',
  };
  return ({ groups, named }) =>
    template.replace(
      /\\(?:g<(\w+)>|(0[0-7]{0,2}|[1-9]\d?)|([^]))/g,
      (_, name: string | undefined, number: string | undefined, char: string | undefined) => {
        if (number?.startsWith('0')) return String.fromCodePoint(parseInt(number, 8));
        const key = name ?? number;
        if (key !== undefined) {
          const value = /^\d+$/.test(key) ? groups[Number(key)] : named[key];
          if (value === undefined && (/^\d+$/.test(key) ? Number(key) >= groups.length : !Object.hasOwn(named, key)))
            throw new Error(`regex_replace: invalid group reference ${key}`);
          return value ?? '';
        }
        const meant = lookup(escapes, char);
        if (meant !== undefined) return meant;
        if (/[a-zA-Z]/.test(char!)) throw new Error(`regex_replace: bad escape \\${char}`);
        return `\\${char}`;
      },
    );
}
