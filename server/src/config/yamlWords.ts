/**
 * Faults of YAML in words for who writes the file: the parser speaks of nodes, scalars and implicit keys. Its codes and
 * sentences are those of the package `yaml`.
 */
import type { YAMLError } from 'yaml';

const MISSING = 'the character is missing that belongs here; look at this line and the one before';

/** By the parser's sentence, the first that matches. */
const rows: readonly [pattern: RegExp, words: string][] = [
  [/^Missing closing (["'])/, 'the text begins with a quote $1 and has none at its end; close it'],
  [/multiple documents/, 'a second document begins here; an experiment is one document: remove the line ---'],
  [/end with a ([\]}])$/, 'a bracket is opened above and not closed; add $1'],
  [/^Implicit map keys need to be followed by map values/, 'a key stands here without a colon; write  key: value'],
  [
    /^Implicit keys.*single line/,
    'a line without a colon stands among keys, or a key goes over several lines; write  key: value  in one line',
  ],
  [
    /^Nested mappings are not allowed in compact/,
    'a key stands within the value before it; put each  key: value  on a line of its own with the same indentation, or the value in quotes',
  ],
  [
    /block sequence may not be used as an implicit map key/,
    'a list stands where a key is expected; indent its items alike, below their key',
  ],
  [
    /^All (?:mapping|sequence) items must start at the same column|must start at the same/,
    'this line is indented otherwise than those beside it; indent all alike',
  ],
  [/^Tabs are not allowed/, 'a tab stands in the indentation; use spaces'],
  [
    /indented|indentation|BAD_INDENT/i,
    'the indentation does not fit the lines before; indent by spaces, the same for all keys of a level',
  ],
  [/^Plain value cannot start with .*(.)$/, 'a value cannot begin with $1; put it in quotes'],
  [
    /^Invalid escape sequence (.*)$/,
    '$1 is no escape in double quotes; write \\\\ for a backslash, or use single quotes',
  ],
  [/^Missing (, or :|,) between (.*) items/, 'a comma is missing between two entries in brackets; add it'],
  [/^Missing space after :/, 'a space is missing behind the colon; add it'],
  [/^Comments must be separated/, 'a comment needs a space before its #; add it'],
  [
    /^(?:Tags and anchors|Anchors and tags|A node can have at most|An alias node|Alias|Anchor)/,
    'an anchor (&name), an alias (*name) or a tag (!name) stands where none may; remove it or put the value in quotes',
  ],
  [/^Unresolved tag|used for .* collection/, 'a tag (!name) is not known; remove it'],
  [
    /collections? .* not allowed within/i,
    'a list or mapping over several lines stands in brackets; write it in brackets too',
  ],
  [
    /^Unexpected (.*?)(?: in .*| at node end| token)?$/,
    'something stands here that belongs to nothing before it; look for a missing colon, quote or bracket',
  ],
];

/** `broken YAML: what; what to do`. */
export function syntaxWords({ message, code }: Pick<YAMLError, 'message' | 'code'>): string {
  const sentence = message.replace(/\n[\s\S]*/, '').replace(/[:.]$/, '');
  for (const [pattern, words] of rows) {
    const found = pattern.exec(sentence);
    if (found)
      return `broken YAML: ${words.replace(/\$(\d)/g, (_, n: string) => found[Number(n)] ?? '').replace(/ +;/, ';')}`;
  }
  return `broken YAML: ${code === 'MISSING_CHAR' ? MISSING : 'this line does not follow YAML; look at its indentation, colons and quotes'}`;
}
